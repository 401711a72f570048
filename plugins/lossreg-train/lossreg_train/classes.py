"""Labels as numbers: a string becomes the index of its class."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.loss import did_you_mean, shown

from .table import describe_strings, is_mostly_numbers, is_number

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_NAMED = 5  # values in one message

_TRUTHS = ("true", "false")

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
    if values.dtype.kind != "U" and not lists_values(classes):
        return values, classes, _name_faults(values, classes)
    return _indexes(values, classes)


def known_labels(values: "Array", classes: Classes) -> "tuple[Array, list[str]]":
    """Return labels as indexes of classes, and those that aren't among the classes.

    Args:
        values: Strings or numbers in one column.
        classes: The classes in the order of their indexes.
    """
    if values.dtype.kind == "U":
        values = np.char.strip(values)
    found, inverse = np.unique(values, return_inverse=True)
    if values.dtype.kind != "U" and not lists_values(classes):
        # The classes are names, and the labels are indexes already.
        is_known = np.isin(found, np.arange(len(classes)))
        return values, [_written(value) for value in found[~is_known]]
    written = [_written(value) for value in found]
    indexes = np.array([_index(value, classes) for value in written], dtype=np.int64)
    unknown = [value for value, index in zip(written, indexes, strict=True) if index < 0]
    return indexes[inverse].reshape(values.shape), unknown


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
    indexes = np.array([_index(value, classes) for value in written], dtype=np.int64)
    missing = zip(written, indexes, counts, strict=True)
    unlisted = [(value, int(count)) for value, index, count in missing if index < 0]
    faults = []
    for value, count in unlisted[:_MOST_NAMED]:
        near = _same_number(value, classes) or did_you_mean(value, [str(one) for one in classes])
        rows = "1 row" if count == 1 else f"{count} rows"
        quoted = shown(value) if values.dtype.kind == "U" else value
        faults.append(f"The target is {quoted} in {rows}, but 'classes' doesn't list it.{near}")
    if len(unlisted) > _MOST_NAMED:
        faults.append(f"The target has {len(unlisted)} values that 'classes' doesn't list.")
    # A class that is the same number as an unlisted value has its advice already.
    explained = {_number(value) for value, _ in unlisted} - {None}
    unused = [
        one
        for index, one in enumerate(classes)
        if index not in indexes and _number(str(one)) not in explained
    ]
    faults += _unused_faults(unused, [value for value, _ in unlisted])
    return indexes[inverse].reshape(values.shape), classes, faults


def _index(value: str, classes: Classes) -> int:
    """Return the index of the class that lists a value, or -1.

    A string lists the same string, a number each string of that number. Python and YAML write
    a truth with and without a capital.
    """
    if value in classes:
        return classes.index(value)
    number = _number(value)
    for index, one in enumerate(classes):
        if number is not None and not isinstance(one, str) and number == one:
            return index
        if value.lower() in _TRUTHS and value.lower() == str(one).lower():
            return index
    return -1


def class_number(name: str, classes: Classes | None) -> float | None:
    """Return the number that stands for a class in the labels, or None.

    Args:
        name: The class, as `classes` lists it or as a number.
        classes: The classes in the order of their numbers, or None if labels are numbers.
    """
    index = _index(name, classes or ())
    if index >= 0:
        return index
    return float(name) if is_number(name) else None


def _number(value: str) -> Decimal | None:
    # A float can't hold every integer.
    return Decimal(value) if is_number(value) else None


def _same_number(value: str, classes: Classes) -> str:
    """Return advice for a value that a class means, but writes in another way."""
    number = _number(value)
    same = [one for one in classes if number is not None and number == _number(str(one))]
    if not same:
        return ""
    return (
        f" The class {same[0]!r} is the same number. List {value!r}, as the file has it, or "
        "list numbers without quotes."
    )


def merged(strings: "Array") -> list[str]:
    """Return strings of a column that are one whole number, such as "1" and "01"; or none.

    "1.0" isn't among them: programs write it for 1 in a column of floats.
    """
    spellings: dict[Decimal, str] = {}
    for string in np.unique(strings).tolist():
        number = _number(string)
        if number is None or not number.is_finite() or number != number.to_integral_value():
            continue
        spelling = re.sub(r"\.0*$", "", string)
        if spellings.setdefault(number, spelling) != spelling:
            return [spellings[number], spelling]
    return []


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


def lists_values(classes: Classes, strings: "Array | None" = None) -> bool:
    """Return whether classes list the values of a column of numbers, and don't name indexes.

    Args:
        classes: The classes.
        strings: The values as their file has them.
    """
    return any(
        is_number(str(one))
        or str(one).lower() in _TRUTHS
        or (strings is not None and one in strings)
        for one in classes
    )
