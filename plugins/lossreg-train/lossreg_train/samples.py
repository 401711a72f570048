"""Samples: features with their targets, and the split into training and validation."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]
    Arrays = Array | dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Features and targets, as Keras' `fit` takes them.

    Args:
        x: Rows of features. A mapping by input, if the config names inputs.
        y: Rows of targets. A mapping by output, if the config names outputs. With weights, a list
            where the model returns a list.
        weight: What each sample, pixel or step is multiplied by in the loss of every output.
        truth: The labels to judge by, in the form of `y`, where they aren't those of `y`.
    """

    x: "Arrays"
    y: "Arrays"
    weight: "Array | None" = None
    truth: "Arrays | None" = None

    def __len__(self) -> int:
        first = next(iter(self.x.values())) if isinstance(self.x, dict) else self.x
        return len(first)

    def rows(self, chosen: Any) -> "Samples":
        """Return some of the samples: a slice, or the indexes of rows."""
        return Samples(
            x=_rows(self.x, chosen),
            y=_rows(self.y, chosen),
            weight=None if self.weight is None else self.weight[chosen],
            truth=None if self.truth is None else _rows(self.truth, chosen),
        )

    def with_truth(self) -> "Samples":
        """Return the samples with the labels to judge by as their targets."""
        return self if self.truth is None else replace(self, y=self.truth, truth=None)

    @property
    def validation_data(self) -> tuple[Any, ...]:
        """The samples as Keras takes those that are held out."""
        return (self.x, self.y) if self.weight is None else (self.x, self.y, self.weight)


def _rows(arrays: Any, chosen: Any) -> Any:
    if isinstance(arrays, dict):
        return {name: array[chosen] for name, array in arrays.items()}
    if isinstance(arrays, list):
        return [array[chosen] for array in arrays]
    return arrays[chosen]


def split(
    rows: int,
    share: float,
    seed: int,
    labels: "Array | None" = None,
    *,
    groups: "Array | None" = None,
    times: "Array | None" = None,
) -> "tuple[Array, Array]":
    """Return the indexes of the rows to train on, and of the rows that are held out.

    The rows are shuffled, and the last rows are held out. With labels, each class is split by
    itself, so that a rare class is in both parts: of 10 samples among 1,000, chance holds out
    none in about one of ten splits, and then no validation metric means anything. A class
    with one sample is trained on.

    Args:
        rows: The number of rows, at least 2.
        share: The share that is held out, between 0 and 1. At least one row is held out.
        seed: The seed of the shuffling.
        labels: Classes: one number a row, or a row of zeros with a 1 for its class.
        groups: The group of each row, at least two. All rows of a group are in one part.
        times: When each row was measured. The latest rows are held out. There are at least two
            times, and rows of one time are in one part.
    """
    # NumPy promises the same numbers in every version for RandomState, and not for
    # default_rng. So a seed always means the same split.
    random = np.random.RandomState(seed)
    classes = None if labels is None else exclusive_classes(labels)
    if times is not None:
        order = np.argsort(times, kind="stable")
        first = times[order[-max(1, round(share * rows))]]
        held = times >= first if first > times.min() else times > first
    elif groups is not None:
        order = random.permutation(rows)
        parts = max(2, round(1 / share), round(1 / (1 - share)))
        smaller = spread(groups, classes, parts, random) == 0
        held = smaller if share <= 0.5 else ~smaller
    else:
        order = random.permutation(rows)
        held = _in_each_class(order, share, classes)
    return order[~held[order]], order[held[order]]


def _in_each_class(order: "Array", share: float, classes: "Array | None") -> "Array":
    """Return which rows are held out: a share of the shuffled rows, or of those of each class."""
    kinds = [order]
    if classes is not None:
        kinds = [order[classes[order] == one] for one in np.unique(classes)]
        if max(map(len, kinds)) < 2:
            kinds = [order]
    held = np.zeros(len(order), dtype=bool)
    for kind in kinds:
        count = min(len(kind) - 1, max(1, round(share * len(kind))))
        held[kind[len(kind) - count :]] = True
    return held


def spread(
    groups: "Array", classes: "Array | None", count: int, random: np.random.RandomState
) -> "Array":
    """Return a part for each row: a group is in one part, and the parts are alike.

    One group after the other, in random order, is given to the part that has the smallest share
    of its classes so far.

    Args:
        groups: The group of each row.
        classes: The class of each row, or None.
        count: The number of parts. Without as many groups, some parts are empty.
        random: Shuffles the groups.
    """
    _, group = np.unique(groups, return_inverse=True)
    kinds = np.zeros(len(groups)) if classes is None else classes
    _, kind = np.unique(kinds, return_inverse=True)
    share = np.zeros((group.max() + 1, kind.max() + 1))
    np.add.at(share, (group, kind), 1)
    share /= share.sum(axis=0)
    part = np.empty(len(share), dtype=int)
    filled = np.zeros((count, share.shape[1]))
    for position, one in enumerate(random.permutation(len(share))):
        # Each part begins with one group, so that none is empty.
        part[one] = position if position < count else (filled @ share[one]).argmin()
        filled[part[one]] += share[one]
    return part[group]


def exclusive_classes(labels: "Array") -> "Array | None":
    """Return the class of each row, or None if a row may have no class or several."""
    flat = labels.reshape(len(labels), -1)
    if flat.dtype.kind == "f" and (flat % 1 != 0).any():
        return None
    if flat.shape[1] == 1:
        return flat[:, 0]
    used = flat != 0
    return used.argmax(axis=1) if (used.sum(axis=1) == 1).all() else None
