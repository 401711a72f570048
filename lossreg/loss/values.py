"""Values of parameters as plain data: strings, numbers, lists and mappings.

No parameter is checked here.
"""

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ParameterError

SIMPLE = frozenset((bool, int, float, str, type(None)))
"""The types whose values are plain data already."""

_DEEPEST = 50
_MOST_ENTRIES = 100_000  # a weight for each of many classes; they are copied in a tenth of a second


def plain(value: Any) -> Any:
    """Return a value without numpy's types, and with tuples in place of lists.

    Raises:
        ParameterError: The value is nested deeper than any parameter, has more entries, or has
            an integer that no float can hold, of which Python may not even write the digits.
    """
    return _plain(value, 0, itertools.count())


def _plain(value: Any, depth: int, count: Iterator[int]) -> Any:
    if depth > _DEEPEST:
        raise ParameterError(f"A value may be nested {_DEEPEST} deep at most.")
    if next(count) > _MOST_ENTRIES or (_is_numpy(value) and value.size > _MOST_ENTRIES):
        raise ParameterError(f"A value may have {_MOST_ENTRIES:,} entries at most.")
    if _is_numpy(value):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return tuple(_plain(entry, depth + 1, count) for entry in value)
    if isinstance(value, Mapping):
        return {
            _plain(name, depth, count): _plain(entry, depth + 1, count)
            for name, entry in value.items()
        }
    if isinstance(value, int) and not isinstance(value, bool) and not is_finite(value):
        raise ParameterError(f"A number must be at most {sys.float_info.max:.1e} in size.")
    return value


_MEANT = {
    **dict.fromkeys(("true", "yes", "on"), "True (true in YAML and JSON)"),
    **dict.fromkeys(("false", "no", "off"), "False (false in YAML and JSON)"),
    **dict.fromkeys(("none", "null"), "None (null in YAML and JSON)"),
}
"""How a word is written that some formats read as a value, and YAML 1.2 as a string."""


def meant(value: Any, allowed: str) -> str:
    """Return advice on a string that stands for something else, or an empty string.

    >>> meant("yes", "True or False")
    ' Write True (true in YAML and JSON).'

    Args:
        value: What was given.
        allowed: What may stand there, in words.
    """
    if not isinstance(value, str):
        return ""
    if "${" in value:
        return (
            " Fill in the variable first; for OmegaConf and Hydra: "
            "OmegaConf.to_container(config, resolve=True)."
        )
    written = _MEANT.get(value.strip().lower(), "")
    return f" Write {written}." if written and written.partition(" ")[0] in allowed else ""


def _is_numpy(value: Any) -> bool:
    """Return whether a value is a number or an array of numpy, or of a class derived from them."""
    return hasattr(value, "tolist") and any(b.__module__ == "numpy" for b in type(value).__mro__)


def holds_tensor(value: Any) -> bool:
    """Return whether a value from `plain` is or holds a tensor or variable of any backend.

    Many of them turn into a number when asked to, and would be frozen at what they are then.
    """
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        return any(map(holds_tensor, value))
    return hasattr(value, "shape") and hasattr(value, "dtype")


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
