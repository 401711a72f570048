"""Lovász losses: the intersection over union itself, made continuous."""

import math
from typing import Literal

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide

from .regions import counted, probabilities


def lovasz_softmax(
    y_true,
    y_pred,
    *,
    classes: Literal["present", "all"] = "present",
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """Intersection over union of classes, made continuous by Lovász extension.

    `sum(e * g)` for each class: `e` are the errors `abs(y - p)` of one image's positions in
    falling order, and `g` is what each position adds to `1 - intersection / union` if it joins
    those before it as wrong. Then the mean over the classes. Where all probabilities are 0 or 1,
    the value is one minus the intersection over union.

    Start with cross-entropy, or add it: at the beginning of training nearly all positions have
    nearly the same error, and their order means little.

    Args:
        y_true: One-hot, shape `(batch, ..., classes)`; 0 or 1 where `y_pred` has one channel. A
            soft label counts as 1 from 0.5 on.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        classes: Whether the mean is over the classes that the image has, or over all. A class that
            it doesn't have costs its largest probability.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        A share in [0, 1] per image, shape `(batch,)`; 0 where no class counts.

    Source:
        Berman et al., 2018, arXiv:1705.08790, algorithm 1; the Lovász-Softmax loss.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    hit = _by_class(y >= 0.5)
    values = _extension(_by_class(ops.abs(y - p)), hit)
    counts = ops.ones_like(values)
    if classes == "present":
        counts = ops.cast(ops.any(hit, axis=-1), values.dtype)
    return divide(ops.sum(counts * values, axis=-1), ops.sum(counts, axis=-1))


def lovasz_hinge(y_true, y_pred):
    """Intersection over union of masks, from logits, by a Lovász extension.

    `sum(relu(e) * g)`: `e = 1 - (2 * y - 1) * y_pred` are the margins of one image's positions in
    falling order, and `g` is what each position adds to `1 - intersection / union` if it joins
    those before it as wrong. Then the mean over the channels. An image without the object costs
    its largest margin.

    Args:
        y_true: 0 or 1, shape `(batch, ..., channels)`. A soft label counts as 1 from 0.5 on.
        y_pred: Logits, same shape.

    Returns:
        A margin of at least 0 per image, shape `(batch,)`; it has no upper end.

    Source:
        Berman et al., 2018, arXiv:1705.08790, algorithm 1; the Lovász hinge.
    """
    x = _by_class(at_least_float32(y_pred))
    hit = _by_class(ops.cast(y_true, x.dtype) >= 0.5)
    return ops.mean(_extension(ops.relu(1 - ops.where(hit, x, -x)), hit), axis=-1)


def _by_class(values):
    """Return values as `(batch, classes, positions)`."""
    shape = ops.shape(values)
    flat = ops.reshape(values, (shape[0], math.prod(shape[1:-1]), shape[-1]))
    return ops.transpose(flat, (0, 2, 1))


def _extension(errors, hit):
    """Return the Lovász extension of the Jaccard loss, over the last axis.

    Labels get no gradient.
    """
    shape = ops.shape(errors)
    rows, count = shape[0] * shape[1], shape[2]

    def total(hit, errors):
        highest, order = _sorted(errors, count)
        starts = ops.reshape(count * ops.arange(rows, dtype="int32"), (*shape[:2], 1))
        places = ops.reshape(ops.cast(order, "int32") + starts, (-1,))
        there = ops.reshape(ops.take(ops.reshape(hit, (-1,)), places), shape)
        steps = _steps(there, errors.dtype)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            # Each place occurs once, so that the sum puts a step there. On torch, Keras' scatter
            # takes the steps one by one.
            weights = ops.segment_sum(ops.reshape(steps, (-1,)), places, rows * count)
            return None, ops.expand_dims(upstream, -1) * ops.reshape(weights, shape)

        return ops.sum(highest * steps, axis=-1), gradient

    return ops.custom_gradient(total)(hit, errors)


def _sorted(errors, count):
    """Return the errors of each class from the highest, and their places."""
    classes = errors.shape[1]
    if classes is None:
        return ops.top_k(errors, count)
    # XLA runs the sorts of the classes side by side, and sorts of values with their places are
    # its fastest.
    pairs = [ops.top_k(errors[:, index], count) for index in range(classes)]
    return tuple(ops.stack(parts, axis=1) for parts in zip(*pairs, strict=True))


def _steps(there, dtype: str):
    """Return what each position of the last axis adds to the Jaccard loss.

    The differences of algorithm 1 as quotients: in float32 a difference would lose its digits.
    """
    found = ops.cumsum(ops.cast(there, dtype), axis=-1)
    size = found[..., -1:]
    union = size + ops.arange(1, ops.shape(there)[-1] + 1, dtype=dtype) - found
    # One that isn't of the class takes `size - found` from `1 / (union - 1)` to `1 / union`. Where
    # none is of the class, the first one makes the union, and the loss is 1 from there on.
    before = ops.maximum(union - 1, 1.0)
    first = ops.logical_or(there, ops.equal(union, 1.0))
    return ops.where(first, before, size - found) / (union * before)
