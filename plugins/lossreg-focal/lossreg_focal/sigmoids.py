"""Focal losses of sigmoids that weigh labels, misses or heat maps in their own ways."""

import math
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt

from lossreg import State, numerics
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, finite, log_sigmoid, logits_of

from .formula import NO_MISS, power


def asymmetric_multilabel(
    y_true,
    y_pred,
    *,
    gamma_neg: Annotated[float, Ge(0)] = 4.0,
    gamma_pos: Annotated[float, Ge(0)] = 1.0,
    clip: Annotated[float, Ge(0), Lt(1)] = 0.05,
    from_logits: bool = False,
):
    """Focal loss for several yes-or-no labels, with a focus for each of the two.

    `mean(-y * (1 - p)**gamma_pos * log(p) - (1 - y) * p_m**gamma_neg * log(1 - p_m))` over the
    last axis, where `y` is the label, `p` its prediction and `p_m = max(p - clip, 0)`. Labels of 0
    that are predicted below `clip` cost nothing at all.

    The gradient is that of the formula; the authors' code can hold the powers constant in it.
    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        gamma_neg: How much easy labels of 0 are played down.
        gamma_pos: How much easy labels of 1 are played down; less, as they are rare.
        clip: How far predictions of labels of 0 are moved towards 0.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`. The paper sums
        over the outputs.

    Source:
        Ridnik et al., 2020, arXiv:2009.14119, equation 7.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    # log(1 - p_m) = min(log(1 - p + clip), 0), and p_m from it, which keeps its digits.
    log_q_m = ops.minimum(ops.logaddexp(log_q, math.log(clip)), 0.0) if clip else log_q
    p_m = ops.maximum(-ops.expm1(log_q_m), NO_MISS)
    positive = y * ops.exp(gamma_pos * log_q) * log_p
    negative = (1 - y) * power(p_m, gamma_neg) * log_q_m
    return -ops.mean(positive + negative, axis=-1)


def poly1_focal(
    y_true,
    y_pred,
    *,
    epsilon: Annotated[float, Ge(-1)] = 1.0,
    gamma: Annotated[float, Ge(0)] = 2.0,
    alpha: Annotated[float, Ge(0), Le(1)] | None = None,
    from_logits: bool = False,
):
    """Focal loss for yes-or-no labels, with a weight for its leading term.

    `mean(alpha_t * (1 - p_t)**gamma * -log(p_t) + epsilon * (1 - p_t)**(gamma + 1))` over the last
    axis, where `p_t` is the probability given to the label that is right, and `alpha_t` is `alpha`
    for label 1 and `1 - alpha` for label 0. For soft labels `-log(p_t)` is the binary
    cross-entropy and `p_t = y * p + (1 - y) * (1 - p)`. `alpha` doesn't weigh the second term.

    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        epsilon: Weight of the second term; 0 gives the focal loss.
        gamma: How much easy samples are played down.
        alpha: Weight of label 1; label 0 has `1 - alpha`. None weighs both with 1.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        Leng et al., 2022, arXiv:2204.12511, the Poly-1 form of the focal loss.
    """
    y, x = _labels_and_logits(y_true, y_pred, from_logits)
    nats, miss, _ = _sides(y, x)
    weight = 1.0 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
    factor = power(miss, gamma)
    return ops.mean(factor * (weight * nats + epsilon * miss), axis=-1)


def reduced_focal(
    y_true,
    y_pred,
    *,
    threshold: Annotated[float, Gt(0), Le(1)] = 0.5,
    gamma: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
):
    """Focal loss for yes-or-no labels, in which hard samples count in full.

    `mean(w * -log(p_t))` over the last axis, where `p_t` is the probability given to the label
    that is right, and the weight `w` is 1 below `threshold` and `((1 - p_t) / threshold)**gamma`
    from there on. For soft labels `-log(p_t)` is the binary cross-entropy and
    `p_t = y * p + (1 - y) * (1 - p)`. The value has a step at a threshold other than 0.5.

    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        threshold: Probability of the right label from which on samples are played down.
        gamma: How much they are; 0 gives cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        Sergievskiy and Ponamarev, 2019, arXiv:1903.01347, "Reduced Focal Loss".
    """
    y, x = _labels_and_logits(y_true, y_pred, from_logits)
    nats, miss, _ = _sides(y, x)
    factor = ops.where(1 - miss < threshold, 1.0, power(miss / threshold, gamma))
    return ops.mean(factor * nats, axis=-1)


def quality_focal(
    y_true,
    y_pred,
    *,
    beta: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
):
    """Focal loss for qualities between 0 and 1, such as the overlap of two boxes.

    `mean(|y - p|**beta * (-y * log(p) - (1 - y) * log(1 - p)))` over the last axis, where `y` is
    the label and `p` its prediction. It is 0 where they are equal.

    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: Qualities in [0, 1], shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        beta: How much good predictions are played down; 0 gives cross-entropy. Below 1 the loss
            has a kink at a prediction equal to its label.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`. The paper divides
        a sum by the number of positives.

    Source:
        Li et al., 2020, arXiv:2006.04388, equation 2.
    """
    y, x = _labels_and_logits(y_true, y_pred, from_logits)
    nats, _, distance = _sides(y, x)
    return ops.mean(power(distance, beta) * nats, axis=-1)


def varifocal(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] = 0.75,
    gamma: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
):
    """Focal loss for qualities between 0 and 1 that plays down easy negatives only.

    `mean(y * nats if y > 0 else alpha * p**gamma * nats)` over the last axis, where `y` is the
    label, `p` its prediction and `nats = -y * log(p) - (1 - y) * log(1 - p)`. Good positives, with
    a label near 1, count more than poor ones.

    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: Qualities in [0, 1], 0 for a negative, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        alpha: Weight of negatives.
        gamma: How much easy negatives are played down.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`. The paper's code
        divides a sum by the number of positives.

    Source:
        Zhang et al., 2020, arXiv:2008.13367, equation 2.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    positive = -y * (y * log_p + (1 - y) * log_q)
    negative = -alpha * ops.exp(gamma * log_p) * log_q
    return ops.mean(ops.where(y > 0, positive, negative), axis=-1)


def penalty_reduced_focal(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] = 2.0,
    beta: Annotated[float, Ge(0)] = 4.0,
    threshold: Annotated[float, Gt(0), Le(1)] = 1.0,
    from_logits: bool = False,
):
    """Focal loss for heat maps of key points, with less penalty near a peak.

    `sum((1 - p)**alpha * -log(p)) / n` over the peaks, which are the labels from `threshold` on,
    plus `sum((1 - y)**beta * p**alpha * -log(1 - p)) / n` over all other entries of a sample,
    where `y` is the label, `p` its prediction and `n` the number of peaks. Where a sample has no
    peak, `n` is 1.

    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits.

    Args:
        y_true: A bell around each key point, 1 at its peak and 0 far away, shape
            `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        alpha: How much good predictions are played down.
        beta: How much the positions near a peak are played down.
        threshold: Labels from here on are peaks. Below 1 it finds those that a resized map has
            rounded off.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats for each peak, one value per sample, in float32 or wider, shape `(batch,)`.

    Source:
        Law and Deng, 2018, arXiv:1808.01244, equation 1; the same in Zhou et al., 2019,
        arXiv:1904.07850, equation 1.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    is_peak = y >= threshold
    at_peak = ops.exp(alpha * log_q) * log_p
    elsewhere = power(1 - y, beta) * ops.exp(alpha * log_p) * log_q
    axes = tuple(range(1, len(y.shape)))
    peaks = ops.sum(ops.cast(is_peak, y.dtype), axis=axes)
    return -ops.sum(ops.where(is_peak, at_peak, elsewhere), axis=axes) / ops.maximum(peaks, 1.0)


def ghm_c(
    y_true,
    y_pred,
    shares: Annotated[Any, State("bins", when="momentum")] = None,
    *,
    bins: Annotated[int, Ge(1)] = 10,
    momentum: Annotated[float, Ge(0), Lt(1)] | None = None,
    from_logits: bool = False,
):
    """Cross-entropy for yes-or-no labels, weighted by how rare each gradient is.

    `mean(w * nats)` over the last axis, where `nats = -y * log(p) - (1 - y) * log(1 - p)` for the
    label `y` and its prediction `p`. The distances `|y - p|`, which are the gradients by the
    logits, are sorted into `bins` of equal width. The weight `w` of an entry is the number of
    entries in the batch, divided by `bins` and by the number in its own bin. So neither the many
    easy entries nor a crowd of outliers dominates. The authors' code divides by the bins that
    aren't empty, as `ghm_r` does, in place of all.

    With a `momentum` the shares of the bins are moving means over the batches of training,
    `shares = momentum * shares + (1 - momentum) * batch_shares`, divided by their sum, so that the
    first steps have no other scale. That is memory: train with `lossreg.compile`.

    The weights count as constants in the gradient. Probabilities are clipped to
    [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on TensorFlow, where Keras keeps the
    logits.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        bins: How many bins there are; 1 gives cross-entropy.
        momentum: How much of the moving means stays at each step; None or 0 counts in each batch
            alone. The authors' code takes 0.75.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Weighted nats per sample, in float32 or wider, shape `(batch, ...)`; they depend on the
        whole batch.

    Source:
        Li et al., 2018, arXiv:1811.05181, "GHM-C Loss" and "EMA".
    """
    y, x = _labels_and_logits(y_true, y_pred, from_logits)
    nats, _, distance = _sides(y, x)
    index = ops.cast(ops.minimum(ops.floor(distance * bins), bins - 1), "int32")
    hits = ops.equal(ops.expand_dims(index, -1), ops.arange(bins, dtype="int32"))
    hits = ops.cast(hits, nats.dtype)
    counted = ops.mean(hits, axis=tuple(range(len(hits.shape) - 1)))
    new = counted if shares is None else momentum * shares + (1 - momentum) * counted
    found = new if shares is None else new / ops.sum(new)
    # An empty bin has no entry to weigh.
    weights = ops.sum(hits / (bins * ops.where(found > 0, found, 1.0)), axis=-1)
    values = ops.mean(ops.stop_gradient(weights) * nats, axis=-1)
    return values if shares is None else (values, new)


def _labels_and_logits(y_true, y_pred, from_logits: bool):
    x = logits_of(y_pred, "sigmoid", from_logits=from_logits)
    if x is None:
        p = numerics.clip(at_least_float32(y_pred))
        x = ops.log(p) - ops.log1p(-p)
    return ops.cast(y_true, x.dtype), finite(x)


def _sides(y, x):
    """Return the binary cross-entropy, `1 - p_t` and `|y - p|` of labels and logits.

    From the probability of the less likely label, `r`, in which nothing cancels: the distance of
    the label from the prediction's own is 0 or 1 where the label is hard.
    """
    sign = ops.where(x < 0, -1.0, ops.ones_like(x))
    r = ops.sigmoid(-sign * x)
    off = ops.abs((sign + 1) / 2 - y)
    nats = off * sign * x + ops.softplus(-sign * x)
    miss = ops.maximum(r + off * (1 - 2 * r), NO_MISS)
    distance = ops.maximum(ops.abs(r - off), NO_MISS)
    return nats, miss, distance
