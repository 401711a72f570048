"""Samples: features with their targets, and which of them are held out."""

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
        x: Rows of features; by input where the config names inputs.
        y: Rows of targets; by output where the config names outputs.
    """

    x: "Arrays"
    y: "Arrays"

    def __len__(self) -> int:
        first = next(iter(self.x.values())) if isinstance(self.x, dict) else self.x
        return len(first)

    def rows(self, chosen: Any) -> "Samples":
        """Return some of the samples: a slice, or the indexes of rows."""
        return Samples(x=_rows(self.x, chosen), y=_rows(self.y, chosen))


def _rows(arrays: Any, chosen: Any) -> Any:
    if isinstance(arrays, dict):
        return {name: array[chosen] for name, array in arrays.items()}
    return arrays[chosen]


def split(
    rows: int, share: float, seed: int, labels: "Array | None" = None
) -> "tuple[Array, Array]":
    """Return the indexes of the rows to train on and of those that are held out.

    The rows are shuffled, and the last ones held out. With labels each class is split for
    itself, so that a rare one is in both parts: of 10 samples among 1,000, chance holds out
    none about once in ten times, and no metric of the validation would mean anything. A
    class of one sample is trained on.

    Args:
        rows: How many there are, at least 2.
        share: How many of them are held out, between 0 and 1; at least one is.
        seed: Of the shuffling.
        labels: Classes, one in each row, or a column for each with a 1 for the row's.
    """
    # NumPy promises that this generator's numbers stay the same in every version, and so
    # a seed means the same split; of default_rng it doesn't.
    order = np.random.RandomState(seed).permutation(rows)
    groups = [order]
    if labels is not None and (classes := _classes(labels)) is not None:
        groups = [order[classes[order] == one] for one in np.unique(classes)]
        if max(map(len, groups)) < 2:
            groups = [order]
    held = np.zeros(rows, dtype=bool)
    for group in groups:
        count = min(len(group) - 1, max(1, round(share * len(group))))
        held[group[len(group) - count :]] = True
    return order[~held[order]], order[held[order]]


def _classes(labels: "Array") -> "Array | None":
    """Return each row's class, or None where a row may have none or several."""
    flat = labels.reshape(len(labels), -1)
    if flat.dtype.kind == "f" and (flat % 1 != 0).any():
        return None
    if flat.shape[1] == 1:
        return flat[:, 0]
    used = flat != 0
    return used.argmax(axis=1) if (used.sum(axis=1) == 1).all() else None
