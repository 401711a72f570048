"""The robust losses against the papers' formulas, at their limits, and where digits are lost."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from tolerances import EACH_OTHER, FLOAT32

from lossreg.lazy import ops
from lossreg_regression.robust import (
    balanced_l1,
    cauchy,
    charbonnier,
    geman_mcclure,
    general_robust,
    smooth_l1,
    welsch,
    wing,
)

ERRORS = np.array([1e-6, 1e-3, 0.02, 0.3, 0.99, 1.01, 1.7, 4.0, 12.0, 300.0, 1e4], "float32")


def barron(x, alpha):
    """Return the general loss of Barron in 60 digits."""
    x, alpha = mpf(x), mpf(alpha)
    if alpha == 2:
        return x**2 / 2
    if alpha == 0:
        return mpmath.log(x**2 / 2 + 1)
    if alpha == -mpmath.inf:
        return 1 - mpmath.exp(-(x**2) / 2)
    b = abs(alpha - 2)
    return b / alpha * ((x**2 / b + 1) ** (alpha / 2) - 1)


def barron_slope(x, alpha):
    """Return the derivative of that loss by x in 60 digits."""
    x, alpha = mpf(x), mpf(alpha)
    if alpha == 2:
        return x
    if alpha == -mpmath.inf:
        return x * mpmath.exp(-(x**2) / 2)
    return x * (x**2 / abs(alpha - 2) + 1) ** (alpha / 2 - 1)


def smooth_l1_of(e, beta=0.3):
    return e**2 / (2 * beta) if e <= beta else e - mpf(beta) / 2


def wing_of(e, width=3.0, curvature=0.4):
    if e < width:
        return width * mpmath.log(1 + e / curvature)
    return e - (width - width * mpmath.log(1 + mpf(width) / curvature))


def balanced_l1_of(e, alpha=0.7, gamma=1.2):
    b = mpmath.exp(mpf(gamma) / alpha) - 1
    if e < 1:
        return alpha / b * (b * e + 1) * mpmath.log(b * e + 1) - alpha * e
    return gamma * e + gamma / b - alpha


CASES = [
    pytest.param(smooth_l1, {"beta": 0.3}, smooth_l1_of, id="smooth_l1"),
    pytest.param(charbonnier, {"scale": 0.7}, lambda e: barron(e / 0.7, 1), id="charbonnier"),
    pytest.param(cauchy, {"scale": 0.7}, lambda e: barron(e / 0.7, 0), id="cauchy"),
    pytest.param(geman_mcclure, {"scale": 0.7}, lambda e: barron(e / 0.7, -2), id="geman_mcclure"),
    pytest.param(welsch, {"scale": 0.7}, lambda e: barron(e / 0.7, -mpmath.inf), id="welsch"),
    pytest.param(wing, {"width": 3.0, "curvature": 0.4}, wing_of, id="wing"),
    pytest.param(balanced_l1, {"alpha": 0.7, "gamma": 1.2}, balanced_l1_of, id="balanced_l1"),
]


@pytest.mark.parametrize(("loss", "params", "reference"), CASES)
def test_values_and_gradients_are_those_of_the_paper(run, loss, params, reference):
    with mpmath.workdps(60):
        errors = [mpf(float(each)) for each in ERRORS]
        expected = [float(reference(each)) for each in errors]
        # Errors of 1e4 have slopes that fall as fast as exp(-1e8).
        slopes = [float(mpmath.diff(reference, each, h=mpf("1e-25"))) for each in errors]
    for sign in (1, -1):
        y_pred = sign * ERRORS[:, None]
        values, gradient = run(loss, np.zeros_like(y_pred), y_pred, **params)
        np.testing.assert_allclose(values, expected, rtol=FLOAT32)
        np.testing.assert_allclose(
            gradient[:, 0], sign * np.array(slopes), rtol=FLOAT32, atol=1e-37
        )


ALPHAS = [
    *(2.0, math.nextafter(2, 0), 2 - 1e-9, 1.999, 1.5, 1.0, 0.5, 1e-3, 1e-9, 1e-300),
    *(0.0, -1e-300, -1e-9, -0.5, -2.0, -10.0, -1e4, -1e8, -9e11, -1.1e12, -1e300),
]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_general_robust_is_exact_at_and_near_its_special_values(run, alpha):
    errors = ERRORS[ERRORS < 1e3]
    with mpmath.workdps(400):
        expected = [float(barron(float(each), alpha)) for each in errors]
        slopes = [float(barron_slope(float(each), alpha)) for each in errors]
    values, gradient = run(general_robust, 0 * errors[:, None], errors[:, None], alpha=alpha)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)
    np.testing.assert_allclose(gradient[:, 0], slopes, rtol=FLOAT32, atol=1e-30)


@pytest.mark.parametrize(
    ("alpha", "other"),
    [(1.0, charbonnier), (0.0, cauchy), (-2.0, geman_mcclure), (-1e13, welsch)],
)
def test_general_robust_becomes_the_losses_with_a_name(run, alpha, other):
    y_true, y_pred = np.zeros((4, 3)), np.random.default_rng(1).normal(0, 4, (4, 3))
    got = run(general_robust, y_true, y_pred, alpha=alpha, scale=1.3)
    for ours, theirs in zip(got, run(other, y_true, y_pred, scale=1.3), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=EACH_OTHER, atol=1e-12)


def test_general_robust_at_2_is_half_the_squared_error(run):
    values, gradient = run(general_robust, [[1.0, 2.0]], [[4.0, 0.0]], alpha=2.0, scale=2.0)
    assert values == pytest.approx([(1.5**2 / 2 + 1**2 / 2) / 2], rel=FLOAT32)
    assert gradient == pytest.approx(np.array([[3 / 4 / 2, -2 / 4 / 2]]), rel=FLOAT32)


@pytest.mark.parametrize(
    ("error", "beta", "expected"),
    [
        pytest.param(0.5, 1.0, 0.125, id="squared below beta"),
        pytest.param(3.0, 1.0, 2.5, id="absolute above"),
        pytest.param(3.0, 2.0, 2.0, id="where they meet beta counts half"),
        pytest.param(3.0, 1e-30, 3.0, id="a tiny beta gives the absolute error"),
    ],
)
def test_smooth_l1_by_hand(run, error, beta, expected):
    values, gradient = run(smooth_l1, [[0.0]], [[error]], beta=beta)
    assert values == pytest.approx([expected], rel=FLOAT32)
    assert gradient == pytest.approx(np.array([[min(error / beta, 1)]]), rel=FLOAT32)


def test_smooth_l1_is_huber_divided_by_its_delta(run):
    import keras

    y_true, y_pred = np.zeros((4, 3)), np.random.default_rng(2).normal(0, 4, (4, 3))
    huber = run(keras.losses.huber, y_true, y_pred, delta=2.5)[0] / 2.5
    np.testing.assert_allclose(run(smooth_l1, y_true, y_pred, beta=2.5)[0], huber, rtol=EACH_OTHER)


def test_wing_by_hand(run):
    # Feng et al. choose w = 10 and epsilon = 2; at 10 both branches give 10 * log(6).
    values, _ = run(wing, [[0.0], [0.0], [0.0]], [[2.0], [10.0], [-15.0]])
    assert values == pytest.approx(
        [10 * math.log(2), 10 * math.log(6), 5 + 10 * math.log(6)], rel=FLOAT32
    )


@pytest.mark.parametrize("beta", [0.1, 1.0, 7.0])
def test_balanced_l1_has_no_jump_in_value_or_slope_where_its_branches_meet(run, beta):
    y_pred = np.array([[0.999], [1.001]]) * beta
    values, gradient = run(balanced_l1, np.zeros((2, 1)), y_pred, alpha=0.5, gamma=1.5, beta=beta)
    # Between the two points the slope itself changes by a share of this.
    assert values[1] - values[0] == pytest.approx(1.5 * 0.002 * beta, rel=2e-3)
    assert gradient[:, 0] == pytest.approx([1.5, 1.5], rel=2e-3)


def test_balanced_l1_keeps_its_digits_where_b_is_tiny(run):
    # b = 1e-4: the curve is alpha * b * x**2 / 2 to a share of b.
    values, gradient = run(balanced_l1, [[0.0]], [[0.5]], alpha=10.0, gamma=1e-3)
    assert values == pytest.approx([10 * 1e-4 * 0.5**2 / 2], rel=1e-4)
    assert gradient == pytest.approx(np.array([[10 * 1e-4 * 0.5]]), rel=1e-4)


def test_the_steepest_balanced_l1_is_finite(run):
    values, gradient = run(balanced_l1, [[0.0], [0.0]], [[0.5], [2.0]], alpha=0.0188, gamma=1.5)
    with mpmath.workdps(60):
        expected = [float(balanced_l1_of(mpf(e), 0.0188, 1.5)) for e in (0.5, 2.0)]
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)
    assert np.isfinite(gradient).all()


@settings(deadline=None, max_examples=30)
@given(
    errors=st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3),
    unit=st.sampled_from([0.01, 1.0, 250.0]),
)
@pytest.mark.parametrize("loss", [charbonnier, cauchy, geman_mcclure, welsch, general_robust])
def test_the_unit_of_the_labels_goes_into_the_scale(loss, errors, unit):
    zeros, e = np.zeros((1, 3), "float32"), np.array([errors], "float32")
    value = ops.convert_to_numpy(loss(zeros, e, scale=2.0))
    scaled = ops.convert_to_numpy(loss(zeros, e * np.float32(unit), scale=2.0 * unit))
    np.testing.assert_allclose(scaled, value, rtol=EACH_OTHER, atol=1e-12)
    # Nor does the sign of an error matter.
    np.testing.assert_array_equal(ops.convert_to_numpy(loss(zeros, -e, scale=2.0)), value)
