"""The loss of a box's side that is predicted as a distribution over distances."""

from lossreg.lazy import ops
from lossreg.numerics import log_softmax


def distribution_focal(y_true, y_pred, *, from_logits: bool = False):
    """Distribution focal loss: a number as a mean of its whole neighbours.

    `-sum(max(0, 1 - abs(y - k)) * log(p_k))` over the whole numbers k from 0 to n, where `p_k` is
    the probability of k. Only the neighbours of the label `y` have a weight other than 0: its
    distance to the other one.

    The best prediction has these weights as probabilities, and its mean is the label. Labels
    outside [0, n] count as the nearer end. A box has four such numbers: the distances of a point
    to its sides, divided by the stride.

    Args:
        y_true: Numbers in [0, n], in whole strides or between, shape `(batch, ...)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, of 0 to n, shape
            `(batch, ..., n + 1)`.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.

    Returns:
        Nats per number, in float32 or wider, shape `(batch, ...)`.

    Source:
        Li et al., 2020, arXiv:2006.04388, equation 6.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits)
    count = ops.shape(log_p)[-1]
    numbers = ops.arange(count, dtype=log_p.dtype)
    y = ops.reshape(ops.cast(y_true, log_p.dtype), (*ops.shape(log_p)[:-1], 1))
    y = ops.clip(y, 0, ops.cast(count - 1, log_p.dtype))
    return -ops.sum(ops.relu(1 - ops.abs(y - numbers)) * log_p, axis=-1)
