"""Values of parameters as plain data: strings, numbers, lists and mappings.

No parameter is checked here.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ParameterError

SIMPLE = frozenset((bool, int, float, str, type(None)))
"""The types whose values are plain data already."""

_DEEPEST = 50


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value without numpy's types, and with tuples in place of lists.

    Raises:
        ParameterError: The value is nested deeper than any parameter.
    """
    if depth > _DEEPEST:
        raise ParameterError(f"A value may be nested {_DEEPEST} deep at most.")
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return tuple(plain(entry, depth + 1) for entry in value)
    if isinstance(value, Mapping):
        return {name: plain(entry, depth + 1) for name, entry in value.items()}
    return value


def is_finite(value: Any) -> bool:
    """Return whether a value is a number that a float can hold.

    >>> is_finite(2), is_finite(True), is_finite(10**400), is_finite("2")
    (True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def json_data(value: Any) -> Any:
    """Return a value from `plain` with lists in place of tuples."""
    if isinstance(value, tuple):
        return [json_data(entry) for entry in value]
    if isinstance(value, dict):
        return {name: json_data(entry) for name, entry in value.items()}
    return value
