"""What a class of Keras takes: its arguments, and which values fit each.

Keras declares no types. A default and the first words of an argument's documentation
tell most of them; where they don't, any plain value passes, and Keras judges it.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, get_args

from ..params import documented_arguments
from ..parts import FILES

Kind = Literal[
    "layer",
    "regularizer",
    "constraint",
    "initializer",
    "activation",
    "optimizer",
    "schedule",
    "metric",
]
"""What a part of a model can be."""

Value = Literal["None", "bool", "integer", "number", "text", "list"]

_WORDS: dict[Value, str] = {
    "None": "None",
    "bool": "True or False",
    "integer": "an integer",
    "number": "a finite number",
    "text": "a text",
    "list": "a list of plain values",
}

# Arguments that are parts, beside those whose names end with the kind.
_PARTS: dict[str, Kind] = {
    "layer": "layer",
    "layers": "layer",
    "backward_layer": "layer",
    "cell": "layer",
    "cells": "layer",
    "inner_optimizer": "optimizer",
    "learning_rate": "schedule",
}
_ENDINGS: tuple[Kind, ...] = ("regularizer", "constraint", "initializer", "activation")

_LEADING = re.compile(
    r"(?:\W|optional\b|an?\b|python\b|positive\b)*(float|floating|int|integer|string|bool|boolean)\b"
)
_LISTS = re.compile(r"\b(?:tuples?|lists?|arrays?|array_like|sequence|axis|axes)\b|\[")
_LEADING_VALUES: dict[str, Value] = {
    "float": "number",
    "floating": "number",
    "int": "integer",
    "integer": "integer",
    "string": "text",
    "bool": "bool",
    "boolean": "bool",
}


@dataclass(frozen=True, kw_only=True)
class Argument:
    """An argument of a class of Keras.

    Args:
        name: Its name.
        part: What it is, where it is a part itself.
        values: Which plain values fit.
        required: Whether it has no default.
        positional: Whether it can be given without its name.
        is_float: Whether Keras wants 1.0 where one writes 1.
    """

    name: str
    part: Kind | None
    values: frozenset[Value]
    required: bool
    positional: bool
    is_float: bool

    @property
    def allowed(self) -> str:
        """What fits, in words."""
        words = [_WORDS[value] for value in get_args(Value) if value in self.values]
        return " or ".join(words)

    @property
    def file(self) -> bool:
        """Whether Keras would open the file that a text names."""
        return self.name in FILES

    def fits(self, value: Any) -> bool:
        """Return whether a plain value fits, as far as one can tell."""
        kind = _value(value)
        if kind in self.values:
            return True
        # 1e4 is a float in YAML.
        whole = isinstance(value, float) and kind == "number" and value.is_integer()
        return (kind == "integer" and "number" in self.values) or (
            whole and "integer" in self.values
        )

    def for_keras(self, value: Any) -> Any:
        """Return a value that fits as Keras takes it."""
        if isinstance(value, list | tuple):
            # Keras' saved configs bring lists for tuples, so that it takes lists everywhere,
            # and `Precision(thresholds=...)` takes nothing else. JAX takes no list as an axis.
            entries = [self.for_keras(entry) for entry in value]
            return tuple(entries) if self.name in ("axis", "axes") else entries
        if isinstance(value, float) and value.is_integer() and "integer" in self.values:
            return int(value) if "number" not in self.values else value
        if self.is_float and isinstance(value, int) and not isinstance(value, bool):
            # `Adam(learning_rate=1)` is an error, and a decay of an integer an integer.
            return float(value)
        return value


@functools.cache
def arguments(target: Callable[..., Any]) -> Mapping[str, Argument]:
    """Return the arguments of a class or function of Keras, those of its bases too.

    Args:
        target: What is called with them.
    """
    found: dict[str, Argument] = {}
    for depth, (constructor, documented) in enumerate(_constructors(target)):
        parameters = inspect.signature(constructor).parameters.values()
        for parameter in parameters:
            if parameter.name == "self" or parameter.kind in _COLLECTING:
                continue
            # What a base class requires is what its subclass passes, such as a convolution's rank.
            if depth and parameter.default is parameter.empty:
                continue
            if parameter.name not in found:
                found[parameter.name] = _argument(parameter, documented.get(parameter.name, ""))
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


_COLLECTING = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def _constructors(
    target: Callable[..., Any],
) -> Iterator[tuple[Callable[..., Any], Mapping[str, str]]]:
    """Yield what takes the arguments, the class before its bases, each with what it documents."""
    if not inspect.isclass(target):
        yield target, documented_arguments(inspect.getdoc(target) or "")
        return
    for base in target.__mro__:
        if "__init__" in vars(base) and base.__module__.partition(".")[0] == "keras":
            yield base.__init__, documented_arguments(inspect.getdoc(base) or "")  # type: ignore[misc]


def _argument(parameter: inspect.Parameter, documentation: str) -> Argument:
    kinds = [kind for kind in _ENDINGS if parameter.name.endswith(kind)]
    leading = _LEADING.match(documentation.lower())
    return Argument(
        name=parameter.name,
        part=_PARTS.get(parameter.name) or (kinds[0] if kinds else None),
        values=_values(parameter, documentation.lower()),
        required=parameter.default is parameter.empty,
        positional=parameter.kind is parameter.POSITIONAL_OR_KEYWORD,
        is_float=isinstance(parameter.default, float)
        or bool(leading and leading[1].startswith("float")),
    )


def _values(parameter: inspect.Parameter, documentation: str) -> frozenset[Value]:
    """Return which values fit an argument.

    Args:
        parameter: The argument.
        documentation: What its class says of it, in lower case.
    """
    name, default = parameter.name, parameter.default
    if name in ("name", "dtype", "data_format"):
        return frozenset(("None", "text"))
    unsaid = not documentation
    widened: set[Value] = set()
    if unsaid or default is None or "none" in documentation:
        widened.add("None")
    if unsaid or _LISTS.search(documentation):
        widened.add("list")
    leading = _LEADING.match(documentation)
    match default:
        case bool():
            return frozenset(("bool",))
        case int() | float():
            return frozenset((_number(leading, documentation, default), *widened))
        case str():
            # use_cudnn="auto"
            return frozenset(("text", *widened, *(("bool",) if "whether" in documentation else ())))
        case tuple():
            return frozenset(("number", "list", *widened))
    if not leading:
        return frozenset(get_args(Value))
    quoted: tuple[Value, ...] = ("text",) if '"' in documentation else ()
    said = _LEADING_VALUES[leading[1]]
    if said == "integer":
        said = _number(leading, documentation, default)
    return frozenset((said, *quoted, *widened))


def _number(leading: re.Match[str] | None, documentation: str, default: Any) -> Value:
    """Return whether an argument is documented as an integer and nothing else."""
    integer = leading is not None and _LEADING_VALUES[leading[1]] == "integer"
    if integer and "float" not in documentation and not isinstance(default, float):
        return "integer"
    return "number"


def _value(value: Any) -> Value | None:
    """Return what a value is, or None for one that no argument takes."""
    match value:
        case None:
            return "None"
        case bool():
            return "bool"
        case int():
            return "integer"
        case float():
            return "number" if isfinite(value) else None
        case str():
            return "text"
        case list() | tuple() if all(_value(entry) for entry in value):
            return "list"
    # A mapping too: Keras makes an object of one that has a class_name.
    return None
