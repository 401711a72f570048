"""Active losses, which raise the true class, and passive ones, which lower the others."""

import math
from typing import Annotated

from annotated_types import Ge, Gt, Lt

from lossreg.lazy import ops
from lossreg.numerics import log_softmax, smallest


def reverse_crossentropy(
    y_true,
    y_pred,
    *,
    log_clip: Annotated[float, Gt(0), Lt(1)] = 1e-4,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy with label and prediction exchanged: bounded for wrong labels.

    `-sum(p * log(max(y, log_clip)))` over `axis`, where `p` is the probability of each class and
    `y` its label. For one-hot labels it is `-log(log_clip) * (1 - p_t)`, with `p_t` the
    probability of the true class: an absolute error, at most `-log(log_clip)`.

    A prediction that is very wrong has next to no gradient. Probabilities are divided by their
    sum and clipped to [1e-7, 1 - 1e-7], unless they come straight from a softmax over the last
    axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        log_clip: Smaller labels count as this in the logarithm. The paper gives its logarithm,
            `A`; 1e-4 is -9.2.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Wang et al., 2019, arXiv:1908.06112, section 4, "RCE".
    """
    return _reverse(y_true, log_softmax(y_pred, from_logits=from_logits, axis=axis), log_clip, axis)


def symmetric_crossentropy(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] = 0.1,
    beta: Annotated[float, Ge(0)] = 1.0,
    log_clip: Annotated[float, Gt(0), Lt(1)] = 1e-4,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy plus reverse cross-entropy, which tolerates wrong labels.

    `-alpha * sum(y * log(p)) - beta * sum(p * log(max(y, log_clip)))` over `axis`, where `p` is the
    probability of each class and `y` its label.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        alpha: Weight of the cross-entropy.
        beta: Weight of the reverse cross-entropy.
        log_clip: Smaller labels count as this in the logarithm of the reverse cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Wang et al., 2019, arXiv:1908.06112, section 4, "SL".
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    forward = -ops.sum(ops.cast(y_true, log_p.dtype) * log_p, axis=axis)
    return alpha * forward + beta * _reverse(y_true, log_p, log_clip, axis)


def normalized_crossentropy(y_true, y_pred, *, from_logits: bool = False, axis: int = -1):
    """Cross-entropy as a share of what all labels together would cost.

    `sum(y * log(p)) / sum(log(p))` over `axis`, where `p` is the probability of each class and `y`
    its label: a number in [0, 1], so a wrong label can't dominate. Alone it learns slowly;
    `active_passive` adds what it lacks.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`, at least two
            classes.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        A share in [0, 1] per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred`
        without `axis`.

    Source:
        Ma et al., 2020, arXiv:2006.13554, section 3, "NCE".
    """
    return _normalized(y_true, log_softmax(y_pred, from_logits=from_logits, axis=axis), axis)


def active_passive(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] = 1.0,
    beta: Annotated[float, Ge(0)] = 1.0,
    log_clip: Annotated[float, Gt(0), Lt(1)] = 1e-4,
    from_logits: bool = False,
    axis: int = -1,
):
    """Normalized plus reverse cross-entropy, both of which tolerate wrong labels.

    `alpha * sum(y * log(p)) / sum(log(p)) - beta * sum(p * log(max(y, log_clip)))` over `axis`,
    where `p` is the probability of each class and `y` its label. The active first term raises the
    true class; the passive second one lowers the others.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`, at least two
            classes.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        alpha: Weight of the normalized cross-entropy; larger with more classes.
        beta: Weight of the reverse cross-entropy.
        log_clip: Smaller labels count as this in the logarithm of the reverse cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        At most `alpha - beta * log(log_clip)` per sample, in float32 or wider, shape
        `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Ma et al., 2020, arXiv:2006.13554, section 4, "NCE+RCE".
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    active, passive = _normalized(y_true, log_p, axis), _reverse(y_true, log_p, log_clip, axis)
    return alpha * active + beta * passive


def _normalized(y_true, log_p, axis: int):
    each = ops.sum(ops.cast(y_true, log_p.dtype) * log_p, axis=axis)
    return each / ops.sum(log_p, axis=axis)


def _reverse(y_true, log_p, log_clip: float, axis: int):
    y = ops.cast(y_true, log_p.dtype)
    # The logarithm of log_clip is taken in Python: float32 may hold 0 in its place.
    log_y = ops.where(y > log_clip, ops.log(ops.maximum(y, smallest(y))), math.log(log_clip))
    return -ops.sum(ops.exp(log_p) * log_y, axis=axis)
