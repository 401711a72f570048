"""What a user sees while a comparison runs: a line for each loss, and the time left."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from lossreg.errors import printable

from .metrics import Metric
from .summary import Outcome

if TYPE_CHECKING:
    from rich.console import RenderableType

_EVERY = 10.0  # seconds between two lines where there is no terminal


class Progress:
    """Counts what has ended, and says how long the rest takes.

    Args:
        outcomes: The losses, with what is known of them.
        metric: The metric that decides.
        planned: How many trainings there are.
    """

    def __init__(self, outcomes: Sequence[Outcome], metric: Metric, planned: int) -> None:
        self.outcomes, self.metric, self.planned = outcomes, metric, planned
        self._started = time.monotonic()
        self._trained = 0

    def add(self, *, reused: bool) -> None:
        """Count a training that has ended; one that had ended before says nothing of the time."""
        if not reused:
            self._trained += 1

    @property
    def done(self) -> int:
        """How many trainings have ended."""
        return sum(outcome.done for outcome in self.outcomes)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes, if the others take as long as those that have ended."""
        if not self._trained:
            return None
        each = (time.monotonic() - self._started) / self._trained
        return each * (self.planned - self.done)

    def __str__(self) -> str:
        left = self.seconds_left
        rest = "" if left is None or not left else f", about {duration(left)} left"
        return f"{self.done} of {self.planned} trainings{rest}"

    def __rich__(self) -> "RenderableType":
        """Draw a table with a bar for each loss."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table("LOSS", "", "RUNS", self.metric.label.upper(), box=None, header_style="bold")
        for outcome in self.outcomes:
            scores = outcome.runs(0)
            known = scores[np.isfinite(scores)]
            mean = f"{known.mean():.4g}" if len(known) else "-"
            runs = f"{outcome.done} of {scores.size}"
            if outcome.failed:
                runs += f", {outcome.failed} failed"
            table.add_row(
                Text(printable(outcome.candidate.label)),
                ProgressBar(total=scores.size, completed=outcome.done, width=20),
                runs,
                mean,
            )
        return Group(table, Text(str(self)))


class Lines:
    """Writes the progress as a line now and then, for a file or a pipe."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Write the progress, if the last line is old enough."""
        if time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            self._write(str(progress))


class Live:
    """Draws the progress on a terminal, in place."""

    def __init__(self, console: Any) -> None:
        from rich.live import Live as Display

        self._display = Display(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._display.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()

    def __call__(self, progress: Progress) -> None:
        """Draw the progress."""
        self._display.update(progress, refresh=True)


def duration(seconds: float) -> str:
    """Return a duration as a person says it.

    >>> duration(42), duration(61), duration(4000)
    ('42 s', '1 min 1 s', '1 h 7 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s".removesuffix(" 0 s")
    return f"{whole // 3600} h {round(whole % 3600 / 60)} min"
