"""Losses that ask for a quantile or an expectile, one or several at once.

Where an error of one sign costs more than one of the other, the best prediction lies off the
centre of what can happen.
"""

from typing import Annotated

from annotated_types import Ge, Gt, Le

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32

from .errors import absolute


def pinball(
    y_true,
    y_pred,
    *,
    tau: Annotated[float, Ge(0), Le(1)] | tuple[Annotated[float, Ge(0), Le(1)], ...] = 0.5,
    crossing_penalty: Annotated[float, Ge(0)] = 0.0,
):
    """Quantile regression: what labels stay below in a share `tau` of cases.

    The mean over the last axis of `tau * e` where `e >= 0`, and of `(tau - 1) * e` elsewhere, with
    `e = y_true - y_pred`. Each output has its own `tau`, or all have the same. `tau=0.5` asks for
    the median and is half the absolute error. Outputs for several quantiles may cross: each is
    right by itself, and the 0.9 quantile may still come out below the 0.5 quantile.
    `crossing_penalty` times the sum of `max(0, lower - higher)` over neighbouring quantiles is
    added.

    Args:
        y_true: Any finite numbers, shape `(batch, ...)` or `(batch, ..., 1)`: one label for all
            quantiles.
        y_pred: The quantiles, shape `(batch, ..., quantiles)`.
        tau: Share of labels below the prediction; a list has one for each output, in any order.
        crossing_penalty: Price of a unit by which neighbouring quantiles are in the wrong order.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Koenker and Bassett, 1978, Regression Quantiles, section 3.
    """
    e, weights = _weigh("pinball", y_true, y_pred, tau)
    values = ops.mean(weights * absolute(e), axis=-1)
    if crossing_penalty and isinstance(tau, tuple | list):
        ascending = sorted(range(len(tau)), key=tau.__getitem__)
        quantiles = ops.take(at_least_float32(y_pred), ascending, axis=-1)
        crossing = ops.relu(quantiles[..., :-1] - quantiles[..., 1:])
        values = values + crossing_penalty * ops.sum(crossing, axis=-1)
    return values


def quantile_huber(
    y_true,
    y_pred,
    *,
    tau: Annotated[float, Ge(0), Le(1)] | tuple[Annotated[float, Ge(0), Le(1)], ...] = 0.5,
    kappa: Annotated[float, Gt(0)] = 1.0,
):
    """Quantile regression with a smooth bend at 0, as in distributional Q-learning.

    The mean over the last axis of `w * e**2 / (2 * kappa)` where `|e| <= kappa`, and of
    `w * (|e| - kappa / 2)` elsewhere, with `e = y_true - y_pred` and `w` equal to `tau` where
    `e >= 0` and to `1 - tau` elsewhere. It is `pinball` for `kappa` near 0; for a large `kappa` it
    asks for the expectile.

    Args:
        y_true: Any finite numbers, shape `(batch, ...)` or `(batch, ..., 1)`: one label for all
            quantiles.
        y_pred: The quantiles, shape `(batch, ..., quantiles)`.
        tau: Share of labels below the prediction; a list has one for each output.
        kappa: Error from which the loss grows linearly, in the unit of the labels.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Dabney et al., 2018, arXiv:1710.10044, equations 9 and 10, divided by `kappa` as in Dabney
        et al., 2018, arXiv:1806.06923.
    """
    e, weights = _weigh("quantile_huber", y_true, y_pred, tau)
    size = absolute(e)
    bent = ops.minimum(size, kappa)
    return ops.mean(weights * (bent / kappa) * (size - bent / 2), axis=-1)


def expectile(
    y_true,
    y_pred,
    *,
    tau: Annotated[float, Ge(0), Le(1)] | tuple[Annotated[float, Ge(0), Le(1)], ...] = 0.5,
):
    """Squared error in which too low costs `tau` and too high costs `1 - tau`.

    `mean(|tau - 1[e < 0]| * e**2)` over the last axis, with `e = y_true - y_pred`. An expectile is
    to the mean what a quantile is to the median: it minds how far away labels are, not only how
    many. `tau=0.5` asks for the mean and is half the squared error.

    Args:
        y_true: Any finite numbers, shape `(batch, ...)` or `(batch, ..., 1)`: one label for all
            expectiles.
        y_pred: The expectiles, shape `(batch, ..., expectiles)`.
        tau: Weight of labels above the prediction; a list has one for each output.

    Returns:
        Squared units of the labels per sample, shape `(batch, ...)`.

    Source:
        Newey and Powell, 1987, Asymmetric Least Squares Estimation and Testing, section 2.
    """
    e, weights = _weigh("expectile", y_true, y_pred, tau)
    return ops.mean(weights * ops.square(e), axis=-1)


def _weigh(loss: str, y_true, y_pred, tau):
    """Return the errors and their weights, `tau` for a prediction that is too low."""
    y_pred = at_least_float32(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    outputs = y_pred.shape[-1]
    if isinstance(tau, tuple | list):
        if outputs is not None and len(tau) != outputs:
            raise ParameterError(
                f"Loss {loss!r}: 'tau' has {len(tau)} numbers, and the predictions have {outputs} "
                "outputs. Give one for each output."
            )
        tau = ops.convert_to_tensor(tau, dtype=y_pred.dtype)
    if len(y_true.shape) < len(y_pred.shape):
        y_true = ops.expand_dims(y_true, -1)
    e = y_true - y_pred
    return e, ops.where(e < 0, 1 - tau, tau * ops.ones_like(e))
