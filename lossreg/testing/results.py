"""What a check says of a loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lossreg.errors import LossregError

State = Literal["passed", "failed", "expected failure", "not applicable"]


class ConformanceError(LossregError, AssertionError):
    """A loss that breaks one of the promises that every loss makes."""


class NotApplicableError(LossregError):
    """A check that has no meaning for a loss; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one check says of one loss.

    Args:
        loss: Name of the loss.
        check: Name of the check.
        state: What came of it.
        message: What is broken and what to do, or why it is expected or has no meaning.
    """

    loss: str
    check: str
    state: State
    message: str = ""


def broken(*, at: object, expected: str, got: str, advice: str) -> ConformanceError:
    """Return the error for a broken promise: for which input, and what to do.

    Args:
        at: The input, as a text for the message.
        expected: What the promise says.
        got: What the loss did.
        advice: What its author can do.
    """
    return ConformanceError(f"With {at}: expected {expected}, got {got}. {advice}")


def raised(call: Callable[[], Any]) -> Exception | None:
    """Return what a call raises, or None."""
    try:
        call()
    except Exception as error:
        return error
    return None
