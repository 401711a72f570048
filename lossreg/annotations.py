"""The type of a parameter: what it allows in words, and what pydantic checks."""

import sys
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union

from .errors import ParameterError

_DEEPEST = 50


def plain(value: Any, depth: int = 0) -> Any:
    """Return a value as config files have it: numpy's as Python's, lists as tuples.

    Raises:
        ParameterError: It is nested deeper than any parameter.
    """
    if depth > _DEEPEST:
        raise ParameterError(f"A value may be nested {_DEEPEST} deep, and this one is deeper.")
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


def as_json(value: Any) -> Any:
    """Return a parameter's value with lists for tuples."""
    if isinstance(value, tuple):
        return [as_json(entry) for entry in value]
    if isinstance(value, dict):
        return {name: as_json(entry) for name, entry in value.items()}
    return value


def for_pydantic(annotation: Any) -> Any:
    """Return a type with tuples for lists, as `plain` has them."""
    if annotation is Any:
        from pydantic import AfterValidator

        return Annotated[Any, AfterValidator(_json_value)]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (list, tuple):
        return tuple[Any, ...]
    if origin in (list, Sequence):
        return tuple[for_pydantic(arguments[0]), ...]  # type: ignore[misc]
    if origin is tuple:
        return tuple[tuple(a if a is ... else for_pydantic(a) for a in arguments)]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        return Union[tuple(for_pydantic(argument) for argument in arguments)]  # noqa: UP007
    if origin is Annotated:
        return Annotated[(for_pydantic(arguments[0]), *arguments[1:])]
    return annotation


def _json_value(value: Any) -> Any:
    """Return a value that a config file can hold, and raise for any other."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if is_finite(value):
            return value
        case tuple():
            return tuple(_json_value(entry) for entry in value)
        case dict() if all(isinstance(name, str) for name in value):
            return {name: _json_value(entry) for name, entry in value.items()}
    raise ValueError("no JSON value")


_WORDS: dict[Any, str] = {
    float: "a number",
    int: "an integer",
    bool: "True or False",
    str: "a text",
    type(None): "None",
    Any: "any JSON value",
}


def allowed(annotation: Any) -> str:
    """Return what a type allows, in words.

    >>> from annotated_types import Ge, Le
    >>> allowed(Annotated[float, Ge(0), Le(1)] | None)
    'None or a number in [0, 1]'
    >>> allowed(tuple[Annotated[float, Ge(0)], ...])
    'a list, each entry a number >= 0'
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        kind, comma, entries = allowed(arguments[0]).partition(",")
        return " ".join(filter(None, [kind, _range(arguments[1:])])) + comma + entries
    if origin in (Union, types.UnionType):
        # None first: behind a list it would seem to be among the entries.
        ordered = sorted(arguments, key=lambda argument: argument is not type(None))
        return " or ".join(allowed(argument) for argument in ordered)
    if origin is Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if origin in (list, Sequence) or (origin is tuple and arguments[-1:] == (...,)):
        return f"a list, each entry {allowed(arguments[0])}"
    if origin is dict:
        return f"a mapping, each value {allowed(arguments[1])}"
    if origin is tuple:
        return f"a list of {len(arguments)}: {', '.join(allowed(entry) for entry in arguments)}"
    return _WORDS.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _range(metadata: Sequence[Any]) -> str:
    """Return the bounds among a type's annotations, as ">= 0" or "in (0, 1]"."""
    bounds: dict[str, Any] = {}
    for constraint in metadata:
        # Interval and Len have these as well as Ge and MinLen, each None where it isn't set.
        for bound in ("ge", "gt", "le", "lt", "min_length", "max_length", "multiple_of"):
            if getattr(constraint, bound, None) is not None:
                bounds[bound] = getattr(constraint, bound)
    low, high = bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))
    words = []
    if low is not None and high is not None:
        opening, closing = "[" if "ge" in bounds else "(", "]" if "le" in bounds else ")"
        words.append(f"in {opening}{low}, {high}{closing}")
    elif low is not None:
        words.append(f"{'>=' if 'ge' in bounds else '>'} {low}")
    elif high is not None:
        words.append(f"{'<=' if 'le' in bounds else '<'} {high}")
    if "multiple_of" in bounds:
        words.append(f"that is a multiple of {bounds['multiple_of']}")
    fewest, most = bounds.get("min_length", 0), bounds.get("max_length")
    if most is not None:
        words.append(f"with {fewest} to {most} entries")
    elif fewest:
        words.append(f"with at least {fewest} entries")
    return " ".join(words)
