"""Losses between cross-entropy and the absolute error, with a ceiling on what a sample costs."""

import math
from typing import Annotated

from annotated_types import Gt, Le, Lt

from lossreg.lazy import ops
from lossreg.numerics import log_softmax, smallest


def generalized_crossentropy(
    y_true,
    y_pred,
    *,
    q: Annotated[float, Gt(0), Le(1)] = 0.7,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy for one class of several that no sample can push above `1 / q`.

    `sum(y * (1 - p**q) / q)` over `axis`, where `p` is the probability of each class and `y` its
    label. Near `q=0` it is cross-entropy, at `q=1` the absolute error `1 - p_t` of the true class,
    which is half of `sum(|y - p|)`.

    The name alone means Keras' `categorical_generalized_cross_entropy`, which takes class numbers
    and probabilities only; this one is `lossreg-noise/generalized_crossentropy`. On logits its
    value is exact at any size. A prediction that is very wrong has next to no gradient.
    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        q: How much wrong labels are tolerated.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        A number in [0, 1 / q] per sample, in float32 or wider, shape `(batch, ...)`: that of
        `y_pred` without `axis`.

    Source:
        Zhang and Sabuncu, 2018, arXiv:1805.07836, the `L_q` loss.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    # expm1 keeps the digits of 1 - p**q where p is close to 1, or q to 0.
    return -ops.sum(ops.cast(y_true, log_p.dtype) * ops.expm1(q * log_p), axis=axis) / q


def jensen_shannon(
    y_true,
    y_pred,
    *,
    weight: Annotated[float, Gt(0), Lt(1)] = 0.5,
    from_logits: bool = False,
    axis: int = -1,
):
    """Jensen-Shannon divergence of label and prediction, bounded for wrong labels.

    `(weight * KL(y, m) + (1 - weight) * KL(p, m)) / Z`, where `y` are the labels, `p` the
    probabilities, `m = weight * y + (1 - weight) * p` is their mixture, `KL(a, b)` is
    `sum(a * log(a / b))` over `axis`, and `Z = -(1 - weight) * log(1 - weight)`. Near `weight=0`
    it is cross-entropy, near `weight=1` the sum of the absolute errors, halved. Multiply it by
    `Z`, 0.347 for the default, to get the divergence itself.

    A prediction that is very wrong has next to no gradient. Probabilities are divided by their
    sum and clipped to [1e-7, 1 - 1e-7], unless they come straight from a softmax over the last
    axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        weight: Share of the labels in the mixture.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        The divergence divided by `Z` per sample, 2 at most for the default, in float32 or wider,
        shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Englesson and Azizpour, 2021, arXiv:2105.04522.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    y = ops.cast(y_true, log_p.dtype)
    log_y = ops.log(ops.maximum(y, smallest(y)))
    # The share of y in m is sigmoid(log_odds), and that of p the rest; nothing cancels.
    log_odds = math.log(weight) - math.log1p(-weight) + log_y - log_p
    from_y = -ops.sum(y * (math.log(weight) + ops.softplus(-log_odds)), axis=axis)
    from_p = -ops.sum(ops.exp(log_p) * (math.log1p(-weight) + ops.softplus(log_odds)), axis=axis)
    scale = -(1 - weight) * math.log1p(-weight)
    return (weight * from_y + (1 - weight) * from_p) / scale
