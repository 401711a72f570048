"""Losses of proportions: being off by a factor costs the same at any size."""

from typing import Annotated

from annotated_types import Ge, Le

from lossreg import numerics
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, masked_mean

from .errors import absolute
from .parameters import above_zero

# What smape divides by at least: its gradient has 200 divided by the square, a float32 number.
_LEAST_SIZE = 1e-16


def scale_invariant_log(
    y_true,
    y_pred,
    *,
    variance_focus: Annotated[float, Ge(0), Le(1)] = 0.5,
    root: bool = False,
):
    """Squared error of logarithms that forgives a common factor: for depth maps.

    `mean(d**2) - variance_focus * mean(d)**2` over all places of a sample, with
    `d = log(y_pred) - log(y_true)`; with `root` its square root. At `variance_focus=1` a
    sample whose predictions are all off by one factor costs nothing. Places whose label is 0 or
    below have no measurement and don't count; a sample without any costs 0.

    Args:
        y_true: Numbers > 0, or 0 where nothing was measured, shape `(batch, ..., places)`.
        y_pred: Numbers > 0, same shape. A prediction below 1e-7 counts as 1e-7.
        variance_focus: Share of the common factor that is forgiven, the paper's lambda.
        root: Whether to take the square root; at a perfect prediction it has no gradient.

    Returns:
        Squared nats, or nats with `root`, per sample, shape `(batch,)`.

    Source:
        Eigen et al., 2014, arXiv:1406.2283, equation 4; with `root`, Lee et al., 2019,
        arXiv:1907.10326, which has 10 times this value with a focus of 0.85.
    """
    pred = above_zero(y_pred)
    y = ops.cast(y_true, pred.dtype)
    places = tuple(range(1, len(pred.shape)))
    measured = y > 0
    d = ops.log(pred) - ops.log(ops.where(measured, y, 1.0))
    mean = masked_mean(d, measured, axis=places)
    off = d - ops.reshape(mean, (-1, *[1] * len(places)))
    # mean(d**2) is the variance and mean**2; at a focus of 1 a difference of the two would cancel.
    variance = masked_mean(ops.square(off), measured, axis=places)
    values = variance + (1 - variance_focus) * ops.square(mean)
    return numerics.root(values) if root else values


def smape(y_true, y_pred):
    """Symmetric relative error in percent, for forecasts of series of all sizes.

    `100 * mean(2 * |y_true - y_pred| / (|y_true| + |y_pred|))` over the last axis, and 0 where both
    are 0. Each entry costs at most 200 percent, and a label of 0 costs that, however small the
    prediction. Numbers whose sum is far below 1e-16 count as right.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.

    Returns:
        Percent in [0, 200] per sample, shape `(batch, ...)`.

    Source:
        Makridakis and Hibon, 2000, The M3-Competition, appendix A.
    """
    y_pred = at_least_float32(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    size = ops.maximum(absolute(y_true) + absolute(y_pred), _LEAST_SIZE)
    return 200 * ops.mean(absolute(y_true - y_pred) / size, axis=-1)
