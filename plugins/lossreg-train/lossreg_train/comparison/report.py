"""What a comparison found: the ranking, every pair, the noise, and the line for a config."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.errors import printable

from .folds import Counts
from .scores import Bin
from .statistics import Verdict

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    Array = np.ndarray[Any, Any]

ALPHA = 0.05
"""The probability that any verdict of a comparison is wrong."""

_MOST_RUNS_WRITTEN = 1_000  # scores of each loss in the report


@dataclass(frozen=True, kw_only=True)
class Score:
    """The mean of a metric over the runs, with an interval of 95 %.

    Args:
        mean: The mean; None without runs.
        low: The lower end of the interval; None with fewer than two runs.
        high: The upper end.
    """

    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a loss did.

    Args:
        loss: The loss with what tells it from the others.
        expression: The loss as a config holds it.
        full: The loss with every parameter.
        config: The loss as data.
        scores: By metric.
        runs: How many runs have scores.
        failures: How often each reason for a run without scores came.
        verdict: Against the baseline; None for the baseline.
        step: Seconds of a training step, the median.
        seconds: Seconds of a run, the mean.
        rate: The learning rate that was chosen, the median; None where it is a schedule.
        epochs: The epochs until the best one, the median.
        params: How often each value of the parameters was chosen, where they were searched.
        curve: The mean of the metric that decides after each epoch, on the samples stopped on.
        losses: The mean of the loss in each epoch, on the samples trained on.
        slices: The mean scores by column, slice and metric.
        reliability: Predicted probabilities beside what happened.
        values: The scores of each run by the metric that decides; None for a run without.
    """

    loss: str
    expression: str
    full: str
    config: Mapping[str, Any]
    scores: Mapping[str, Score]
    runs: int
    failures: Mapping[str, int]
    verdict: Verdict | None
    step: float | None
    seconds: float | None
    rate: float | None
    epochs: float | None
    params: Mapping[str, int]
    curve: Sequence[float]
    losses: Sequence[float]
    slices: Mapping[str, Mapping[str, Mapping[str, float]]]
    reliability: Sequence[Bin]
    values: Sequence[float | None]

    @property
    def failed(self) -> int:
        """How many runs have no scores."""
        return sum(self.failures.values())


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One loss against another, by the metric that decides.

    Args:
        first: A loss.
        second: Another.
        verdict: Whether the first is better, equivalent or worse.
        mean: The mean difference. Above 0 the first loss is ahead, whatever the metric's direction.
        low: The lower end of the interval at the level of the verdict; None without one.
        high: The upper end.
        alpha: The level.
        runs: How many runs both have.
        more: About how many more runs would decide; None if it is decided, or if none would.
    """

    first: str
    second: str
    verdict: Verdict
    mean: float | None
    low: float | None
    high: float | None
    alpha: float
    runs: int
    more: int | None

    @property
    def sentence(self) -> str:
        """The verdict as a sentence."""
        if self.verdict == "better":
            return f"{self.first} is better than {self.second}."
        if self.verdict == "worse":
            return f"{self.second} is better than {self.first}."
        if self.verdict == "equivalent":
            return f"{self.first} and {self.second} are equivalent."
        pair = f"{self.first} and {self.second} can't be told apart yet"
        if self.runs < 2:
            return f"{pair}: it takes at least 2 runs of both."
        if self.more is None:
            return f"{pair}, and no number of runs on these data would tell. More data might."
        return f"{pair}: about {self.more} more runs would tell."

    def swapped(self) -> "Pair":
        """Return the pair from the side of the second loss."""
        other: Mapping[Verdict, Verdict] = {"better": "worse", "worse": "better"}
        return replace(
            self,
            first=self.second,
            second=self.first,
            verdict=other.get(self.verdict, self.verdict),
            mean=_negative(self.mean),
            low=_negative(self.high),
            high=_negative(self.low),
        )


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a comparison found.

    >>> result.baseline, result.metrics, result.runs  # doctest: +SKIP
    ('mean_squared_error', ['rmse'], 2)

    Args:
        title: What was compared on.
        metrics: What the losses are judged by. The first decides.
        higher_is_better: For each metric, whether a higher value is better.
        baseline: The loss that the others are compared with.
        margin: A difference of the first metric up to this has no practical meaning.
        ranking: The losses, the best first. Those that failed in every run come last.
        pairs: Each pair of losses.
        noise: The baseline against itself with other seeds; None before two runs.
        dropped: Losses that don't fit the model or the data, with the reasons.
        folds: How the samples were split, in words.
        samples: How many samples the folds have.
        classes: How many of each class, where labels are classes.
        runs: How many runs each loss was to have.
        done: How many trainings have ended, of all losses.
        planned: How many there were to be.
        seconds: How long it took, resumed runs excepted.
        notes: What the user should know.
        versions: The versions that decide the numbers.
        folder: Where the report is written.
        is_stopped: Whether Ctrl-C or another signal ended it.
    """

    title: str
    metrics: Sequence[str]
    higher_is_better: Sequence[bool]
    baseline: str
    margin: float
    ranking: Sequence[Standing]
    pairs: Sequence[Pair]
    noise: Pair | None
    dropped: Mapping[str, str]
    folds: str
    samples: Counts
    classes: Mapping[str, Counts]
    runs: int
    done: int
    planned: int
    seconds: float
    notes: Sequence[str]
    versions: Mapping[str, str]
    folder: Path
    is_stopped: bool = False

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return self.metrics[0]

    @property
    def is_complete(self) -> bool:
        """Whether every training has ended."""
        return self.done == self.planned

    @property
    def winner(self) -> Standing | None:
        """The first loss of the ranking, or None if every loss failed."""
        first = self.ranking[0]
        return first if first.runs else None

    def pair(self, first: str, second: str) -> Pair:
        """Return the comparison of two losses, from the side of the first."""
        for pair in self.pairs:
            if (pair.first, pair.second) == (first, second):
                return pair
            if (pair.first, pair.second) == (second, first):
                return pair.swapped()
        raise LookupError(f"The losses {first!r} and {second!r} weren't compared.")

    @property
    def verdict(self) -> str:
        """The result in one or two sentences."""
        best = self.winner
        if best is None:
            return "No loss could be trained; the failures say why."
        if len(self.ranking) == 1:
            return f"{best.loss} is the only loss, and has nothing to win against."
        against = [self.pair(best.loss, other.loss) for other in self.ranking[1:]]
        beaten = [pair for pair in against if pair.verdict == "better"]
        if len(beaten) == len(against):
            return f"{best.loss} is better than {_every(len(beaten))}."
        lead = f"{best.loss} leads by {self.metric}"
        if beaten:
            lead += f" and is better than {_names(pair.second for pair in beaten)}"
        rest = [f"{lead}."]
        same = [pair.second for pair in against if pair.verdict == "equivalent"]
        if same:
            rest.append(f"It is equivalent to {_names(same)}.")
        rest += [pair.sentence for pair in against if pair.verdict == "undecided"][:1]
        return " ".join(rest)

    @property
    def config_line(self) -> str:
        """The winner as a line of a config."""
        return f"loss: {self.winner.expression}" if self.winner else ""

    def as_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        data = asdict(replace(self, folder=Path()))
        del data["folder"]
        return {
            "verdict": self.verdict,
            "config": self.config_line,
            **data,
            "ranking": [
                {**each, "values": each["values"][:_MOST_RUNS_WRITTEN]} for each in data["ranking"]
            ],
        }

    def write(self) -> list[Path]:
        """Write the report as HTML and JSON into the folder, and return the files."""
        from .page import page

        self.folder.mkdir(parents=True, exist_ok=True)
        texts = {"report.html": page(self), "report.json": json.dumps(self.as_dict(), indent=1)}
        files = []
        for name, text in texts.items():
            file = self.folder / name
            unfinished = file.with_name(f".unfinished-{name}")
            unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
            unfinished.replace(file)
            files.append(file)
        return files

    def __str__(self) -> str:
        from .table import legend, lines

        return "\n".join([*lines(self), "", self.verdict, "", *legend(self)])

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Draw the ranking on a terminal."""
        del console, options
        from rich.text import Text

        from .table import legend, table

        yield table(self)
        # Names in brackets aren't styles.
        yield from (Text(printable(line)) for line in (self.verdict, *legend(self)))


def _every(count: int) -> str:
    return "the other loss" if count == 1 else f"each of the {count} others"


def _names(names: Any) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else str(last)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
