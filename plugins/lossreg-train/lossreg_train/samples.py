"""Samples: features with their targets, and the split into training and validation."""

from dataclasses import dataclass
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
    """

    x: "Arrays"
    y: "Arrays"
    weight: "Array | None" = None

    def __len__(self) -> int:
        first = next(iter(self.x.values())) if isinstance(self.x, dict) else self.x
        return len(first)

    def rows(self, chosen: Any) -> "Samples":
        """Return some of the samples: a slice, or the indexes of rows."""
        weight = None if self.weight is None else self.weight[chosen]
        return Samples(x=_rows(self.x, chosen), y=_rows(self.y, chosen), weight=weight)

    @property
    def validation_data(self) -> tuple[Any, ...]:
        """The samples as Keras takes those that are held out."""
        return (self.x, self.y) if self.weight is None else (self.x, self.y, self.weight)


def _rows(arrays: Any, chosen: Any) -> Any:
    if isinstance(arrays, dict):
        return {name: array[chosen] for name, array in arrays.items()}
    return arrays[chosen]


def split(
    rows: int, share: float, seed: int, labels: "Array | None" = None
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
    """
    # NumPy promises the same numbers in every version for RandomState, and not for
    # default_rng. So a seed always means the same split.
    order = np.random.RandomState(seed).permutation(rows)
    groups = [order]
    if labels is not None and (classes := exclusive_classes(labels)) is not None:
        groups = [order[classes[order] == one] for one in np.unique(classes)]
        if max(map(len, groups)) < 2:
            groups = [order]
    held = np.zeros(rows, dtype=bool)
    for group in groups:
        count = min(len(group) - 1, max(1, round(share * len(group))))
        held[group[len(group) - count :]] = True
    return order[~held[order]], order[held[order]]


def exclusive_classes(labels: "Array") -> "Array | None":
    """Return the class of each row, or None if a row may have no class or several."""
    flat = labels.reshape(len(labels), -1)
    if flat.dtype.kind == "f" and (flat % 1 != 0).any():
        return None
    if flat.shape[1] == 1:
        return flat[:, 0]
    used = flat != 0
    return used.argmax(axis=1) if (used.sum(axis=1) == 1).all() else None
