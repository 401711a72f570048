"""The centerline Dice loss: whether thin structures, such as vessels and roads, stay connected."""

import math
from typing import Annotated

from annotated_types import Ge, Le

from lossreg.lazy import ops

from .regions import counted, probabilities, share


def soft_cldice(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0), Le(1)] = 0.5,
    iterations: Annotated[int, Ge(0)] = 3,
    smooth: Annotated[float, Ge(0)] = 1.0,
    include_background: bool = False,
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """Dice of regions and their centerlines: thin structures stay connected.

    `(1 - alpha) * dice + alpha * (1 - 2 * a * b / (a + b))`, where
    `a = (sum(skeleton(p) * y) + smooth) / (sum(skeleton(p)) + smooth)` is how much of the
    predicted centerline lies in the true region,
    `b = (sum(skeleton(y) * p) + smooth) / (sum(skeleton(y)) + smooth)` how much of the true one is
    found, and `dice = 1 - (2 * sum(y * p) + smooth) / (sum(y) + sum(p) + smooth)`. All sums are
    over the positions and the classes of one image.

    A skeleton takes `iterations` erosions, so that this should be the radius of the widest
    structure in pixels; more cost time, and fewer leave thick places out.

    Args:
        y_true: One-hot, shape `(batch, height, width, classes)`, or with one or three axes in place
            of height and width; 0 or 1 where `y_pred` has one channel.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        alpha: Share of the centerlines; the paper takes 0.1 to 0.5.
        iterations: How many times the regions are eroded.
        smooth: Pixels that are added above and below each bar.
        include_background: Whether class 0 counts, where there are several classes.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros, and they lie outside of every region.

    Returns:
        A share in [0, 1] per image, shape `(batch,)`.

    Source:
        Shit et al., 2021, arXiv:2003.07311, algorithms 1 and 2.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    if not include_background and p.shape[-1] != 1:
        y, p = y[..., 1:], p[..., 1:]
    axes = tuple(range(1, len(p.shape)))

    def covered(line, region):
        """Return how much of a line lies in a region."""
        return share(ops.sum(line * region, axis=axes) + smooth, ops.sum(line, axis=axes) + smooth)

    a, b = covered(_skeleton(p, iterations), y), covered(_skeleton(y, iterations), p)
    both, sizes = 2 * ops.sum(y * p, axis=axes), ops.sum(y + p, axis=axes)
    dice = 1 - share(both + smooth, sizes + smooth)
    return (1 - alpha) * dice + alpha * (1 - share(2 * a * b, a + b))


def _skeleton(region, iterations: int):
    """Return the soft centerline: what openings take away as a region is eroded."""
    line = ops.relu(region - _dilated(_eroded(region)))
    for _ in range(iterations):
        region = _eroded(region)
        rest = ops.relu(region - _dilated(_eroded(region)))
        line = line + ops.relu(rest - line * rest)
    return line


def _eroded(region):
    """Return the least of each pixel and its neighbours along each axis."""
    eroded = region
    for axis in range(1, len(region.shape) - 1):
        eroded = ops.minimum(eroded, -_largest(-region, axis))
    return eroded


def _dilated(region):
    """Return the largest of each pixel and all its neighbours, across the corners too."""
    for axis in range(1, len(region.shape) - 1):
        region = _largest(region, axis)
    return region


def _largest(values, axis: int):
    """Return the largest of each entry and the two beside it."""
    # Along one axis at a time: where entries are equal, TensorFlow 2.21 gives the gradient of a
    # pooling in three dimensions to each of them in full.
    shape = ops.shape(values)
    rows = (math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :]))
    pooled = ops.max_pool(
        ops.reshape(values, rows), 3, strides=1, padding="same", data_format="channels_last"
    )
    return ops.reshape(pooled, shape)
