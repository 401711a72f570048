"""The parameters of a loss as controls of the page: sliders, choices, and what stays fixed."""

import math
import typing
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..errors import LossregError
from ..loss import Entry, Parameter, plain_type, range_of, union_members
from .scene import NoCurveError

STEPS = 100
"""A slider has one place more."""

_MOST_CHOICES = 8

OTHERS = 100
"""The number of each class that doesn't move, in a list with one for each class."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A parameter that can be changed on the page.

    Args:
        name: Of the parameter.
        values: What a choice offers, or the places of a slider that has few.
        low: Where a slider begins.
        high: Where it ends.
        is_log: Whether a slider's places are spaced as powers.
        default: Its value at first; None may also be an option of a slider.
        takes_none: Whether a slider can be switched off.
        is_required: Whether the loss itself has no default.
        is_list: Whether the value is that of the class that moves, in a list with the same number
            for all others.
    """

    name: str
    default: Any
    values: tuple[Any, ...] = ()
    low: float = 0
    high: float = 0
    is_log: bool = False
    takes_none: bool = False
    is_required: bool = False
    is_list: bool = False

    @property
    def kind(self) -> Literal["slider", "choice"]:
        """What it looks like."""
        return "choice" if self.values and self.high == self.low else "slider"

    @property
    def is_open(self) -> bool:
        """Whether one program holds for every value."""
        return not self.values

    def with_steps(self, count: int) -> "Control":
        """Return a slider with few places, each of which has a program of its own."""
        places = self.places(count)
        values = {*places, *([] if self.default is None else [self.default])}
        return replace(self, values=tuple(sorted(values)))

    def places(self, count: int) -> list[float]:
        """Return values all over a slider."""
        return [_place(self, index / count) for index in range(count + 1)]

    def argument(self, value: Any, classes: int) -> Any:
        """Return the parameter's value for a control's value."""
        return (value, *[float(OTHERS)] * (classes - 1)) if self.is_list else value


def controls_of(entry: Entry) -> tuple[dict[str, Any], list[Control]]:
    """Return the values that stay fixed, and a control for each parameter that can be changed.

    Raises:
        NoCurveError: A parameter needs a value that nobody can guess.
    """
    spec, annotations = entry.spec, entry.signature.annotations
    fixed: dict[str, Any] = {}
    controls: list[Control] = []
    for parameter in entry.signature.parameters:
        if parameter.name == spec.from_logits:
            fixed[parameter.name] = True
        elif parameter.name in (spec.axis, spec.ignore_class) and not parameter.required:
            continue
        else:
            control = _control(entry, parameter, annotations[parameter.name])
            if control is not None:
                controls.append(replace(control, is_required=parameter.required))
            elif parameter.required:
                raise NoCurveError(f"its parameter {parameter.name!r} has no default")
    return fixed, controls


def _control(entry: Entry, parameter: Parameter, annotation: Any) -> Control | None:
    members = list(union_members(annotation))
    kinds = [plain_type(member) for member in members]
    takes_none = type(None) in kinds
    if float in kinds:
        control = _slider(parameter, members[kinds.index(float)])
        return replace(control, takes_none=takes_none)
    for member, kind in zip(members, kinds, strict=True):
        if kind is bool:
            return _choice(parameter, [False, True], takes_none)
        if typing.get_origin(kind) is Literal:
            return _choice(parameter, list(typing.get_args(kind)), takes_none)
        if kind is int:
            limit = range_of(member)
            if limit.low is None:
                return None
            most = limit.low + _MOST_CHOICES - 1 if limit.high is None else limit.high
            numbers = [
                number
                for number in range(math.ceil(limit.low), math.floor(most) + 1)
                if _is_legal(entry, parameter.name, number)
            ]
            return _choice(parameter, numbers[:_MOST_CHOICES], takes_none)
    lists = [kind for kind in kinds if typing.get_origin(kind) is tuple]
    if lists and parameter.required:
        # One number for each class.
        entries = typing.get_args(lists[0])
        if entries[-1] is ... and plain_type(entries[0]) is float:
            return Control(
                name=parameter.name, default=10.0, low=1, high=1e4, is_log=True, is_list=True
            )
    return None


def _choice(parameter: Parameter, values: list[Any], takes_none: bool) -> Control | None:
    values = [*([None] if takes_none else []), *values]
    if not values or len(values) > _MOST_CHOICES + 1:
        return None
    default = values[0] if parameter.required else parameter.default
    if default not in values:
        values = [default, *values]
    return Control(name=parameter.name, default=default, values=tuple(values))


def _slider(parameter: Parameter, annotation: Any) -> Control:
    limit = range_of(annotation)
    given = parameter.default if isinstance(parameter.default, int | float) else None
    low, high, is_log = limit.low, limit.high, False
    middle = float(given) if given is not None else _middle(low, high)
    if low is None and high is None:
        low, high = middle - 5, middle + 5
    elif low is None:
        assert high is not None
        low = min(high, middle) - 8
    elif not limit.closed_low and (high is None or middle < low + (high - low) / 20):
        # Of a width or a scale, which lies above 0, the order of magnitude counts.
        room = middle - low if middle > low else 1.0
        is_log = low == 0
        low, high = low + room / 20, min(low + room * 20, math.inf if high is None else high)
    elif high is None:
        high = low + max(5.0, 2.5 * (middle - low))
    assert high is not None
    span = high - low
    if limit.low == low and not limit.closed_low:
        low += min(span / 1000, (middle - low) or span)
    if limit.high == high and not limit.closed_high:
        high -= min(span / 1000, (high - middle) or span)
    default = None if parameter.default is None and not parameter.required else middle
    return Control(name=parameter.name, default=default, low=low, high=high, is_log=is_log)


def _middle(low: float | None, high: float | None) -> float:
    if low is not None and high is not None:
        return (low + high) / 2
    return low + 1.0 if low is not None else (high or 1.0) - 1.0 if high is not None else 1.0


def _place(control: Control, share: float) -> float:
    if control.is_log:
        value = float(control.low * (control.high / control.low) ** share)
    else:
        value = control.low + (control.high - control.low) * share
    if share in (0, 1):
        return value
    return float(f"{value:.3g}")


def _is_legal(entry: Entry, name: str, value: Any) -> bool:
    required = [p.name for p in entry.signature.parameters if p.required and p.name != name]
    if required:
        return True
    try:
        entry.bind({name: value})
    except LossregError:
        return False
    return True
