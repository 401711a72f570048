"""Likelihoods and deviances of amounts and counts.

The likelihoods predict a distribution (`parameters.py` says how outputs become parameters); the
deviances predict the mean, as Keras' `poisson` does.
"""

import math
from typing import Annotated

from annotated_types import Ge, Le

from lossreg.lazy import ops

from .divergence import divergence, log_ratio
from .log_gamma import stirling_error
from .parameters import above_zero, positive, read

# What the ratio of label and mean to the power 1 - p is at most, as an exponent of e: beyond 88
# float32 overflows.
_LOWEST_EXPONENT = -80.0


def gamma_deviance(y_true, y_pred):
    """Relative error of amounts whose spread grows with their size.

    `mean(2 * (log(mu / y) + y / mu - 1))` over the last axis, with the prediction `mu`: twice the
    negative log-likelihood of a gamma distribution of shape 1, less that of a perfect prediction. A
    change of the labels' unit changes nothing. It is `tweedie_deviance(power=2)`.

    Args:
        y_true: Numbers > 0, shape `(batch, ..., outputs)`. A label of 0 counts as `1.8e-35 * mu`.
        y_pred: Means > 0, same shape. A mean below 1e-7 counts as 1e-7.

    Returns:
        A number >= 0 without unit per sample, shape `(batch, ...)`.

    Source:
        McCullagh and Nelder, Generalized Linear Models, 2nd edition, 1989, section 2.3.3.
    """
    return tweedie_deviance(y_true, y_pred, power=2.0)


def tweedie_deviance(y_true, y_pred, *, power: Annotated[float, Ge(0), Le(3)] = 1.5):
    """Deviance of amounts that may be 0, such as rain or claims, by its power.

    `mean(2 * (y**(2 - p) / ((1 - p) * (2 - p)) - y * mu**(1 - p) / (1 - p) + mu**(2 - p) / (2 -
    p)))` over the last axis, with the prediction `mu` and `p = power`; the spread of the labels
    grows as `mu**power`. 0 is the squared error, 1 the deviance of Poisson's distribution, 2 that
    of the gamma distribution, 3 that of the inverse Gaussian; between 1 and 2 labels may be exactly
    0. All of these and what lies beside them are exact. Between 0 and 1 there is no such
    distribution, and the best prediction is still the mean. The gradient is `2 * (mu - y) / mu**p`;
    labels get none.

    Args:
        y_true: Numbers >= 0, and > 0 from `power=2` on, shape `(batch, ..., outputs)`. From there
            on a label of 0 counts as `1.8e-35 * mu`.
        y_pred: Means > 0, same shape. A mean below 1e-7 counts as 1e-7.
        power: How the variance grows with the mean.

    Returns:
        The labels' unit to the power `2 - power`, per sample, shape `(batch, ...)`. A prediction
        that is right costs exactly 0.

    Source:
        Jørgensen, The Theory of Dispersion Models, 1997, chapter 4; scikit-learn's user guide,
        "Mean Poisson, Gamma, and Tweedie deviances".
    """
    mu = above_zero(y_pred)

    def deviance(y, mu):
        h = log_ratio((y - mu) / mu, ops.log(ops.maximum(y, 0.0)), ops.log(mu))
        if power > 1:
            h = ops.maximum(h, _LOWEST_EXPONENT / (power - 1))
        unit = divergence(h, power)
        if power < 2:
            unit = ops.where(y <= 0, 1 / (2 - power), unit)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return None, upstream * 2 * (mu - y) / ops.power(mu, power)

        return 2 * ops.power(mu, 2 - power) * unit, gradient

    return ops.mean(ops.custom_gradient(deviance)(ops.cast(y_true, mu.dtype), mu), axis=-1)


def negative_binomial_nll(y_true, y_pred):
    """Counts that vary more than Poisson's: a mean and a dispersion for each.

    `mean(-log(gamma(y + r) / (gamma(r) * gamma(y + 1)) * (r / (r + mu))**r * (mu / (r + mu))**y))`
    over the last axis, with `r = 1 / alpha`, `mu = softplus(output) + 1e-6`, and `alpha` likewise.
    The variance is `mu + alpha * mu**2`; for `alpha` near 0 it is Poisson's likelihood, to every
    digit.

    Args:
        y_true: Counts 0, 1, 2, ..., shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 2 * targets)`: all outputs of `mu`, then all
            outputs of `alpha`.

    Returns:
        Nats per sample, shape `(batch, ...)`.

    Source:
        Cameron and Trivedi, Regression Analysis of Count Data, 1998, section 3.3 (NB2); computed as
        in Loader, 2000, Fast and Accurate Computation of Binomial Probabilities.
    """
    y, outputs = read("negative_binomial_nll", y_true, y_pred, 2)
    mu, alpha = map(positive, outputs)
    some = y > 0
    n = ops.where(some, y, 1.0)
    r = 1 / alpha
    # Loader's terms: how far r and n are from what mu expects of r + n, and Stirling's errors.
    seen, meant = ops.log1p(alpha * n), ops.log1p(alpha * mu)
    h = log_ratio((mu - n) * alpha / (1 + alpha * n), meant, seen)
    of_r = r * ops.exp(-h) * divergence(h, power=1)
    off = (n - mu) / mu / (1 + alpha * n)
    h = log_ratio(off, ops.log(n), ops.log(mu) + seen - meant)
    of_n = n * ops.exp(-h) * divergence(h, power=1)
    errors = stirling_error(r) + stirling_error(n) - stirling_error(r + n)
    root = (math.log(2 * math.pi) + ops.log(n) + seen) / 2
    nats = ops.where(some, of_r + of_n + errors + root, r * meant)
    return ops.mean(nats, axis=-1)


def zero_inflated_poisson(y_true, y_pred):
    """Counts with too many zeros: a rate, and a share that is zero anyway.

    The mean over the last axis of `-log(p + (1 - p) * exp(-mu))` where `y = 0`, and of
    `-log(1 - p) + mu - y * log(mu) + log(y!)` elsewhere, with `mu = softplus(output) + 1e-6` and
    `p = sigmoid(output)`.

    Args:
        y_true: Counts 0, 1, 2, ..., shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 2 * targets)`: all outputs of `mu`, the rate
            of what isn't zero anyway, then all logits of `p`.

    Returns:
        Nats per sample, shape `(batch, ...)`.

    Source:
        Lambert, 1992, Zero-Inflated Poisson Regression, section 2.
    """
    y, (output, logit) = read("zero_inflated_poisson", y_true, y_pred, 2)
    mu = positive(output)
    some = y > 0
    n = ops.where(some, y, 1.0)
    h = log_ratio((n - mu) / mu, ops.log(n), ops.log(mu))
    poisson = mu * divergence(h, power=1) + stirling_error(n) + ops.log(2 * math.pi * n) / 2
    none = -ops.logaddexp(ops.log_sigmoid(logit), ops.log_sigmoid(-logit) - mu)
    return ops.mean(ops.where(some, ops.softplus(logit) + poisson, none), axis=-1)
