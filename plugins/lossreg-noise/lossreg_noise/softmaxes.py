"""Losses with another softmax: tempered, a Taylor polynomial, or sparse."""

import math
from typing import Annotated

from annotated_types import Ge, Le, MultipleOf

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, finite, log_softmax, smallest

# The difference of two finite logits can overflow, and 0 times infinity is NaN.
_LOWEST = -1e30

# Newton's method needs 7 steps for a temperature of 5, and 5 up to 2, for any logits of
# 2 to 10,000 classes.
_STEPS = 8


def bi_tempered_logistic(
    y_true,
    y_pred,
    *,
    t1: Annotated[float, Ge(0), Le(1)] = 0.8,
    t2: Annotated[float, Ge(1), Le(5)] = 1.2,
    axis: int = -1,
):
    """Cross-entropy with a bounded logarithm and a heavy-tailed softmax.

    `sum(y * (log_t1(y) - log_t1(p)) - (y**(2 - t1) - p**(2 - t1)) / (2 - t1))` over `axis`, where
    `log_t(v) = (v**(1 - t) - 1) / (1 - t)` and `y` is the label of each class. Its probability is
    `p = (1 + (t2 - 1) * (n - x))**(-1 / (t2 - 1))` for the logit `x`, where `n` makes `p` sum to 1.
    With `t1=1` and `t2=1` it is cross-entropy, less the entropy of soft labels.

    `n` is found by a fixed number of Newton steps, each from below, which is exact to float32;
    the gradient is that of the implicit equation. Predict with the largest logit: a softmax of the
    logits gives other probabilities than the loss has.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Logits, same shape.
        t1: Below 1 no sample costs more than `1 / (1 - t1)`, so one far on the wrong side can't
            dominate.
        t2: Above 1 the tails are heavier, so wrong labels near the border don't move it.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats for `t1` near 1, a number in [0, 1 / (1 - t1)] for others, per sample, in float32 or
        wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Amid et al., 2019, arXiv:1906.03361, sections 2 and 3.
    """
    log_p = _log_tempered_softmax(at_least_float32(y_pred), t2, axis)
    y = ops.cast(y_true, log_p.dtype)
    log_y = ops.log(ops.maximum(y, smallest(y)))
    distance = y * (_tempered(log_y, t1) - _tempered(log_p, t1))
    correction = (ops.exp((2 - t1) * log_y) - ops.exp((2 - t1) * log_p)) / (2 - t1)
    return ops.sum(distance - correction, axis=axis)


def taylor_crossentropy(
    y_true,
    y_pred,
    *,
    order: Annotated[int, Ge(2), Le(8), MultipleOf(2)] = 2,
    axis: int = -1,
):
    """Cross-entropy of a softmax with a polynomial in place of the exponential.

    `-sum(y * log(f(x) / sum(f(x))))` over `axis`, where `x` are the logits, `y` is the label of
    each class and `f(x) = 1 + x + x**2 / 2! + ... + x**order / order!`, which is positive for an
    even order. What a mistake costs grows with the logarithm of its logit, not with the logit.

    The polynomial rises again on the left: a logit of -10 makes a class more likely than one of 0
    does. A higher order is closer to the softmax.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Logits, same shape.
        order: Degree of the polynomial.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Banerjee et al., 2020, arXiv:2011.11538, section 2.
    """
    x = finite(at_least_float32(y_pred))
    log_p = log_softmax(_log_taylor(x, order), from_logits=True, axis=axis)
    return -ops.sum(ops.cast(y_true, log_p.dtype) * log_p, axis=axis)


def sparsemax(y_true, y_pred, *, axis: int = -1):
    """Loss of the sparsemax, which gives unlikely classes a probability of 0.

    `sum((p - y) * x) - sum(p**2 - y**2) / 2` over `axis`, where `y` is the label of each class and
    `p = max(x - tau, 0)`, with the `tau` that makes it sum to 1: the nearest distribution to the
    logits `x`. The loss is 0 where the true class leads by 1, and then has no gradient; elsewhere
    the gradient is `p - y`.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Logits, same shape.
        axis: Axis of the classes.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        A number from 0 per sample, in float32 or wider, shape `(batch, ...)`: that of `y_pred`
        without `axis`.

    Source:
        Martins and Astudillo, 2016, arXiv:1602.02068, section 3.2; `tau`: algorithm 1.
    """
    x = ops.moveaxis(at_least_float32(y_pred), axis, -1)
    y = ops.moveaxis(ops.cast(y_true, x.dtype), axis, -1)
    x = ops.maximum(x - ops.stop_gradient(ops.max(x, axis=-1, keepdims=True)), _LOWEST)
    # p maximizes p * x - p**2 / 2, so that its own derivative doesn't count.
    p = ops.stop_gradient(_project(x))
    return ops.sum((p - y) * x - (ops.square(p) - ops.square(y)) / 2, axis=-1)


def _log_tempered_softmax(x, t: float, axis: int):
    """Return the logarithm of `p`, with `p**(1 - t) = 1 + (t - 1) * (n - x)`."""
    if t == 1:
        return log_softmax(x, from_logits=True, axis=axis)
    s = t - 1
    # From the largest logit on, n is in [0, (classes**s - 1) / s].
    x = ops.maximum(x - ops.stop_gradient(ops.max(x, axis=axis, keepdims=True)), _LOWEST)
    n = ops.zeros_like(ops.sum(x, axis=axis, keepdims=True))
    for _ in range(_STEPS):
        n = n + _newton_step(ops.stop_gradient(x), n, s, axis)
    # One more step, and its gradient by x is that of n: p**t / sum(p**t).
    n = n + _newton_step(x, n, s, axis)
    return -ops.log1p(s * (n - x)) / s


def _newton_step(x, n, s: float, axis: int):
    """Return what brings `n` nearer to a sum of 1 from below.

    The sum to the power of -s is concave in n, and next to a straight line, so that Newton's
    method never overshoots, and hardly errs.
    """
    base = s * (n - x)
    log_p = -ops.log1p(base) / s
    log_sum = ops.logsumexp(log_p, axis=axis, keepdims=True)
    slope = ops.sum(ops.exp(log_p - log_sum) / (1 + base), axis=axis, keepdims=True)
    return ops.expm1(s * log_sum) / s / ops.stop_gradient(slope)


def _tempered(log_v, t: float):
    """Return `(v**(1 - t) - 1) / (1 - t)` from the logarithm of `v`."""
    return log_v if t == 1 else ops.expm1((1 - t) * log_v) / (1 - t)


def _log_taylor(x, order: int):
    """Return the logarithm of `sum(x**k / k!)`, for `k` up to an even order."""
    # Far from 0 a power overflows, so there it is x**order times a polynomial of 1 / x.
    far = ops.abs(x) > 1
    near, distant = ops.where(far, 1.0, x), ops.where(far, x, 1.0)
    coefficients = [1 / math.factorial(k) for k in range(order + 1)]
    polynomial = _horner(coefficients[::-1], near)
    quotient = _horner(coefficients, 1 / distant)
    return ops.where(
        far, order * ops.log(ops.abs(distant)) + ops.log(quotient), ops.log(polynomial)
    )


def _horner(coefficients, x):
    """Return a polynomial of `x`, from the coefficient of the highest power on."""
    value = coefficients[0] * ops.ones_like(x)
    for coefficient in coefficients[1:]:
        value = value * x + coefficient
    return value


def _project(x):
    """Return the distribution nearest to `x`, whose maximum on the last axis is 0."""
    ordered = -ops.sort(-x, axis=-1)
    rank = ops.cast(ops.arange(1, ops.shape(x)[-1] + 1, dtype="int32"), x.dtype)
    kept = ops.cast(1 + rank * ordered > ops.cumsum(ordered, axis=-1), x.dtype)
    size = ops.sum(kept, axis=-1, keepdims=True)
    tau = (ops.sum(kept * ordered, axis=-1, keepdims=True) - 1) / size
    return ops.maximum(x - tau, 0.0)
