"""The relatives of the focal losses against their papers, at their limits and at the edges."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg.lazy import keras, ops
from lossreg_focal.losses import categorical_focal, focal
from lossreg_focal.sigmoids import (
    asymmetric_multilabel,
    ghm_c,
    penalty_reduced_focal,
    poly1_focal,
    quality_focal,
    reduced_focal,
    varifocal,
)
from lossreg_focal.softmaxes import adaptive_focal, poly1

mpmath.mp.dps = 50

RANDOM = np.random.default_rng(8)
# As sure as float32 can be on one side, and undecided.
SIZES = (0.0, 1e-4, 0.3, 1.0, 2.5, 7.0, 16.7, 40.0, 87.5, 100.0)
LOGITS = np.array(sorted({sign * size for size in SIZES for sign in (-1, 1)}), "float32")
LABELS = np.array([0.0, 1.0, 0.3, 0.9995], "float32")
ROWS = RANDOM.normal(0, 3, (6, 5)).astype("float32")
ONE_HOT = np.eye(5, dtype="float32")[RANDOM.integers(0, 5, 6)]
SOFT = RANDOM.dirichlet(np.ones(5), 6).astype("float32")
YES = (RANDOM.random((6, 5)) < 0.4).astype("float32")


def crossentropy(y, p, q):
    return -y * mpmath.log(p) - (1 - y) * mpmath.log(q)


def miss_of(y, p, q):
    return y * q + (1 - y) * p


def asymmetric_reference(y, p, q, gamma_neg, gamma_pos, clip):
    p_m = max(p - mpf(clip), mpf(0))
    negative = (1 - y) * (p_m**gamma_neg if gamma_neg else 1) * mpmath.log(1 - p_m if clip else q)
    return -y * q**gamma_pos * mpmath.log(p) - negative


def poly1_focal_reference(y, p, q, epsilon, gamma, alpha):
    miss = miss_of(y, p, q)
    weight = 1 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
    return weight * miss**gamma * crossentropy(y, p, q) + epsilon * miss ** (gamma + 1)


def reduced_reference(y, p, q, threshold, gamma):
    miss = miss_of(y, p, q)
    weight = 1 if 1 - miss < threshold else (miss / threshold) ** gamma
    return weight * crossentropy(y, p, q)


def quality_reference(y, p, q, beta):
    # y - p without a loss of digits where p is close to 1.
    distance = abs(y * q - (1 - y) * p)
    return distance**beta * crossentropy(y, p, q)


def varifocal_reference(y, p, q, alpha, gamma):
    return y * crossentropy(y, p, q) if y > 0 else -alpha * p**gamma * mpmath.log(q)


OF_SIGMOIDS = [
    pytest.param(
        asymmetric_multilabel,
        asymmetric_reference,
        {"gamma_neg": 4.0, "gamma_pos": 1.0, "clip": 0.05},
        id="asymmetric",
    ),
    pytest.param(
        asymmetric_multilabel,
        asymmetric_reference,
        {"gamma_neg": 0.5, "gamma_pos": 0.25, "clip": 0.0},
        id="asymmetric, no clip, small gammas",
    ),
    pytest.param(
        poly1_focal,
        poly1_focal_reference,
        {"epsilon": 2.0, "gamma": 1.5, "alpha": 0.25},
        id="poly1_focal",
    ),
    pytest.param(
        poly1_focal,
        poly1_focal_reference,
        {"epsilon": -1.0, "gamma": 0.5, "alpha": None},
        id="poly1_focal without its leading term",
    ),
    pytest.param(
        reduced_focal, reduced_reference, {"threshold": 0.5, "gamma": 2.0}, id="reduced_focal"
    ),
    pytest.param(
        reduced_focal,
        reduced_reference,
        {"threshold": 0.8, "gamma": 0.5},
        id="reduced, small gamma",
    ),
    pytest.param(quality_focal, quality_reference, {"beta": 2.0}, id="quality_focal"),
    pytest.param(quality_focal, quality_reference, {"beta": 1.3}, id="quality_focal, beta 1.3"),
    pytest.param(varifocal, varifocal_reference, {"alpha": 0.75, "gamma": 2.0}, id="varifocal"),
    pytest.param(
        varifocal, varifocal_reference, {"alpha": 0.4, "gamma": 0.5}, id="varifocal, small gamma"
    ),
]


def probabilities(x):
    return 1 / (1 + mpmath.exp(-x)), 1 / (1 + mpmath.exp(x))


@pytest.mark.parametrize(("loss", "reference", "params"), OF_SIGMOIDS)
def test_a_loss_of_sigmoids_is_exact_for_every_logit_and_label(
    run_eagerly, loss, reference, params
):
    points = [(y, x) for y in LABELS for x in LOGITS]
    y_true = np.array([[y] for y, _ in points], "float32")
    y_pred = np.array([[x] for _, x in points], "float32")
    expected = [
        float(reference(mpf(float(y)), *probabilities(mpf(float(x))), **params)) for y, x in points
    ]
    values, gradient = run_eagerly(loss, y_true, y_pred, from_logits=True, **params)
    # Near its label a prediction is held to 6e-8, and so is p - clip.
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION)
    assert np.isfinite(gradient).all()
    slopes = np.array([slopes_at(reference, y, x, params) for y, x in points], "float64")
    # No derivative where the value has a step or a kink.
    smooth = np.isclose(slopes[:, 0], slopes[:, 1], rtol=FLOAT32, atol=1e-9)
    assert smooth.mean() > 0.9
    np.testing.assert_allclose(
        gradient[smooth, 0], slopes[smooth, 0], rtol=FLOAT32, atol=CANCELLATION
    )


def slopes_at(reference, y, x, params):
    """Return how the reference rises before and after a logit."""
    step = mpf("1e-12")
    behind, here, ahead = (
        reference(mpf(float(y)), *probabilities(mpf(float(x)) + move), **params)
        for move in (-step, 0, step)
    )
    return float((here - behind) / step), float((ahead - here) / step)


@pytest.mark.parametrize("y_true", [ONE_HOT, SOFT], ids=["one-hot", "soft"])
def test_losses_of_a_softmax_are_the_papers(run_eagerly, y_true):
    expected_poly1, expected_adaptive = [], []
    for y, x in zip(y_true.astype("float64"), ROWS.astype("float64"), strict=True):
        p = np.exp(x) / np.exp(x).sum()
        expected_poly1.append((y * (-np.log(p) + 1.5 * (1 - p))).sum())
        gammas = [4.0 if each < 0.3 else 1.5 for each in p]
        expected_adaptive.append((y * (1 - p) ** gammas * -np.log(p)).sum())
    values, _ = run_eagerly(poly1, y_true, ROWS, epsilon=1.5, from_logits=True)
    np.testing.assert_allclose(values, expected_poly1, rtol=FLOAT32)
    params = {"threshold": 0.3, "gamma_hard": 4.0, "gamma_easy": 1.5, "from_logits": True}
    values, _ = run_eagerly(adaptive_focal, y_true, ROWS, **params)
    np.testing.assert_allclose(values, expected_adaptive, rtol=FLOAT32)


def heat_map():
    """Return two heat maps of one class: two peaks with bells, and no peak at all."""
    y_true = np.zeros((2, 3, 4, 1), "float32")
    y_true[0, 0, 0], y_true[0, 2, 2] = 1, 1
    y_true[0, 0, 1], y_true[0, 2, 1], y_true[1, 1, 1] = 0.8, 0.6, 0.5
    return y_true, RANDOM.normal(0, 2, y_true.shape).astype("float32")


def test_penalty_reduced_focal_is_the_paper_s_sum_over_the_number_of_peaks(run_eagerly):
    y_true, y_pred = heat_map()
    expected = []
    for y, x in zip(y_true, y_pred, strict=True):
        total, peaks = 0.0, 0
        for label, logit in zip(y.reshape(-1).tolist(), x.reshape(-1).tolist(), strict=True):
            p = 1 / (1 + math.exp(-logit))
            if label == 1:
                peaks += 1
                total -= (1 - p) ** 1.5 * math.log(p)
            else:
                total -= (1 - label) ** 3 * p**1.5 * math.log(1 - p)
        expected.append(total / max(peaks, 1))
    params = {"alpha": 1.5, "beta": 3.0, "from_logits": True}
    values, _ = run_eagerly(penalty_reduced_focal, y_true, y_pred, **params)
    assert values.shape == (2,)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)


def test_a_threshold_finds_peaks_that_were_rounded_off(run_eagerly):
    y_true, y_pred = heat_map()
    expected, _ = run_eagerly(penalty_reduced_focal, y_true, y_pred, from_logits=True)
    rounded = np.where(y_true == 1, 0.97, y_true).astype("float32")
    values, _ = run_eagerly(penalty_reduced_focal, rounded, y_pred, threshold=0.9, from_logits=True)
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER)


def test_ghm_c_divides_by_the_density_of_gradients(run_eagerly):
    y, x = YES.astype("float64"), ROWS.astype("float64")
    p = 1 / (1 + np.exp(-x))
    distances = np.abs(y - p)
    expected = np.zeros_like(y)
    for place in np.ndindex(*y.shape):
        low = math.floor(distances[place] * 4) / 4
        in_bin = ((distances >= low) & (distances < low + 0.25)).sum()
        # A density is the number in a bin over its width.
        nats = -y[place] * np.log(p[place]) - (1 - y[place]) * np.log(1 - p[place])
        expected[place] = y.size / (in_bin / 0.25) * nats
    values, gradient = run_eagerly(ghm_c, YES, ROWS, bins=4, from_logits=True)
    np.testing.assert_allclose(values, expected.mean(axis=-1), rtol=FLOAT32)
    weights = expected / (-y * np.log(p) - (1 - y) * np.log(1 - p))
    np.testing.assert_allclose(
        gradient, weights * (p - y) / 5, rtol=FLOAT32, atol=CANCELLATION * weights.max()
    )


def binary_crossentropy(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)


def categorical_crossentropy(y_true, y_pred):
    return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


@pytest.mark.parametrize(
    ("loss", "params", "other", "y_true"),
    [
        pytest.param(
            asymmetric_multilabel,
            {"gamma_neg": 0.0, "gamma_pos": 0.0, "clip": 0.0},
            binary_crossentropy,
            SOFT,
            id="asymmetric_multilabel",
        ),
        pytest.param(
            asymmetric_multilabel,
            {"gamma_neg": 2.0, "gamma_pos": 2.0, "clip": 0.0},
            lambda y, x: focal(y, x, gamma=2.0, alpha=None, from_logits=True),
            YES,
            id="asymmetric_multilabel as focal",
        ),
        pytest.param(poly1, {"epsilon": 0.0}, categorical_crossentropy, SOFT, id="poly1"),
        pytest.param(
            poly1_focal,
            {"epsilon": 0.0, "gamma": 0.0},
            binary_crossentropy,
            SOFT,
            id="poly1_focal",
        ),
        pytest.param(
            poly1_focal,
            {"epsilon": 0.0, "gamma": 1.5, "alpha": 0.3},
            lambda y, x: focal(y, x, gamma=1.5, alpha=0.3, from_logits=True),
            SOFT,
            id="poly1_focal as focal",
        ),
        pytest.param(reduced_focal, {"gamma": 0.0}, binary_crossentropy, SOFT, id="reduced_focal"),
        pytest.param(quality_focal, {"beta": 0.0}, binary_crossentropy, SOFT, id="quality_focal"),
        pytest.param(
            quality_focal,
            {"beta": 2.0},
            lambda y, x: focal(y, x, gamma=2.0, alpha=None, from_logits=True),
            YES,
            id="quality_focal as focal",
        ),
        pytest.param(
            varifocal, {"alpha": 1.0, "gamma": 0.0}, binary_crossentropy, YES, id="varifocal"
        ),
        pytest.param(
            adaptive_focal,
            {"gamma_hard": 0.0, "gamma_easy": 0.0},
            categorical_crossentropy,
            SOFT,
            id="adaptive_focal",
        ),
        pytest.param(
            adaptive_focal,
            {"gamma_hard": 2.0, "gamma_easy": 2.0},
            lambda y, x: categorical_focal(y, x, gamma=2.0, from_logits=True),
            SOFT,
            id="adaptive_focal as categorical_focal",
        ),
        pytest.param(
            penalty_reduced_focal,
            {"alpha": 0.0, "beta": 0.0},
            # Twenty entries of one sample, one of them a peak.
            lambda y, x: 5 * binary_crossentropy(y, x),
            ONE_HOT,
            id="penalty_reduced_focal",
        ),
        pytest.param(ghm_c, {"bins": 1}, binary_crossentropy, SOFT, id="ghm_c"),
    ],
)
def test_at_its_limit_a_loss_is_another_one(run_eagerly, loss, params, other, y_true):
    expected = run_eagerly(other, y_true, ROWS)
    got = run_eagerly(loss, y_true, ROWS, from_logits=True, **params)
    for ours, theirs in zip(got, expected, strict=True):
        np.testing.assert_allclose(
            ours, theirs, rtol=EACH_OTHER, atol=2 * CANCELLATION * np.abs(ROWS).max()
        )


BINARY = [
    asymmetric_multilabel,
    ghm_c,
    penalty_reduced_focal,
    poly1_focal,
    quality_focal,
    reduced_focal,
    varifocal,
]
EVERY_LOSS = pytest.mark.parametrize("loss", [*BINARY, adaptive_focal, poly1])


@EVERY_LOSS
@pytest.mark.parametrize("size", [0.0, 1e2, 1e4, 1e30])
def test_logits_of_any_size_have_a_finite_value_and_gradient(run_eagerly, loss, size):
    for sign in (1, -1):
        y_pred = np.where(ONE_HOT > 0, sign * size, -sign * size).astype("float32")
        for y_true in (ONE_HOT, SOFT, np.zeros((6, 5), "float32")):
            values, gradient = run_eagerly(loss, y_true, y_pred, from_logits=True)
            assert np.isfinite(values).all()
            assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", BINARY)
def test_an_infinite_logit_of_a_sigmoid_is_finite(run_eagerly, loss):
    y_pred = np.where(ONE_HOT > 0, np.inf, -np.inf).astype("float32")
    for y_true in (ONE_HOT, 1 - ONE_HOT):
        values, gradient = run_eagerly(loss, y_true, y_pred, from_logits=True)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@EVERY_LOSS
def test_probabilities_of_exactly_0_and_1_are_finite(run_eagerly, loss):
    y_pred = np.eye(5, dtype="float32")[[0, 0, 1, 2, 3, 4]]
    for y_true in (ONE_HOT, SOFT, y_pred):
        values, gradient = run_eagerly(loss, y_true, y_pred)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@EVERY_LOSS
def test_on_probabilities_a_loss_is_what_it_is_on_logits(run_eagerly, loss):
    x = ROWS.astype("float64") / 2
    if loss in BINARY:
        p = 1 / (1 + np.exp(-x))
    else:
        p = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    expected, _ = run_eagerly(loss, ONE_HOT, x.astype("float32"), from_logits=True)
    values, _ = run_eagerly(loss, ONE_HOT, p.astype("float32"))
    # Rounding a probability near 1 costs digits of its logit.
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


@EVERY_LOSS
@given(order=st.permutations(range(5)), samples=st.permutations(range(6)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_outputs_and_samples_changes_nothing(loss, order, samples):
    y_true = ONE_HOT if loss is penalty_reduced_focal else SOFT
    expected = array(loss(y_true, ROWS, from_logits=True))[list(samples)]
    moved = [each[list(samples)][:, list(order)] for each in (y_true, ROWS)]
    np.testing.assert_allclose(
        array(loss(*moved, from_logits=True)), expected, rtol=EACH_OTHER, atol=2 * CANCELLATION
    )


def array(values):
    return np.asarray(ops.convert_to_numpy(values), "float64")


@pytest.mark.parametrize("loss", [adaptive_focal, poly1])
def test_the_classes_may_be_on_any_axis(run_eagerly, loss):
    y_true, y_pred = SOFT.reshape(2, 3, 5), ROWS.reshape(2, 3, 5)
    expected, slope = run_eagerly(loss, y_true, y_pred, from_logits=True)
    moved = [each.transpose(0, 2, 1) for each in (y_true, y_pred)]
    values, gradient = run_eagerly(loss, *moved, axis=1, from_logits=True)
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION)
    np.testing.assert_allclose(
        gradient, slope.transpose(0, 2, 1), rtol=EACH_OTHER, atol=2 * CANCELLATION
    )


def test_an_easy_negative_below_the_clip_costs_nothing_at_all(run_eagerly):
    y_true, y_pred = np.zeros((1, 1), "float32"), np.array([[-3.0]], "float32")
    # The sigmoid of -3 is 0.047.
    values, gradient = run_eagerly(asymmetric_multilabel, y_true, y_pred, from_logits=True)
    assert values.tolist() == [0]
    assert gradient.tolist() == [[0]]
