"""From the results of the trainings to the ranking, every pair and the noise."""

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .candidates import Candidate
from .metrics import Metric
from .report import ALPHA, Pair, Score, Standing
from .statistics import Difference, Judgement, Verdict, judge
from .summary import Outcome

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


def rank(
    outcomes: Sequence[Outcome], metrics: Sequence[Metric], ratio: float, margin: float
) -> tuple[list[Standing], list[Pair], Pair | None, float]:
    """Return the ranking, each pair, the noise, and the margin in the unit of the first metric.

    Args:
        outcomes: The baseline first, and last the baseline with other seeds.
        metrics: What the losses are judged by.
        ratio: Samples tested on for each sample of the training set.
        margin: As a config has it.
    """
    *losses, again = outcomes
    baseline, metric = losses[0], metrics[0]
    if not metric.is_share:
        known = baseline.runs(0)
        level = float(np.nanmean(known)) if np.isfinite(known).any() else 0.0
        margin *= abs(level)
    order = sorted(losses, key=lambda outcome: _place(outcome, metric))
    couples = list(itertools.combinations(order, 2))
    differences = [_difference(first, second, metric, ratio) for first, second in couples]
    judged = judge(differences, [margin] * len(differences), ALPHA)
    pairs = [
        _pair(first.candidate, second.candidate, _believed(judgement, first, second))
        for (first, second), judgement in zip(couples, judged, strict=True)
    ]
    verdicts: dict[tuple[str, str], Verdict] = {}
    for pair in pairs:
        verdicts[pair.first, pair.second] = pair.verdict
        verdicts[pair.second, pair.first] = pair.swapped().verdict
    base = baseline.candidate.label
    ranking = [
        _standing(outcome, metrics, ratio, verdicts.get((outcome.candidate.label, base)))
        for outcome in order
    ]
    of_noise = _difference(again, baseline, metric, ratio)
    noise = None
    if of_noise.runs > 1:
        (judgement,) = judge([of_noise], [margin], ALPHA)
        noise = _pair(again.candidate, baseline.candidate, judgement)
    return ranking, pairs, noise, margin


def _place(outcome: Outcome, metric: Metric) -> tuple[int, float]:
    """Return what losses are sorted by: those that never fail first, and then the mean."""
    scores = outcome.runs(0)
    if not np.isfinite(scores).any():
        return 2, 0.0
    return int(outcome.failed > 0), -metric.sign * float(np.nanmean(scores))


def _difference(first: Outcome, second: Outcome, metric: Metric, ratio: float) -> Difference:
    """Return by how much the first is ahead, over the runs that both have."""
    differences = metric.sign * (first.runs(0) - second.runs(0))
    return Difference.of(differences[np.isfinite(differences)], ratio)


def _believed(judgement: Judgement, first: Outcome, second: Outcome) -> Judgement:
    """Return a judgement that no failed run contradicts: a loss that fails isn't the better one."""
    doubted = {"better": first.failed, "worse": second.failed}
    failed = doubted.get(judgement.verdict, first.failed + second.failed)
    return replace(judgement, verdict="undecided", more=None) if failed else judgement


def _pair(first: Candidate, second: Candidate, judgement: Judgement) -> Pair:
    difference = judgement.difference
    return Pair(
        first=first.label,
        second=second.label,
        verdict=judgement.verdict,
        mean=_finite(difference.mean),
        low=_finite(judgement.low),
        high=_finite(judgement.high),
        alpha=judgement.alpha,
        runs=difference.runs,
        more=judgement.more,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _standing(
    outcome: Outcome, metrics: Sequence[Metric], ratio: float, verdict: Verdict | None
) -> Standing:
    values = outcome.runs(0)
    return Standing(
        loss=outcome.candidate.label,
        expression=outcome.candidate.bound.label,
        full=outcome.candidate.full,
        config=outcome.candidate.config,
        scores={
            metric.label: _score(outcome.runs(index), ratio) for index, metric in enumerate(metrics)
        },
        runs=int(np.isfinite(values).sum()),
        failures=dict(outcome.failures.most_common()),
        verdict=verdict,
        step=_median(outcome.steps),
        seconds=outcome.seconds / outcome.done if outcome.done else None,
        rate=_median(outcome.rates),
        epochs=_median(outcome.epochs),
        params=dict(outcome.params.most_common()),
        curve=outcome.curve.means,
        losses=outcome.losses.means,
        slices=outcome.slice_means(),
        reliability=outcome.reliability,
        values=[_finite(float(value)) for value in values],
    )


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _score(values: "Array", ratio: float) -> Score:
    known = values[np.isfinite(values)]
    difference = Difference.of(known, ratio)
    half = difference.half_width(ALPHA)
    return Score(
        mean=_finite(difference.mean),
        low=_finite(difference.mean - half),
        high=_finite(difference.mean + half),
    )
