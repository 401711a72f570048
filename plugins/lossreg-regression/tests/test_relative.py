"""Losses of proportions against the papers' formulas, and at what has no logarithm."""

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

from lossreg_regression.relative import scale_invariant_log, smape

RANDOM = np.random.default_rng(31)
DEPTH = (RANDOM.gamma(2.0, size=(4, 3, 5)) + 0.1).astype("float32")
PRED = (RANDOM.gamma(2.0, size=(4, 3, 5)) + 0.1).astype("float32")


def eigen(y, p, focus):
    """Return equation 4 of Eigen et al. for one image, and its gradient."""
    seen = y > 0
    n = seen.sum()
    d = np.where(seen, np.log(p) - np.log(np.where(seen, y, 1)), 0)
    value = (d**2).sum() / n - focus * d.sum() ** 2 / n**2
    return value, np.where(seen, 2 * (d / n - focus * d.sum() / n**2) / p, 0)


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("focus", [0.0, 0.5, 0.85, 1.0])
@pytest.mark.parametrize("holes", [False, True])
def test_scale_invariant_log_is_the_papers(run, focus, root, holes):
    y = DEPTH.copy()
    if holes:
        y[:, 0, :3], y[1, 1] = 0, -1
    values, gradient = run(scale_invariant_log, y, PRED, variance_focus=focus, root=root)
    for i in range(4):
        value, slopes = eigen(y[i].astype("float64"), PRED[i].astype("float64"), focus)
        if root:
            value, slopes = value**0.5, slopes / (2 * value**0.5)
        assert values[i] == pytest.approx(value, rel=FLOAT32)
        np.testing.assert_allclose(gradient[i], slopes, rtol=FLOAT32, atol=CANCELLATION)


@pytest.mark.parametrize("root", [False, True])
def test_a_common_factor_is_forgiven_in_full_at_focus_1(run, root):
    values, gradient = run(scale_invariant_log, DEPTH, 1000 * DEPTH, variance_focus=1.0, root=root)
    # Each logarithm is good to 1e-6.
    assert values == pytest.approx(np.zeros(4), abs=1e-5 if root else 1e-10)
    assert np.isfinite(gradient).all()


def test_a_common_factor_costs_half_at_the_default(run):
    values, _ = run(scale_invariant_log, DEPTH, 3 * DEPTH)
    assert values == pytest.approx(np.full(4, 0.5 * np.log(3) ** 2), rel=FLOAT32)


@pytest.mark.parametrize("root", [False, True])
def test_an_image_without_measurements_costs_nothing(run, root):
    values, gradient = run(scale_invariant_log, 0 * DEPTH, PRED, root=root)
    assert (values == 0).all()
    assert (gradient == 0).all()


@pytest.mark.parametrize("root", [False, True])
def test_a_perfect_prediction_costs_nothing_and_has_no_gradient(run, root):
    values, gradient = run(scale_invariant_log, DEPTH, DEPTH, root=root)
    assert (values == 0).all()
    assert (gradient == 0).all()


def test_a_prediction_of_0_is_finite_and_can_be_learned_from(run):
    values, gradient = run(scale_invariant_log, DEPTH[:, :1, :1], 0 * PRED[:, :1, :1])
    expected = 0.5 * (np.log(1e-7) - np.log(DEPTH[:, 0, 0].astype("float64"))) ** 2
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)
    assert (gradient < 0).all()


@pytest.mark.parametrize(
    ("y", "p", "expected", "slope"),
    [
        # The derivative of 200 * (y - p) / (y + p) by p is -400 * y / (y + p)**2.
        pytest.param(3.0, 1.0, 100.0, -400 * 3 / 16, id="half of the mean of 2"),
        pytest.param(1.0, 3.0, 100.0, 400 / 16, id="the same the other way round"),
        pytest.param(-1.0, 3.0, 200.0, 0.0, id="another sign costs the most"),
        pytest.param(0.0, 5.0, 200.0, 0.0, id="so does a label of 0"),
        pytest.param(5.0, 0.0, 200.0, 0.0, id="and a prediction of 0"),
        pytest.param(0.0, 0.0, 0.0, 0.0, id="but not both"),
        pytest.param(0.0, 1e-30, 0.0, 0.0, id="nor what is as good as both"),
        pytest.param(1e-9, 3e-9, 100.0, 400e9 / 16, id="small numbers count in full"),
    ],
)
def test_smape_by_hand(run, y, p, expected, slope):
    values, gradient = run(smape, [[y]], [[p]])
    assert values == pytest.approx([expected], rel=FLOAT32, abs=1e-8)
    # A prediction of exactly 0 has the slope of neither side.
    if p and abs(p) > 1e-20:
        assert gradient == pytest.approx(np.array([[slope]]), rel=FLOAT32, abs=CANCELLATION * 400)
    assert np.isfinite(gradient).all()
