"""The error of a prediction, and its size: what every loss of a difference starts from."""

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32


def error(y_true, y_pred):
    """Return `y_true - y_pred` in float32 or wider."""
    y_pred = at_least_float32(y_pred)
    return ops.cast(y_true, y_pred.dtype) - y_pred


def absolute(e):
    """Return `|e|`, with gradient 0 where `e` is 0; that of `ops.abs` is 1 on JAX."""
    return e * ops.sign(e)
