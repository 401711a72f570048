"""Losses whose weights follow what training has seen of each class: they have memory.

`lossreg.compile` carries it, and keeps it in the saved model.
"""

from typing import Annotated, Any

from annotated_types import Ge

from lossreg import State
from lossreg.lazy import ops
from lossreg.numerics import log_sigmoid, log_softmax

# Before a class has had any gradient, its weights are those of a class in balance.
_BALANCED = 100.0


def seesaw(
    y_true,
    y_pred,
    counts: Annotated[Any, State("classes", combine="sum")],
    *,
    p: Annotated[float, Ge(0)] = 0.8,
    q: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
):
    """Seesaw loss: cross-entropy in which frequent classes push rare ones less.

    `-sum(y * log(s))` over the last axis, where
    `s_i = exp(x_i) / (sum_{j != i}(M_ij * C_ij * exp(x_j)) + exp(x_i))` for the logits `x` and the
    label `y` of each class. `M_ij = min(1, N_j / N_i)**p` mitigates what a rare class `j` gets from
    samples of a frequent one, `i`; `N` counts the samples of each class in training, each at least
    as 1. `C_ij = max(1, softmax(x)_j / softmax(x)_i)**q` compensates where the model takes the
    sample for `j`. Both factors count as constants in the gradient.

    The counts are memory, and go on from batch to batch: train with `lossreg.compile`. Predict
    with the softmax of the model. Probabilities are divided by their sum and clipped to
    [1e-7, 1 - 1e-7], unless they come straight from a softmax on TensorFlow, where Keras keeps the
    logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        p: How much rare classes are spared; 0 spares none.
        q: How much mistakes count in spite of that; 0 counts none. With 0 for both the loss is
            cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        Wang et al., 2020, arXiv:2008.10032, section 3.2. That the factors have no gradient is
        from the authors' code.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    seen = ops.sum(y, axis=tuple(range(len(y.shape) - 1)))
    new = counts + seen
    log_n = ops.log(ops.maximum(new, 1.0))
    # Of the true class i: log N_i and log p_i; a soft label has their means.
    of_true = ops.sum(y * log_n, axis=-1, keepdims=True)
    p_true = ops.sum(y * log_p, axis=-1, keepdims=True)
    mitigation = p * ops.minimum(log_n - of_true, 0.0)
    compensation = q * ops.maximum(log_p - p_true, 0.0)
    factors = ops.stop_gradient((mitigation + compensation) * (1 - y))
    shifted = ops.log_softmax(log_p + factors, axis=-1)
    return -ops.sum(y * shifted, axis=-1), new


def equalization_v2(
    y_true,
    y_pred,
    positives: Annotated[Any, State("classes", combine="sum")],
    negatives: Annotated[Any, State("classes", combine="sum")],
    *,
    gamma: Annotated[float, Ge(0)] = 12.0,
    mu: Annotated[float, Ge(0)] = 0.8,
    alpha: Annotated[float, Ge(0)] = 4.0,
    from_logits: bool = False,
):
    """Sigmoid cross-entropy that balances the labels of 0 and of 1 of each class.

    `sum(-q * y * log(p) - r * (1 - y) * log(1 - p))` over the classes, where `y` is the label and
    `p` the probability of each. Let `g` be the sum of the gradients that labels of 1 have had in
    training so far, `positives`, over that of labels of 0, `negatives`. Then
    `r = 1 / (1 + exp(-gamma * (g - mu)))` plays down the labels of 0 of a class that mostly has
    these, and `q = 1 + alpha * (1 - r)` plays up its labels of 1. The gradients are by the logits
    and with the weights: `q * y * (1 - p)` and `r * (1 - y) * p`. The weights count as constants.

    The sums are memory, and go on from batch to batch: train with `lossreg.compile`. A class that
    has had no gradient from labels of 0 has `g = 100`, so that training begins with weights of 1.
    Each class has a sigmoid of its own. Probabilities are clipped to [1e-7, 1 - 1e-7], unless they
    come straight from a sigmoid on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: 0 or 1 for each class, or one-hot, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        gamma: How steep the change of the weights is.
        mu: The ratio at which labels of 0 count half.
        alpha: How much more labels of 1 can count.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Weighted nats per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        Tan et al., 2020, arXiv:2012.08548; the ratio at the start is that of the
        authors' code.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    ratio = ops.where(negatives > 0, positives / ops.maximum(negatives, 1e-10), _BALANCED)
    r = ops.sigmoid(gamma * (ratio - mu))
    positive, negative = (1 + alpha * (1 - r)) * y, r * (1 - y)
    values = -ops.sum(positive * log_p + negative * log_q, axis=-1)
    axes = tuple(range(len(y.shape) - 1))
    more = ops.sum(positive * ops.exp(log_q), axis=axes)
    less = ops.sum(negative * ops.exp(log_p), axis=axes)
    return values, positives + more, negatives + less
