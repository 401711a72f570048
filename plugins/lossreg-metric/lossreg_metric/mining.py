"""Triplets within a batch: which positive and which negative an anchor meets."""

from lossreg.lazy import ops
from lossreg.numerics import divide

from .blocks import sum_over_blocks
from .pairs import (
    Distance,
    by_squared,
    from_squared,
    prepared,
    pull_of,
    same_class,
    squared_distances,
)

# A batch whose size a graph doesn't know has fewer samples than 2 to this power.
_BITS = 16


def hardest(labels, x):
    """Return for each anchor the numbers of its farthest positive and its nearest negative.

    Without a positive the first is the anchor itself, and without a negative the second is the
    farthest positive.
    """
    batch = ops.shape(x)[0]

    def block(anchors, counts):
        d = squared_distances(ops.take(x, anchors, axis=0), x)
        same = same_class(ops.take(labels, anchors), labels)
        positive = ops.argmax(ops.where(same, d, -1.0), axis=1)
        negative = ops.argmin(ops.where(same, float("inf"), d), axis=1)
        found = ops.stack([positive, ops.where(ops.all(same, axis=1), positive, negative)], axis=1)
        found = ops.where(counts, ops.cast(found, "int32"), 0)
        return ops.sum(d), ops.segment_sum(found, anchors, batch)

    start = (ops.zeros((), x.dtype), ops.zeros((batch, 2), "int32"))
    _, found = sum_over_blocks(block, start, batch)
    return found[:, 0], found[:, 1]


def semihard(labels, x, margin: float, distance: Distance):
    """Return the semi-hard triplet loss of a batch; its gradient is found on the way.

    The negatives of an anchor are sorted, and the place of each positive among them is found by
    bisection, so that no triplet is looked at.
    """

    def mean(labels, x):
        def block(anchors, counts):
            costs, pairs, slopes = _semihard_of(anchors, counts, labels, x, margin, distance)
            return costs, pairs, pull_of(anchors, slopes, x)

        nothing = ops.zeros((), x.dtype)
        start = (nothing, nothing, ops.zeros_like(x))
        costs, pairs, gradients = sum_over_blocks(block, start, ops.shape(x)[0])

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return None, gradients * divide(upstream, pairs)

        return divide(costs, pairs), gradient

    return ops.custom_gradient(mean)(labels, prepared(x, distance))


def _semihard_of(anchors, counts, labels, x, margin: float, distance: Distance):
    """Return what some anchors cost, their pairs, and the slopes by all squared distances."""
    batch = ops.shape(x)[0]
    d = from_squared(squared_distances(ops.take(x, anchors, axis=0), x), distance)
    same = same_class(ops.take(labels, anchors), labels)
    other = ops.not_equal(ops.expand_dims(anchors, 1), ops.arange(batch))
    positive = ops.logical_and(ops.logical_and(same, other), counts)
    negatives = ops.sum(ops.cast(ops.logical_not(same), "int32"), axis=1, keepdims=True)

    # Behind the negatives come the others, infinitely far away.
    far = ops.where(same, float("inf"), d)
    order = ops.argsort(far, axis=1)
    rising = ops.take_along_axis(far, order, axis=1)
    place = ops.minimum(_count_up_to(d, rising), ops.maximum(negatives - 1, 0))
    chosen = ops.where(negatives > 0, ops.take_along_axis(rising, place, axis=1), 0.0)
    costs = ops.where(positive, ops.maximum(d - chosen + margin, 0.0), 0.0)

    # A positive is drawn to its anchor, and the negative that it chose is pushed away.
    drawn = ops.cast(costs > 0, d.dtype)
    rows = ops.expand_dims(ops.arange(ops.shape(d)[0]), 1)
    column = rows * batch + ops.cast(ops.take_along_axis(order, place, axis=1), rows.dtype)
    pushed = ops.segment_sum(ops.reshape(drawn, (-1,)), ops.reshape(column, (-1,)), ops.size(d))
    slopes = drawn - ops.where(same, 0.0, ops.reshape(pushed, ops.shape(d)))
    pairs = ops.sum(ops.cast(positive, d.dtype))
    return ops.sum(costs), pairs, by_squared(slopes, d, distance)


def _count_up_to(limits, rising):
    """Return how many numbers of a row of `rising` aren't above each limit of the same row."""
    size = ops.shape(rising)[1]
    count = ops.zeros_like(limits, dtype="int32")
    for bit in reversed(range(size.bit_length() if isinstance(size, int) else _BITS)):
        more = count + 2**bit
        last = ops.take_along_axis(rising, ops.minimum(more, size) - 1, axis=1)
        count = ops.where(ops.logical_and(more <= size, last <= limits), more, count)
    return count
