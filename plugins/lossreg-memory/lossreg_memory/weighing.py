"""Sums of losses whose weights are learned, or follow how fast each term falls."""

from typing import Annotated, Any

from annotated_types import Gt, MinLen

from lossreg import LossFunction, Needs, State
from lossreg.lazy import ops


def uncertainty(
    y_true,
    y_pred,
    terms: Annotated[Any, Needs("terms")],
    log_variances: Annotated[Any, State("terms", trainable=True)],
    *,
    losses: Annotated[tuple[LossFunction, ...], MinLen(1)],
):
    """A sum of losses whose weights are learned, each from the noise in its task.

    `sum(exp(-s_k) * L_k / 2 + s_k / 2)` over the terms, where `L_k` is the reduced value of a term
    and `s_k` the logarithm of its variance, a weight that is trained with the model and 0 at
    first. So a term weighs `1 / (2 * L_k)` where `s_k` has settled: the terms come to the same
    size. Each term should be above 0; one below 0 would be weighed without end.

    The variances are memory: train with `lossreg.compile`, whose `history` shows each `s_k`.

    Args:
        y_true: Labels as every term takes them.
        y_pred: Predictions as every term takes them.
        losses: The terms: `uncertainty(dice, focal(gamma=2))`.

    Returns:
        One number for the batch, without a unit, shape `()`.

    Source:
        Kendall et al., 2018, arXiv:1705.07115, equation 7, with the logarithm of the variance as
        the weight that is trained.
    """
    del y_true, y_pred, losses  # Their values are the terms.
    values = ops.cast(ops.stack(terms), log_variances.dtype)
    return ops.sum(ops.exp(-log_variances) * values + log_variances) / 2


def dynamic_weight_average(
    y_true,
    y_pred,
    terms: Annotated[Any, Needs("terms")],
    epochs: Annotated[Any, Needs("epochs")],
    totals: Annotated[Any, State("terms")],
    steps: Annotated[Any, State()],
    last: Annotated[Any, State("terms")],
    before: Annotated[Any, State("terms")],
    epoch: Annotated[Any, State()],
    *,
    losses: Annotated[tuple[LossFunction, ...], MinLen(1)],
    temperature: Annotated[float, Gt(0)] = 2.0,
):
    """A sum of losses in which a term that falls more slowly weighs more.

    `sum(w_k * L_k)` over the `K` terms, where
    `w = K * softmax(r / temperature)` and `r_k` is the mean value of a term in the last epoch,
    divided by that of the epoch before. In the first two epochs all terms weigh 1.

    The means are memory: train with `lossreg.compile`. `fit` counts the epochs.

    Args:
        y_true: Labels as every term takes them.
        y_pred: Predictions as every term takes them.
        losses: The terms, each above 0: `dwa(dice, focal(gamma=2))`.
        temperature: How alike the weights are; the higher, the more.

    Returns:
        One number for the batch, in the units of the terms, shape `()`.

    Source:
        Liu et al., 2019, arXiv:1803.10704, equation 7.
    """
    del y_true, y_pred
    values = ops.cast(ops.stack(terms), totals.dtype)
    # The first step of an epoch closes the one before it.
    begins = ops.cast(epochs, epoch.dtype) > epoch
    mean = totals / ops.maximum(steps, 1.0)
    before = ops.where(begins, last, before)
    last = ops.where(begins, mean, last)
    known = before > 0
    ratios = ops.where(known, last / ops.where(known, before, 1.0), 1.0)
    weights = len(losses) * ops.softmax(ratios / temperature)
    weights = ops.where(ops.all(known), weights, ops.ones_like(weights))
    seen = ops.stop_gradient(values)
    totals = ops.where(begins, 0.0, totals) + seen
    steps = ops.where(begins, 0.0, steps) + 1
    total = ops.sum(ops.stop_gradient(weights) * values)
    return total, totals, steps, last, before, ops.cast(epochs, epoch.dtype)
