"""Cross-entropies that trust the model's own prediction a little, beside the label."""

from typing import Annotated

from annotated_types import Ge, Le

from lossreg.lazy import ops
from lossreg.numerics import log_softmax


def bootstrapping_soft(
    y_true,
    y_pred,
    *,
    beta: Annotated[float, Ge(0), Le(1)] = 0.95,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy with labels mixed with the model's own probabilities.

    `-sum((beta * y + (1 - beta) * p) * log(p))` over `axis`, where `p` is the probability of each
    class and `y` its label: cross-entropy, plus the entropy of the prediction, which a sure
    prediction lowers. The gradient goes through `p` in both places.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        beta: Trust in the labels; 1 gives plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Reed et al., 2014, arXiv:1412.6596, section 3.2, "soft".
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    mixed = beta * ops.cast(y_true, log_p.dtype) + (1 - beta) * ops.exp(log_p)
    return -ops.sum(mixed * log_p, axis=axis)


def bootstrapping_hard(
    y_true,
    y_pred,
    *,
    beta: Annotated[float, Ge(0), Le(1)] = 0.8,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy with labels mixed with the model's own most likely class.

    `-beta * sum(y * log(p)) - (1 - beta) * max(log(p))` over `axis`, where `p` is the probability
    of each class and `y` its label.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a softmax over the last axis on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        beta: Trust in the labels; 1 gives plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Reed et al., 2014, arXiv:1412.6596, section 3.2, "hard".
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    of_label = ops.sum(ops.cast(y_true, log_p.dtype) * log_p, axis=axis)
    return -beta * of_label - (1 - beta) * ops.max(log_p, axis=axis)
