"""Negative log-likelihoods of real labels: the model predicts a whole distribution.

`parameters.py` says how outputs become parameters. All values are full likelihoods, constants
included, so that they can be compared from one distribution to another.
"""

import math
from typing import Annotated

from annotated_types import Ge, Le

from lossreg.lazy import ops

from .errors import absolute
from .log_gamma import stirling_error
from .parameters import positive, read, read_repeated

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def gaussian_nll(y_true, y_pred):
    """Normal distribution: a mean and a standard deviation for each label.

    `mean(log(sigma) + ((y - mu) / sigma)**2 / 2 + log(2 * pi) / 2)` over the last axis, with
    `sigma = softplus(output) + 1e-6`. Where the model is sure and wrong, the gradient of `mu`
    is large; where it is unsure, it is small, so hard samples may stay unlearned: see `beta_nll`.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 2 * targets)`: all `mu`, then all outputs of
            `sigma`.

    Returns:
        Nats per sample, shape `(batch, ...)`; below 0 where the density is above 1.

    Source:
        Nix and Weigend, 1994; Lakshminarayanan et al., 2017, arXiv:1612.01474, equation 1.
    """
    y, (mu, output) = read("gaussian_nll", y_true, y_pred, 2)
    return ops.mean(_gaussian(y - mu, positive(output)), axis=-1)


def beta_nll(y_true, y_pred, *, beta: Annotated[float, Ge(0), Le(1)] = 0.5):
    """Normal likelihood that goes on learning where the model is unsure.

    `mean(w * (log(sigma) + ((y - mu) / sigma)**2 / 2 + log(2 * pi) / 2))` over the last axis, where
    `w = sigma**(2 * beta)` is a weight without a gradient and `sigma = softplus(output) + 1e-6`.
    `beta=0` is `gaussian_nll`; at `beta=1` the gradient of `mu` is that of the squared error.
    Values of different `beta` can't be compared.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 2 * targets)`: all `mu`, then all outputs of
            `sigma`.
        beta: How much of the weight that the likelihood takes from unsure samples is given back.

    Returns:
        Nats times a power of the labels' unit per sample, shape `(batch, ...)`.

    Source:
        Seitzer et al., 2022, arXiv:2203.09168, section 4; the constant is added here.
    """
    y, (mu, output) = read("beta_nll", y_true, y_pred, 2)
    sigma = positive(output)
    weight = ops.stop_gradient(ops.power(sigma, 2 * beta))
    return ops.mean(weight * _gaussian(y - mu, sigma), axis=-1)


def laplace_nll(y_true, y_pred):
    """Laplace distribution: a median and a scale, for labels with outliers.

    `mean(log(2 * b) + |y - mu| / b)` over the last axis, with `b = softplus(output) + 1e-6`. At a
    fixed `b` it is the absolute error.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 2 * targets)`: all `mu`, then all outputs of
            `b`.

    Returns:
        Nats per sample, shape `(batch, ...)`; below 0 where the density is above 1.

    Source:
        Kotz, Kozubowski and Podgórski, The Laplace Distribution and Generalizations, 2001,
        section 2.1.
    """
    y, (mu, output) = read("laplace_nll", y_true, y_pred, 2)
    b = positive(output)
    return ops.mean(ops.log(2 * b) + absolute(y - mu) / b, axis=-1)


def student_t_nll(y_true, y_pred):
    """Student's t distribution: location, scale, and how heavy the tails are.

    `mean(log(gamma(nu / 2) / gamma((nu + 1) / 2)) + log(pi * nu * s**2) / 2 +
    (nu + 1) / 2 * log(1 + ((y - mu) / s)**2 / nu))` over the last axis, with
    `s = softplus(output) + 1e-6`, and `nu` likewise. It is `gaussian_nll` for a large `nu`, to
    every digit. The variance is infinite up to `nu = 2`, and the mean doesn't exist up to 1.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 3 * targets)`: all `mu`, then all outputs of
            `s`, then all outputs of `nu`, the degrees of freedom.

    Returns:
        Nats per sample, shape `(batch, ...)`; below 0 where the density is above 1.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, equation 2.159.
    """
    y, (mu, scale, freedom) = read("student_t_nll", y_true, y_pred, 3)
    return ops.mean(_student_t(y - mu, positive(scale), positive(freedom)), axis=-1)


def mixture_density(y_true, y_pred):
    """Mixture of normal distributions: for labels with several likely values.

    `mean(-log(sum(w_k * normal(y; mu_k, sigma_k))))`, the sum over the components `k` and the mean
    over the last axis, with `w = softmax(outputs)` and `sigma = softplus(output) + 1e-6`. Each
    target has a mixture of its own. How many components there are follows from the number of
    outputs.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 3 * components * targets)`: all logits of
            `w`, then all `mu`, then all outputs of `sigma`; each of them component by component,
            and within a component target by target.

    Returns:
        Nats per sample, shape `(batch, ...)`; below 0 where the density is above 1.

    Source:
        Bishop, 1994, Mixture Density Networks; Pattern Recognition and Machine Learning, 2006,
        equation 5.153.
    """
    y, (logits, mu, output) = read_repeated("mixture_density", y_true, y_pred, 3)
    log_w = ops.log_softmax(logits, axis=-1)
    nats = -ops.logsumexp(log_w - _gaussian(y - mu, positive(output)), axis=-1)
    return ops.mean(nats, axis=-1)


def evidential_regression(y_true, y_pred, *, evidence_weight: Annotated[float, Ge(0)] = 0.01):
    """Evidential regression: a prediction, its noise, and how much it rests on.

    `mean(nll + evidence_weight * |y - gamma| * (2 * nu + alpha))` over the last axis, where `nll`
    is that of Student's t distribution around `gamma` with `2 * alpha` degrees of freedom and the
    squared scale `beta * (1 + nu) / (nu * alpha)`. `nu`, `alpha - 1` and `beta` are
    `softplus(output) + 1e-6`. The variance of the noise is `beta / (alpha - 1)`; that of the
    prediction is `beta / (alpha - 1) / nu`.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., targets)`.
        y_pred: Any finite numbers, shape `(batch, ..., 4 * targets)`: all `gamma`, then all outputs
            of `nu`, then of `alpha`, then of `beta`.
        evidence_weight: Price of evidence for a wrong prediction, the paper's lambda.

    Returns:
        Nats per sample, shape `(batch, ...)`; below 0 where the density is above 1.

    Source:
        Amini et al., 2020, arXiv:1910.02600, equation 8 and the evidence regularizer.
    """
    y, (gamma, *outputs) = read("evidential_regression", y_true, y_pred, 4)
    nu, alpha, beta = map(positive, outputs)
    alpha = alpha + 1
    e = y - gamma
    nll = _student_t(e, ops.sqrt(beta * (1 + nu) / (nu * alpha)), 2 * alpha)
    return ops.mean(nll + evidence_weight * absolute(e) * (2 * nu + alpha), axis=-1)


def _gaussian(e, sigma):
    return ops.log(sigma) + ops.square(e / sigma) / 2 + _HALF_LOG_2PI


def _student_t(e, scale, freedom):
    x = freedom / 2
    # log(gamma(x + 1/2) / gamma(x)) - log(x) / 2: all that differs from a normal distribution's
    # constant, and small for a large x.
    ratio = x * ops.log1p(0.5 / x) - 0.5 + stirling_error(x + 0.5) - stirling_error(x)
    tail = (x + 0.5) * ops.log1p(ops.square(e / scale) / freedom)
    return ops.log(scale) + tail - ratio + _HALF_LOG_2PI
