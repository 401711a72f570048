"""Likelihoods of real labels in 60 digits, their limits, and how outputs become parameters."""

import math

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg_regression.likelihood import (
    beta_nll,
    evidential_regression,
    gaussian_nll,
    laplace_nll,
    mixture_density,
    student_t_nll,
)
from lossreg_regression.parameters import positive

# What a logarithm of a density near 0 is the sum of.
LARGEST = 10

RANDOM = np.random.default_rng(11)
Y = RANDOM.normal(0, 2, (5, 2)).astype("float32")
RAW = RANDOM.normal(0, 2, (5, 2, 12)).astype("float32")


def softplus(x):
    return mpmath.log1p(mpmath.exp(mpf(x))) + mpf("1e-6")


def normal(y, mu, sigma):
    """Return the density of a normal distribution."""
    return mpmath.exp(-(((y - mu) / sigma) ** 2) / 2) / (sigma * mpmath.sqrt(2 * mpmath.pi))


def gaussian_of(y, mu, output):
    return -mpmath.log(normal(y, mu, softplus(output)))


def laplace_of(y, mu, output):
    b = softplus(output)
    return -mpmath.log(mpmath.exp(-abs(y - mu) / b) / (2 * b))


def student_t_density(y, mu, s, nu):
    front = mpmath.gamma((nu + 1) / 2) / mpmath.gamma(nu / 2) / mpmath.sqrt(mpmath.pi * nu) / s
    return front * (1 + ((y - mu) / s) ** 2 / nu) ** (-(nu + 1) / 2)


def student_t_of(y, mu, scale, freedom):
    return -mpmath.log(student_t_density(y, mu, softplus(scale), softplus(freedom)))


def mixture_of(y, *outputs):
    k = len(outputs) // 3
    w = [mpmath.exp(each) for each in outputs[:k]]
    parts = [
        weight / mpmath.fsum(w) * normal(y, mu, softplus(scale))
        for weight, mu, scale in zip(w, outputs[k : 2 * k], outputs[2 * k :], strict=True)
    ]
    return -mpmath.log(mpmath.fsum(parts))


def evidential_of(y, gamma, nu, alpha, beta, weight=0.3):
    """Return equation 8 of Amini et al. as it stands there, and the regularizer."""
    nu, alpha, beta = softplus(nu), 1 + softplus(alpha), softplus(beta)
    omega = 2 * beta * (1 + nu)
    nll = (
        mpmath.log(mpmath.pi / nu) / 2
        - alpha * mpmath.log(omega)
        + (alpha + 0.5) * mpmath.log((y - gamma) ** 2 * nu + omega)
        + mpmath.log(mpmath.gamma(alpha) / mpmath.gamma(alpha + 0.5))
    )
    return nll + weight * abs(y - gamma) * (2 * nu + alpha)


CASES = [
    pytest.param(gaussian_nll, {}, 2, gaussian_of, id="gaussian_nll"),
    pytest.param(laplace_nll, {}, 2, laplace_of, id="laplace_nll"),
    pytest.param(student_t_nll, {}, 3, student_t_of, id="student_t_nll"),
    pytest.param(mixture_density, {}, 9, mixture_of, id="mixture_density"),
    pytest.param(
        evidential_regression, {"evidence_weight": 0.3}, 4, evidential_of, id="evidential"
    ),
]


@pytest.mark.parametrize(("loss", "params", "count", "reference"), CASES)
def test_values_and_gradients_are_those_of_the_distribution(run, loss, params, count, reference):
    # All of the first parameter, then all of the second: (5, targets, count) becomes (5, count *
    # targets).
    raw = RAW[:, :, :count]
    y_pred = raw.swapaxes(1, 2).reshape(5, -1)
    values, slopes = np.zeros((5, 2)), np.zeros((5, 2, count))
    with mpmath.workdps(60):
        for i, j in np.ndindex(5, 2):
            y, point = mpf(float(Y[i, j])), [mpf(float(each)) for each in raw[i, j]]
            values[i, j] = float(reference(y, *point))
            for k in range(count):
                order = tuple(np.eye(count, dtype=int)[k])
                slopes[i, j, k] = float(
                    mpmath.diff(lambda *p, y=y: reference(y, *p), point, order, h=mpf("1e-20"))
                )
    got, gradient = run(loss, Y, y_pred, **params)
    np.testing.assert_allclose(got, values.mean(axis=-1), rtol=FLOAT32, atol=CANCELLATION * LARGEST)
    expected = slopes.swapaxes(1, 2).reshape(5, -1) / 2
    largest = np.abs(expected).max()
    np.testing.assert_allclose(gradient, expected, rtol=FLOAT32, atol=CANCELLATION * largest)


def test_gaussian_by_hand(run, outputs):
    # A density of 1 / sqrt(2 * pi) at the mean, and exp(-1/2) of it one sigma away.
    values, _ = run(gaussian_nll, [[0.0], [2.0]], outputs([[0.0], [0.0]], [[1.0], [2.0]]))
    half = math.log(2 * math.pi) / 2
    assert values == pytest.approx([half, half + math.log(2) + 0.5], rel=FLOAT32)


def test_beta_nll_at_0_is_gaussian_nll(run):
    y_pred = RAW[:, 0, :4]
    for ours, other in zip(
        run(beta_nll, Y, y_pred, beta=0.0), run(gaussian_nll, Y, y_pred), strict=True
    ):
        np.testing.assert_allclose(ours, other, rtol=EACH_OTHER)


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_beta_nll_weighs_value_and_gradient_with_a_power_of_the_variance(run, beta):
    y, y_pred = Y[:, :1], RAW[:, 0, :2]
    variance = np.log1p(np.exp(y_pred[:, 1].astype("float64"))) ** 2
    values, gradient = run(gaussian_nll, y, y_pred)
    got = run(beta_nll, y, y_pred, beta=beta)
    np.testing.assert_allclose(got[0], variance**beta * values, rtol=EACH_OTHER)
    np.testing.assert_allclose(got[1], variance[:, None] ** beta * gradient, rtol=EACH_OTHER)


def test_beta_nll_at_1_moves_the_mean_as_the_squared_error_does(run):
    y, y_pred = Y[:, :1], RAW[:, 0, :2]
    _, gradient = run(beta_nll, y, y_pred, beta=1.0)
    np.testing.assert_allclose(gradient[:, 0], y_pred[:, 0] - y[:, 0], rtol=FLOAT32)


@pytest.mark.parametrize("nu", [1e4, 1e6])
def test_student_t_is_gaussian_for_many_degrees_of_freedom(run, nu):
    y, y_pred = Y[:, :1], RAW[:, 0, :2]
    with_nu = np.concatenate([y_pred, np.full((5, 1), nu)], axis=1)
    values, gradient = run(student_t_nll, y, with_nu)
    expected, slopes = run(gaussian_nll, y, y_pred)
    # They differ by (z**4 - 2 * z**2 - 1) / (4 * nu).
    z = (y - y_pred[:, :1]) / np.log1p(np.exp(y_pred[:, 1:]))
    expected = expected - ((z**4 - 2 * z**2 - 1) / (4 * nu))[:, 0]
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER)
    # Their gradients differ by a share of this.
    np.testing.assert_allclose(gradient[:, :2], slopes, rtol=1e-2 if nu < 1e5 else 1e-4)


def test_student_t_with_one_degree_of_freedom_is_cauchys_distribution(run, outputs):
    values, _ = run(student_t_nll, [[3.0]], outputs([[1.0]], [[2.0]], [[1.0]]))
    assert values == pytest.approx([math.log(math.pi * 2 * (1 + 1))], rel=FLOAT32)


def test_a_mixture_of_one_is_gaussian(run):
    y_pred = RAW[:, 0, :6]
    values, _ = run(mixture_density, Y, y_pred)
    np.testing.assert_allclose(values, run(gaussian_nll, Y, y_pred[:, 2:])[0], rtol=EACH_OTHER)


def test_the_order_of_components_changes_nothing(run):
    y_pred = RAW[:, 0, :9]
    moved = y_pred[:, [2, 0, 1, 5, 3, 4, 8, 6, 7]]
    values = run(mixture_density, Y[:, :1], y_pred)[0]
    np.testing.assert_allclose(run(mixture_density, Y[:, :1], moved)[0], values, rtol=EACH_OTHER)


def test_evidence_for_a_wrong_prediction_has_its_price(run, outputs):
    y_pred = outputs([[1.0]], [[2.0]], [[0.5]], [[1.0]])
    free, priced = (
        run(evidential_regression, [[4.0]], y_pred, evidence_weight=each)[0] for each in (0.0, 0.1)
    )
    # alpha is 1 more than its output says.
    assert priced - free == pytest.approx([0.1 * 3 * (2 * 2 + 1.5)], rel=EACH_OTHER)


def test_positive_parameters_are_softplus_and_a_floor():
    got = ops.convert_to_numpy(positive(ops.convert_to_tensor([-1e4, 0.0, 1.0, 1e4])))
    expected = [1e-6, math.log(2) + 1e-6, math.log1p(math.e) + 1e-6, 1e4]
    np.testing.assert_allclose(got, expected, rtol=FLOAT32)


def test_labels_without_an_axis_of_targets_are_one_target(run):
    y_pred = RAW[:, 0, :2]
    flat = run(gaussian_nll, Y[:, 0], y_pred)[0]
    np.testing.assert_array_equal(flat, run(gaussian_nll, Y[:, :1], y_pred)[0])


def test_steps_of_a_series_have_a_value_each(run):
    y, y_pred = np.stack([Y, Y]), np.stack([RAW[:, 0, :6], RAW[:, 1, :6]])
    values, _ = run(mixture_density, y, y_pred)
    assert values.shape == (2, 5)
    np.testing.assert_allclose(values[1], run(mixture_density, Y, y_pred[1])[0], rtol=EACH_OTHER)


@pytest.mark.parametrize(
    ("loss", "outputs_of_model", "message"),
    [
        (gaussian_nll, 3, "2 labels need 2 outputs each, 4 in all, and the model has 3"),
        (student_t_nll, 4, "2 labels need 3 outputs each, 6 in all, and the model has 4"),
        (mixture_density, 8, "must be a multiple of 6, and the model has 8"),
    ],
)
def test_a_last_layer_of_the_wrong_size_is_refused(loss, outputs_of_model, message):
    with pytest.raises(ParameterError, match=message):
        loss(Y, RAW[:, 0, :outputs_of_model])
