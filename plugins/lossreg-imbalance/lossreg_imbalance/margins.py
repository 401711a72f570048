"""Cross-entropies that move the logits of rare classes, so that they need a larger lead."""

import math
from typing import Annotated

from annotated_types import Ge, Gt

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32

from .formula import per_class, scores, shifted


def logit_adjusted(
    y_true,
    y_pred,
    *,
    counts: tuple[Annotated[float, Gt(0)], ...],
    tau: Annotated[float, Ge(0)] = 1.0,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy whose logits are moved by the frequencies of the classes.

    `-sum(y * log(softmax(x + tau * log(counts / sum(counts)))))` over `axis`, where `x` are the
    logits and `y` is the label of each class. The model learns what a class looks like, apart
    from how often it occurs: its own logits `x` rank the classes as if they were equally frequent.

    The shift is part of the loss only. Predict with the logits, or the softmax, of the model.

    A logit of minus infinity rules its class out, and costs 1e30 where that is the right class.
    Probabilities are clipped to [1e-7, 1 - 1e-7] and their logarithms are `x`, unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        counts: How many samples of each class there are in the training data, or their shares.
        tau: How far the logits are moved; 0 gives plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Menon et al., 2020, arXiv:2007.07314, equation 10.
    """
    return _adjusted("logit_adjusted", y_true, y_pred, counts, tau, from_logits, axis)


def balanced_softmax(
    y_true,
    y_pred,
    *,
    counts: tuple[Annotated[float, Gt(0)], ...],
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy whose softmax is weighted by the counts of the classes.

    `-sum(y * log(counts * exp(x) / sum(counts * exp(x))))` over `axis`, where `x` are the logits
    and `y` is the label of each class: `logit_adjusted` with `tau=1`.

    The counts are part of the loss only. Predict with the logits, or the softmax, of the model.

    A logit of minus infinity rules its class out, and costs 1e30 where that is the right class.
    Probabilities are clipped to [1e-7, 1 - 1e-7] and their logarithms are `x`, unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        counts: How many samples of each class there are in the training data, or their shares.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Ren et al., 2020, arXiv:2007.10740, theorem 1.
    """
    return _adjusted("balanced_softmax", y_true, y_pred, counts, 1.0, from_logits, axis)


def ldam(
    y_true,
    y_pred,
    *,
    counts: tuple[Annotated[float, Gt(0)], ...],
    max_margin: Annotated[float, Gt(0)] = 0.5,
    scale: Annotated[float, Gt(0)] = 30.0,
    axis: int = -1,
):
    """Cross-entropy of cosines in which rare classes must lead by a larger margin.

    `-sum(y * log(softmax(scale * (c - m * y))))` over `axis`, where `c` are the cosines, `y` is
    the label of each class, and the margin `m = max_margin * (min(counts) / counts)**0.25` is
    `max_margin` for the rarest class.

    The cosines are those of a features' vector of length 1 and one vector of length 1 for each
    class: `keras.layers.UnitNormalization()`, and then `keras.layers.Dense(classes,
    use_bias=False, kernel_constraint=keras.constraints.UnitNorm())`. The paper's deferred
    re-weighting isn't part of the loss: give `class_weight` to the later epochs of `fit`.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Cosines to each class, in [-1, 1], same shape.
        counts: How many samples of each class there are in the training data.
        max_margin: Margin of the rarest class.
        scale: What the cosines are multiplied by; their softmax alone could never be sure.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Cao et al., 2019, arXiv:1906.07413, section 3.2; the default scale is that of its code.
    """
    c = at_least_float32(y_pred)
    y = ops.cast(y_true, c.dtype)
    margins = tuple(max_margin * (min(counts) / n) ** 0.25 for n in counts)
    m = per_class("ldam", "counts", margins, c, axis)
    return ops.categorical_crossentropy(y, scale * (c - m * y), from_logits=True, axis=axis)


def _adjusted(loss: str, y_true, y_pred, counts, tau: float, from_logits: bool, axis: int):
    x = scores(y_pred, from_logits=from_logits, axis=axis)
    total = math.fsum(counts)
    offsets = per_class(loss, "counts", tuple(tau * math.log(n / total) for n in counts), x, axis)
    y = ops.cast(y_true, x.dtype)
    return ops.categorical_crossentropy(y, shifted(x, offsets), from_logits=True, axis=axis)
