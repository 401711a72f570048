"""The logarithm of a difference of two probabilities, with the digits that subtraction loses."""

import math

from lossreg.lazy import ops

# The smallest distance of two logits, in place of 0 and of less.
_SMALLEST_GAP = 1e-7

# The square of a larger logit would overflow in float32.
_LARGEST = 1e15

# log(t) - z**2 + P(t), with t = 1 / (1 + z / 2), is the logarithm of erfc(z) for z >= 0, with an
# error of at most 1.2e-7: Press et al., 1992, Numerical Recipes, section 6.2. P(t), from t**0 on.
_ERFC = (
    -1.26551223,
    1.00002368,
    0.37409196,
    0.09678418,
    -0.18628806,
    0.27886807,
    -1.13520398,
    1.48851587,
    -0.82215223,
    0.17087277,
)


def log_logistic_difference(a, b):
    """Return `log(sigmoid(a) - sigmoid(b))` for `a` above `b`."""
    return ops.log_sigmoid(a) + ops.log_sigmoid(-b) + _log_of_rest(a - b)


def log_normal_difference(a, b):
    """Return `log(Phi(a) - Phi(b))` for `a` above `b`, with the normal distribution function."""
    a, b = (ops.clip(z, -_LARGEST, _LARGEST) for z in (a, b))
    gap, middle = ops.maximum(a - b, _SMALLEST_GAP), ops.abs(a + b) / 2
    close = gap * (1 + middle) < 0.3
    # Each form is computed everywhere: where the other one counts, at a place where it is finite.
    between = _log_normal_between(ops.where(close, gap, 0.1), ops.where(close, middle, 0.0))
    # The distribution is symmetric: take the side on which both tails are small.
    upper = a + b > 0
    near = ops.where(close, 0.0, ops.where(upper, b, -a))
    far = ops.where(close, 1.0, ops.where(upper, a, -b))
    # What has no probability costs more the farther it is from having some.
    return ops.where(close, between, _log_tail_difference(near, far)) - ops.relu(b - a)


def _log_normal_between(gap, middle):
    """Return the logarithm of the probability of a short piece, by powers of its length."""
    m2, g2 = ops.square(middle), ops.square(gap)
    series = 1 + g2 * (m2 - 1) / 24 + g2**2 * (m2**2 - 6 * m2 + 3) / 1920
    return ops.log(gap) + ops.log(series) - m2 / 2 - math.log(2 * math.pi) / 2


def _log_tail_difference(near, far):
    """Return `log(Q(near) - Q(far))` for the upper tail Q and `far` of at least `abs(near)`."""
    scaled, scaled_far = _log_scaled_tail(ops.abs(near)), _log_scaled_tail(far)
    tail, tail_far = scaled - ops.square(near) / 2, scaled_far - ops.square(far) / 2
    over_half = ops.log1p(-ops.exp(tail))
    # Large squares lose their digits unless they are subtracted as a product.
    fall = (far - near) * (far + near) / 2 + scaled - scaled_far
    log_q = ops.where(near < 0, over_half, tail)
    return log_q + _log_of_rest(ops.where(near < 0, over_half - tail_far, fall))


def _log_of_rest(x):
    """Return `log(1 - exp(-x))` for `x > 0`."""
    return ops.log(-ops.expm1(-ops.maximum(x, _SMALLEST_GAP)))


def _log_scaled_tail(x):
    """Return `log((1 - Phi(x)) * exp(x**2 / 2))` for `x >= 0`."""
    t = 1 / (1 + x / math.sqrt(8))
    polynomial = 0
    for coefficient in reversed(_ERFC):
        polynomial = polynomial * t + coefficient
    return ops.log(t) + polynomial - math.log(2)
