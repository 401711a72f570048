"""The continuous ranked probability score: the absolute error of a whole distribution.

It has the unit of the labels, and an outlier costs its distance, where a likelihood may take its
square.
"""

import math

from lossreg.lazy import ops

from .errors import absolute
from .parameters import positive, read, read_repeated


def crps_gaussian(y_true, y_pred):
    """Ranked probability score of a normal distribution, in the labels' unit.

    `mean(sigma * (z * (2 * Phi(z) - 1) + 2 * phi(z) - 1 / sqrt(pi)))` over the last axis, with
    `z = (y - mu) / sigma`, the standard normal density `phi` and its integral `Phi`, and
    `sigma = softplus(output) + 1e-6`. For `sigma` near 0 it is the absolute error. Takes what
    `gaussian_nll` takes, and is more lenient with outliers.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 2 * targets)`: all `mu`, then all outputs of
            `sigma`.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Gneiting et al., 2005, Calibrated Probabilistic Forecasting Using Ensemble Model Output
        Statistics and Minimum CRPS Estimation, equation 5.
    """
    y, (mu, output) = read("crps_gaussian", y_true, y_pred, 2)
    sigma = positive(output)
    e = y - mu
    z = e / sigma
    density = ops.exp(-ops.square(z) / 2) / math.sqrt(2 * math.pi)
    # e in place of sigma * z: the gradient of sigma is a difference otherwise.
    values = e * ops.erf(z / math.sqrt(2)) + sigma * (2 * density - 1 / math.sqrt(math.pi))
    return ops.mean(values, axis=-1)


def crps_ensemble(y_true, y_pred, *, fair: bool = False):
    """Ranked probability score of an ensemble: samples in place of a formula.

    `mean_i(|x_i - y|) - sum_ij(|x_i - x_j|) / (2 * m**2)` for the `m` members `x` of each target,
    and the mean over the targets. With `fair` the divisor is `2 * m * (m - 1)`, which is right for
    an infinite ensemble of which the members are a sample; one member alone has the absolute error
    either way. The double sum is taken from the sorted members, so its cost grows as `m * log(m)`.
    Members that are equal share the gradient of their ranks in any order.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., members * targets)`: the first member of
            each target, then the second, and so on.
        fair: Whether the members are a sample of the distribution, and not all of it.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`. With `fair` it may be below 0.

    Source:
        Gneiting and Raftery, 2007, Strictly Proper Scoring Rules, Prediction, and Estimation,
        equation 21; Ferro, 2014, Fair Scores for Ensemble Forecasts.
    """
    y, (x,) = read_repeated("crps_ensemble", y_true, y_pred, 1)
    # Of errors rather than of members, so that a large mean costs no digits.
    e = ops.sort(x - y, axis=-1)
    m = e.shape[-1] or ops.shape(e)[-1]
    # How many members are below, less how many are above.
    rank = ops.cast(2 * ops.arange(m) - (m - 1), e.dtype)
    pairs = m * ops.maximum(m - 1, 1) if fair else m * m
    spread = ops.sum(e * (rank / ops.cast(pairs, e.dtype)), axis=-1)
    return ops.mean(ops.mean(absolute(e), axis=-1) - spread, axis=-1)
