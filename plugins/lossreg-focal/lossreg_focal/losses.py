"""Focal losses: cross-entropy in which easy samples count less than hard ones."""

from typing import Annotated

from annotated_types import Ge, Le

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, clip, leave_out, logits_of, total

from .formula import binary, categorical, cross_entropy, focused, power


def focal(
    y_true,
    y_pred,
    *,
    gamma: Annotated[float, Ge(0)] = 2.0,
    alpha: Annotated[float, Ge(0), Le(1)] | None = 0.75,
    from_logits: bool = False,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
):
    """Focal loss for yes-or-no labels, one or several, most of them easy ones.

    `mean(alpha_t * (1 - p_t)**gamma * -log(p_t))` over the last axis, where `p_t` is the
    probability given to the label that is right, and `alpha_t` is `alpha` for label 1 and
    `1 - alpha` for label 0. For soft labels `-log(p_t)` is the binary cross-entropy,
    `p_t = y * p + (1 - y) * (1 - p)` and `alpha_t = y * alpha + (1 - y) * (1 - alpha)`.

    On logits, value and gradient are exact at any size; an infinite one counts as 1e30 or -1e30.
    Probabilities are clipped to [1e-7, 1 - 1e-7], unless they come straight from a sigmoid on
    TensorFlow, where Keras keeps the logits. Labels get no gradient, and forward-mode
    differentiation isn't offered.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        gamma: How much easy samples are played down; 0 gives plain cross-entropy.
        alpha: Weight of label 1; label 0 has `1 - alpha`. None weighs both with 1.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.
        label_smoothing: How far labels move towards 1/2: 0.1 turns 0 and 1 into 0.05 and 0.95.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        Lin et al., 2017, arXiv:1708.02002, equation 5.
    """
    x = logits_of(y_pred, "sigmoid", from_logits=from_logits)
    if x is None:
        p = clip(at_least_float32(y_pred))
        x = ops.log(p) - ops.log1p(-p)
    return binary(ops.cast(y_true, x.dtype), x, gamma, alpha, label_smoothing)


def categorical_focal(
    y_true,
    y_pred,
    *,
    gamma: Annotated[float, Ge(0)] = 2.0,
    alpha: Annotated[float, Ge(0)] | tuple[Annotated[float, Ge(0)], ...] | None = None,
    from_logits: bool = False,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
    axis: int = -1,
):
    """Focal loss for one class of several: one-hot labels, or a distribution.

    `sum(y * alpha * (1 - p)**gamma * -log(p))` over the classes, where `p` is the softmax of
    the logits, or the probabilities divided by their sum, and `y` the label of each class.

    On logits nothing is clipped, so the worst mistakes have the largest gradient. A logit of minus
    infinity rules its class out, and costs 1e30 where that is the right class. Probabilities
    are clipped to [1e-7, 1 - 1e-7], unless they come straight from a softmax over the last axis
    on TensorFlow, where Keras keeps the logits. Labels get no gradient, and forward-mode
    differentiation isn't offered.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        gamma: How much easy samples are played down; 0 gives plain cross-entropy.
        alpha: One weight for all classes, or one weight for each. None weighs all with 1.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        label_smoothing: Share of each label that is spread over all classes.
        axis: Axis of the classes.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred`
        without `axis`.

    Source:
        Lin et al., 2017, arXiv:1708.02002, equation 5, for each class of a softmax.
    """
    x = logits_of(y_pred, "softmax", axis=axis, from_logits=from_logits)
    pred = ops.moveaxis(at_least_float32(y_pred) if x is None else x, axis, -1)
    y = ops.moveaxis(ops.cast(y_true, pred.dtype), axis, -1)
    if label_smoothing:
        y = y * (1 - label_smoothing) + label_smoothing / ops.cast(ops.shape(pred)[-1], pred.dtype)
    if alpha is not None:
        y = y * _weights("categorical_focal", alpha, pred)
    if x is not None:
        return categorical(y, pred, gamma)
    p = clip(pred / total(pred))
    return -ops.sum(y * power(1 - p, gamma) * ops.log(p), axis=-1)


def sparse_focal(
    y_true,
    y_pred,
    *,
    gamma: Annotated[float, Ge(0)] = 2.0,
    alpha: Annotated[float, Ge(0)] | tuple[Annotated[float, Ge(0)], ...] | None = None,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
):
    """Focal loss for one class of several, where labels are class numbers.

    `alpha_t * (1 - p_t)**gamma * -log(p_t)`, where `p_t` is the probability of the true class
    in the softmax of the logits, or among the probabilities divided by their sum.

    On logits nothing is clipped, so the worst mistakes have the largest gradient. A logit of minus
    infinity rules its class out, and costs 1e30 where that is the right class. Probabilities
    are clipped to [1e-7, 1 - 1e-7], unless they come straight from a softmax over the last axis
    on TensorFlow, where Keras keeps the logits. A class that `y_pred` lacks gives NaN where it
    can't be refused, in a compiled step. Forward-mode differentiation isn't offered.

    Args:
        y_true: Class numbers from 0, shape `(batch, ...)`: that of `y_pred` without `axis`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, shape `(batch, ...)` with
            the classes on `axis`.
        gamma: How much easy samples are played down; 0 gives plain cross-entropy.
        alpha: One weight for all classes, or one weight for each. None weighs all with 1.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        ignore_class: A label, such as -1 or 255, whose samples count neither in the sum nor
            in the mean.
        axis: Axis of the classes in `y_pred`.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`: that of `y_true`.

    Source:
        Lin et al., 2017, arXiv:1708.02002, equation 5, for the true class of a softmax.
    """
    x = logits_of(y_pred, "softmax", axis=axis, from_logits=from_logits)
    pred = ops.moveaxis(at_least_float32(y_pred) if x is None else x, axis, -1)
    labels = ops.cast(y_true, "int32")
    counts = None if ignore_class is None else ops.not_equal(labels, ignore_class)
    if counts is not None:
        # Before the formula: a gradient of 0 times NaN is NaN.
        labels = ops.where(counts, labels, 0)
        pred = ops.where(ops.expand_dims(counts, -1), pred, 1.0)
    if x is not None:
        nats = cross_entropy(labels, pred)
    else:
        p = ops.take_along_axis(pred, ops.expand_dims(labels, -1), axis=-1)
        nats = -ops.squeeze(ops.log(clip(p / total(pred))), -1)
    # Without this a label of -1 would silently mean the last class.
    there = ops.logical_and(labels >= 0, labels < ops.shape(pred)[-1])
    values = focused(ops.where(there, nats, float("nan")), gamma)
    if alpha is not None:
        weights = _weights("sparse_focal", alpha, pred)
        values = values * (ops.take(weights, labels) if isinstance(alpha, tuple) else weights)
    if counts is None:
        return values
    values = ops.where(counts, values, 0.0)
    leave_out(values, counts)
    return values


def _weights(name, alpha, like):
    """Return one weight, or a tensor with one for each class on the last axis of `like`."""
    if not isinstance(alpha, tuple):
        return alpha
    classes = like.shape[-1]
    # In a graph the number of classes may be unknown.
    if classes not in (None, len(alpha)):
        raise ParameterError(
            f"Loss {name!r}: alpha must be one weight, or {classes} weights, one for each class "
            f"of y_pred, got {len(alpha)}: {alpha!r}."
        )
    return ops.convert_to_tensor(alpha, dtype=like.dtype)
