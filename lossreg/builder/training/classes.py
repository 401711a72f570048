"""Labels as numbers: texts by their index among the classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...names import did_you_mean, shown
from .columns import is_mostly_numbers, is_number, texts_of

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_NAMED = 5  # values in one message

Classes = Sequence[str | int]


def numbered(values: "Array", classes: Classes | None) -> "tuple[Array, Classes | None, list[str]]":
    """Return labels as numbers, the classes they are indexes of, and what is wrong.

    Args:
        values: Texts or numbers, one column; or a column for each class.
        classes: The classes in the order of their indexes. Without them texts are
            sorted, and numbers stay as they are.
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
        return values, classes, [f"The class {twice[0]!r} is listed twice. Name each once."]
    if values.ndim > 1 and values.shape[-1] > 1:
        return values, classes, _columns(values, classes)
    if values.dtype.kind != "U" and not any(_looks_numeric(one) for one in classes):
        return values, classes, _names(values, classes)
    return _indexes(values, classes)


def refusal(values: "Array", column: str, numbers_for: str | None) -> str:
    """Return why texts that no config lists are no classes, or nothing.

    Args:
        values: The texts.
        column: Their column.
        numbers_for: The loss, where it takes numbers that are no classes.
    """
    said = texts_of(column, values)
    takes = f"{said}, and {numbers_for!r} takes numbers."
    if is_mostly_numbers(values):
        if numbers_for:
            return f"{takes} Mend or drop those rows."
        advice = "Mend or drop those rows, or list every label in 'classes'."
        return f"{said}, and numbers in the others. {advice}"
    if numbers_for:
        advice = "or list the texts in 'classes', to train on their indexes from 0 on."
        return f"{takes} Write them so, with a point for decimals; {advice}"
    return ""


def _columns(values: "Array", classes: Classes) -> list[str]:
    """Return what is wrong with classes that name the columns of a matrix."""
    if len(classes) != values.shape[-1]:
        return [
            f"There are {len(classes)} classes, and the target has {values.shape[-1]} columns. "
            "Name a class for each."
        ]
    used = (values != 0).reshape(-1, len(classes)).any(axis=0)
    return _never([one for one, uses in zip(classes, used, strict=True) if not uses], [])


def _names(values: "Array", classes: Classes) -> list[str]:
    """Return what is wrong with names for the indexes that the labels are."""
    found = np.unique(values)
    outside = [value for value in found if not (value % 1 == 0 and 0 <= value < len(classes))]
    if outside:
        said = ", ".join(_text(value) for value in outside[:_MOST_NAMED])
        return [
            f"The target holds {said}, and {len(classes)} classes have the indexes 0 to "
            f"{len(classes) - 1}. Name every class, or list the target's values instead."
        ]
    return _never([one for index, one in enumerate(classes) if index not in found], [])


def _indexes(values: "Array", classes: Classes) -> "tuple[Array, Classes, list[str]]":
    """Return the index of each value among the classes, which list values."""
    found, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    texts = [_text(value) for value in found]
    # A column of booleans no longer tells how the file writes them.
    folded = str.lower if values.dtype.kind == "b" else str
    known = {folded(str(one)): index for index, one in enumerate(classes)}
    indexes = np.array([known.get(text, -1) for text in texts], dtype=np.int64)
    unlisted = [(t, int(n)) for t, n in zip(texts, counts, strict=True) if t not in known]
    faults = []
    for text, count in unlisted[:_MOST_NAMED]:
        near = did_you_mean(text, known)
        rows = "1 row" if count == 1 else f"{count} rows"
        value = shown(text) if values.dtype.kind == "U" else text
        faults.append(f"The target is {value} in {rows}, which 'classes' lacks.{near}")
    if len(unlisted) > _MOST_NAMED:
        faults.append(f"The target has {len(unlisted)} values that 'classes' lacks.")
    unused = [one for one in classes if folded(str(one)) not in texts]
    faults += _never(unused, [text for text, _ in unlisted])
    return indexes[inverse].reshape(values.shape), classes, faults


def _never(unused: Sequence[str | int], unlisted: Sequence[str]) -> list[str]:
    faults = []
    for one in unused[:_MOST_NAMED]:
        near = did_you_mean(str(one), unlisted) or " Leave it out."
        faults.append(f"The class {one!r} never occurs in the data.{near}")
    if len(unused) > _MOST_NAMED:
        faults.append(f"{len(unused)} of the listed classes never occur in the data.")
    return faults


def _text(value: Any) -> str:
    """Return a value as a config lists it: 1 for 1.0 too, and true."""
    if isinstance(value, np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and value % 1 == 0:
        return str(int(value))
    return str(value)


def _looks_numeric(value: str | int) -> bool:
    return is_number(str(value)) or str(value).lower() in ("true", "false")
