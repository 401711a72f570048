"""Losses of boxes from their overlap: IoU, and what its successors add to it."""

import functools
import math
import operator
from typing import Annotated, Literal

from annotated_types import Ge

from lossreg.lazy import ops

from .boxes import BoxFormat, ratio, read_boxes

# What mmdetection clamps an IoU to before its logarithm.
_LOWEST_IOU = 1e-6


def iou(
    y_true,
    y_pred,
    *,
    mode: Literal["linear", "log"] = "linear",
    box_format: BoxFormat = "corners",
):
    """IoU loss of boxes: how much of what two boxes cover they don't share.

    `1 - IoU`, or `-log(IoU)` with `mode="log"`, where `IoU` is the area of the intersection
    over the area of the union.

    Boxes that don't touch have the largest value, 1 or `-log(1e-6)`, and no gradient: take a
    loss such as `giou` unless predictions start near their boxes. Two boxes without area have
    an IoU of 0, even if they are equal. The unit of the boxes doesn't matter, as long as areas
    lie between 1e-18 and 1e18.

    Args:
        y_true: Boxes in the format `box_format`, any finite numbers, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes in the same format, same shape.
        mode: Whether the loss falls with the IoU or with its logarithm.
        box_format: What four numbers mean: the lower corner and the upper corner (`"corners"`),
            or the centre and the size (`"center"`); x first or y first, in all places alike.

    Returns:
        A number in [0, 1] per box, or nats in [0, 13.8] with `mode="log"`, shape `(batch, ...)`.

    Source:
        Yu et al., 2016, arXiv:1608.01471, section 2.2, for `mode="log"`; Rezatofighi et al.,
        2019, arXiv:1902.09630, algorithm 2, for `mode="linear"`.
    """
    boxes = read_boxes(y_true, y_pred, box_format)
    if mode == "linear":
        return 1 - boxes.iou
    # As a product: JAX multiplies by the square of 1 / union first, which float32 can't hold for
    # the gradient of a logarithm and a tiny box.
    iou = boxes.intersection * ratio(1.0, boxes.union)
    return -ops.log(ops.maximum(iou, _LOWEST_IOU))


def giou(y_true, y_pred, *, box_format: BoxFormat = "corners"):
    """Generalized IoU loss of boxes, which pulls distant boxes together.

    `1 - IoU + (C - U) / C`, where `U` is the area of the union and `C` that of the smallest
    box that holds both.

    Boxes without area have an IoU of 0, even if they are equal. The unit of the boxes doesn't
    matter, as long as areas lie between 1e-18 and 1e18.

    Args:
        y_true: Boxes in the format `box_format`, any finite numbers, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes in the same format, same shape.
        box_format: What four numbers mean: the lower corner and the upper corner (`"corners"`),
            or the centre and the size (`"center"`); x first or y first, in all places alike.

    Returns:
        A number in [0, 2] per box, shape `(batch, ...)`.

    Source:
        Rezatofighi et al., 2019, arXiv:1902.09630, algorithm 2.
    """
    boxes = read_boxes(y_true, y_pred, box_format)
    return 1 - boxes.iou + ratio(boxes.enclosing - boxes.union, boxes.enclosing)


def diou(y_true, y_pred, *, box_format: BoxFormat = "corners"):
    """Distance IoU loss of boxes, which pulls their centres together.

    `1 - IoU + rho**2 / c**2`, where `rho` is the distance of the centres and `c` the diagonal
    of the smallest box that holds both.

    Boxes without area have an IoU of 0, even if they are equal. The unit of the boxes doesn't
    matter, as long as areas lie between 1e-18 and 1e18.

    Args:
        y_true: Boxes in the format `box_format`, any finite numbers, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes in the same format, same shape.
        box_format: What four numbers mean: the lower corner and the upper corner (`"corners"`),
            or the centre and the size (`"center"`); x first or y first, in all places alike.

    Returns:
        A number in [0, 2] per box, shape `(batch, ...)`.

    Source:
        Zheng et al., 2020, arXiv:1911.08287, equation 7.
    """
    boxes = read_boxes(y_true, y_pred, box_format)
    return 1 - boxes.iou + _distance(boxes.x, boxes.y)


def ciou(y_true, y_pred, *, box_format: BoxFormat = "corners"):
    """Complete IoU loss of boxes: overlap, centres and aspect ratios.

    `1 - IoU + rho**2 / c**2 + alpha * v`, the distance IoU loss and a term of the aspect ratios:
    `v = 4 / pi**2 * (atan(w_true / h_true) - atan(w / h))**2`, weighed by
    `alpha = v / (1 - IoU + v)`.

    As in the authors' code, `alpha` counts as a constant in the gradient. Boxes without area
    have an IoU of 0, even if they are equal. The unit of the boxes doesn't matter, as long as
    areas lie between 1e-18 and 1e18.

    Args:
        y_true: Boxes in the format `box_format`, any finite numbers, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes in the same format, same shape.
        box_format: What four numbers mean: the lower corner and the upper corner (`"corners"`),
            or the centre and the size (`"center"`); x first or y first, in all places alike.

    Returns:
        A number in [0, 3] per box, shape `(batch, ...)`.

    Source:
        Zheng et al., 2020, arXiv:1911.08287, equations 8 to 11.
    """
    boxes = read_boxes(y_true, y_pred, box_format)
    iou = boxes.iou
    v = ops.square(2 / math.pi * _turn(boxes.x, boxes.y))
    alpha = ops.stop_gradient(ratio(v, 1 - iou + v))
    return 1 - iou + _distance(boxes.x, boxes.y) + alpha * v


def eiou(y_true, y_pred, *, box_format: BoxFormat = "corners"):
    """Efficient IoU loss of boxes: overlap, centres and sides.

    `1 - IoU + rho**2 / c**2 + (w - w_true)**2 / C_w**2 + (h - h_true)**2 / C_h**2`, the distance
    IoU loss and a term for each side, where `C_w` and `C_h` are the sides of the smallest box
    that holds both.

    Boxes without area have an IoU of 0, even if they are equal. The unit of the boxes doesn't
    matter, as long as areas lie between 1e-18 and 1e18.

    Args:
        y_true: Boxes in the format `box_format`, any finite numbers, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes in the same format, same shape.
        box_format: What four numbers mean: the lower corner and the upper corner (`"corners"`),
            or the centre and the size (`"center"`); x first or y first, in all places alike.

    Returns:
        A number in [0, 4] per box, shape `(batch, ...)`.

    Source:
        Zhang et al., 2021, arXiv:2101.08158, the EIoU loss.
    """
    boxes = read_boxes(y_true, y_pred, box_format)
    sides = [
        ops.square(ratio(side.length - side.true_length, side.enclosing))
        for side in (boxes.x, boxes.y)
    ]
    return 1 - boxes.iou + _distance(boxes.x, boxes.y) + sum(sides)


def siou(
    y_true,
    y_pred,
    *,
    theta: Annotated[float, Ge(1)] = 4.0,
    box_format: BoxFormat = "corners",
):
    """SCYLLA IoU loss of boxes, which moves a box to the nearer axis first.

    `1 - IoU + (Delta + Omega) / 2`. The distance cost is
    `Delta = sum(1 - exp(-(2 - Lambda) * (s_t / C_t)**2))` over t = x, y, where `s_t` is how far the
    centres are apart, `C_t` the side of the smallest box that holds both, and the angle cost
    `Lambda = sin(2 * a)`, for the angle `a` of the line between the centres. The shape cost is
    `Omega = sum((1 - exp(-abs(l_t - l_t_true) / max(l_t, l_t_true)))**theta)` over the sides `l_t`.

    The angle cost is the paper's `1 - 2 * sin(asin(s_y / s) - pi / 4)**2`, written out; centres
    that coincide have none. Boxes without area have an IoU of 0, even if they are equal. The unit
    of the boxes doesn't matter, as long as areas lie between 1e-18 and 1e18.

    Args:
        y_true: Boxes in the format `box_format`, any finite numbers, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes in the same format, same shape.
        theta: How little a small difference in shape counts; the paper takes 2 to 6.
        box_format: What four numbers mean: the lower corner and the upper corner (`"corners"`),
            or the centre and the size (`"center"`); x first or y first, in all places alike.

    Returns:
        A number in [0, 3] per box, shape `(batch, ...)`.

    Source:
        Gevorgyan, 2022, arXiv:2205.12740, equations 1 to 13.
    """
    boxes = read_boxes(y_true, y_pred, box_format)
    x, y = boxes.x, boxes.y
    squared_distance = ops.square(x.offset) + ops.square(y.offset)
    angle = ratio(2 * ops.abs(x.offset * y.offset), squared_distance)
    distance, shape = 0, 0
    for side in (x, y):
        distance += 1 - ops.exp((angle - 2) * ops.square(ratio(side.offset, side.enclosing)))
        difference = ops.abs(side.length - side.true_length)
        longer = ops.maximum(side.length, side.true_length)
        shape += _power(1 - ops.exp(-ratio(difference, longer)), theta)
    return 1 - boxes.iou + (distance + shape) / 2


def _distance(x, y):
    """Return the squared distance of the centres, relative to the diagonal of what holds both."""
    squared_diagonal = ops.square(x.enclosing) + ops.square(y.enclosing)
    return ratio(ops.square(x.offset) + ops.square(y.offset), squared_diagonal)


def _turn(x, y):
    """Return `atan(w_true / h_true) - atan(w / h)`, and 0 for boxes without area."""
    # As one angle, whose cosine isn't negative. arctan takes half the time of arctan2; a cosine
    # this much smaller than the sine changes the angle by 1e-7, and keeps its slope finite.
    sine = x.true_length * y.length - x.length * y.true_length
    cosine = x.true_length * x.length + y.true_length * y.length
    return ops.arctan(ratio(sine, ops.maximum(cosine, 1e-7 * ops.abs(sine))))


def _power(base, exponent: float):
    """Return `base**exponent`; products are several times faster than pow."""
    if exponent > 8 or exponent % 1:
        return ops.power(base, exponent)
    return functools.reduce(operator.mul, [base] * int(exponent))
