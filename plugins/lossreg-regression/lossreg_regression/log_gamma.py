"""The gamma function without the digits that its differences lose.

`log(gamma(x))` of a large `x` is large, and likelihoods take differences of two of them. What is
left of it beside Stirling's formula is small, and everything else in these differences can be
written without cancellation.
"""

from lossreg.lazy import ops

# The series is asymptotic: from here on it has all digits of float32, and 11 of float64.
_SERIES_FROM = 8


def stirling_error(x):
    """Return `log(gamma(x)) - (x - 1/2) * log(x) + x - log(2 * pi) / 2` for `x` above 0.

    Source:
        Loader, 2000, Fast and Accurate Computation of Binomial Probabilities, section 3.
    """
    near = x < _SERIES_FROM
    z = ops.where(near, x + _SERIES_FROM, x)
    square = ops.square(z)
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / z
    # The error of x is that of x + 1, plus one term.
    small = ops.where(near, x, 1.0)
    steps = sum((small + (n + 0.5)) * ops.log1p(1 / (small + n)) - 1 for n in range(_SERIES_FROM))
    return ops.where(near, series + steps, series)
