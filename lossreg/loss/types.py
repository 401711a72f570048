"""Types of parameters: in words, and as pydantic checks them.

Nothing here imports pydantic before a value is checked.
"""

import types
import typing
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Union

from .values import is_finite


class _ALoss:
    """Marks the type of a parameter that is a loss."""


LossFunction = Annotated[Any, _ALoss]
"""The type of a parameter that is a loss: the function gets `(y_true, y_pred)` to values.

A config gives it as any loss, `ohem(base=huber(delta=2))`, and a default is such a string.

>>> from lossreg import bind
>>> def halved(y_true, y_pred, *, base: LossFunction = "mse"):
...     return base(y_true, y_pred) / 2
>>> str(bind(halved, base="huber(2)"))
'halved(base=huber(delta=2.0))'
"""


def is_loss(annotation: Any) -> bool:
    """Return whether a parameter of a type is a loss, or a loss or None."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return any(map(is_loss, arguments))
    return _ALoss in arguments


def is_losses(annotation: Any) -> bool:
    """Return whether a parameter of a type is a list of losses."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        # With a range, such as at least one entry.
        return is_losses(arguments[0])
    return origin in (list, tuple, Sequence) and any(map(is_loss, arguments))


def _bound_loss(value: Any) -> Any:
    """Return a bound loss. Raise for any other value."""
    if hasattr(value, "losses") and hasattr(value, "label"):
        return value
    raise ValueError("not a loss")


def pydantic_type(annotation: Any) -> Any:
    """Return a type for values from `plain`, which have tuples in place of lists."""
    if annotation is Any:
        from pydantic import AfterValidator

        return Annotated[Any, AfterValidator(_json_value)]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if _ALoss in arguments:
        from pydantic import AfterValidator, WithJsonSchema

        schema = {"type": ["string", "object", "array"], "description": "A loss."}
        return Annotated[Any, AfterValidator(_bound_loss), WithJsonSchema(schema)]
    if annotation in (list, tuple):
        return tuple[Any, ...]
    if origin in (list, Sequence):
        return tuple[pydantic_type(arguments[0]), ...]  # type: ignore[misc]
    if origin is tuple:
        return tuple[tuple(a if a is ... else pydantic_type(a) for a in arguments)]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        return Union[tuple(pydantic_type(argument) for argument in arguments)]  # noqa: UP007
    if origin is Annotated:
        return Annotated[(pydantic_type(arguments[0]), *arguments[1:])]
    return annotation


def _json_value(value: Any) -> Any:
    """Return a value that a config file can hold. Raise for any other."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() if is_finite(value):
            return value
        case tuple():
            return tuple(_json_value(entry) for entry in value)
        case dict() if all(isinstance(name, str) for name in value):
            return {name: _json_value(entry) for name, entry in value.items()}
    raise ValueError("not a JSON value")


_WORDS: dict[Any, tuple[str, str]] = {
    float: ("a number", "numbers"),
    int: ("an integer", "integers"),
    bool: ("True or False", "True or False"),
    str: ("a string", "strings"),
    type(None): ("None", "None"),
    Any: ("any JSON value", "JSON values"),
}
"""A type in words, and several values of it."""


def type_words(annotation: Any, *, plural: bool = False) -> str:
    """Return what a type allows, in words.

    >>> from annotated_types import Ge, Le
    >>> type_words(Annotated[float, Ge(0), Le(1)] | None)
    'None or a number in [0, 1]'
    >>> type_words(tuple[Annotated[float, Ge(0)], ...])
    'a list of numbers >= 0'
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if _ALoss in arguments:
        return "losses" if plural else "a loss"
    if origin is Annotated:
        kind = type_words(arguments[0], plural=plural)
        return " ".join(filter(None, [kind, _range(arguments[1:])]))
    if origin in (Union, types.UnionType):
        # None first: after a list it would seem to be among the entries.
        ordered = sorted(arguments, key=lambda argument: argument is not type(None))
        return " or ".join(type_words(argument, plural=plural) for argument in ordered)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin in (list, Sequence) or (origin is tuple and arguments[-1:] == (...,)):
        return f"{'lists' if plural else 'a list'} of {type_words(arguments[0], plural=True)}"
    if origin is dict:
        mapping = "mappings" if plural else "a mapping"
        return f"{mapping} from names to {type_words(arguments[1], plural=True)}"
    if origin is tuple:
        entries = ", ".join(map(type_words, arguments))
        return f"{'lists' if plural else 'a list'} of {len(arguments)}: {entries}"
    name: str = getattr(annotation, "__name__", str(annotation))
    return _WORDS.get(annotation, (name, name))[plural]


def _range(metadata: Sequence[Any]) -> str:
    """Return the bounds among a type's annotations, as ">= 0" or "in (0, 1]"."""
    bounds: dict[str, Any] = {}
    for constraint in metadata:
        # Interval and Len have several of these, and None for a bound that isn't set.
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
