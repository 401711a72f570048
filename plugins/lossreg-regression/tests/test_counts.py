"""Counts and amounts in 60 digits, and the limits at which one loss becomes another."""

import math

import keras
import mpmath
import numpy as np
import pytest
from mpmath import mpf
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg_regression.counts import (
    gamma_deviance,
    negative_binomial_nll,
    tweedie_deviance,
    zero_inflated_poisson,
)

RANDOM = np.random.default_rng(12)
Y = np.array([0.0, 1e-3, 0.5, 0.999, 1.0, 1.0001, 3.0, 70.0, 1e4], "float32")
MU = np.array([1e-4, 0.3, 1.0, 2.5, 3e3], "float32")
PAIRS = np.array([(y, mu) for y in Y for mu in MU], "float32")


def tweedie_of(y, mu, p):
    """Return the deviance as Jørgensen writes it, with its limits at 1 and 2, and its slope."""
    if p == 1:
        value = (y * mpmath.log(y / mu) if y else 0) - y + mu
    elif p == 2:
        value = mpmath.log(mu / y) + y / mu - 1
    else:
        value = (
            (y ** (2 - p) if y or p < 2 else 0) / ((1 - p) * (2 - p))
            - y * mu ** (1 - p) / (1 - p)
            + mu ** (2 - p) / (2 - p)
        )
    return 2 * value, 2 * (mu - y) / mu**p


POWERS = [0.0, 0.5, 1 - 1e-9, 1.0, 1 + 1e-9, 1.3, 1.9, 1.999, 2.0, 2 + 1e-9, 2.5, 3.0]


@pytest.mark.parametrize("power", POWERS)
def test_tweedie_is_exact_at_and_near_its_limits(run, power):
    pairs = PAIRS if power < 2 else PAIRS[PAIRS[:, 0] > 0]
    with mpmath.workdps(60):
        expected = [
            [float(each) for each in tweedie_of(mpf(float(y)), mpf(float(mu)), mpf(power))]
            for y, mu in pairs
        ]
    values, slopes = np.transpose(expected)
    got, gradient = run(tweedie_deviance, pairs[:, :1], pairs[:, 1:], power=power)
    # A limit that is missed by 1e-9 gives a perfect prediction 1e-52.
    np.testing.assert_allclose(got, values, rtol=FLOAT32, atol=1e-30)
    np.testing.assert_allclose(gradient[:, 0], slopes, rtol=FLOAT32)


def test_tweedie_of_power_0_is_the_squared_error(run):
    y, mu = np.array([[0.0, 3.0]]), np.array([[2.0, 2.5]])
    values, gradient = run(tweedie_deviance, y, mu, power=0.0)
    assert values == pytest.approx([(4 + 0.25) / 2], rel=FLOAT32)
    assert gradient == pytest.approx(np.array([[2.0, -0.5]]), rel=FLOAT32)


def test_tweedie_of_power_1_is_keras_poisson_less_that_of_the_label(run):
    y, mu = np.array([[1.0, 4.0, 9.0]]), np.array([[2.0, 2.5, 9.5]])
    values, gradient = run(tweedie_deviance, y, mu, power=1.0)
    poisson, slopes = run(keras.losses.poisson, y, mu)
    perfect, _ = run(keras.losses.poisson, y, y)
    assert values == pytest.approx(
        2 * (poisson - perfect), rel=EACH_OTHER, abs=2 * CANCELLATION * np.abs(poisson).max()
    )
    np.testing.assert_allclose(gradient, 2 * slopes, rtol=EACH_OTHER)


def test_tweedie_of_power_2_is_the_gamma_deviance(run):
    y, mu = RANDOM.gamma(2.0, size=(2, 5, 3)) + 0.1
    for ours, other in zip(
        run(tweedie_deviance, y, mu, power=2.0), run(gamma_deviance, y, mu), strict=True
    ):
        np.testing.assert_array_equal(ours, other)


def test_the_deviances_have_the_values_of_scikit_learn(run):
    # The examples in the docstrings of mean_tweedie_deviance and mean_gamma_deviance.
    tweedie, _ = run(tweedie_deviance, [[2, 0, 1, 4]], [[0.5, 0.5, 2.0, 2.0]], power=1.0)
    gamma, _ = run(gamma_deviance, [[2.0, 0.5, 1.0, 4.0]], [[0.5, 0.5, 2.0, 2.0]])
    assert tweedie == pytest.approx([1.4260151319598084], rel=FLOAT32)
    assert gamma == pytest.approx([1.0568528194400547], rel=FLOAT32)


def test_a_deviance_that_is_right_is_exactly_0(run):
    for power in POWERS:
        values, gradient = run(tweedie_deviance, MU[:, None], MU[:, None], power=power)
        assert (values == 0).all()
        assert (gradient == 0).all()


def test_the_unit_of_amounts_changes_nothing_in_the_gamma_deviance(run):
    y, mu = RANDOM.gamma(2.0, size=(2, 5, 3)) + 0.1
    values, _ = run(gamma_deviance, 1e3 * y, 1e3 * mu)
    np.testing.assert_allclose(values, run(gamma_deviance, y, mu)[0], rtol=EACH_OTHER)


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
def test_a_mean_of_0_or_below_counts_as_1e_7_and_can_be_learned_from(run, power):
    values, gradient = run(tweedie_deviance, [[1.0]] * 3, [[1e-7], [0.0], [-3.0]], power=power)
    assert values[1:] == pytest.approx(values[0], rel=EACH_OTHER)
    assert gradient[1:, 0] == pytest.approx(gradient[0, 0], rel=EACH_OTHER)
    assert (np.isfinite(gradient) & (gradient < 0)).all()


@pytest.mark.parametrize("power", [2.0, 2.5, 3.0])
def test_a_label_of_0_where_only_amounts_above_it_are_possible_is_finite(run, power):
    values, gradient = run(tweedie_deviance, [[0.0]], [[1.5]], power=power)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(gradient, [[2 * 1.5 ** (1 - power)]], rtol=FLOAT32)


# What a logarithm of a likelihood near 0 is the sum of.
LARGEST = 10

COUNTS = [0, 1, 2, 7, 150, 20_000]


def softplus(x):
    return mpmath.log1p(mpmath.exp(mpf(x))) + mpf("1e-6")


def negative_binomial_of(y, mean, dispersion):
    mu, r = softplus(mean), 1 / softplus(dispersion)
    log_binomial = mpmath.loggamma(y + r) - mpmath.loggamma(r) - mpmath.loggamma(y + 1)
    return -(log_binomial + r * mpmath.log(r / (r + mu)) + y * mpmath.log(mu / (r + mu)))


def zero_inflated_of(y, rate, logit):
    mu, p = softplus(rate), 1 / (1 + mpmath.exp(-mpf(logit)))
    poisson = mpmath.exp(-mu) * mu**y / mpmath.factorial(y)
    return -mpmath.log((p if y == 0 else 0) + (1 - p) * poisson)


@pytest.mark.parametrize(
    ("loss", "reference", "second"),
    [
        pytest.param(
            negative_binomial_nll, negative_binomial_of, (-30, -9, -3, 0.5, 40), id="negative"
        ),
        pytest.param(zero_inflated_poisson, zero_inflated_of, (-30, -9, 0.0, 9, 30), id="zero"),
    ],
)
def test_counts_have_the_likelihood_of_their_distribution(run, loss, reference, second):
    points = [
        (y, np.float32(first), np.float32(other))
        for y in COUNTS
        for first in (-9, 0.5, 8, 160, 19_950)
        for other in second
    ]
    values, slopes = [], []
    # 1 - p for a logit of 30 and a likelihood of 20 000 events take their digits.
    with mpmath.workdps(120):
        for y, *outputs in points:
            outputs = [mpf(float(each)) for each in outputs]
            values.append(float(reference(mpf(y), *outputs)))
            slopes.append(
                [
                    float(mpmath.diff(lambda *p, y=y: reference(mpf(y), *p), outputs, order))
                    for order in ((1, 0), (0, 1))
                ]
            )
    labels = np.array([[y] for y, *_ in points], "int32")
    got, gradient = run(loss, labels, [outputs for _, *outputs in points])
    np.testing.assert_allclose(got, values, rtol=FLOAT32, atol=CANCELLATION * LARGEST)
    np.testing.assert_allclose(gradient, slopes, rtol=FLOAT32, atol=CANCELLATION * LARGEST)


def test_a_negative_binomial_without_dispersion_is_poissons(run):
    y = np.array([[0], [1], [5], [40]])
    values, _ = run(negative_binomial_nll, y, [[4.0, -40.0]] * 4)
    mu = math.log1p(math.exp(4))
    poisson = [mu - n * math.log(mu) + math.lgamma(n + 1) for n in y[:, 0]]
    # alpha is 1e-6, not 0: the difference is ((y - mu)**2 - y) / 2 * alpha.
    np.testing.assert_allclose(values, poisson, rtol=5e-5)


def test_no_zeros_added_is_poissons(run):
    y = np.array([[0], [1], [5], [40]])
    values, _ = run(zero_inflated_poisson, y, [[4.0, -60.0]] * 4)
    mu = math.log1p(math.exp(4))
    poisson = [mu - n * math.log(mu) + math.lgamma(n + 1) for n in y[:, 0]]
    np.testing.assert_allclose(values, poisson, rtol=FLOAT32)


def test_zeros_for_certain_cost_nothing(run):
    values, gradient = run(zero_inflated_poisson, [[0]], [[2.0, 60.0]])
    assert values == pytest.approx([0], abs=1e-20)
    assert np.isfinite(gradient).all()
