"""What a check finds out about a loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

from ..errors import LossregError

State = Literal["passed", "failed", "expected failure", "not applicable", "not run"]


class ConformanceError(LossregError, AssertionError):
    """A loss that breaks one of the promises that every loss makes.

    >>> print(ConformanceError.at("a", expected="1", got="2", advice="Divide by 2."))
    With a: expected 1, got 2. Divide by 2.
    """

    @classmethod
    def at(cls, where: object, *, expected: str, got: str, advice: str) -> Self:
        """Return the error for a broken promise.

        Args:
            where: The input; its string completes "With ...".
            expected: What the promise says.
            got: What the loss did.
            advice: What its author can do.
        """
        return cls(f"With {where}: expected {expected}, got {got}. {advice}")


class NotApplicableError(LossregError):
    """A check that has no meaning for a loss; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one check found out about one loss.

    >>> Result(loss="tilted", check="names", state="passed").message
    ''

    Args:
        loss: Name of the loss.
        check: Name of the check.
        state: Whether the loss passed.
        message: For a failure, what is broken and what to do; otherwise why the failure is
            expected, why the check has no meaning, or why it wasn't run.
        details: What a framework said, line by line.
    """

    loss: str
    check: str
    state: State
    message: str = ""
    details: str = ""


def error_of(call: Callable[[], Any]) -> Exception | None:
    """Return the exception that a call raises, or None."""
    try:
        call()
    except Exception as error:
        return error
    return None
