"""Regions in probabilities: where they come from, how large they are, and how far they overlap.

No loss is here. The first axis of every tensor is the batch, the last one holds the classes, and
the axes between them are positions: pixels, voxels or steps.
"""

from dataclasses import dataclass
from typing import Any

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide, logits_of

TINY = 1e-7
"""Regions of fewer pixels count as empty; a quotient would have a slope that leaves float32."""


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Sizes of regions in pixels, for each image and class: shape `(batch, classes)`.

    Args:
        both: Size of what the true and the predicted region share.
        true: Size of the true region.
        predicted: Size of the predicted region.
    """

    both: Any
    true: Any
    predicted: Any

    @property
    def missed(self):
        """False negatives: what is true and not predicted."""
        # The difference of two rounded sums can be below 0.
        return ops.maximum(self.true - self.both, 0.0)

    @property
    def invented(self):
        """False positives: what is predicted and not true."""
        return ops.maximum(self.predicted - self.both, 0.0)


def probabilities(y_pred, *, from_logits: bool):
    """Return probabilities: of logits a softmax, and of one channel a sigmoid."""
    if not from_logits:
        return at_least_float32(y_pred)
    activation = "sigmoid" if y_pred.shape[-1] == 1 else "softmax"
    return getattr(ops, activation)(logits_of(y_pred, activation, from_logits=True))


def counted(y_true, y_pred, ignore_class: int | None):
    """Return labels and probabilities, with zeros at positions that don't count.

    A position counts if it has a class other than `ignore_class`; of one channel, if its label is
    another one.
    """
    y_true = ops.cast(y_true, y_pred.dtype)
    if ignore_class is None:
        return y_true, y_pred
    if y_pred.shape[-1] == 1:
        counts = ops.not_equal(y_true, ignore_class)
        return ops.where(counts, y_true, 0.0), ops.where(counts, y_pred, 0.0)
    own = ops.equal(ops.arange(ops.shape(y_pred)[-1]), ignore_class)
    y_true = ops.where(own, 0.0, y_true)
    counts = ops.any(y_true > 0, axis=-1, keepdims=True)
    # Not a product: 0 times NaN is NaN.
    return y_true, ops.where(counts, y_pred, 0.0)


def over_positions(values):
    """Return the sum over positions, shape `(batch, classes)`."""
    # One axis after the other: in float32 many short sums keep more digits than a long one.
    for _ in values.shape[1:-1]:
        values = ops.sum(values, axis=1)
    return values


def at_positions(values, like):
    """Return what has shape `(batch, classes)`, made to broadcast over positions."""
    for _ in like.shape[1:-1]:
        values = ops.expand_dims(values, 1)
    return values


def measure(y_true, y_pred) -> Regions:
    """Return the sizes of the true and the predicted regions, and of what they share.

    Labels get no gradient.
    """

    def sizes(y, p):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            both, predicted = at_positions(upstream[0], y), at_positions(upstream[1], y)
            return None, y * both + predicted

        return ops.stack([over_positions(y * p), over_positions(p)]), gradient

    # In closed form the gradient takes two passes over the pixels; it would take four.
    found = ops.custom_gradient(sizes)(y_true, y_pred)
    return Regions(both=found[0], true=over_positions(y_true), predicted=found[1])


def share(part, whole):
    """Return `part / whole`, and 0 without a gradient where the whole is empty."""
    empty = whole < TINY
    return ops.where(empty, 0.0, part / ops.where(empty, 1.0, whole))


def mean_over_classes(
    values,
    true,
    *,
    class_weight: tuple[float, ...] | None,
    include_background: bool,
    absent: str,
):
    """Return the weighted mean over the classes, shape `(batch,)`.

    Args:
        values: The loss of each image and class, shape `(batch, classes)`.
        true: Size of the true regions, same shape.
        class_weight: A weight for each class; None weighs all alike.
        include_background: Whether class 0 counts, where there are several.
        absent: What becomes of a class that the image doesn't have: `"count"`, `"zero"` or
            `"skip"`.
    """
    weights = ops.ones_like(values)
    if class_weight is not None:
        weights = weights * weights_of("class_weight", class_weight, values)
    if not include_background and values.shape[-1] != 1:
        weights = weights * ops.cast(ops.arange(ops.shape(values)[-1]) > 0, values.dtype)
    if absent != "count":
        present = ops.cast(true > 0, values.dtype)
        values = values * present
        weights = weights * present if absent == "skip" else weights
    return divide(ops.sum(weights * values, axis=-1), ops.sum(weights, axis=-1))


def weights_of(parameter: str, weights: tuple[float, ...], like):
    """Return a tensor with one weight for each class on the last axis of `like`."""
    classes = like.shape[-1]
    # In a graph the number of classes may be unknown.
    if classes not in (None, len(weights)):
        raise ParameterError(
            f"{parameter!r} must have {classes} weights, one for each class of y_pred, got "
            f"{len(weights)}: {weights!r}."
        )
    return ops.convert_to_tensor(weights, dtype=like.dtype)
