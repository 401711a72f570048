"""Where the textbook's formulas lose their digits: the two helpers in many digits."""

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from tolerances import CANCELLATION, FLOAT32

from lossreg.lazy import ops
from lossreg_regression.divergence import divergence, log_ratio
from lossreg_regression.log_gamma import stirling_error

H = np.array(
    [-30, -5, -1, -0.51, -0.49, -0.1, -1e-3, -1e-8, 0, 1e-8, 1e-3, 0.1, 0.49, 0.51, 1, 5, 30],
    "float32",
)


@pytest.mark.parametrize("power", [0.0, 0.5, 1 - 1e-9, 1.0, 1.0001, 1.5, 2 - 1e-9, 2.0, 2.5, 3.0])
def test_a_divergence_has_every_digit_at_any_power(power):
    with mpmath.workdps(60):

        def integral(h):
            """Return the integral by its terms, with the logarithm where a power is -1."""
            r, p = mpmath.exp(mpf(float(h))), mpf(power)
            first = mpmath.log(r) if p == 1 else (r ** (1 - p) - 1) / (1 - p)
            second = mpmath.log(r) if p == 2 else (r ** (2 - p) - 1) / (2 - p)
            return float(r * first - second)

        expected = [integral(h) for h in H]
    got = ops.convert_to_numpy(divergence(ops.convert_to_tensor(H), power))
    # The closed form loses two digits of float32's seven where it takes over from the series.
    np.testing.assert_allclose(got, expected, rtol=FLOAT32)


def test_a_log_ratio_has_every_digit_near_1():
    a = np.array([1 + 2**-20, 1.3, 0.7, 1e-30, 4e4], "float32")
    b = np.array([1, 1, 1, 1e6, 2e-6], "float32")
    expected = [float(mpmath.log(mpf(float(x)) / mpf(float(y)))) for x, y in zip(a, b, strict=True)]
    got = ops.convert_to_numpy(log_ratio((a - b) / b, np.log(a), np.log(b)))
    np.testing.assert_allclose(got, expected, rtol=FLOAT32)


def test_stirlings_error_is_that_of_the_gamma_function():
    x = np.array([1e-6, 1e-3, 0.1, 0.5, 1, 2, 5, 7.99, 8, 20, 1e3, 1e6], "float32")
    with mpmath.workdps(40):
        expected = [
            float(
                mpmath.loggamma(mpf(float(each)))
                - (mpf(float(each)) - 0.5) * mpmath.log(mpf(float(each)))
                + mpf(float(each))
                - mpmath.log(2 * mpmath.pi) / 2
            )
            for each in x
        ]
    got = ops.convert_to_numpy(stirling_error(ops.convert_to_tensor(x)))
    # Below 8 it is a sum of eight numbers, each good to 6e-8.
    np.testing.assert_allclose(got, expected, rtol=FLOAT32, atol=CANCELLATION)
