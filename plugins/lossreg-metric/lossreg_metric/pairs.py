"""Distances between all samples of a batch, with gradients written out.

Automatic differentiation keeps six matrices of batch x batch and more. Here a loss gives the
slopes of its values by the matrix itself, and the matrix of slopes is the only one that is kept.
Labels get no gradient.
"""

from typing import Literal

from lossreg.lazy import ops
from lossreg.numerics import root, smallest, spacing

Distance = Literal["euclidean", "squared_euclidean", "cosine"]


def unit(x):
    """Return vectors scaled to length 1; a vector of zeros stays one and has no gradient."""
    # The result doesn't depend on the scale, which only keeps the squares within range.
    scale = ops.stop_gradient(ops.max(ops.abs(x), axis=-1, keepdims=True))
    x = x / ops.where(scale < smallest(x), 1.0, scale)
    squared = ops.sum(ops.square(x), axis=-1, keepdims=True)
    return x * ops.rsqrt(ops.where(ops.equal(squared, 0), 1.0, squared))


def same_class(labels, others):
    """Return a matrix of bools: whether a label of a row is that of a column."""
    return ops.equal(ops.reshape(labels, (-1, 1)), ops.reshape(others, (1, -1)))


def itself(x):
    """Return a matrix of bools, true where a sample meets itself."""
    numbers = ops.arange(ops.shape(x)[0])
    return same_class(numbers, numbers)


def squared_distances(a, b):
    """Return `|a_i - b_j|**2` for all rows of two arrays.

    A distance below a thousandth of the vectors' lengths counts as 0: in float32 it would be
    rounding errors, and their root would be steep.
    """
    a2, b2 = (ops.sum(ops.square(each), axis=-1, keepdims=True) for each in (a, b))
    # |a|**2 - 2 a b + |b|**2 as one product, so that there is one matrix.
    left = ops.concatenate([-2 * a, a2, ops.ones_like(a2)], axis=-1)
    right = ops.concatenate([b, ops.ones_like(b2), b2], axis=-1)
    squared = ops.matmul(left, ops.transpose(right))
    noise = 16 * spacing(a)
    return ops.where(squared > noise * a2 + ops.transpose(noise * b2), squared, 0.0)


def prepared(x, distance: Distance):
    """Return the vectors whose squared distances the distance is made of."""
    if distance == "cosine":
        return unit(x)
    # Distances don't depend on the origin; near the mean the squares lose the fewest digits.
    return x - ops.stop_gradient(ops.mean(x, axis=0, keepdims=True))


def from_squared(squared, distance: Distance):
    """Return distances; 1 - cos(a, b) is half the squared distance of vectors of length 1."""
    if distance == "euclidean":
        return root(squared)
    return squared / 2 if distance == "cosine" else squared


def by_squared(slopes, d, distance: Distance):
    """Return slopes by the squared distances from slopes by the distances `d`."""
    if distance == "euclidean":
        return ops.where(d > 0, slopes / ops.where(d > 0, 2 * d, 1.0), 0.0)
    return slopes / 2 if distance == "cosine" else slopes


def pull(slopes, x):
    """Return the gradient by the vectors from slopes by their squared distances."""
    mass = ops.sum(slopes, axis=1) + ops.sum(slopes, axis=0)
    moved = ops.matmul(slopes, x) + ops.matmul(ops.transpose(slopes), x)
    return 2 * (ops.expand_dims(mass, -1) * x - moved)


def pull_of(anchors, slopes, x):
    """Return that gradient from the slopes of some anchors only, shape `(anchors, batch)`."""
    a = ops.take(x, anchors, axis=0)
    by_anchor = ops.sum(slopes, axis=1, keepdims=True) * a - ops.matmul(slopes, x)
    mass = ops.expand_dims(ops.sum(slopes, axis=0), -1)
    by_other = mass * x - ops.matmul(ops.transpose(slopes), a)
    return 2 * (ops.segment_sum(by_anchor, anchors, ops.shape(x)[0]) + by_other)


def of_distances(function, labels, x, distance: Distance):
    """Return a function of all distances, differentiated by its own slopes.

    Args:
        function: Takes labels and distances `(batch, batch)`; returns its values, a scalar or
            one for each row, and a function without arguments that returns its slopes.
        labels: Class numbers, shape `(batch,)`.
        x: Vectors, shape `(batch, dims)`.
        distance: What the distances are.
    """

    def values(labels, x):
        d = from_squared(squared_distances(x, x), distance)
        result, slopes = function(labels, d)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            by_distance = slopes() * ops.reshape(upstream, (-1, 1))
            return None, pull(by_squared(by_distance, d, distance), x)

        return result, gradient

    return ops.custom_gradient(values)(labels, prepared(x, distance))
