"""The ranking of a comparison for a terminal and for a file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossreg.cli import in_columns
from lossreg.errors import printable

from .folds import Counts
from .report import Comparison, Score, Standing

if TYPE_CHECKING:
    from rich.table import Table

STYLES = {"better": "green", "worse": "red", "equivalent": "cyan", "undecided": "yellow"}
"""The colour of each verdict."""


def header(comparison: Comparison) -> list[str]:
    """Return the headings of the columns."""
    return ["LOSS", *(metric.upper() for metric in comparison.metrics), "RUNS", "MS A STEP", ""]


def cells(comparison: Comparison, standing: Standing) -> list[str]:
    """Return the row of a loss."""
    runs = str(standing.runs)
    if standing.failed:
        runs += f", {standing.failed} failed"
    return [
        standing.loss,
        *(written(standing.scores[metric]) for metric in comparison.metrics),
        runs,
        "-" if standing.step is None else f"{1000 * standing.step:.2f}",
        standing.verdict or "baseline",
    ]


def written(score: Score) -> str:
    """Return a mean with half of its interval, such as "0.912 ± 0.013"."""
    if score.mean is None:
        return "-"
    if score.low is None or score.high is None:
        return f"{score.mean:.4g}"
    half = (score.high - score.low) / 2
    # The runs of a metric may be the same to the last digits.
    return f"{score.mean:.4g} ± {half if half > 1e-9 else 0:.2g}"


def legend(comparison: Comparison) -> list[str]:
    """Return what the numbers of the ranking mean, and on how many samples they are measured."""
    found = []
    scores = [score for standing in comparison.ranking for score in standing.scores.values()]
    if any(score.low is not None for score in scores):
        found.append(
            "Each score is the mean of the runs ± half of its 95 % interval. Verdicts compare the "
            "losses run by run, so two intervals may overlap where a difference is clear."
        )
    parts = [f"{count} to {what}" for what, count in counted(comparison.samples).items()]
    sentence = f"Samples in a fold: {', '.join(parts)}"
    if comparison.classes:
        rarest = min(comparison.classes, key=lambda name: comparison.classes[name].test)
        numbers = ", ".join(counted(comparison.classes[rarest]).values())
        sentence += f"; of the rarest class, {rarest!r}: {numbers}"
    return [*found, f"{sentence}."]


def counted(counts: Counts) -> dict[str, str]:
    """Return how many samples a fold has, by what they are for."""
    parts = {"train on": counts.train, "stop on": counts.stop, "test on": counts.test}
    return {
        what: f"{low:,}" if low == high else f"{low:,} to {high:,}"
        for what, (low, high) in parts.items()
    }


def lines(comparison: Comparison) -> Sequence[str]:
    """Return the ranking as lines of text."""
    rows = [cells(comparison, standing) for standing in comparison.ranking]
    return in_columns([header(comparison), *rows])


def table(comparison: Comparison) -> "Table":
    """Return the ranking as a table for a terminal."""
    from rich.table import Table
    from rich.text import Text

    found = Table(*map(printable, header(comparison)), box=None, header_style="bold")
    for standing in comparison.ranking:
        row = [Text(cell) for cell in cells(comparison, standing)]
        row[-1].stylize(STYLES.get(standing.verdict or "", "dim"))
        found.add_row(*row)
    return found
