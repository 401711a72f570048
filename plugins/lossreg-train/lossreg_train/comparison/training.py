"""The training of one cell: the search of its learning rate, and its scores."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg import bind
from lossreg.errors import error_line
from lossreg.loss import Bound

from .answers import Answers
from .cells import Cell, Result
from .learner import Training, learner
from .metrics import Metric
from .scores import reliability
from .work import Work

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

# The calibrated rate first: of two that are equally good, the first one is taken.
FACTORS = (1.0, 10**-0.5, 10**0.5)
"""What the learning rate is multiplied by in the search."""


class Failure(Exception):  # noqa: N818 - it becomes the result of a cell
    """Why a cell has no scores, as a sentence."""


def train_cell(work: Work, cell: Cell) -> Result:
    """Return the result of a cell. Whatever fails is a result too, with its reason."""
    started = time.perf_counter()
    try:
        result: dict[str, Any] = {"status": "done", **_trained(work, cell)}
    except KeyboardInterrupt:
        raise
    except Failure as error:
        result = {"status": "failed", "reason": str(error)}
    except Exception as error:
        # A loss is anyone's code, and the backends raise classes of their own, for memory too.
        result = {"status": "failed", "reason": error_line(error)}
    return {**_described(cell), **result, "seconds": round(time.perf_counter() - started, 3)}


def _described(cell: Cell) -> dict[str, Any]:
    """Return what a person who reads the file wants to know of the cell."""
    names = ("loss", "repeat", "fold", "seed")
    return {name: getattr(cell, name) for name in names}


def _trained(work: Work, cell: Cell) -> dict[str, Any]:
    fold = work.folds.fold(cell.repeat, cell.fold)
    loss: Bound = bind(cell.loss)
    tuned: dict[str, Any] = {}
    if work.settings.tune:
        from .tuning import tune

        found = tune(work, cell, fold, loss)
        loss = found.loss
        tuned = {"params": loss.label, "trials": found.trials}
    pupil = learner(work, loss, fold, cell.seed)
    searched = work.settings.search and pupil.rate is not None
    factors = [cell.rate * factor for factor in FACTORS] if searched else [cell.rate]
    best: Training | None = None
    tried = []
    for factor in factors:
        training = pupil.train(factor)
        tried.append(
            {
                "rate": _or_none(training.rate),
                "value": _or_none(training.best),
                "epoch": training.epoch,
            }
        )
        sign = work.metric.sign
        if not training.diverged and (best is None or sign * training.best > sign * best.best):
            best = training
    if best is None:
        rates = ", ".join(f"{each['rate'] or 0:.3g}" for each in tried)
        raise Failure(
            "The training diverged: the loss or a prediction was infinite or NaN in the first "
            f"epoch, at the learning rate{'s' * (len(tried) > 1)} {rates}. Try a lower one, or "
            "clipnorm=1."
        )
    pupil.restore(best)
    answers = pupil.answers(pupil.prepared.test)
    if not all(np.isfinite(each.y_pred).all() for each in answers.values()):
        raise Failure("Some predictions of the trained model aren't finite.")
    return {
        "scores": {metric.label: _score(metric, answers[metric.output]) for metric in work.metrics},
        "slices": dict(_slice_scores(work, fold.test, answers)),
        "reliability": [asdict(each) for each in _reliability(work, answers)],
        **tuned,
        "rate": _or_none(best.rate),
        "tried": tried,
        "epoch": best.epoch,
        "values": [float(f"{value:.6g}") for value in best.values],
        "losses": [float(f"{value:.6g}") for value in best.losses],
        "step": best.step,
    }


def _or_none(value: float) -> float | None:
    """Return a number as JSON has it."""
    return None if math.isnan(value) else value


def _score(metric: Metric, answers: Answers) -> float:
    try:
        value = metric.value(answers)
    except ValueError as error:
        raise Failure(f"Metric {metric.name!r} isn't defined on this fold: {error}.") from error
    if not math.isfinite(value):
        raise Failure(f"Metric {metric.name!r} is {value} on this fold.")
    return value


def _slice_scores(
    work: Work, test: "Array", answers: Mapping[str | None, Answers]
) -> Iterator[tuple[str, dict[str, dict[str, float]]]]:
    """Yield each column with the scores of each of its slices where they are defined."""
    for column, values in work.slices.items():
        here = values[test]
        scores: dict[str, dict[str, float]] = {}
        for name in np.unique(here):
            rows = here == name
            for metric in work.metrics:
                part = answers[metric.output]
                chosen = Answers(part.y_true[rows], part.y_pred[rows], part.scale)
                try:
                    scores.setdefault(str(name), {})[metric.label] = _score(metric, chosen)
                except Failure:
                    # A slice may be small, and have one class only.
                    continue
        yield column, scores


def _reliability(work: Work, answers: Mapping[str | None, Answers]) -> list[Any]:
    """Return how often predictions came true, for the output of the metric that decides."""
    found = answers[work.metric.output]
    if found.scale.classes is None or found.scale.y_pred not in ("logits", "probabilities"):
        return []
    return reliability(found)
