"""Labels as numbers: a string becomes the index of its class."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.loss import did_you_mean, shown

from .table import describe_strings, is_mostly_numbers, is_number

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_NAMED = 5  # values in one message

Classes = Sequence[str | int]


def number_labels(
    values: "Array", classes: Classes | None
) -> "tuple[Array, Classes | None, list[str]]":
    """Return labels as numbers, the classes that they are indexes of, and what is wrong.

    Args:
        values: Strings or numbers: one column, or a column for each class.
        classes: The classes in the order of their indexes. Without classes, strings are
            sorted and numbers stay as they are.
    """
    if values.dtype.kind == "U":
        values = np.char.strip(values)
        if classes is None:
            found, indexes = np.unique(values, return_inverse=True)
            return indexes.reshape(values.shape), [str(value) for value in found], []
    if classes is None:
        return values, None, []
    twice = sorted({str(one) for one in classes if list(map(str, classes)).count(str(one)) > 1})
    if twice:
        return values, classes, [f"The class {twice[0]!r} is listed twice. List it once."]
    if values.ndim > 1 and values.shape[-1] > 1:
        return values, classes, _column_faults(values, classes)
    if values.dtype.kind != "U" and not any(_looks_numeric(one) for one in classes):
        return values, classes, _name_faults(values, classes)
    return _indexes(values, classes)


def refusal(values: "Array", column: str, numbers_for: str | None) -> str:
    """Return why strings can't be classes that no config lists, or an empty string.

    Args:
        values: The strings.
        column: Their column.
        numbers_for: The loss, if its labels are numbers that mean no class.
    """
    holds = describe_strings(column, values)
    if is_mostly_numbers(values):
        if numbers_for:
            return f"{holds}, and {numbers_for!r} takes numbers. Correct or drop those rows."
        advice = "Correct or drop those rows, or list every label in 'classes'."
        return f"{holds}, and numbers in the other rows. {advice}"
    if numbers_for:
        advice = "or list the strings in 'classes' to train on their indexes."
        return (
            f"{holds}, and {numbers_for!r} takes numbers. "
            f"Write numbers, with a point for decimals, {advice}"
        )
    return ""


def _column_faults(values: "Array", classes: Classes) -> list[str]:
    """Return what is wrong with classes that name the columns of a matrix."""
    if len(classes) != values.shape[-1]:
        return [
            f"There are {len(classes)} classes, but the target has {values.shape[-1]} columns. "
            "List a class for each column."
        ]
    used = (values != 0).reshape(-1, len(classes)).any(axis=0)
    return _unused_faults([one for one, uses in zip(classes, used, strict=True) if not uses], [])


def _name_faults(values: "Array", classes: Classes) -> list[str]:
    """Return what is wrong with names for labels that are indexes already."""
    found = np.unique(values)
    outside = [value for value in found if not (value % 1 == 0 and 0 <= value < len(classes))]
    if outside:
        values_outside = ", ".join(_written(value) for value in outside[:_MOST_NAMED])
        return [
            f"The target holds {values_outside}, but {len(classes)} classes have the indexes 0 "
            f"to {len(classes) - 1}. List every class, or list the target's values instead."
        ]
    return _unused_faults([one for index, one in enumerate(classes) if index not in found], [])


def _indexes(values: "Array", classes: Classes) -> "tuple[Array, Classes, list[str]]":
    """Return the index of each value among the classes, which list values."""
    found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    written = [_written(value) for value in found]
    # A column of booleans no longer shows how the file writes them.
    folded = str.lower if values.dtype.kind == "b" else str
    known = {folded(str(one)): index for index, one in enumerate(classes)}
    indexes = np.array([known.get(value, -1) for value in written], dtype=np.int64)
    unlisted = [(v, int(n)) for v, n in zip(written, counts, strict=True) if v not in known]
    faults = []
    for value, count in unlisted[:_MOST_NAMED]:
        near = did_you_mean(value, known)
        rows = "1 row" if count == 1 else f"{count} rows"
        quoted = shown(value) if values.dtype.kind == "U" else value
        faults.append(f"The target is {quoted} in {rows}, but 'classes' doesn't list it.{near}")
    if len(unlisted) > _MOST_NAMED:
        faults.append(f"The target has {len(unlisted)} values that 'classes' doesn't list.")
    unused = [one for one in classes if folded(str(one)) not in written]
    faults += _unused_faults(unused, [value for value, _ in unlisted])
    return indexes[inverse].reshape(values.shape), classes, faults


def _unused_faults(unused: Sequence[str | int], unlisted: Sequence[str]) -> list[str]:
    faults = []
    for one in unused[:_MOST_NAMED]:
        near = did_you_mean(str(one), unlisted) or " Leave it out."
        faults.append(f"The class {one!r} never occurs in the data.{near}")
    if len(unused) > _MOST_NAMED:
        faults.append(f"{len(unused)} of the listed classes never occur in the data.")
    return faults


def _written(value: Any) -> str:
    """Return a value as a config lists it: 1 for 1.0 too, and true for True."""
    if isinstance(value, np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and value % 1 == 0:
        return str(int(value))
    return str(value)


def _looks_numeric(value: str | int) -> bool:
    return is_number(str(value)) or str(value).lower() in ("true", "false")
