"""Slices of the samples: the losses are judged on each by itself, too."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_VALUES = 12  # of a column of numbers; with more it is cut at its quartiles
_MOST_NAMES = 50  # of a column of strings; the rarest are taken together
OTHERS = "others"
"""The slice of the rarest strings of a column that has many."""


def slice_names(values: "Array") -> "Array":
    """Return the name of the slice that each sample is in.

    >>> slice_names(np.array([1, 2, 2])).tolist()
    ['1', '2', '2']
    """
    found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    if values.dtype.kind == "U" or values.dtype.kind == "b":
        names = np.array([str(value) for value in found], dtype=object)
        if len(found) > _MOST_NAMES:
            names[np.argsort(-counts, kind="stable")[_MOST_NAMES - 1 :]] = OTHERS
        return names[inverse].astype(str)
    if len(found) <= _MOST_VALUES:
        return np.array([f"{value:g}" for value in found])[inverse]
    edges = np.unique(np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    names = np.array([f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(edges)])
    return np.asarray(names[place])
