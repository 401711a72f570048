"""Quantiles and expectiles: the formulas, their limits, and what the best prediction is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg_regression.quantiles import expectile, pinball, quantile_huber

TAUS = (0.1, 0.5, 0.9)
RANDOM = np.random.default_rng(3)
Y = RANDOM.normal(size=(7, 1))
Q = RANDOM.normal(size=(7, 3))


def pinball_of(e, tau):
    return max(tau * e, (tau - 1) * e)


def quantile_huber_of(e, tau, kappa=0.6):
    huber = e**2 / 2 if abs(e) <= kappa else kappa * (abs(e) - kappa / 2)
    return abs(tau - (e < 0)) * huber / kappa


def expectile_of(e, tau):
    return abs(tau - (e < 0)) * e**2


CASES = [
    pytest.param(pinball, {}, pinball_of, id="pinball"),
    pytest.param(quantile_huber, {"kappa": 0.6}, quantile_huber_of, id="quantile_huber"),
    pytest.param(expectile, {}, expectile_of, id="expectile"),
]


@pytest.mark.parametrize("shape", [(7,), (7, 1)])
@pytest.mark.parametrize(("loss", "params", "reference"), CASES)
def test_several_levels_have_the_mean_of_the_papers_formula(run, loss, params, reference, shape):
    y, q = np.float32(Y).astype("float64"), np.float32(Q).astype("float64")
    each = [
        [reference(y[i, 0] - q[i, j], tau) for j, tau in enumerate(TAUS)] for i in range(len(y))
    ]
    steps = [
        [
            (reference(y[i, 0] - q[i, j] - 1e-6, tau) - reference(y[i, 0] - q[i, j] + 1e-6, tau))
            / 2e-6
            for j, tau in enumerate(TAUS)
        ]
        for i in range(len(y))
    ]
    values, gradient = run(loss, Y.reshape(shape), Q, tau=TAUS, **params)
    np.testing.assert_allclose(values, np.mean(each, axis=-1), rtol=FLOAT32)
    np.testing.assert_allclose(gradient, np.array(steps) / 3, rtol=FLOAT32)


@pytest.mark.parametrize(("loss", "params", "reference"), CASES)
def test_one_level_holds_for_every_output(run, loss, params, reference):
    y, q = Y[:3] * np.ones((3, 3)), Q[:3]
    one = run(loss, y, q, tau=0.3, **params)
    for ours, listed in zip(one, run(loss, y, q, tau=(0.3, 0.3, 0.3), **params), strict=True):
        np.testing.assert_allclose(ours, listed, rtol=EACH_OTHER)


def test_pinball_of_one_half_is_half_the_absolute_error(run):
    values, gradient = run(pinball, [[1.0, 2.0]], [[4.0, 0.0]])
    assert values == pytest.approx([(3 + 2) / 2 / 2], rel=FLOAT32)
    assert gradient == pytest.approx(np.array([[0.25, -0.25]]), rel=FLOAT32)


def test_pinball_has_the_value_of_tensorflow_addons(run):
    # The example in the docstring of tfa.losses.PinballLoss.
    values, _ = run(pinball, [0.0, 0.0, 1.0, 1.0], [[1.0], [1.0], [1.0], [0.0]], tau=0.1)
    assert values.mean() == pytest.approx(0.475, rel=FLOAT32)


def test_expectile_of_one_half_is_half_the_squared_error(run):
    values, _ = run(expectile, [[1.0, 2.0]], [[4.0, 0.0]])
    assert values == pytest.approx([(9 + 4) / 2 / 2], rel=FLOAT32)


def test_quantile_huber_is_pinball_for_a_small_kappa(run):
    got = run(quantile_huber, Y, Q, tau=TAUS, kappa=1e-12)
    for ours, expected in zip(got, run(pinball, Y, Q, tau=TAUS), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=EACH_OTHER)


def test_quantile_huber_is_expectile_for_a_large_kappa(run):
    values, _ = run(quantile_huber, Y, Q, tau=TAUS, kappa=1e3)
    np.testing.assert_allclose(values * 2e3, run(expectile, Y, Q, tau=TAUS)[0], rtol=EACH_OTHER)


@pytest.mark.parametrize("loss", [pinball, quantile_huber, expectile])
def test_a_prediction_that_is_exact_has_no_gradient(run, loss):
    values, gradient = run(loss, [[1.5]], [[1.5, 1.5]], tau=(0.1, 0.9))
    assert values == [0]
    assert (gradient == 0).all()


@pytest.mark.parametrize("tau", [0.0, 0.25, 0.8, 1.0])
def test_the_best_constant_is_the_quantile(tau):
    labels = np.sort(RANDOM.gamma(2.0, size=41)).astype("float32")
    cost = [
        ops.convert_to_numpy(pinball(labels[:, None], np.full((41, 1), q), tau=tau)).mean()
        for q in labels
    ]
    assert labels[int(np.argmin(cost))] == np.quantile(labels, tau, method="inverted_cdf")


def test_the_best_constant_is_the_expectile(run):
    # At the expectile, tau times what lies above equals 1 - tau times what lies below.
    labels = RANDOM.gamma(2.0, size=(41, 1)).astype("float32")
    q = labels.mean()
    for _ in range(200):
        above, below = np.maximum(labels - q, 0).sum(), np.maximum(q - labels, 0).sum()
        q += 0.02 * (0.8 * above - 0.2 * below) / len(labels) * 10
    _, gradient = run(expectile, labels, np.full((41, 1), q), tau=0.8)
    # The search for the expectile stops this near.
    assert gradient.sum() == pytest.approx(0, abs=1e-3)


def test_crossing_costs_nothing_unless_asked(run):
    crossed = [[3.0, 2.0, 5.0]]
    plain = run(pinball, [[2.5]], crossed, tau=TAUS)[0]
    asked = run(pinball, [[2.5]], crossed, tau=TAUS, crossing_penalty=0.7)[0]
    assert plain == pytest.approx([(0.9 * 0.5 + 0.5 * 0.5 + 0.1 * 2.5) / 3], rel=FLOAT32)
    assert asked - plain == pytest.approx([0.7 * 1.0], rel=FLOAT32)


def test_crossing_minds_the_levels_and_not_the_order_of_outputs(run):
    values, _ = run(pinball, [[2.5]], [[3.0, 1.0, 2.0]], tau=(0.9, 0.1, 0.5), crossing_penalty=9.0)
    plain, _ = run(pinball, [[2.5]], [[3.0, 1.0, 2.0]], tau=(0.9, 0.1, 0.5))
    assert values == plain


@pytest.mark.parametrize("loss", [pinball, quantile_huber, expectile])
def test_a_level_too_many_is_refused(loss):
    with pytest.raises(ParameterError, match="'tau' has 2 numbers, and the predictions have 3"):
        loss(Y, Q, tau=(0.1, 0.9))


@settings(deadline=None, max_examples=30)
@given(
    order=st.permutations(range(3)),
    taus=st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
@pytest.mark.parametrize("loss", [pinball, quantile_huber, expectile])
def test_the_order_of_the_outputs_changes_nothing(loss, order, taus):
    value = ops.convert_to_numpy(loss(Y, Q, tau=tuple(taus)))
    moved = ops.convert_to_numpy(loss(Y, Q[:, order], tau=tuple(taus[i] for i in order)))
    np.testing.assert_allclose(moved, value, rtol=EACH_OTHER, atol=2 * CANCELLATION)
