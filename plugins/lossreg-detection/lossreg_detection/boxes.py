"""Boxes, seen along x and along y, and what two of them share.

Each quantity is one number for each pair of boxes, shape `(batch, ...)`, and is computed once: a
gradient takes every path by itself. None of it depends on which axis comes first.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, smallest

BoxFormat = Literal["corners", "center"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """Labelled and predicted boxes along one axis, from `low` to `high`.

    A box whose `high` is below its `low` has the length 0.
    """

    true_low: Any
    true_high: Any
    low: Any
    high: Any

    @cached_property
    def true_length(self) -> Any:
        """Return how long the labelled boxes are."""
        return ops.relu(self.true_high - self.true_low)

    @cached_property
    def length(self) -> Any:
        """Return how long the predicted boxes are."""
        return ops.relu(self.high - self.low)

    @cached_property
    def shared(self) -> Any:
        """Return how long the part is that lies in both."""
        return ops.relu(
            ops.minimum(self.high, self.true_high) - ops.maximum(self.low, self.true_low)
        )

    @cached_property
    def enclosing(self) -> Any:
        """Return how long the smallest boxes are that hold both."""
        return ops.relu(
            ops.maximum(self.high, self.true_high) - ops.minimum(self.low, self.true_low)
        )

    @cached_property
    def offset(self) -> Any:
        """Return how far the centres are apart."""
        return (self.low - self.true_low + (self.high - self.true_high)) / 2


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Labelled and predicted boxes along both axes."""

    x: Side
    y: Side

    @cached_property
    def intersection(self) -> Any:
        """Return the area that lies in both."""
        return self.x.shared * self.y.shared

    @cached_property
    def union(self) -> Any:
        """Return the area that lies in either."""
        true_area = self.x.true_length * self.y.true_length
        return true_area + self.x.length * self.y.length - self.intersection

    @cached_property
    def enclosing(self) -> Any:
        """Return the area of the smallest boxes that hold both."""
        return self.x.enclosing * self.y.enclosing

    @cached_property
    def iou(self) -> Any:
        """Return the intersection over the union."""
        return ratio(self.intersection, self.union)


def read_boxes(y_true, y_pred, box_format: BoxFormat) -> Boxes:
    """Return the boxes of a format, in float32 or wider."""
    y_pred = at_least_float32(y_pred)
    true, predicted = (
        _corners(boxes, box_format) for boxes in (ops.cast(y_true, y_pred.dtype), y_pred)
    )
    x, y = (
        Side(true_low=true[i], true_high=true[i + 2], low=predicted[i], high=predicted[i + 2])
        for i in (0, 1)
    )
    return Boxes(x=x, y=y)


def ratio(part, whole):
    """Return `part / whole`, and 0 where both are 0.

    The gradient has a 1 / whole**2 on JAX, which float32 can't hold for an area below 1e-19, so
    a smaller one counts as that.
    """
    return part / ops.maximum(whole, smallest(whole) ** 0.5)


def _corners(boxes, box_format: BoxFormat):
    # On JAX the gradient of split takes a sixth of the time of that of unstack.
    columns = [column[..., 0] for column in ops.split(boxes, 4, axis=-1)]
    if box_format == "corners":
        return columns
    x, y, width, height = columns
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
