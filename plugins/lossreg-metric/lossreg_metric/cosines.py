"""A function of all cosines of a batch, block by block, with its gradient written out."""

from lossreg.lazy import ops

from .blocks import blocks_of_anchors
from .pairs import same_class, unit


def of_cosines(function, labels, x):
    """Return a function of each sample's cosines, differentiated by its own slopes.

    The slopes are the only matrix of batch x batch that is ever whole. Labels get no gradient.

    Args:
        function: Takes the cosines of some anchors to all samples, shape `(anchors, batch)`, and
            two matrices of bools: which have the anchor's class, and which are the anchor itself.
            Returns a value for each anchor, and the slopes of these values by the cosines.
        labels: Class numbers, shape `(batch,)`.
        x: Vectors, shape `(batch, dims)`.
    """

    def values(labels, x):
        batch = ops.shape(x)[0]

        def block(anchors):
            cosines = ops.matmul(ops.take(x, anchors, axis=0), ops.transpose(x))
            same = same_class(ops.take(labels, anchors), labels)
            return function(cosines, same, same_class(anchors, ops.arange(batch)))

        found, slopes, late = [], [], 0
        for numbers in blocks_of_anchors(batch):
            # TensorFlow would begin all blocks at once, unless each asks for the one before it: for
            # a zero, since half of a truth value is none.
            each, by_cosine = block(ops.minimum(numbers + late, batch - 1))
            late = ops.cast(ops.isnan(ops.sum(each)), "int32") // 2
            found.append(each)
            slopes.append(by_cosine)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            by_anchor, by_other = [], 0
            for numbers, by_cosine in zip(blocks_of_anchors(batch), slopes, strict=True):
                anchors = ops.minimum(numbers, batch - 1)
                weight = ops.where(numbers < batch, ops.take(upstream, anchors), 0.0)
                weight = ops.expand_dims(weight, 1)
                by_anchor.append(weight * ops.matmul(by_cosine, x))
                pulled = weight * ops.take(x, anchors, axis=0)
                by_other += ops.matmul(ops.transpose(by_cosine), pulled)
            return None, ops.concatenate(by_anchor, axis=0)[:batch] + by_other

        return ops.concatenate(found, axis=0)[:batch], gradient

    return ops.custom_gradient(values)(labels, unit(x))
