"""The arguments of Keras' classes, and how the values of a config reach them.

Keras declares no types. A default says that an argument is a switch or a number; what
else a value may be, Keras judges.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..loss import is_finite

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

_REQUIRED = inspect.Parameter.empty
_COLLECTING = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


@dataclass(frozen=True, kw_only=True)
class Argument:
    """An argument of a Keras class.

    Args:
        name: Its name.
        default: Its default, or `inspect.Parameter.empty`.
        positional: Whether it can be given without its name.
    """

    name: str
    default: Any
    positional: bool

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is _REQUIRED

    @property
    def part(self) -> Kind | None:
        """What it is, where it is a part itself."""
        ending = next((kind for kind in _ENDINGS if self.name.endswith(kind)), None)
        return _PARTS.get(self.name, ending)

    def objection(self, value: Any) -> str:
        """Return what the argument must be, where a value can't be it, or an empty string."""
        # Keras makes an object of a mapping that has a class_name.
        if not _is_plain(value):
            return "a string, a finite number, True, False, None or a list of these"
        if isinstance(self.default, bool):
            return "" if isinstance(value, bool) else "True or False"
        if isinstance(self.default, int | float) and isinstance(value, bool | str):
            return "a finite number or a list of numbers"
        return ""

    def for_keras(self, value: Any) -> Any:
        """Return a plain value as Keras takes it."""
        if isinstance(value, list | tuple):
            # Keras' saved configs bring lists for tuples, so that it takes lists everywhere,
            # and `Precision(thresholds=...)` takes nothing else. JAX takes no list as an axis.
            entries = [self.for_keras(entry) for entry in value]
            return tuple(entries) if self.name in ("axis", "axes") else entries
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        # Keras 3.15.1 refuses `Adam(learning_rate=1)`, and computes a schedule in the type of
        # its first rate: from 1, in integers. Every other argument that takes 1.0 takes 1.
        if isinstance(self.default, float):
            return float(value)
        if self.required and self.name.endswith(("rate", "values")):
            return float(value)
        # 1e4 is a float in YAML.
        whole = self.required or isinstance(self.default, int)
        return int(value) if whole and value == int(value) else value


@functools.cache
def arguments(target: Callable[..., Any]) -> Mapping[str, Argument]:
    """Return the arguments of a Keras class or function, those of its bases too.

    Args:
        target: What is called with them.
    """
    constructors = [target]
    if inspect.isclass(target):
        constructors = [
            vars(base)["__init__"]
            for base in target.__mro__
            if "__init__" in vars(base) and base.__module__.partition(".")[0] == "keras"
        ]
    found: dict[str, Argument] = {}
    for constructor in constructors:
        parameters = inspect.signature(constructor).parameters.values()
        for parameter in parameters:
            # What a base class requires is what its subclass passes, such as a convolution's rank.
            passed = constructor is not constructors[0] and parameter.default is _REQUIRED
            if parameter.name != "self" and parameter.kind not in _COLLECTING and not passed:
                argument = Argument(
                    name=parameter.name,
                    default=parameter.default,
                    positional=parameter.kind is parameter.POSITIONAL_OR_KEYWORD,
                )
                found.setdefault(parameter.name, argument)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | str) or is_finite(value)
