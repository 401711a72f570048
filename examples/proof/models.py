"""What a config can't say: the metrics of several heads, and the network with CORAL's own layer."""

import statistics
from typing import Any

import numpy as np

TAUS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles that the models give."""

Array = np.ndarray[Any, Any]


def quantiles(y_pred: Array) -> Array:
    """Return the quantiles that predictions stand for, one in each column.

    Args:
        y_pred: The quantiles; or a mean and what `gaussian_nll` makes a deviation of.
    """
    if y_pred.shape[1] == len(TAUS):
        return y_pred.astype(float)
    mean, output = y_pred[:, :1].astype(float), y_pred[:, 1:].astype(float)
    deviation = np.logaddexp(0, output) + 1e-6
    return mean + deviation * [statistics.NormalDist().inv_cdf(tau) for tau in TAUS]


def coverage_error(y_true: Array, y_pred: Array) -> float:
    """Return how far the share of labels below a quantile is from it, the mean of the quantiles."""
    covered = (y_true.reshape(-1, 1) <= quantiles(y_pred)).mean(axis=0)
    return float(np.abs(covered - TAUS).mean())


def quantile_error(y_true: Array, y_pred: Array) -> float:
    """Return the pinball loss of the quantiles, the mean of them."""
    above = y_true.reshape(-1, 1) - quantiles(y_pred)
    return float(np.maximum(np.multiply(TAUS, above), np.subtract(TAUS, 1) * above).mean())


def grades_off(y_true: Array, y_pred: Array) -> float:
    """Return how many grades the predicted one is off, the mean.

    Args:
        y_true: The grades.
        y_pred: A logit for each of six grades; or CORAL's logits of being above the first five.
    """
    grade = y_pred.argmax(axis=1) if y_pred.shape[1] == 6 else (y_pred > 0).sum(axis=1)
    return float(np.abs(grade - y_true.reshape(-1)).mean())


def coral_network() -> Any:
    """Return the network of `grades.yaml` with CORAL's layer in place of its last."""
    import keras

    from lossreg_ordinal.heads import Coral

    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            Coral(6),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005))
    return model
