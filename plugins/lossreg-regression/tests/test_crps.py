"""The ranked probability score by its integral, by the double sum, and with many members."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg_regression.crps import crps_ensemble, crps_gaussian

RANDOM = np.random.default_rng(21)


# The normal distribution function on a grid that reaches 100 standard deviations to both sides.
GRID = np.linspace(-100, 100, 200_001)
PHI = np.array([math.erfc(-x / math.sqrt(2)) / 2 for x in GRID])


def standard_crps(z):
    """Return the integral of the squared distance of two distribution functions, and its slope."""
    here = int(GRID.searchsorted(z - 1e-9))
    below = np.trapezoid(PHI[: here + 1] ** 2, GRID[: here + 1])
    above = np.trapezoid((1 - PHI[here:]) ** 2, GRID[here:])
    return below + above, PHI[here] ** 2 - (1 - PHI[here]) ** 2


@pytest.mark.parametrize("sigma", [0.05, 1.0, 30.0])
def test_crps_gaussian_is_the_integral_of_its_definition(run, outputs, sigma):
    z = np.array([[-80.0], [-4.0], [-0.3], [0.0], [0.001], [2.0], [60.0]])
    y_pred = outputs(0 * z, [[sigma]])
    scores, by_z = np.transpose([standard_crps(each) for each in z[:, 0]])
    # From an output to its sigma softplus has the slope sigmoid(output) = 1 - exp(-sigma).
    by_output = (scores - z[:, 0] * by_z) * -math.expm1(-sigma + 1e-6)
    values, gradient = run(crps_gaussian, z * sigma, y_pred)
    np.testing.assert_allclose(values, sigma * scores, rtol=FLOAT32)
    np.testing.assert_allclose(gradient[:, 0], -by_z, rtol=FLOAT32, atol=CANCELLATION)
    np.testing.assert_allclose(gradient[:, 1], by_output, rtol=FLOAT32)


def test_crps_gaussian_of_a_hit_by_hand(run, outputs):
    # sigma * (2 * phi(0) - 1 / sqrt(pi))
    values, _ = run(crps_gaussian, [[1.0]], outputs([[1.0]], [[2.0]]))
    expected = 2 * (2 / math.sqrt(2 * math.pi) - 1 / math.sqrt(math.pi))
    assert values == pytest.approx([expected], rel=FLOAT32)


def test_crps_gaussian_is_the_absolute_error_for_a_small_sigma(run):
    values, gradient = run(crps_gaussian, [[0.0], [0.0]], [[3.0, -50.0], [-1e6, -50.0]])
    assert values == pytest.approx([3.0, 1e6], rel=FLOAT32)
    assert gradient[:, 0] == pytest.approx([1.0, -1.0], rel=FLOAT32)


def test_the_gradient_of_a_sigma_that_is_far_too_small_has_its_digits(run, outputs):
    # 2 * phi(z) - 1 / sqrt(pi) for an error of a million sigma, times softplus' own slope.
    y_pred = outputs([[1e6]], [[1.0]])
    _, gradient = run(crps_gaussian, [[0.0]], y_pred)
    slope = -1 / math.sqrt(math.pi) / (1 + math.exp(-y_pred[0, 1]))
    assert gradient[0, 1] == pytest.approx(slope, rel=FLOAT32)


def double_sum(y, x, *, fair=False):
    """Return equation 21 of Gneiting and Raftery and its gradient, pair by pair."""
    m = len(x)
    pairs = m * (m - 1) if fair else m * m
    value = np.abs(x - y).sum() / m - np.abs(x[:, None] - x).sum() / (2 * pairs)
    return value, np.sign(x - y) / m - np.sign(x[:, None] - x).sum(axis=1) / pairs


@pytest.mark.parametrize("fair", [False, True])
@pytest.mark.parametrize("members", [2, 3, 50, 1000])
def test_sorted_members_give_the_double_sum(run, members, fair):
    y = RANDOM.normal(size=(3, 1)).astype("float32")
    # Each member another number of sixteenths, so that none are equal.
    x = RANDOM.permuted(np.tile(np.arange(members), (3, 1)), axis=1) / 16 - members / 40
    x = x.astype("float32")
    values, gradient = run(crps_ensemble, y, x, fair=fair)
    largest = float(np.abs(x).max())
    for i in range(3):
        value, slopes = double_sum(y[i].astype("float64"), x[i].astype("float64"), fair=fair)
        # A sum of members of both signs.
        assert values[i] == pytest.approx(value, rel=FLOAT32, abs=CANCELLATION * largest)
        np.testing.assert_allclose(gradient[i], slopes, rtol=FLOAT32, atol=CANCELLATION)


def test_a_far_away_ensemble_keeps_its_digits(run):
    y, x = np.array([[1e6]]), 1e6 + np.array([[-1.0, 0.5, 2.0]])
    values, _ = run(crps_ensemble, y, x)
    assert values == pytest.approx([double_sum(1e6, x[0])[0]], rel=FLOAT32)


def test_the_members_of_several_targets_are_read_member_by_member(run):
    y, x = RANDOM.normal(size=(4, 2)), RANDOM.normal(size=(4, 3, 2))
    values, _ = run(crps_ensemble, y, x.reshape(4, 6))
    expected = [np.mean([double_sum(y[i, j], x[i, :, j])[0] for j in range(2)]) for i in range(4)]
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)


@pytest.mark.parametrize("fair", [False, True])
def test_one_member_has_the_absolute_error(run, fair):
    values, gradient = run(crps_ensemble, [[1.0]], [[3.5]], fair=fair)
    assert values == [2.5]
    assert gradient == [[1.0]]


def test_equal_members_are_finite_and_move_together_as_in_the_double_sum(run):
    values, gradient = run(crps_ensemble, [[1.0]], [[3.0, 3.0, 3.0]])
    assert values == pytest.approx([2.0], rel=FLOAT32)
    assert gradient.sum() == pytest.approx(1.0, rel=FLOAT32)


def test_a_large_ensemble_from_a_normal_distribution_has_its_score(run, outputs):
    grid = (np.arange(2000) + 0.5) / 2000
    quantiles = [float(mpmath.sqrt(2) * mpmath.erfinv(2 * q - 1)) for q in grid]
    score, _ = run(crps_ensemble, [[0.7]], [quantiles])
    expected, _ = run(crps_gaussian, [[0.7]], outputs([[0.0]], [[1.0]]))
    # Two thousand members have what a distribution has, to a share of this.
    assert score == pytest.approx(expected, rel=1e-3)


def test_a_number_of_outputs_that_fits_no_number_of_members_is_refused():
    with pytest.raises(ParameterError, match="must be a multiple of 2, and the model has 5"):
        crps_ensemble(np.zeros((3, 2)), np.zeros((3, 5)))


@settings(deadline=None, max_examples=30)
@given(
    order=st.permutations(range(5)),
    shift=st.integers(-8, 8),
    factor=st.sampled_from([0.25, 2.0, 16.0]),
)
@pytest.mark.parametrize("fair", [False, True])
def test_order_shift_and_unit_of_the_members(fair, order, shift, factor):
    y, x = np.array([[0.3]], "float32"), np.array([[1.0, -0.5, 0.25, 3.0, -2.0]], "float32")

    def score(y, x):
        return float(ops.convert_to_numpy(crps_ensemble(y, x, fair=fair))[0])

    value = score(y, x)
    assert score(y, x[:, order]) == pytest.approx(value, rel=EACH_OTHER)
    assert score(y + shift, x + shift) == pytest.approx(value, rel=EACH_OTHER)
    assert score(y * factor, x * factor) == pytest.approx(value * factor, rel=EACH_OTHER)
