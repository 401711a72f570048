"""A signature as the schema of a loss's parameters: check and describe.

A target is a loss function, whose first two parameters are `y_true, y_pred`,
or a factory: anything else that is called with the parameters, such as a
`keras.losses.Loss` subclass. Its signature is read here and nowhere else.
"""

import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .annotations import allowed, for_pydantic, plain
from .errors import ParameterError, SpecError
from .names import did_you_mean, shown
from .options import OPTIONS

if TYPE_CHECKING:
    from pydantic import BaseModel

_EMPTY = inspect.Parameter.empty


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a loss, for listings and messages."""

    name: str
    allowed: str
    required: bool
    default: Any
    doc: str


class Signature:
    """The parameters of a loss function or factory.

    Outside packages a function whose first two parameters have no defaults is
    a loss function too, whatever it calls them.

    Args:
        target: The function, factory or class.
        packaged: Whether the rules for packages hold: in a loss function every
            parameter is keyword-only and typed. Otherwise an untyped parameter
            takes any JSON value, as it does in every factory.

    Raises:
        SpecError: The signature breaks a rule.
    """

    def __init__(self, target: Callable[..., Any], *, packaged: bool = True) -> None:
        if not callable(target):
            raise SpecError(f"it must be a function or a class, got {target!r}")
        self.target = target
        self._packaged = packaged
        try:
            parameters = list(inspect.signature(target).parameters.values())
        except ValueError as error:
            raise SpecError("its signature can't be read; wrap it in a Python function") from error
        first = parameters[:2]
        # Keras' own users call the two as they like, and may give neither a default.
        positional = not packaged and all(
            parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            and parameter.default is _EMPTY
            for parameter in first
        )
        named = [parameter.name for parameter in first] == ["y_true", "y_pred"]
        if [parameter.name for parameter in first] == ["y_pred", "y_true"]:
            raise SpecError("it takes y_pred before y_true; Keras passes the labels first")
        self.is_function = not inspect.isclass(target) and len(first) == 2 and (named or positional)
        self.takes_dtype = any(parameter.name == "dtype" for parameter in parameters)
        if self.is_function:
            self._parameters = parameters[2:]
            self._check_function(packaged)
        else:
            # Someone wrote it for Keras: these are Keras' options there.
            self._parameters = [
                parameter
                for parameter in parameters
                if parameter.name not in OPTIONS
                and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
            ]

    def _check_function(self, packaged: bool) -> None:
        for parameter in self._parameters:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                raise SpecError(f"it takes '{parameter}'; declare each parameter")
            if parameter.name in OPTIONS:
                raise SpecError(
                    f"it declares {parameter.name!r}, which Keras takes for every loss; "
                    "rename the parameter or leave it out"
                )
            if packaged and parameter.kind is not parameter.KEYWORD_ONLY:
                raise SpecError(
                    f"its parameter {parameter.name!r} is positional; put '*' after y_pred"
                )
            if packaged and parameter.annotation is _EMPTY:
                raise SpecError(
                    f"its parameter {parameter.name!r} has no type; write one with its range, "
                    f"such as '{parameter.name}: Annotated[float, Ge(0)]'"
                )

    @cached_property
    def annotations(self) -> dict[str, Any]:
        """The type of each parameter, ranges included; `Any` for an untyped one."""
        target: Any = self.target
        if inspect.isclass(target):
            target = target.__init__
        elif not inspect.isroutine(target):
            # A functools.partial, or another object that is called.
            target = getattr(target, "func", type(target).__call__)
        try:
            hints = typing.get_type_hints(target, include_extras=True)
        except (NameError, TypeError, AttributeError) as error:
            if self.is_function:
                raise SpecError(
                    f"a type in {inspect.signature(self.target)} can't be read: {error}"
                ) from error
            hints = {}
        return {parameter.name: hints.get(parameter.name, Any) for parameter in self._parameters}

    @cached_property
    def model(self) -> "type[BaseModel]":
        """The parameters as a pydantic model."""
        # Here because a listing needs no check and pays no import.
        from pydantic import ConfigDict, Field, create_model
        from pydantic.errors import PydanticUserError

        fields: dict[str, Any] = {}
        for index, parameter in enumerate(self._parameters):
            default = ... if parameter.default is _EMPTY else parameter.default
            # Under an alias, since a model has attributes of its own, such as `copy`.
            fields[f"field_{index}"] = (
                for_pydantic(self.annotations[parameter.name]),
                Field(default, alias=parameter.name),
            )
        try:
            return create_model(
                "Parameters",
                __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False),
                **fields,
            )
        except PydanticUserError as error:
            raise SpecError(f"a type in its signature can't be checked: {error}") from error

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Each parameter with what it allows, its default and its documentation."""
        docs = documented_arguments(inspect.getdoc(self.target) or "")
        return tuple(
            Parameter(
                name=parameter.name,
                allowed=allowed(self.annotations[parameter.name]),
                required=parameter.default is _EMPTY,
                default=None if parameter.default is _EMPTY else parameter.default,
                doc=docs.get(parameter.name, ""),
            )
            for parameter in self._parameters
        )

    def named(self, loss: str, args: Sequence[Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters by name, where the first ones were given without.

        Raises:
            ParameterError: There are more values than parameters, or one is given twice.
        """
        known = [parameter.name for parameter in self._parameters]
        if len(args) > len(known):
            raise ParameterError(
                f"Loss {loss!r} takes {len(known)} parameters ({', '.join(known) or 'none'}), "
                f"got {len(args)} values."
            )
        twice = [name for name in known[: len(args)] if name in values]
        if twice:
            raise ParameterError(f"Loss {loss!r}: {twice[0]!r} is given twice.")
        return {**dict(zip(known, args, strict=False)), **values}

    def check(self, loss: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a checked value for every parameter, defaults included.

        Args:
            loss: Name of the loss, for the message.
            values: The parameters that were given.

        Raises:
            ParameterError: Names every fault at once.
        """
        from pydantic import ValidationError

        try:
            checked = self.model.model_validate({name: plain(v) for name, v in values.items()})
        except ValidationError as error:
            wrong = {str(fault["loc"][0]): None for fault in error.errors(include_url=False)}
            raise self._error(loss, values, list(wrong)) from None
        return {
            parameter.name: getattr(checked, f"field_{index}")
            for index, parameter in enumerate(self._parameters)
        }

    def _error(self, loss: str, values: Mapping[str, Any], wrong: list[str]) -> ParameterError:
        known = {parameter.name: parameter for parameter in self.parameters}
        options = [name for name in wrong if name in OPTIONS]
        if not known and not options:
            given = ", ".join(f"{name}={shown(value)}" for name, value in values.items())
            near = did_you_mean(next(iter(values)), OPTIONS)
            message = (
                f"Loss {loss!r} takes no parameters, got {given}.{near} "
                f"Every loss takes Keras' options {', '.join(map(repr, OPTIONS))}."
            )
            return ParameterError(message, dict.fromkeys(wrong, message))
        more = f"; 'lossreg show {loss}' says more" if self._packaged else ""
        takes = f"It takes {', '.join(known) or 'no parameters'}{more}."
        faults = {name: self._fault(loss, name, values) for name in wrong}
        if len(faults) == 1:
            message = f"Loss {loss!r}: {faults[wrong[0]]} {takes}"
        else:
            lines = [f"- {fault}" for fault in faults.values()]
            message = "\n".join([f"Loss {loss!r} has {len(faults)} faults:", *lines, takes])
        alone = {
            name: f"Loss {loss!r}: {fault}" + f" {takes}" * (name not in known)
            for name, fault in faults.items()
        }
        return ParameterError(message, alone)

    def _fault(self, loss: str, name: str, values: Mapping[str, Any]) -> str:
        """Return what is wrong with one parameter."""
        known = {parameter.name: parameter for parameter in self.parameters}
        if name in OPTIONS:
            return (
                f"{name!r} is no parameter of a loss, but an option of Keras for the object "
                f"that get_loss builds: get_loss({loss!r}, {name}=...)."
            )
        if name not in known:
            near = did_you_mean(name, [*known, *OPTIONS])
            return f"it has no parameter {name!r}.{near}"
        if name not in values:
            return f"{name!r} is missing; it must be {known[name].allowed}."
        got = f"{shown(values[name])} ({type(values[name]).__name__})"
        return f"{name!r} must be {known[name].allowed}, got {got}."


def documented_arguments(doc: str) -> dict[str, str]:
    r"""Return what a Google-style docstring says of each argument.

    >>> documented_arguments("Sum.\n\nArgs:\n    a: First,\n        always.\n    b: Second.")
    {'a': 'First, always.', 'b': 'Second.'}
    """
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", doc, re.MULTILINE)
    if section is None:
        return {}
    entries = re.split(r"^    (\w+)(?: \([^)]*\))?:", section[1], flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split()) for name, text in zip(entries[::2], entries[1::2], strict=True)
    }
