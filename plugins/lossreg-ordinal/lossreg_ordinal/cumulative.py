"""Losses of K - 1 cumulative logits, one for each step between K ordered classes.

The logit of step k says how likely the class is above k: that of every loss here rises with the
class.
"""

from typing import Annotated, Literal

from annotated_types import Gt

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, finite

from .links import log_logistic_difference, log_normal_difference

# Above every logit: the step below the first class is always taken, the one above the last never.
_ALWAYS = 1e30


def coral(
    y_true,
    y_pred,
    *,
    importance: tuple[Annotated[float, Gt(0)], ...] | None = None,
):
    """CORAL: a yes-or-no question for each step between ordered classes.

    `-sum(importance_k * log(p_k))` over the K - 1 steps k, where `p_k` is `sigmoid(z_k)` if `y > k`
    and `1 - sigmoid(z_k)` if not: the binary cross-entropies of the questions whether the class
    is above k.

    The questions agree with each other where all logits share one weight vector and differ by
    their bias only, as those of the layer `lossreg_ordinal.heads.Coral` do. The predicted class is
    the number of logits above 0.

    Args:
        y_true: Class numbers from 0 to K - 1, in their order, shape `(batch, ...)`.
        y_pred: Logits of "the class is above k", for k from 0 to K - 2, shape
            `(batch, ..., K - 1)`.
        importance: One weight for each step; None weighs all with 1.

    Returns:
        Nats per label, in float32 or wider, shape `(batch, ...)`.

    Source:
        Cao et al., 2020, arXiv:1901.07884, equation 4.
    """
    z = finite(at_least_float32(y_pred))
    nats = _answers(_ranks(y_true, z), z)
    return ops.sum(nats if importance is None else nats * _weights(importance, z), axis=-1)


def corn(y_true, y_pred):
    """CORN: a yes-or-no question for each step, if the step before was taken.

    `-sum(log(p_k))` over the steps `k <= y`, where `z_k` is the logit of "the class is above k,
    given that it is above k - 1", and `p_k` is `sigmoid(z_k)` if `y > k` and else
    `1 - sigmoid(z_k)`.

    The probability that the class is above k is the product of the sigmoids up to k, so it can't
    rise, whatever the layer is: K - 1 plain outputs do. The paper divides the sum over a batch by
    the number of questions asked in it; here it is one value per label, which weights and masks
    can reach, and Keras divides by the number of labels.

    Args:
        y_true: Class numbers from 0 to K - 1, in their order, shape `(batch, ...)`.
        y_pred: Conditional logits, shape `(batch, ..., K - 1)`.

    Returns:
        Nats per label, in float32 or wider, shape `(batch, ...)`.

    Source:
        Shi et al., 2023, arXiv:2111.08851.
    """
    z = finite(at_least_float32(y_pred))
    ranks = _ranks(y_true, z)
    asked = ops.cast(_steps(z) <= ranks, z.dtype)
    return ops.sum(asked * _answers(ranks, z), axis=-1)


def cumulative_link(y_true, y_pred, *, link: Literal["logit", "probit"] = "logit"):
    """Cumulative link model: the likelihood of a class between two thresholds.

    `-log(F(z_(y-1)) - F(z_y))`, where `F(z_k)` is the probability that the class is above k: 1
    below the first class and 0 above the last. `F` is the sigmoid, which is the proportional odds
    model, or the normal distribution function with `link="probit"`.

    Logits of a model are a score less the thresholds in rising order, as those of the layer
    `lossreg_ordinal.heads.Thresholds`. Where logits rise from one step to the next, which would be
    a negative probability, the difference counts as 1e-7, and the gradient parts the two.

    Args:
        y_true: Class numbers from 0 to K - 1, in their order, shape `(batch, ...)`.
        y_pred: Falling logits of "the class is above k", for k from 0 to K - 2, shape
            `(batch, ..., K - 1)`.
        link: What turns a logit into a probability: the sigmoid or the normal distribution.

    Returns:
        Nats per label, in float32 or wider, shape `(batch, ...)`.

    Source:
        McCullagh, 1980, Regression models for ordinal data, section 2.
    """
    z = finite(at_least_float32(y_pred))
    ranks, steps = _ranks(y_true, z), _steps(z)
    # The logits on both sides of the class; a sum with one term other than 0.
    below = ops.sum(ops.where(ops.equal(steps, ranks - 1), z, 0.0), axis=-1)
    above = ops.sum(ops.where(ops.equal(steps, ranks), z, 0.0), axis=-1)
    ranks = ops.squeeze(ranks, -1)
    below = ops.where(ops.equal(ranks, 0), _ALWAYS, below)
    above = ops.where(ops.equal(ranks, ops.shape(z)[-1]), -_ALWAYS, above)
    difference = log_logistic_difference if link == "logit" else log_normal_difference
    # A rank outside the classes is NaN, and so is no comparison with it.
    return ops.where(ops.isnan(ranks), ranks, -difference(below, above))


def _steps(z):
    return ops.arange(ops.shape(z)[-1], dtype=z.dtype)


def _ranks(y_true, z):
    """Return class numbers beside the steps, shape `(batch, ..., 1)`; NaN for no class."""
    ranks = ops.expand_dims(ops.cast(y_true, z.dtype), -1)
    there = ops.logical_and(ranks >= 0, ranks <= ops.cast(ops.shape(z)[-1], z.dtype))
    return ops.where(there, ranks, float("nan"))


def _answers(ranks, z):
    """Return the nats of each question whether the class is above a step."""
    # softplus(z) - z would lose the digits of a right answer.
    wrong = ops.softplus(ops.where(_steps(z) < ranks, -z, z))
    return ops.where(ops.isnan(ranks), ranks, wrong)


def _weights(importance, z):
    steps = z.shape[-1]
    # In a graph the number of steps may be unknown.
    if steps not in (None, len(importance)):
        raise ParameterError(
            f"Loss 'coral': importance must be {steps} weights, one for each logit of y_pred, got "
            f"{len(importance)}: {importance!r}."
        )
    return ops.convert_to_tensor(importance, dtype=z.dtype)
