"""A batch taken in blocks of anchors, so that a matrix of batch x batch is never whole."""

from lossreg.lazy import ops

_BLOCKS = 8


def sum_over_blocks(function, start, batch):
    """Return the sums of what a function gives for each block of anchors.

    Args:
        function: Takes the numbers of some anchors, shape `(anchors,)`, and whether each counts,
            shape `(anchors, 1)`; returns arrays of the shapes of `start`. The last blocks
            repeat the last anchor, and what is repeated doesn't count.
        start: A tuple of zeros, the first of them a scalar.
        batch: How many anchors there are.
    """
    anchors = (batch + _BLOCKS - 1) // _BLOCKS

    def add(block, sums):
        # TensorFlow would begin all blocks at once, unless each asks for the sums before it.
        late = ops.cast(ops.isnan(sums[0]), "int32")
        numbers = ops.arange(anchors) + block * anchors + late
        more = function(ops.minimum(numbers, batch - 1), ops.expand_dims(numbers < batch, 1))
        return tuple(one + other for one, other in zip(sums, more, strict=True))

    return ops.fori_loop(0, _BLOCKS, add, start)


def blocks_of_anchors(batch):
    """Return the numbers of each block's anchors; beyond the batch they stand for none."""
    anchors = (batch + _BLOCKS - 1) // _BLOCKS
    return [ops.arange(anchors) + block * anchors for block in range(_BLOCKS)]
