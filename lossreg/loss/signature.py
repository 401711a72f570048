"""Signatures: the parameters of a loss, described and checked.

A target is a loss function, whose first two parameters are `y_true, y_pred`, or a factory:
anything else that is called with the parameters, such as a `keras.losses.Loss` subclass. No
other module reads its signature.
"""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import LossregError, ParameterError, SpecError, error_line
from .docstring import documented_arguments
from .kept import Kept
from .memory import Fields, Memory, Needs, State
from .names import did_you_mean, shown
from .options import OPTIONS
from .pydantic_plugins import prepare_pydantic
from .schedule import Schedule
from .types import is_loss, is_losses, pydantic_type, type_words
from .values import SIMPLE, holds_tensor, meant, plain

if TYPE_CHECKING:
    from pydantic import BaseModel

_EMPTY = inspect.Parameter.empty
_WHOLE = SIMPLE - {int}  # an integer may be too large


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a loss, as listings and messages show it."""

    name: str
    allowed: str
    required: bool
    default: Any
    doc: str


class Signature:
    """The parameters of a loss function or factory.

    Outside packages, a function is also a loss function if its first two parameters have other
    names and no defaults.

    Args:
        target: The function, factory or class.
        packaged: Whether the rules for packages apply: every parameter of a loss function is
            keyword-only and typed. Without them, an untyped parameter takes any JSON value, as
            it does in every factory.
        ignores_class: Whether lossreg itself leaves out the labels of a class, so that the loss
            has one parameter more than its function.

    Raises:
        SpecError: The signature breaks a rule.
    """

    def __init__(
        self, target: Callable[..., Any], *, packaged: bool = True, ignores_class: bool = False
    ) -> None:
        if not callable(target):
            raise SpecError(f"it must be a function or a class, got {target!r}")
        self.target = target
        self._packaged = packaged
        try:
            parameters = list(inspect.signature(target).parameters.values())
        except (TypeError, ValueError) as error:
            raise SpecError("its signature can't be read; wrap it in a Python function") from error
        first = parameters[:2]
        names = [parameter.name for parameter in first]
        if names == ["y_pred", "y_true"]:
            raise SpecError("it takes y_pred before y_true; Keras passes the labels first")
        is_free = not packaged and all(
            parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
            and parameter.default is _EMPTY
            for parameter in first
        )
        takes_arrays = len(first) == 2 and (is_free or names == ["y_true", "y_pred"])
        self.is_function = takes_arrays and not inspect.isclass(target)
        self.memory = _memory_of(parameters) if self.is_function else Memory(inputs={})
        self.takes_dtype = any(parameter.name == "dtype" for parameter in parameters)
        if self.is_function:
            self._parameters = [p for p in parameters[2:] if p.name not in self.memory.inputs]
            self._check_function(packaged)
            if ignores_class:
                self._parameters.append(IGNORE_CLASS)
        else:
            # A factory may take Keras' options, which aren't parameters of the loss.
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

    @Kept
    def annotations(self) -> dict[str, Any]:
        """The type of each parameter with its range; `Any` for an untyped one."""
        # A tf.function has the types of the function in it.
        target: Any = inspect.unwrap(self.target)
        if inspect.isclass(target):
            target = target.__init__
        elif not inspect.isroutine(target):
            # A functools.partial, or an instance with `__call__`.
            target = getattr(target, "func", type(target).__call__)
        try:
            hints = typing.get_type_hints(target, include_extras=True)
        except Exception as error:
            # A type may be a string of any code.
            if self.is_function:
                raise SpecError(
                    f"a type in {inspect.signature(self.target)} can't be read: {error_line(error)}"
                ) from error
            hints = {}
        hints.setdefault(IGNORE_CLASS.name, IGNORE_CLASS.annotation)
        return {parameter.name: hints.get(parameter.name, Any) for parameter in self._parameters}

    @Kept
    def losses(self) -> frozenset[str]:
        """The parameters that are losses."""
        kinds = self.annotations.items()
        return frozenset(name for name, kind in kinds if is_loss(kind) or is_losses(kind))

    @Kept
    def model(self) -> "type[BaseModel]":
        """The parameters as a pydantic model."""
        # Imported here, since a listing checks nothing.
        from pydantic import ConfigDict, Field, create_model

        annotations = self.annotations
        prepare_pydantic()
        fields: dict[str, Any] = {}
        try:
            for index, parameter in enumerate(self._parameters):
                default = ... if parameter.default is _EMPTY else parameter.default
                # With an alias, since a model has attributes of its own, such as `copy`.
                fields[f"field_{index}"] = (
                    pydantic_type(annotations[parameter.name]),
                    Field(default, alias=parameter.name),
                )
            return create_model(
                "Parameters",
                __config__=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False),
                **fields,
            )
        except Exception as error:
            # A type may be any object, and pydantic runs its code.
            raise SpecError(
                f"a type in {inspect.signature(self.target)} can't be checked: {error_line(error)}"
            ) from error

    @Kept
    def parameters(self) -> tuple[Parameter, ...]:
        """Each parameter with its allowed values, its default and its documentation."""
        docs = {IGNORE_CLASS.name: _IGNORE_CLASS_DOC}
        docs |= documented_arguments(inspect.getdoc(self.target) or "")
        return tuple(
            Parameter(
                name=parameter.name,
                allowed=type_words(self.annotations[parameter.name]),
                required=parameter.default is _EMPTY,
                default=None if parameter.default is _EMPTY else parameter.default,
                doc=docs.get(parameter.name, ""),
            )
            for parameter in self._parameters
        )

    def check(
        self,
        loss: str,
        values: Mapping[str, Any],
        args: Sequence[Any] = (),
        bind_loss: Callable[[Any], Any] | None = None,
    ) -> dict[str, Any]:
        """Return a checked value for every parameter, defaults included.

        Args:
            loss: The name of the loss, for the message.
            values: Values by name.
            args: Values of the first parameters, in their order.
            bind_loss: Returns the loss of a config, for a parameter that is a loss.

        Raises:
            ParameterError: A value is wrong, or has no parameter; the message names every fault.
        """
        from pydantic import ValidationError

        if args:
            values = self._by_name(loss, values, args)
        if self.losses and bind_loss:
            values = self._with_losses(loss, values, bind_loss)
        schedules = {n: v for n, v in values.items() if isinstance(v, Schedule)}
        if schedules:
            return self._with_schedules(loss, values, schedules)
        given = {n: v if type(v) in _WHOLE else _checkable(v) for n, v in values.items()}
        try:
            checked = self.model.model_validate(given)
        except ValidationError as error:
            wrong = {str(fault["loc"][0]): None for fault in error.errors(include_url=False)}
            raise self._error(loss, values, list(wrong)) from None
        return {
            parameter.name: getattr(checked, f"field_{index}")
            for index, parameter in enumerate(self._parameters)
        }

    def _with_schedules(
        self, loss: str, values: Mapping[str, Any], schedules: Mapping[str, Schedule]
    ) -> dict[str, Any]:
        """Return checked values, of which some are schedules between values that are allowed."""
        # What lies between two values of a range lies in it too.
        longest = max(len(schedule.values) for schedule in schedules.values())
        for index in range(longest):
            now = {name: s.values[min(index, len(s.values) - 1)] for name, s in schedules.items()}
            checked = self.check(loss, {**values, **now})
        return {**checked, **schedules}

    def _with_losses(
        self, loss: str, values: Mapping[str, Any], bind_loss: Callable[[Any], Any]
    ) -> dict[str, Any]:
        """Return values with a bound loss for each parameter that is a loss."""
        defaults = {p.name: p.default for p in self.parameters if not p.required}
        found, faults = dict(values), dict[str, str]()
        for name in self.losses:
            config = values.get(name, defaults.get(name))
            if config is None:
                continue
            try:
                # A list is several losses where the type says so, and else a sum.
                is_list = not is_loss(self.annotations[name]) and isinstance(config, list | tuple)
                found[name] = tuple(map(bind_loss, config)) if is_list else bind_loss(config)
            except LossregError as error:
                faults[name] = f"Loss {loss!r}: {name!r} must be a loss. {error}"
        if faults:
            raise ParameterError.of("\n".join(faults.values()), faults)
        return found

    def _by_name(self, loss: str, values: Mapping[str, Any], args: Sequence[Any]) -> dict[str, Any]:
        known = [parameter.name for parameter in self._parameters]
        if known and is_losses(self.annotations[known[0]]) and not isinstance(args[0], tuple):
            # uncertainty(dice, focal) has as many losses as it likes.
            args = (tuple(args),)
        if len(args) > len(known):
            raise ParameterError(
                f"Loss {loss!r} takes {len(known)} parameters ({', '.join(known) or 'none'}), "
                f"got {len(args)} values."
            )
        given = dict(zip(known, args, strict=False))
        twice = [name for name in given if name in values]
        if twice:
            raise ParameterError(f"Loss {loss!r}: {twice[0]!r} is given twice.")
        return {**given, **values}

    def _error(self, loss: str, values: Mapping[str, Any], wrong: list[str]) -> ParameterError:
        known = {parameter.name: parameter for parameter in self.parameters}
        if not known and not set(OPTIONS).intersection(wrong):
            given = ", ".join(f"{name}={shown(value)}" for name, value in values.items())
            near = did_you_mean(next(iter(values)), OPTIONS)
            message = (
                f"Loss {loss!r} takes no parameters, got {given}.{near} "
                f"Every loss takes Keras' options {', '.join(map(repr, OPTIONS))}."
            )
            return ParameterError.of(message, dict.fromkeys(wrong, message))
        more = f"; 'lossreg show {loss}' says more" if self._packaged else ""
        takes = f"It takes {', '.join(known) or 'no parameters'}{more}."
        faults = {name: self._fault(loss, name, values) for name in wrong}
        if len(faults) == 1:
            message = f"Loss {loss!r}: {faults[wrong[0]]} {takes}"
        else:
            lines = [f"- {fault}" for fault in faults.values()]
            message = "\n".join([f"Loss {loss!r} has {len(faults)} faults:", *lines, takes])
        page = f" 'lossreg show {loss}' says more." if self._packaged else ""
        alone = {
            name: f"Loss {loss!r}: {fault}{page if name in known else f' {takes}'}"
            for name, fault in faults.items()
        }
        return ParameterError.of(message, alone)

    def _fault(self, loss: str, name: str, values: Mapping[str, Any]) -> str:
        known = {parameter.name: parameter for parameter in self.parameters}
        if name in OPTIONS:
            return (
                f"{name!r} isn't a parameter of a loss, but Keras' option for the object that "
                f"get_loss builds: get_loss({loss!r}, {name}=...)."
            )
        if name not in known:
            near = did_you_mean(name, [*known, *OPTIONS])
            return f"it has no parameter {name!r}.{near}"
        if name not in values:
            return f"{name!r} is missing; it must be {known[name].allowed}."
        value, allowed = values[name], known[name].allowed
        got = f"{shown(value)} ({getattr(value, 'kind', type(value).__name__)})"
        advice = _NO_TENSOR if holds_tensor(plain(value)) else meant(value, allowed)
        return f"{name!r} must be {allowed}, got {got}.{advice}"


def _memory_of(parameters: Sequence[inspect.Parameter]) -> Memory:
    """Return what a loss function declares beside its parameters.

    Raises:
        SpecError: What depends on a parameter has no default of None, or no such parameter.
    """
    found = {p.name: _declared(p, State, Needs) for p in parameters[2:]}
    labels, predictions = _declared(parameters[0], Fields), _declared(parameters[1], Needs)
    if predictions is not None and predictions != Needs("hidden"):
        raise SpecError(f"its y_pred can be Needs('hidden') and nothing else, got {predictions!r}")
    names = [p.name for p in parameters[2:] if found[p.name] is None]
    for parameter in parameters[2:]:
        each = found[parameter.name]
        when = each and each.when
        if when is not None and (when not in names or parameter.default is not None):
            raise SpecError(
                f"its {parameter.name!r} is declared with when={when!r}; write '= None' after it, "
                f"and declare a parameter {when!r}"
            )
    return Memory(
        inputs={name: each for name, each in found.items() if each is not None},
        fields=() if labels is None else labels.names,
        takes_hidden=predictions is not None,
    )


def _declared(parameter: inspect.Parameter, *kinds: type) -> Any:
    """Return what the annotation of a parameter declares, or None."""
    metadata = getattr(parameter.annotation, "__metadata__", ())
    return next((each for each in metadata if isinstance(each, kinds)), None)


IGNORE_CLASS = inspect.Parameter(
    "ignore_class", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=int | None
)
"""The parameter of a loss whose class numbers lossreg turns into one-hot rows."""

_IGNORE_CLASS_DOC = (
    "A label, such as -1 or 255, whose samples count neither in the sum nor in the mean; for "
    "class numbers."
)

_NO_TENSOR = (
    " A tensor or a variable would stay at its present value: give a plain number, such as "
    "float(...), or a list of them. What is learned or changes belongs in a layer."
)


def _checkable(value: Any) -> Any:
    """Return a value as plain data, or an object that no type allows if it holds a tensor."""
    found = plain(value)
    return object() if holds_tensor(found) else found
