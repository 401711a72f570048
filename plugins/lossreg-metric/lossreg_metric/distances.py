"""Losses of distances: pairs, or the whole matrix of them."""

from typing import Annotated

from annotated_types import Ge

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide, root

from .blocks import sum_over_blocks
from .pairs import (
    by_squared,
    itself,
    of_distances,
    prepared,
    pull_of,
    same_class,
    squared_distances,
)

# The distance from an anchor without negatives to its nearest one.
_NOWHERE = 1e30


def contrastive(y_true, y_pred, *, margin: Annotated[float, Ge(0)] = 1.0):
    """Contrastive loss of given pairs: equal ones together, others a margin apart.

    `y * d**2 + (1 - y) * max(0, margin - d)**2`, where `d` is the distance of a pair.

    Label 1 is a pair of one class, as in TensorFlow Addons; in the paper it is 0, and all
    values are halved.

    Args:
        y_true: 1 for a pair of one class, 0 for others, or soft; same shape as `y_pred`.
        y_pred: Distances, at least 0, shape `(batch,)` or `(batch, 1)`.
        margin: The distance from which a pair of two classes costs nothing.

    Returns:
        A squared distance per pair, in float32 or wider, shape of `y_pred`.

    Source:
        Hadsell et al., 2006, "Dimensionality reduction by learning an invariant mapping",
        section 2.1.
    """
    d = at_least_float32(y_pred)
    y = ops.cast(y_true, d.dtype)
    return y * ops.square(d) + (1 - y) * ops.square(ops.maximum(margin - d, 0.0))


def margin(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 0.2,
    beta: Annotated[float, Ge(0)] = 1.2,
):
    """Margin loss: one boundary for all pairs, with a margin on both sides.

    `max(0, margin + d - beta)` for each pair of one class and `max(0, margin + beta - d)` for
    each of two classes, where `d` is the Euclidean distance; their sum is divided by the number
    of pairs that cost something, and is 0 without any.

    All pairs count alike; the paper draws negatives by their distance. `beta` isn't learned
    here. Equal points have no gradient by each other. Labels get no gradient, and the
    gradient can't be differentiated again.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, as a rule of length 1, shape `(batch, dims)`.
        margin: Width of the zone on each side of the boundary in which pairs cost something.
        beta: The boundary between pairs of one class and of two.

    Returns:
        A distance, in float32 or wider, shape `()`.

    Source:
        Wu et al., 2017, arXiv:1706.07567; the divisor is that of its code.
    """

    def mean(labels, d):
        sign = 2 * ops.cast(same_class(labels, labels), d.dtype) - 1
        costs = ops.maximum(margin + sign * (d - beta), 0.0)
        costs = ops.where(itself(d), 0.0, costs)
        costly = ops.sum(ops.cast(costs > 0, d.dtype))

        def slopes():
            return divide(ops.where(costs > 0, sign, 0.0), costly)

        return divide(ops.sum(costs), costly), slopes

    labels = ops.reshape(y_true, (-1,))
    return of_distances(mean, labels, at_least_float32(y_pred), "euclidean")


def lifted_structure(y_true, y_pred, *, margin: Annotated[float, Ge(0)] = 1.0):
    """Lifted structured loss: each positive pair against all its negatives.

    `sum(max(0, J)**2) / (2 * pairs)` over all pairs of one class, where
    `J = log(sum(exp(margin - d(i, k))) + sum(exp(margin - d(j, l)))) + d(i, j)`, with `k` and `l`
    all samples of other classes than `i` and `j`, and Euclidean distances `d`.

    A batch of one class, or without a positive pair, costs 0; in TensorFlow Addons it is NaN.
    Equal points have no gradient by each other. Labels get no gradient, and the gradient can't
    be differentiated again.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, of any length, shape `(batch, dims)`.
        margin: How far apart samples of two classes should be.

    Returns:
        A squared distance, in float32 or wider, shape `()`.

    Source:
        Song et al., 2016, arXiv:1511.06452, the smooth upper bound.
    """

    def mean(labels, x):
        batch = ops.shape(x)[0]

        def pressed(anchors):
            d = root(squared_distances(ops.take(x, anchors, axis=0), x))
            same = same_class(ops.take(labels, anchors), labels)
            nearest = ops.min(ops.where(same, _NOWHERE, d), axis=1, keepdims=True)
            near = ops.where(same, 0.0, ops.exp(ops.minimum(nearest - d, 0.0)))
            total = ops.sum(near, axis=1, keepdims=True)
            # log(sum(exp(margin - d))) over the negatives of each anchor.
            pressure = margin - nearest + ops.log(ops.maximum(total, 1.0))
            return d, same, near, total, pressure

        def press(anchors, counts):
            *_, pressure = pressed(anchors)
            pressure = ops.where(counts, pressure, 0.0)
            return ops.sum(pressure), ops.segment_sum(pressure, anchors, batch)

        def meet(anchors, counts):
            d, same, near, total, pressure = pressed(anchors)
            other = ops.not_equal(ops.expand_dims(anchors, 1), ops.arange(batch))
            positive = ops.logical_and(ops.logical_and(same, other), counts)
            both = ops.logaddexp(pressure, ops.transpose(pressures))
            over = ops.where(positive, ops.maximum(both + d, 0.0), 0.0)
            share = ops.sigmoid(pressure - ops.transpose(pressures))
            # A pair is met twice, from either side.
            by_pressure = 2 * ops.sum(over * share, axis=1, keepdims=True)
            slopes = by_squared(over - near * divide(by_pressure, total), d, "euclidean")
            pairs = ops.sum(ops.cast(positive, d.dtype))
            return ops.sum(ops.square(over)), pairs, pull_of(anchors, slopes, x)

        nothing = ops.zeros((), x.dtype)
        _, pressures = sum_over_blocks(press, (nothing, ops.zeros_like(x[:, :1])), batch)
        start = (nothing, nothing, ops.zeros_like(x))
        costs, pairs, gradients = sum_over_blocks(meet, start, batch)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return None, gradients * divide(upstream, pairs)

        return divide(costs, 2 * pairs), gradient

    x = prepared(at_least_float32(y_pred), "euclidean")
    return ops.custom_gradient(mean)(ops.reshape(y_true, (-1,)), x)
