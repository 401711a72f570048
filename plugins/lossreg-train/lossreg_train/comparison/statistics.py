"""Whether one loss is better than another, or whether the difference is noise.

The training sets of a cross-validation overlap, so its scores aren't independent, and an ordinary
t-test finds differences where there are none. The variance is therefore corrected after Nadeau and
Bengio, 2003, "Inference for the Generalization Error", Machine Learning 52, section 3: a factor
`1 / runs + test / train` in place of `1 / runs`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

Verdict = Literal["better", "equivalent", "worse", "undecided"]

MOST_RUNS = 10_000
"""More runs than this are never advised."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The mean of paired differences, with the noise around it.

    Args:
        mean: The mean over the runs. Above 0 the first loss of the pair is ahead.
        deviation: The standard deviation of the differences.
        runs: How many differences there are.
        ratio: Samples tested on for each sample trained on, in a run.
    """

    mean: float
    deviation: float
    runs: int
    ratio: float

    @classmethod
    def of(cls, differences: "Sequence[float] | Array", ratio: float) -> "Difference":
        """Return the mean and the noise of differences, one for each run."""
        values = np.asarray(differences, dtype=float)
        runs = len(values)
        mean = float(values.mean()) if runs else math.nan
        deviation = float(values.std(ddof=1)) if runs > 1 else math.nan
        return cls(mean=mean, deviation=deviation, runs=runs, ratio=ratio)

    @property
    def error(self) -> float:
        """The corrected standard error of the mean."""
        return self._error(self.runs)

    def _error(self, runs: int) -> float:
        return self.deviation * math.sqrt(1 / runs + self.ratio) if runs else math.nan

    def half_width(self, alpha: float) -> float:
        """Return half of the width of the interval that misses the truth with probability alpha."""
        return self._half_width(alpha, self.runs)

    def _half_width(self, alpha: float, runs: int) -> float:
        from scipy.special import stdtrit

        if runs < 2:
            return math.inf
        return float(stdtrit(runs - 1, 1 - alpha / 2)) * self._error(runs)

    def p_value(self, margin: float) -> float:
        """Return the smallest alpha whose interval lies on one side of the margin's ends.

        The interval is then above the region of practical equivalence, below it or within it.

        Args:
            margin: The region reaches from `-margin` to `margin`.
        """
        from scipy.special import stdtr

        if self.runs < 2:
            return 1.0
        distance = abs(abs(self.mean) - margin)
        if self.error == 0:
            # Every run had the same difference. Without any, the losses did the same.
            return 0.0 if distance or not self.mean else 1.0
        return float(2 * stdtr(self.runs - 1, -distance / self.error))

    def more_runs(self, margin: float, alpha: float) -> int | None:
        """Return how many more runs would decide, if mean and deviation stay; None if none would.

        Many runs on the same data leave the part of the error that comes from the data.
        """
        distance = abs(abs(self.mean) - margin)
        enough = self.runs + 1
        if not math.isfinite(self.deviation) or self._half_width(alpha, MOST_RUNS) > distance:
            return None
        low, high = enough, MOST_RUNS
        while low < high:
            middle = (low + high) // 2
            if self._half_width(alpha, middle) <= distance:
                high = middle
            else:
                low = middle + 1
        return low - self.runs


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the runs say of a difference.

    Args:
        difference: The mean and the noise.
        verdict: Whether the first loss of the pair is better, equivalent or worse.
        alpha: The level at which it was judged, corrected for the number of pairs.
        low: The lower end of the interval at that level.
        high: The upper end.
        more: About how many more runs would decide, if the verdict is undecided and some would.
    """

    difference: Difference
    verdict: Verdict
    alpha: float
    low: float
    high: float
    more: int | None = None


def judge(
    differences: Sequence[Difference], margins: Sequence[float], alpha: float = 0.05
) -> list[Judgement]:
    """Return a judgement of each difference; all are true together with probability 1 - alpha.

    Holm's procedure: the clearest of `m` pairs is judged at `alpha / m`, the next at
    `alpha / (m - 1)`, and so on, until one is undecided; the rest is judged at its level.
    An interval is that of its pair's level, and so a verdict is what its interval shows.

    Args:
        differences: One for each pair.
        margins: The region of practical equivalence of each pair reaches from `-margin` to
            `margin`.
        alpha: The probability of any wrong verdict.
    """
    p_values = [
        difference.p_value(margin) for difference, margin in zip(differences, margins, strict=True)
    ]
    judged: dict[int, Judgement] = {}
    left = len(differences)
    for index in sorted(range(left), key=p_values.__getitem__):
        level = alpha / left
        judged[index] = _judge(differences[index], margins[index], level, p_values[index])
        if judged[index].verdict != "undecided":
            left -= 1
    return [judged[index] for index in range(len(differences))]


def _judge(difference: Difference, margin: float, level: float, p_value: float) -> Judgement:
    half, mean = difference.half_width(level), difference.mean
    verdict: Verdict = "undecided"
    if p_value <= level:
        verdict = "better" if mean > margin else "worse" if mean < -margin else "equivalent"
    more = difference.more_runs(margin, level) if verdict == "undecided" else None
    return Judgement(
        difference=difference,
        verdict=verdict,
        alpha=level,
        low=mean - half,
        high=mean + half,
        more=more,
    )
