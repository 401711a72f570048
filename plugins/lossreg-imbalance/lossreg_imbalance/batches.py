"""Cross-entropies that look at a whole batch to find what is hard, or rare, in it."""

from typing import Annotated

from annotated_types import Ge, Gt, Le

from lossreg.lazy import ops
from lossreg.numerics import log_sigmoid, log_softmax


def hard_example_crossentropy(
    y_true,
    y_pred,
    *,
    share: Annotated[float, Gt(0), Le(1)] = 0.1,
    count: Annotated[int, Ge(1)] | None = None,
    from_logits: bool = False,
    axis: int = -1,
):
    """Cross-entropy of the hardest samples, or pixels, of a batch, and no others.

    `sum(largest) / k`, where `largest` are the `k` largest values of the cross-entropy in the
    batch, `-sum(y * log(p))` over `axis`, and `k` is `share` of all positions, or `count`. A share
    needn't give a whole number: of 25 positions, `share=0.1` takes the hardest two, and the third
    by half. At least one position counts. A position whose label is 0 for every class, such as
    an ignored one, is left out.

    On logits nothing is clipped. Probabilities are divided by their sum and clipped to
    [1e-7, 1 - 1e-7], unless they come straight from a softmax over the last axis on TensorFlow,
    where Keras keeps the logits.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        share: The share of the positions that counts; 1 gives the mean cross-entropy.
        count: How many positions count, or all of them if there are fewer; None takes `share`.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        axis: Axis of the classes.

    Returns:
        Nats, one value for the batch, in float32 or wider.

    Source:
        Shrivastava et al., 2016, arXiv:1604.03540, section 4, without its suppression of
        overlapping regions; for pixels: Wu et al., 2016, arXiv:1605.06885.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits, axis=axis)
    y = ops.cast(y_true, log_p.dtype)
    nats = ops.reshape(-ops.sum(y * log_p, axis=axis), (-1,))
    positions = ops.sum(ops.cast(ops.sum(y, axis=axis) > 0, nats.dtype))
    k = share * positions if count is None else ops.minimum(positions, count)
    k = ops.maximum(k, 1.0)
    rank = ops.cast(ops.arange(ops.shape(nats)[0], dtype="int32"), nats.dtype)
    # 1 for the first k, what is left of k for the next, 0 for the others.
    counts = ops.clip(k - rank, 0.0, 1.0)
    return ops.sum(counts * -ops.sort(-nats)) / k


def batch_balanced_crossentropy(y_true, y_pred, *, from_logits: bool = False):
    """Cross-entropy for yes-or-no labels, balanced by their shares of the batch.

    `mean(-b * y * log(p) - (1 - b) * (1 - y) * log(1 - p))` over the batch, where `y` is the label,
    `p` its prediction and `b = mean(1 - y)`, the share of label 0. Both labels get the same total
    weight, however rare one of them is. A batch with one of them only costs 0: the other label's
    share, which is the weight, is 0.

    On logits nothing is clipped. Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come
    straight from a sigmoid on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Weighted nats, one value for the batch, in float32 or wider.

    Source:
        Xie and Tu, 2015, arXiv:1504.06375, as a mean rather than a sum.
    """
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, log_p.dtype)
    b = ops.mean(1 - y)
    return -ops.mean(b * y * log_p + (1 - b) * (1 - y) * log_q)
