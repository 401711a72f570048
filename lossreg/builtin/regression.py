"""Keras' losses for numbers: measurements, amounts and counts."""

from typing import Annotated

from annotated_types import Gt

from lossreg.lazy import keras
from lossreg.numerics import at_least_float32


def mean_squared_error(y_true, y_pred):
    """Squared error for regression: the usual choice; big errors count most.

    `mean((y_true - y_pred)**2)` over the last axis. Its best constant prediction is the
    labels' mean, so a few outliers can dominate it; `huber` and `log_cosh` resist them.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.

    Returns:
        Squared units of the labels per sample, shape `(batch, ...)`.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, section 1.5.5.
    """
    return keras.losses.mean_squared_error(y_true, at_least_float32(y_pred))


def mean_absolute_error(y_true, y_pred):
    """Absolute error for regression: robust to outliers, in the labels' own unit.

    `mean(|y_true - y_pred|)` over the last axis. Its best constant prediction is the labels'
    median. The gradient has the same size for every error and is 0 for an error of exactly 0.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd edition, 2009,
        section 10.6.
    """
    return keras.losses.mean_absolute_error(y_true, at_least_float32(y_pred))


def mean_absolute_percentage_error(y_true, y_pred):
    """Relative error in percent for regression, when labels are far from zero.

    `100 * mean(|y_true - y_pred| / |y_true|)` over the last axis. Keras divides by at least
    1e-7, so a label of 0 isn't an error: missing it by 1 costs 1e9 percent, and one such label
    drowns the batch. Predictions that are too low cost at most 100 percent of a positive label,
    too high ones any amount, so a trained model tends to predict too low.

    Args:
        y_true: Numbers away from zero, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.

    Returns:
        Percent per sample, shape `(batch, ...)`.

    Source:
        Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd edition, 2021,
        section 5.8.
    """
    return keras.losses.mean_absolute_percentage_error(y_true, at_least_float32(y_pred))


def mean_squared_logarithmic_error(y_true, y_pred):
    """Squared error of logarithms for regression, when amounts differ in scale.

    `mean((log(1 + y_true) - log(1 + y_pred))**2)` over the last axis: an error of a factor costs
    about the same for small and large labels. Keras raises both sides to at least 1e-7 first, so
    a negative prediction counts as 0 and has no gradient: let the last layer return positive
    numbers, with `softplus` or `exponential`.

    Args:
        y_true: Numbers >= 0, shape `(batch, ..., outputs)`.
        y_pred: Numbers > 0, same shape.

    Returns:
        Squared nats per sample, shape `(batch, ...)`.

    Source:
        Keras, `keras.losses.MeanSquaredLogarithmicError`; scikit-learn's user guide, section
        "Mean squared logarithmic error", has the same formula.
    """
    return keras.losses.mean_squared_logarithmic_error(y_true, at_least_float32(y_pred))


def huber(y_true, y_pred, *, delta: Annotated[float, Gt(0)] = 1.0):
    """Squared for small errors, absolute for large: for regression with outliers.

    The mean over the last axis of `e**2 / 2` where `|e| <= delta`, and of
    `delta * (|e| - delta / 2)` elsewhere, with `e = y_true - y_pred`. `delta` has the unit of the
    labels: with labels in the thousands, the default is in effect the absolute error.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        delta: Error from which the loss grows linearly.

    Returns:
        Squared units of the labels per sample, shape `(batch, ...)`.

    Source:
        Huber, Robust Estimation of a Location Parameter, 1964; Hastie, Tibshirani and Friedman,
        The Elements of Statistical Learning, 2nd edition, 2009, section 10.6, has twice this
        value.
    """
    return keras.losses.huber(y_true, at_least_float32(y_pred), delta=delta)


def log_cosh(y_true, y_pred):
    """Smooth relative of Huber for regression with outliers, nothing to tune.

    `mean(log(cosh(y_pred - y_true)))` over the last axis: about `e**2 / 2` for a small error `e`
    and `|e| - log(2)` for a large one. The change happens at errors of about 1, so scale the
    labels, or take `huber` and its `delta`.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.

    Returns:
        Units of the labels for large errors, their square for small ones, per sample,
        shape `(batch, ...)`.

    Source:
        Saleh and Saleh, 2022, arXiv:2208.04564.
    """
    return keras.losses.log_cosh(y_true, at_least_float32(y_pred))


def poisson(y_true, y_pred):
    """Poisson likelihood for counts: how many events, given a positive rate.

    `mean(y_pred - y_true * log(y_pred + 1e-7))` over the last axis: the negative log-likelihood
    without the term `log(y_true!)`, which no model can change. So the value may be negative, and
    a perfect prediction doesn't give 0. `y_pred` is the rate, not its logarithm; a negative rate
    gives NaN, so let the last layer be `softplus` or `exponential`.

    Args:
        y_true: Counts 0, 1, 2, ..., shape `(batch, ..., outputs)`.
        y_pred: Rates > 0, same shape.

    Returns:
        Nats per sample, up to a constant, shape `(batch, ...)`.

    Source:
        McCullagh and Nelder, Generalized Linear Models, 2nd edition, 1989, chapter 6.
    """
    return keras.losses.poisson(y_true, at_least_float32(y_pred))
