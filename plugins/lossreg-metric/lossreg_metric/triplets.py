"""Triplet losses: an anchor is nearer to its own class than to any other, by a margin."""

from typing import Annotated

from annotated_types import Ge

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide, power, root

from .mining import hardest, semihard
from .pairs import Distance, from_squared, prepared


def triplet_semihard(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 1.0,
    distance: Distance = "euclidean",
):
    """Triplet loss against the nearest negative beyond each positive.

    The mean of `max(0, d(a, p) - d(a, n) + margin)` over all ordered pairs `(a, p)` of one class,
    where `n` is the nearest sample of another class with `d(a, n) > d(a, p)`. Where none is
    farther than `p`, `n` is the farthest sample of another class.

    As in TensorFlow Addons, a batch of one class costs `d(a, p) + margin`; unlike there, a batch
    without a positive pair costs 0 and not NaN. Equal points pull at each other with 0.
    Labels get no gradient, and the gradient can't be differentiated again.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, as a rule of length 1, shape `(batch, dims)`.
        margin: How much farther the negative should be, in units of the distance.
        distance: `"euclidean"`, `"squared_euclidean"` or `"cosine"`, which is `1 - cos(a, b)`.

    Returns:
        A distance, in float32 or wider, shape `()`.

    Source:
        Schroff et al., 2015, arXiv:1503.03832, equation 4; the choice of `n` is that of
        TensorFlow Addons.
    """
    return semihard(ops.reshape(y_true, (-1,)), at_least_float32(y_pred), margin, distance)


def triplet_hard(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 1.0,
    soft: bool = False,
    distance: Distance = "euclidean",
):
    """Triplet loss of each anchor's farthest positive and nearest negative.

    `max(0, d(a, p) - d(a, n) + margin)`, or with `soft` `log(1 + exp(d(a, p) - d(a, n)))`, for
    each anchor `a`, where `p` is the farthest sample of its class and `n` the nearest of
    another.

    As in TensorFlow Addons, an anchor without a positive has `d(a, p) = 0`, and in a batch of one
    class `n` is the farthest sample, so that such an anchor has no gradient.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, as a rule of length 1, shape `(batch, dims)`.
        margin: How much farther the negative should be, in units of the distance; unused
            with `soft`.
        soft: Whether a softplus takes the place of margin and maximum.
        distance: `"euclidean"`, `"squared_euclidean"` or `"cosine"`, which is `1 - cos(a, b)`.

    Returns:
        A distance per anchor, in float32 or wider, shape `(batch,)`.

    Source:
        Hermans et al., 2017, arXiv:1703.07737, section 2, "Batch Hard" and "soft margin".
    """
    x = prepared(at_least_float32(y_pred), distance)
    positive, negative = hardest(ops.reshape(y_true, (-1,)), ops.stop_gradient(x))

    def to(chosen):
        apart = x - ops.take(x, chosen, axis=0)
        return from_squared(ops.sum(ops.square(apart), axis=-1), distance)

    gap = to(positive) - to(negative)
    return ops.softplus(gap) if soft else ops.maximum(gap + margin, 0.0)


def triplet_margin(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 1.0,
    p: Annotated[float, Ge(1)] = 2.0,
    swap: bool = False,
):
    """Triplet loss of given triplets: anchor, positive, negative.

    `max(0, |a - q| - |a - n| + margin)` in the `p`-norm, for anchor `a`, positive `q` and negative
    `n`. With `swap` the negative's distance is the smaller one of those to the anchor and to the
    positive.

    Equal points have distance 0 and no gradient by each other; PyTorch adds 1e-6 to each
    difference instead.

    Args:
        y_true: Ignored; one entry for each triplet.
        y_pred: Embeddings of anchor, positive and negative, shape `(batch, 3, dims)`.
        margin: How much farther the negative should be.
        p: Which norm: 2 is the Euclidean one, 1 the sum of absolute differences.
        swap: Whether the positive may take the anchor's place.

    Returns:
        A distance per triplet, in float32 or wider, shape `(batch,)`.

    Source:
        Balntas et al., 2016, "Learning local feature descriptors with triplets and shallow
        convolutional neural networks"; `swap` is its anchor swap.
    """
    del y_true
    y_pred = at_least_float32(y_pred)
    a, positive, n = y_pred[:, 0], y_pred[:, 1], y_pred[:, 2]
    far = _norm(a - n, p)
    if swap:
        far = ops.minimum(far, _norm(positive - n, p))
    return ops.maximum(_norm(a - positive, p) - far + margin, 0.0)


def _norm(x, p: float):
    x = ops.abs(x)
    if p == 1:
        return ops.sum(x, axis=-1)
    # A norm grows with its vector, so the scale may be any constant; it keeps powers in range.
    scale = ops.stop_gradient(ops.max(x, axis=-1))
    x = divide(x, ops.expand_dims(scale, -1))
    if p == 2:
        return scale * root(ops.sum(ops.square(x), axis=-1))
    return scale * power(ops.sum(power(x, p), axis=-1), 1 / p)
