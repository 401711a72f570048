"""Losses of a batch for labels that are spread unevenly: what is rare counts more.

The value of a sample depends on the batch, so weights and masks have no meaning.
"""

from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt

from lossreg import State
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32

from .errors import error


def balanced_mse(y_true, y_pred, *, noise_sigma: Annotated[float, Gt(0)] = 1.0):
    """Squared error for labels that are mostly alike, rare ones counting in full.

    `-2 * s**2 * log(exp(-|y_i - p_i|**2 / (2 * s**2)) / sum_j(exp(-|y_j - p_i|**2 / (2 * s**2))))`
    for each sample `i`, with `s = noise_sigma`, the labels `j` of the batch, and squares summed
    over the last axis. It asks which label of the batch a prediction means. Where many labels lie
    close together, each has a small gradient. A batch of equal labels has no gradient, and a batch
    of one sample costs 0, so take batches of 32 and more. The value depends on the batch, so it is
    no measure of a model.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`; the axes between are samples too.
        y_pred: Any finite numbers, same shape.
        noise_sigma: Spread of the errors that the model is going to make, in the unit of the
            labels.

    Returns:
        Squared units of the labels per sample, shape `(batch, ...)`.

    Source:
        Ren et al., 2022, arXiv:2203.16427, batch-based Monte-Carlo.
    """
    y_pred = at_least_float32(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    rows = (-1, 1, ops.shape(y_pred)[-1])
    y, p = ops.reshape(y_true, rows), ops.reshape(y_pred, rows)
    y_j = ops.swapaxes(y, 0, 1)
    # |y_i - p_i|**2 - |y_j - p_i|**2, which of two large squares would be left without a digit.
    nearer = ops.sum((y - y_j) * ((y - p) + (y_j - p)), axis=-1)
    twice = 2 * noise_sigma**2
    values = twice * ops.logsumexp(nearer / twice, axis=-1)
    return ops.reshape(values, ops.shape(y_pred)[:-1])


def ghm_r(
    y_true,
    y_pred,
    shares: Annotated[Any, State("bins", when="momentum")] = None,
    *,
    mu: Annotated[float, Gt(0)] = 0.02,
    bins: Annotated[int, Ge(1)] = 10,
    momentum: Annotated[float, Ge(0), Lt(1)] | None = None,
):
    """Smooth absolute error in which errors of a common size count less.

    `mean(w * (sqrt(e**2 + mu**2) - mu))` over the last axis, with `e = y_true - y_pred`. The size
    of the gradient, `g = |e| / sqrt(e**2 + mu**2)`, falls into one of `bins` equal parts of [0, 1].
    Each part that isn't empty has the same weight: `w` is the number of errors in the batch,
    divided by the number in the same part and by the number of parts that aren't empty, as in the
    authors' code; the paper divides by all parts. `w` has no gradient.

    With a `momentum` the share of each part is a moving mean over the batches of training,
    `shares = momentum * shares + (1 - momentum) * batch_shares`, divided by their sum, so that the
    first steps have no other scale. That is memory: train with `lossreg.compile`.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        mu: Error at which the bend lies, in the unit of the labels.
        bins: Number of parts into which gradients are sorted; 1 weighs all errors with 1.
        momentum: How much of the moving means stays at each step; None or 0 counts in each batch
            alone. The authors' code takes 0.7.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Li et al., 2018, arXiv:1811.05181, "GHM-R Loss".
    """
    e = error(y_true, y_pred)
    root = ops.sqrt(ops.square(e) + mu**2)
    part = ops.minimum(ops.cast(ops.abs(e) / root * bins, "int32"), bins - 1)
    hot = ops.one_hot(ops.stop_gradient(part), bins, dtype=e.dtype)
    counted = ops.mean(hot, axis=tuple(range(len(e.shape))))
    new = counted if shares is None else momentum * shares + (1 - momentum) * counted
    found = new if shares is None else new / ops.sum(new)
    filled = found > 0
    weights = 1 / (ops.where(filled, found, 1.0) * ops.sum(ops.cast(filled, e.dtype)))
    # e**2 / (root + mu) is root - mu, with every digit of a small error.
    values = ops.mean(ops.matmul(hot, weights) * (ops.square(e) / (root + mu)), axis=-1)
    return values if shares is None else (values, new)
