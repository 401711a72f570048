"""Cross-entropies that multiply rare labels by a weight."""

import math
from typing import Annotated

from annotated_types import Ge, Gt, Lt

from lossreg.lazy import ops
from lossreg.numerics import log_sigmoid, log_softmax

from .formula import per_class


def weighted_binary_crossentropy(
    y_true,
    y_pred,
    *,
    pos_weight: Annotated[float, Gt(0)] | tuple[Annotated[float, Gt(0)], ...] = 1.0,
    from_logits: bool = False,
):
    """Cross-entropy for yes-or-no labels, in which label 1 has a weight.

    `mean(-pos_weight * y * log(p) - (1 - y) * log(1 - p))` over the last axis, where `y` is the
    label and `p` its prediction. Where one label in ten is 1, a `pos_weight` of 9 gives both
    labels the same share of the loss.

    On logits nothing is clipped, so the worst mistakes have the largest gradient. Probabilities
    are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on TensorFlow, where
    Keras keeps the logits.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        pos_weight: Weight of label 1, one for all outputs or one for each; label 0 has 1.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Weighted nats per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        King and Zeng, Logistic Regression in Rare Events Data, 2001, section 4.2, with
        `w_0 = 1` and `w_1 = pos_weight`.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    if isinstance(pos_weight, tuple):
        pos_weight = per_class("weighted_binary_crossentropy", "pos_weight", pos_weight, log_p)
    return -ops.mean(pos_weight * y * log_p + (1 - y) * log_q, axis=-1)


def class_balanced_crossentropy(
    y_true,
    y_pred,
    *,
    counts: tuple[Annotated[float, Gt(0)], ...],
    beta: Annotated[float, Ge(0), Lt(1)] = 0.9999,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy weighted by the effective number of samples of each class.

    `-sum(w * y * log(p))` over `axis`, where `w = (1 - beta) / (1 - beta**counts)`, scaled to a
    mean of 1 over the classes, `y` is the label of each class and `p` its probability. A class of
    `n` samples counts as `(1 - beta**n) / (1 - beta)` different ones, since the more there are,
    the more repeat each other.

    On logits nothing is clipped. Probabilities are divided by their sum and clipped to
    [1e-7, 1 - 1e-7], unless they come straight from a softmax over the last axis on TensorFlow,
    where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        counts: How many samples of each class there are in the training data.
        beta: 0 weighs all classes alike; near 1 the weight is that of `1 / counts`.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Weighted nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred`
        without `axis`.

    Source:
        Cui et al., 2019, arXiv:1901.05555, section 4.1; the scale of the weights: section 4.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    w = _effective("class_balanced_crossentropy", counts, beta, log_p, axis)
    return -ops.sum(w * ops.cast(y_true, log_p.dtype) * log_p, axis=axis)


def class_balanced_focal(
    y_true,
    y_pred,
    *,
    counts: tuple[Annotated[float, Gt(0)], ...],
    beta: Annotated[float, Ge(0), Lt(1)] = 0.9999,
    gamma: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
    axis: int = -1,
):
    """Focal loss of a sigmoid for each class, weighted by effective numbers.

    `w_y * sum((1 - p_t)**gamma * -log(p_t))` over `axis`, where `p_t` is `p` for the true class and
    `1 - p` for the others, and `w = (1 - beta) / (1 - beta**counts)`, scaled to a mean of 1 over
    the classes. The weight `w_y` of the sample's own class multiplies the terms of all classes;
    that of a soft label is `sum(w * y)`.

    Each class has a sigmoid of its own, and no softmax. On logits nothing is clipped.
    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft between 0 and 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        counts: How many samples of each class there are in the training data.
        beta: 0 weighs all classes alike; near 1 the weight is that of `1 / counts`.
        gamma: How much easy classes are played down; 0 gives the sigmoid cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Weighted nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred`
        without `axis`.

    Source:
        Cui et al., 2019, arXiv:1901.05555, section 4.3; the scale of the weights: section 4.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    w = _effective("class_balanced_focal", counts, beta, log_p, axis)
    # 1 - p is exp(log_q): as a power of e it has a gradient for every gamma.
    terms = y * ops.exp(gamma * log_q) * log_p + (1 - y) * ops.exp(gamma * log_p) * log_q
    return -ops.sum(w * y, axis=axis) * ops.sum(terms, axis=axis)


def _effective(loss: str, counts, beta: float, x, axis: int):
    """Return `(1 - beta) / (1 - beta**n)` for each class, scaled to a mean of 1."""
    # expm1 keeps the digits of 1 - beta**n where beta is close to 1.
    shares = [-math.expm1(n * math.log(beta)) if beta else 1.0 for n in counts]
    weights = [1 / share for share in shares]
    mean = math.fsum(weights) / len(weights)
    return per_class(loss, "counts", tuple(weight / mean for weight in weights), x, axis)
