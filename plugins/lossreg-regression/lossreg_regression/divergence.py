"""How far a ratio is from 1, as the deviances of the exponential family measure it.

One formula has every digit on both sides of 1, where the textbook's is the difference of numbers
that are nearly equal.
"""

import math

from lossreg.lazy import ops

from .exponential import expm1

# From here on the closed form loses less than two digits.
_NEAR = 0.5
# Terms of the series; the next is below 1e-9 of the sum.
_TERMS = range(12, 1, -1)


def divergence(h, power: float):
    """Return the integral of `(r - t) * t**-power` over `t` from 1 to `r`, where `r = exp(h)`.

    It is 0 at `h = 0` and above 0 elsewhere. Times `2 * mu**(2 - power)` it is Tweedie's deviance
    of `y = r * mu`: `power` 0 gives the squared error, 1 Poisson's deviance, 2 that of the gamma
    distribution.
    """
    q = 2 - power
    near = ops.abs(h) < _NEAR
    # The sum of h**n / n! * (1 + q + ... + q**(n - 2)) over n from 2 on, by Horner.
    small = ops.where(near, h, 0.0)
    series = ops.zeros_like(h)
    for n in _TERMS:
        series = series * small + sum(q**j for j in range(n - 1)) / math.factorial(n)
    large = ops.where(near, 1.0, h)
    closed = ops.exp(large) * _box_cox(large, q - 1) - _box_cox(large, q)
    return ops.where(near, series * ops.square(small), closed)


def log_ratio(off, log_a, log_b):
    """Return `log(a / b)` with every digit where `a` and `b` are nearly equal.

    Args:
        off: `(a - b) / b`, which a caller may know better than from `a` and `b`.
        log_a: `log(a)`.
        log_b: `log(b)`.
    """
    near = ops.abs(off) < _NEAR
    return ops.where(near, ops.log1p(ops.where(near, off, 0.0)), log_a - log_b)


def _box_cox(h, exponent: float):
    """Return `(r**exponent - 1) / exponent` for `r = exp(h)`; at exponent 0 that is `h`."""
    return h if exponent == 0 else expm1(exponent * h) / exponent
