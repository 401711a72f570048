"""The values of a column: which of them are missing, and the types that Keras computes in."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ...names import shown

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


def lacking(array: "Array") -> str:
    """Return what a column lacks, such as "2 missing", or nothing."""
    missing = int(is_missing(array).sum())
    # Keras computes in float32, where a larger number is infinite.
    large = array.dtype.kind == "f" and (np.abs(array) > np.finfo("float32").max)
    infinite = int(np.sum(large))
    counts = [f"{missing} missing"] * bool(missing) + [f"{infinite} infinite"] * bool(infinite)
    return " and ".join(counts)


def is_missing(array: "Array") -> "Array":
    """Return where a column has no value."""
    if array.dtype.kind == "U":
        return np.asarray(np.char.strip(array) == "")
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=bool)


def is_mostly_numbers(array: "Array") -> bool:
    """Return whether most of a column's texts are numbers, and some are none."""
    texts = len(_texts(array))
    return 0 < texts < (array.size - int(is_missing(array).sum())) / 2


def texts_of(column: str, array: "Array") -> str:
    """Return how a message on a column of texts begins: how many rows are no numbers."""
    texts = _texts(array)
    if not texts:
        return f"{column!r} holds numbers that are written as texts"
    rows = {index // _width(array) for index in texts}
    return f"{column!r} holds texts in {len(rows)} of {len(array)} rows ({example(array)})"


def example(array: "Array") -> str:
    """Return a text of a column and its row: one that is no number, if there is one."""
    index = next(iter(_texts(array)), 0)
    return f"such as {shown(str(array.flat[index]))} in row {index // _width(array) + 1}"


def _width(array: "Array") -> int:
    """Return how many values a row has."""
    return array.size // len(array)


def _texts(array: "Array") -> list[int]:
    """Return where a flat column of texts holds neither a number nor nothing."""
    stripped = map(str.strip, array.flat)
    return [index for index, text in enumerate(stripped) if text and not is_number(text)]


def compact(labels: "Array") -> "Array":
    """Return labels in the types that Keras computes in."""
    if labels.dtype.kind == "f":
        return labels.astype("float32")
    if labels.size and not -(2**31) <= labels.min() <= labels.max() < 2**31:
        return labels
    return labels.astype("int32")


def is_number(text: str) -> bool:
    """Return whether a text is one."""
    try:
        float(text)
    except ValueError:
        return False
    return True
