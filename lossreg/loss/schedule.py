"""Numbers that change during training: `linear(0, 1, epochs=10)`, as a weight or a parameter.

A schedule is plain data. What it is at some step, it computes with `keras.ops`, so that a compiled
step needn't be compiled again.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..errors import ConfigError
from ..lazy import ops
from .values import is_finite

Kind = Literal["linear", "cosine", "piecewise"]
Unit = Literal["steps", "epochs"]


@dataclass(frozen=True, repr=False)
class Schedule:
    """A number that goes from one value to others, by steps or epochs of training.

    Args:
        schedule: How it goes: in a `linear` way, as half a wave of a `cosine`, or `piecewise`
            constant.
        values: The first value and the last, or that of each piece.
        unit: What is counted.
        after: The count at which the last value is reached, or at which each piece but the first
            begins.
    """

    kind: ClassVar[str] = "a schedule"

    schedule: Kind
    values: tuple[float, ...]
    unit: Unit
    after: tuple[int, ...]

    def at(self, count: Any) -> Any:
        """Return the value after some steps or epochs, a tensor."""
        count = ops.cast(count, "float32")
        if self.schedule == "piecewise":
            jumps = [new - old for old, new in zip(self.values, self.values[1:], strict=False)]
            reached = [ops.cast(count >= after, "float32") for after in self.after]
            # The sum of the jumps up to here.
            return self.values[0] + sum(
                jump * each for jump, each in zip(jumps, reached, strict=True)
            )
        first, last = self.values
        share = ops.minimum(count / self.after[0], 1.0)
        if self.schedule == "cosine":
            share = (1 - ops.cos(math.pi * share)) / 2
        return first + (last - first) * share

    def __str__(self) -> str:
        after = self.after if self.schedule == "piecewise" else self.after[0]
        # As an expression has it: a list in brackets.
        count = list(after) if isinstance(after, tuple) else after
        return f"{self.schedule}({', '.join(map(repr, self.values))}, {self.unit}={count})"

    __repr__ = __str__


SCHEDULES = ("linear", "cosine", "piecewise")
"""The names of the schedules; before a loss, or as a parameter, they mean nothing else."""

_FORMS = "linear(0, 1, epochs=10), cosine(1, 0, steps=1000) or piecewise(1, 0.1, epochs=[5])"


def make_schedule(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Schedule:
    """Return the schedule of a call.

    >>> make_schedule("linear", (0, 1), {"epochs": 10})
    linear(0.0, 1.0, epochs=10)

    Raises:
        ConfigError: It isn't one; the message shows one of each kind.
    """
    given = ", ".join([*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())])
    wrong = f"{name}({given}) isn't a schedule: "
    units = [key for key in kwargs if key in ("steps", "epochs")]
    if len(units) != 1 or len(kwargs) != 1:
        raise ConfigError(f"{wrong}give steps=... or epochs=..., as in {_FORMS}.")
    after = kwargs[units[0]]
    after = tuple(after) if isinstance(after, list | tuple) else (after,)
    if not all(is_finite(value) for value in args) or len(args) < 2:
        raise ConfigError(f"{wrong}its values must be two numbers or more, as in {_FORMS}.")
    if name != "piecewise" and len(args) != 2:
        raise ConfigError(f"{wrong}it goes from one value to another, as in {_FORMS}.")
    if len(after) != len(args) - 1:
        raise ConfigError(f"{wrong}{len(args)} values need {len(args) - 1} counts, as in {_FORMS}.")
    counts = all(isinstance(each, int) and not isinstance(each, bool) for each in after)
    if not counts or after != tuple(sorted(set(after))) or after[0] < 1:
        raise ConfigError(f"{wrong}counts must be whole numbers from 1 that rise, got {after!r}.")
    return Schedule(name, tuple(map(float, args)), units[0], after)  # type: ignore[arg-type]  # checked above
