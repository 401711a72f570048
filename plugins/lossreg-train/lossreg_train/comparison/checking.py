"""The check of a loss before its first cell: whether it fits, and how large its steps are."""

import math
from collections.abc import Mapping
from typing import Any

from lossreg import bind
from lossreg.errors import LossregError
from lossreg.loss import Bound

from .. import versions
from .cells import Result
from .learner import Learner
from .scores import Undefined
from .work import Work

_STEPS = 5  # enough for the moments of an optimizer to be more than their first value


def check_loss(work: Work, loss: Mapping[str, Any]) -> Result:
    """Return whether a loss fits the model and the samples, and how far its first steps go.

    It is measured on the training part of the first fold. At the same learning rate, a loss with
    small gradients moves the weights less than another, unless the optimizer scales them. The
    ratio to the baseline's steps is what calibrates its learning rate.
    """
    bound: Bound = bind(loss)
    fold = work.folds.fold(0, 0)
    try:
        for metric in work.metrics:
            metric.check()
        prepared = work.recipe.prepare(bound, work.samples, fold, work.folds.seed, check=True)
        learner = Learner(work, prepared, work.folds.seed)
        unknown = [m for m in work.metrics if m.output not in (None, *prepared.outputs)]
        if unknown:
            raise LossregError(
                f"The model has no output {unknown[0].output!r}. "
                f"It has {', '.join(prepared.outputs)}."
            )
        _compute_metrics(work, learner)
        searched = work.settings.search and learner.rate is not None
        step = learner.step_size(_STEPS) if searched else math.nan
    except LossregError as error:
        return {"status": "failed", "reason": str(error)}
    return {
        "status": "done",
        "step": None if math.isnan(step) else step,
        "has_schedule": learner.rate is None,
        "versions": versions.collect(bound),
    }


def _compute_metrics(work: Work, learner: Learner) -> None:
    """Raise an error for a metric that doesn't fit the labels and the predictions."""
    answers = learner.answers(learner.prepared.stop)
    for metric in work.metrics:
        try:
            metric.value(answers[metric.output])
        except Undefined:
            # It may be defined on a whole fold.
            continue
        except ValueError as error:
            raise LossregError(f"Metric {metric.name!r} doesn't fit: {error}.") from error
