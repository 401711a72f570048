"""Relatives of the focal loss for one class of several: a linear term, and a focus by hardness."""

from typing import Annotated

from annotated_types import Ge, Le

from lossreg.lazy import ops
from lossreg.numerics import log_softmax

from .formula import NO_MISS, power


def poly1(
    y_true,
    y_pred,
    *,
    epsilon: Annotated[float, Ge(-1)] = 1.0,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy plus a linear term that sharpens, or softens, sure predictions.

    `sum(y * (-log(p) + epsilon * (1 - p)))` over `axis`, where `p` is the probability of each class
    and `y` its label. It changes the weight of the first term of the series
    `-log(p) = (1 - p) + (1 - p)**2 / 2 + ...`, which is the largest for sure predictions.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        epsilon: Weight of the linear term; 0 gives plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Leng et al., 2022, arXiv:2204.12511, the Poly-1 form of the cross-entropy.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    # 1 - exp(x) loses every digit for small x; expm1 keeps them.
    terms = log_p + epsilon * ops.expm1(log_p)
    return -ops.sum(ops.cast(y_true, log_p.dtype) * terms, axis=axis)


def adaptive_focal(
    y_true,
    y_pred,
    *,
    threshold: Annotated[float, Ge(0), Le(1)] = 0.2,
    gamma_hard: Annotated[float, Ge(0)] = 5.0,
    gamma_easy: Annotated[float, Ge(0)] = 3.0,
    from_logits: bool = False,
    axis: int = -1,
):
    """Focal loss for one class of several, with another focus for hard samples.

    `sum(y * (1 - p)**gamma * -log(p))` over `axis`, where `p` is the probability of each class and
    `y` its label, and `gamma` is `gamma_hard` for `p < threshold` and `gamma_easy` from there on.
    The value has a step at the threshold. Trained with it, models are better calibrated.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        threshold: Probability of the true class below which a sample is hard.
        gamma_hard: How much hard samples are played down, the less so the harder they are.
        gamma_easy: How much the others are.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred`
        without `axis`.

    Source:
        Mukhoti et al., 2020, arXiv:2002.09437, "FLSD-53".
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    miss = ops.maximum(-ops.expm1(log_p), NO_MISS)
    is_hard = ops.exp(log_p) < threshold
    factor = ops.where(is_hard, power(miss, gamma_hard), power(miss, gamma_easy))
    return -ops.sum(ops.cast(y_true, log_p.dtype) * factor * log_p, axis=axis)
