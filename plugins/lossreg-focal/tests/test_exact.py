"""Values and gradients against the paper's formula in 50 digits."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpmath import mpf
from tolerances import CANCELLATION, FLOAT32, FOCAL

from lossreg_focal.losses import categorical_focal, focal, sparse_focal

pytestmark = pytest.mark.slow

mpmath.mp.dps = 50

GAMMAS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
ALPHAS = (None, 0.0, 0.001, 0.25, 0.75, 1.0)
SIZES = (0.0, 1e-30, 1e-4, 0.3, 1.0, 2.5, 5.0, 7.0, 9.0, 12.0, 16.7, 20.0, 40.0, 87.5, 89.0, 100.0)
LOGITS = np.array(sorted({sign * size for size in SIZES for sign in (-1, 1)}), "float32")
SOFT = np.array([0.0, 1.0, 0.3, 0.9995, 1e-6], "float32")


def number(value):
    """Return exactly the number that a float32 holds, or a decimal as it is written."""
    return mpf(float(value)) if isinstance(value, np.floating) else mpf(repr(value))


def power_and_slope(miss, gamma):
    """Return `miss**gamma` and its derivative, in which 0 stands for the limit where it meets 0."""
    if gamma == 0:
        return mpf(1), mpf(0)
    return miss**gamma, gamma * miss ** (gamma - 1)


def focal_reference(y, x, gamma, alpha=None, smoothing=0.0):
    """Return the binary focal loss of one label and logit, its derivative by the logit, and
    the size of the terms whose difference that derivative is.
    """
    y, x, gamma, smoothing = map(number, (y, x, gamma, smoothing))
    y = y * (1 - smoothing) + smoothing / 2
    p, q = 1 / (1 + mpmath.exp(-x)), 1 / (1 + mpmath.exp(x))
    weight = mpf(1) if alpha is None else y * number(alpha) + (1 - y) * (1 - number(alpha))
    entropy = -y * mpmath.log(p) - (1 - y) * mpmath.log(q)
    miss = y * q + (1 - y) * p
    power, slope = power_and_slope(miss, gamma)
    steeper = slope * (1 - 2 * y) * p * q * entropy
    return (
        weight * power * entropy,
        weight * (steeper + power * (p - y)),
        weight * (abs(steeper) + power * miss),
    )


def categorical_reference(y, x, gamma, weights=None, smoothing=0.0):
    """Return the categorical focal loss of one row, and its derivatives by the logits."""
    gamma, smoothing = number(gamma), number(smoothing)
    y = [number(each) * (1 - smoothing) + smoothing / len(x) for each in y]
    if weights is not None:
        y = [each * number(weight) for each, weight in zip(y, weights, strict=True)]
    exponentials = [mpmath.exp(number(each)) for each in x]
    total = mpmath.fsum(exponentials)
    value, rises = mpf(0), []
    for index, (label, exponential) in enumerate(zip(y, exponentials, strict=True)):
        if label == 0:
            rises.append(mpf(0))
            continue
        # The others first: 50 digits hold no 1 + exp(-200).
        others = mpmath.fsum(exponentials[:index] + exponentials[index + 1 :])
        p, nats = exponential / total, mpmath.log1p(others / exponential)
        power, slope = power_and_slope(others / total, gamma)
        value += label * power * nats
        rises.append(label * (power + slope * p * nats))
    rise = mpmath.fsum(rises)
    gradient = [e / total * rise - r for e, r in zip(exponentials, rises, strict=True)]
    return value, gradient


def doubles(numbers):
    return np.vectorize(float, otypes=["float64"])(np.array(numbers, dtype=object))


def assert_close(got, expected, absolute):
    """Assert a relative error of `FLOAT32` at most, or an absolute one of `absolute`."""
    allowed = np.maximum(FLOAT32 * np.abs(expected), absolute)
    assert np.isfinite(got).all()
    worst = np.argmax(np.abs(got - expected) / allowed)
    assert (np.abs(got - expected) <= allowed).all(), (
        f"index {worst}: {got.flat[worst]!r} for {expected.flat[worst]!r}"
    )


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_is_exact_for_every_logit_label_and_alpha(run_all, gamma):
    points = np.array(list(itertools.product(SOFT, LOGITS)), "float32")
    y_true, y_pred = points[:, :1], points[:, 1:]
    cases = [(alpha, 0.0) for alpha in ALPHAS] + [(0.75, 0.01), (0.0, 0.1), (None, 1.0)]
    for alpha, smoothing in cases:
        expected = [focal_reference(y, x, gamma, alpha, smoothing) for y, x in points]
        for values, gradient in run_all(
            focal,
            y_true,
            y_pred,
            gamma=gamma,
            alpha=alpha,
            from_logits=True,
            label_smoothing=smoothing,
        ):
            assert_focal_close(values, gradient, expected)


def assert_focal_close(values, gradient, expected):
    assert_close(values, doubles([value for value, _, _ in expected]), FOCAL)
    # A soft label has a prediction where its gradient is 0, as a difference of two equal terms.
    # float32 holds these to 6e-8 each; a hard label has no such place, and no allowance.
    terms = doubles([terms for _, _, terms in expected])
    gradients = doubles([slope for _, slope, _ in expected])
    assert_close(gradient[:, 0], gradients, np.maximum(FOCAL, CANCELLATION * terms))


def rows_of_logits(classes):
    """Return rows that are solved, undecided, wrong, and mistaken as badly as can be."""
    random = np.random.default_rng(classes)
    rows = [np.zeros(classes), random.normal(0, 1, classes), random.uniform(-100, 100, classes)]
    for gap in (0.1, 3.0, 8.0, 16.0, 17.5, 30.0, 100.0, 200.0):
        row = random.uniform(-0.5, 0.5, classes)
        row[0] += gap / 2
        row[-1] -= gap / 2
        rows += [row, row[::-1]]
    return np.array(rows, "float32").clip(-100, 100)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("classes", [2, 10])
def test_categorical_focal_is_exact_for_hard_soft_and_smooth_labels(run_all, classes, gamma):
    y_pred = rows_of_logits(classes)
    one_hot = np.eye(classes, dtype="float32")[np.zeros(len(y_pred), int)]
    soft = np.random.default_rng(1).dirichlet(np.ones(classes), len(y_pred)).astype("float32")
    weights = tuple(0.25 * (1 + index) for index in range(classes))
    for y_true, alpha, smoothing in (
        (one_hot, None, 0.0),
        (one_hot, weights, 0.1),
        (soft, None, 0.0),
    ):
        expected = [
            categorical_reference(y, x, gamma, alpha, smoothing)
            for y, x in zip(y_true, y_pred, strict=True)
        ]
        scale = max(alpha or (1,))
        for values, gradient in run_all(
            categorical_focal,
            y_true,
            y_pred,
            gamma=gamma,
            alpha=alpha,
            from_logits=True,
            label_smoothing=smoothing,
        ):
            assert_close(values, doubles([value for value, _ in expected]), CANCELLATION * scale)
            assert_close(gradient, doubles([slope for _, slope in expected]), CANCELLATION * scale)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("classes", [2, 10])
def test_sparse_focal_is_exact_for_every_class(run_all, classes, gamma):
    y_pred = rows_of_logits(classes)
    y_true = np.arange(len(y_pred)) % classes
    weights = tuple(0.25 * (1 + index) for index in range(classes))
    one_hot = np.eye(classes, dtype="float32")[y_true]
    for alpha in (None, weights):
        expected = [
            categorical_reference(y, x, gamma, alpha) for y, x in zip(one_hot, y_pred, strict=True)
        ]
        scale = max(alpha or (1,))
        for values, gradient in run_all(
            sparse_focal, y_true, y_pred, gamma=gamma, alpha=alpha, from_logits=True
        ):
            assert_close(values, doubles([value for value, _ in expected]), CANCELLATION * scale)
            assert_close(gradient, doubles([slope for _, slope in expected]), CANCELLATION * scale)


@pytest.mark.parametrize("loss", [categorical_focal, sparse_focal])
def test_a_thousand_classes_are_as_exact_as_two(run, loss):
    y_pred = rows_of_logits(1000)[[0, 1, 2, 4, 9, 16, 18]]
    y_true = np.array([0, 999, 500, 0, 999, 0, 999])
    one_hot = np.eye(1000, dtype="float32")[y_true]
    expected = [categorical_reference(y, x, 1.5) for y, x in zip(one_hot, y_pred, strict=True)]
    labels = y_true if loss is sparse_focal else one_hot
    values, gradient = run(loss, labels, y_pred, gamma=1.5, from_logits=True)
    assert_close(values, doubles([value for value, _ in expected]), CANCELLATION)
    assert_close(gradient, doubles([slope for _, slope in expected]), CANCELLATION)


@pytest.mark.parametrize(
    ("loss", "y_true"),
    [
        pytest.param(focal, np.zeros((1, 1), "float32"), id="focal"),
        pytest.param(categorical_focal, np.array([[0, 1]], "float32"), id="categorical_focal"),
        pytest.param(sparse_focal, np.array([1]), id="sparse_focal"),
    ],
)
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_worst_mistake_has_the_steepest_gradient(run, loss, y_true, gamma):
    # At a gap of 30 the loss is the gap itself, to 12 digits, so its slope by the gap is 1.
    y_pred = np.array([[30.0, 0.0]] if loss is not focal else [[30.0]], "float32")
    values, gradient = run(loss, y_true, y_pred, gamma=gamma, alpha=None, from_logits=True)
    assert values[0] == pytest.approx(30, rel=FLOAT32)
    assert gradient[0, 0] == pytest.approx(1, rel=FLOAT32)


@given(
    x=st.floats(-100, 100, width=32),
    y=st.floats(0, 1, width=32),
    gamma=st.sampled_from([0.0, 0.1, 0.7, 1.0, 1.2, 2.0, 2.5, 4.3, 9.0]),
    alpha=st.none() | st.floats(0, 1),
)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_focal_is_exact_wherever_hypothesis_looks(run_eagerly, x, y, gamma, alpha):
    y, x = np.float32(y), np.float32(x)
    expected = [focal_reference(y, x, gamma, alpha)]
    values, gradient = run_eagerly(focal, [[y]], [[x]], gamma=gamma, alpha=alpha, from_logits=True)
    assert_focal_close(values, gradient, expected)
