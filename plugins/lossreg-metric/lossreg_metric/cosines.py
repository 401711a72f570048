"""A function of all cosines of a batch, block by block, with its gradient written out."""

from lossreg.lazy import ops

from .blocks import sum_over_blocks
from .pairs import same_class, unit


def of_cosines(function, labels, x):
    """Return a function of each sample's cosines, differentiated by its own slopes.

    No matrix of batch x batch is ever whole: the gradient computes each block anew. Labels get
    no gradient.

    Args:
        function: Takes the cosines of some anchors to all samples, shape `(anchors, batch)`, and
            two matrices of bools: which have the anchor's class, and which are the anchor itself.
            Returns a value for each anchor, and a function without arguments that returns the
            slopes of these values by the cosines.
        labels: Class numbers, shape `(batch,)`.
        x: Vectors, shape `(batch, dims)`.
    """

    def values(labels, x):
        batch = ops.shape(x)[0]
        nothing = ops.zeros((), x.dtype)

        def block(anchors):
            cosines = ops.matmul(ops.take(x, anchors, axis=0), ops.transpose(x))
            same = same_class(ops.take(labels, anchors), labels)
            return function(cosines, same, same_class(anchors, ops.arange(batch)))

        def cost(anchors, counts):
            found, _ = block(anchors)
            found = ops.where(ops.squeeze(counts, 1), found, 0.0)
            return ops.sum(found), ops.segment_sum(found, anchors, batch)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream

            def pull(anchors, counts):
                found, slopes = block(anchors)
                weight = ops.expand_dims(ops.take(upstream, anchors), 1)
                slopes = ops.where(counts, slopes() * weight, 0.0)
                by_anchor = ops.segment_sum(ops.matmul(slopes, x), anchors, batch)
                by_other = ops.matmul(ops.transpose(slopes), ops.take(x, anchors, axis=0))
                return ops.sum(found), by_anchor + by_other

            _, slope = sum_over_blocks(pull, (nothing, ops.zeros_like(x)), batch)
            return None, slope

        _, result = sum_over_blocks(cost, (nothing, ops.zeros_like(x[:, 0])), batch)
        return result, gradient

    return ops.custom_gradient(values)(labels, unit(x))
