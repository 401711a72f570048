"""Values for a parameter, from its type: others than the default, edges, and wrong ones."""

import math
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..loss import Range, plain_type, range_of, union_members

REQUIRED = object()
"""Stands for the default of a parameter that has none."""

# A range that ends further away counts what takes time or memory.
_MOST_STEPS = 100


def other_values(annotation: Any, default: Any, classes: int) -> list[Any]:
    """Return values that differ from the default; the first ones reveal most mistakes.

    Not all of them need be legal: a type can't say that an axis must exist.

    Args:
        annotation: The parameter's type, with its range.
        default: Its default, or `REQUIRED`.
        classes: Length of a list that has one entry for each class.
    """
    if annotation is Any and default is not REQUIRED and default is not None:
        # The default of an untyped parameter shows its type.
        annotation = tuple[Any, ...] if isinstance(default, list | tuple) else type(default)
    # To Python True equals 1; as a parameter it is another value.
    return [
        value
        for value in _values(annotation, classes)
        if (type(value), value) != (type(default), default)
    ]


def edges(annotation: Any) -> list[Any]:
    """Return every choice of a type, or numbers at the ends of its range and inside it.

    An integer without a range has none: it doesn't say which axes or classes exist.
    """
    plain = plain_type(annotation)
    if plain is bool or typing.get_origin(plain) is Literal:
        return _values(annotation, classes=1)
    limit = range_of(annotation)
    if plain is int:
        found = {end for end in whole_ends(limit) if end is not None and abs(end) <= _MOST_STEPS}
        return sorted(found)
    if plain is not float:
        return []
    low = [] if limit.low is None else [limit.low + (0 if limit.closed_low else 1e-3)]
    high = [] if limit.high is None else [limit.high - (0 if limit.closed_high else 1e-3)]
    inside = [
        value
        for value in (0.0, -1.5, 10.0)
        if (limit.low is None or value > limit.low) and (limit.high is None or value < limit.high)
    ]
    return [*low, *high, *inside]


def whole_ends(limit: Range) -> tuple[int | None, int | None]:
    """Return the smallest and the largest integer of a range; None where there is none."""
    # pydantic takes no ends between two integers.
    low = None if limit.low is None else int(limit.low) + (not limit.closed_low)
    high = None if limit.high is None else int(limit.high) - (not limit.closed_high)
    return low, high


def values_outside(annotation: Any) -> list[float]:
    """Return numbers beyond the ends of a range."""
    limit = range_of(annotation)
    low = [] if limit.low is None else [limit.low - (1 if limit.closed_low else 0)]
    high = [] if limit.high is None else [limit.high + (1 if limit.closed_high else 0)]
    # Another member of a union may take a float and no integer, or an integer only.
    return [
        *(plain_type(annotation)(value) for value in (*low, *high)),
        *map(math.floor, low),
        *map(math.ceil, high),
    ]


# A value of each kind that a config file can hold.
KINDS: Mapping[str, Any] = types.MappingProxyType(
    {
        "number": 0.7,
        "bool": True,
        "string": "nonsense",
        "None": None,
        "list": ("nonsense", "more"),
        "mapping": {"nonsense": 1},
    }
)


def kinds(annotation: Any) -> set[str] | None:
    """Return the keys of `KINDS` that a type allows, or None if it doesn't say."""
    found: set[str] = set()
    for member in union_members(annotation):
        inner = _kind(plain_type(member))
        if inner is None:
            return None
        found |= inner
    return found


def _kind(plain: Any) -> set[str] | None:
    origin = typing.get_origin(plain)
    if origin is Literal:
        return {kind for value in typing.get_args(plain) for kind in _kind(type(value)) or ()}
    if plain in (list, tuple) or origin in (list, tuple, Sequence):
        return {"list"}
    if plain is dict or origin in (dict, Mapping):
        return {"mapping"}
    simple = {int: "number", float: "number", bool: "bool", str: "string", type(None): "None"}
    return {simple[plain]} if plain in simple else None


def _values(annotation: Any, classes: int) -> list[Any]:
    # Lists first: they have more to lose on the way through a file than a number has.
    ordered = sorted(union_members(annotation), key=lambda member: kinds(member) != {"list"})
    return [value for member in ordered for value in _member_values(member, classes)]


def _member_values(annotation: Any, classes: int) -> list[Any]:
    plain = plain_type(annotation)
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if plain is bool:
        return [True, False]
    if plain is int:
        # 1 and 2 are axes and classes too; 0 would be the axis of the batch.
        return [int(value) for value in _numbers(range_of(annotation), (1, 2, 3, -2, 0))]
    if plain is float:
        return _numbers(range_of(annotation), (0.5, 1.5, 3.0))
    if plain is type(None):
        return [None]
    if plain is Any:
        return [0.5, 1.5, 1, 2, True]
    if origin is Literal:
        return list(arguments)
    if plain in (list, tuple):
        return _lists((Any, ...), classes)
    if origin in (list, Sequence):
        return _lists((arguments[0], ...), classes)
    if origin is tuple:
        return _lists(arguments, classes)
    return []


def _numbers(limit: Range, unbounded: tuple[float, ...]) -> list[Any]:
    """Return numbers well inside a range."""
    if limit.low is not None and limit.high is not None:
        span = limit.high - limit.low
        return [limit.low + span * 0.3, limit.low + span * 0.7, limit.low, limit.high]
    if limit.low is not None:
        return [limit.low + step for step in (0.5, 1.5, 3.0, 1.0, 2.0)]
    if limit.high is not None:
        return [limit.high - step for step in (0.5, 1.5, 3.0, 1.0, 2.0)]
    return list(unbounded)


def _lists(entries: tuple[Any, ...], classes: int) -> list[Any]:
    if entries[-1] is not ...:
        each = [_values(entry, classes) for entry in entries]
        return [tuple(values[0] for values in each)] if all(each) else []
    found = _values(entries[0], classes)
    # Axes come in a list of two, weights in one with an entry for each class.
    lengths = (classes, 2) if plain_type(entries[0]) is not int else (2, classes)
    return [tuple((found * length)[:length]) for length in lengths if found]
