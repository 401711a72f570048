"""What the outputs of a model mean as parameters of a distribution.

The convention of the whole package: a parameter that must be above 0 is `softplus(output) + 1e-6`.
Softplus grows linearly, where an exponential turns an output of 100 into 1e43; and the floor keeps
a distribution from collapsing onto a label.
"""

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32

# What predictions that must be above 0 are at least; Keras' own epsilon.
_LOWEST = 1e-7
# What a scale is at least. Its inverse to the fourth power is still a float32 number.
_FLOOR = 1e-6


def read(loss: str, y_true, y_pred, count: int):
    """Return the labels and a list of `count` parts of the outputs, each in the labels' shape."""
    y_pred = at_least_float32(y_pred)
    y_true = with_targets(y_true, y_pred)
    targets, outputs = y_true.shape[-1], y_pred.shape[-1]
    if None not in (targets, outputs) and outputs != targets * count:
        raise ParameterError(
            f"Loss {loss!r}: {targets} labels need {count} outputs each, {targets * count} in all, "
            f"and the model has {outputs}. Let its last layer have {targets * count} units."
        )
    return y_true, ops.split(y_pred, count, axis=-1)


def read_repeated(loss: str, y_true, y_pred, count: int):
    """Return the labels and `count` parts of the outputs, each with any number of repetitions.

    Args:
        loss: Name of the loss, for the error.
        y_true: Labels, shape `(..., targets)`.
        y_pred: Outputs, shape `(..., count * repetitions * targets)`.
        count: Number of parts.

    Returns:
        The labels, shape `(..., targets, 1)`, and a list of parts, each of the shape
        `(..., targets, repetitions)`.
    """
    y_pred = at_least_float32(y_pred)
    y_true = with_targets(y_true, y_pred)
    targets, outputs = y_true.shape[-1], y_pred.shape[-1]
    if None not in (targets, outputs) and (not outputs or outputs % (targets * count)):
        raise ParameterError(
            f"Loss {loss!r}: the number of outputs must be a multiple of {targets * count}, "
            f"and the model has {outputs}. Change the number of units of its last layer."
        )
    shape = (*ops.shape(y_true)[:-1], -1, ops.shape(y_true)[-1])
    parts = [
        ops.swapaxes(ops.reshape(part, shape), -1, -2) for part in ops.split(y_pred, count, axis=-1)
    ]
    return ops.expand_dims(y_true, -1), parts


def with_targets(y_true, y_pred):
    """Return labels in the dtype of the outputs, with an axis for the targets."""
    y_true = ops.cast(y_true, y_pred.dtype)
    return y_true if len(y_true.shape) == len(y_pred.shape) else ops.expand_dims(y_true, -1)


def positive(output):
    """Return the parameter above 0 that an output stands for."""
    return ops.softplus(output) + _FLOOR


def above_zero(y_pred):
    """Return predictions of at least 1e-7; one below it has the gradient of 1e-7."""
    y_pred = at_least_float32(y_pred)
    return ops.maximum(ops.stop_gradient(y_pred), _LOWEST) + (y_pred - ops.stop_gradient(y_pred))
