"""Where a parameter turns a loss into another one, what changes nothing, and the edges."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg.lazy import keras, ops
from lossreg_noise.active_passive import (
    active_passive,
    normalized_crossentropy,
    reverse_crossentropy,
    symmetric_crossentropy,
)
from lossreg_noise.bootstrap import bootstrapping_hard, bootstrapping_soft
from lossreg_noise.bounded import generalized_crossentropy, jensen_shannon
from lossreg_noise.softmaxes import bi_tempered_logistic, sparsemax, taylor_crossentropy

RANDOM = np.random.default_rng(4)
LOGITS = RANDOM.normal(0, 3, (6, 4)).astype("float32")
LARGEST = np.abs(LOGITS).max()
ONE_HOT = np.eye(4, dtype="float32")[RANDOM.integers(0, 4, 6)]

OF_LOGITS = {bi_tempered_logistic, sparsemax, taylor_crossentropy}
LOSSES = [
    active_passive,
    normalized_crossentropy,
    reverse_crossentropy,
    symmetric_crossentropy,
    bootstrapping_hard,
    bootstrapping_soft,
    generalized_crossentropy,
    jensen_shannon,
    bi_tempered_logistic,
    taylor_crossentropy,
    sparsemax,
]
EVERY_LOSS = pytest.mark.parametrize("loss", LOSSES)


def on_logits(loss):
    return {} if loss in OF_LOGITS else {"from_logits": True}


def array(values):
    return np.asarray(ops.convert_to_numpy(values), "float64")


def crossentropy(y_true, y_pred):
    return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


def mean_absolute_error(y_true, y_pred):
    return keras.losses.mean_absolute_error(y_true, ops.softmax(y_pred))


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        pytest.param(symmetric_crossentropy, {"alpha": 1.0, "beta": 0.0}, id="beta=0"),
        pytest.param(generalized_crossentropy, {"q": 1e-7}, id="q=0"),
        pytest.param(jensen_shannon, {"weight": 1e-7}, id="weight=0"),
        pytest.param(bootstrapping_soft, {"beta": 1.0}, id="soft, beta=1"),
        pytest.param(bootstrapping_hard, {"beta": 1.0}, id="hard, beta=1"),
        pytest.param(bi_tempered_logistic, {"t1": 1.0, "t2": 1.0}, id="t1=t2=1"),
        pytest.param(bi_tempered_logistic, {"t1": 1.0, "t2": 1 + 1e-6}, id="t2 next to 1"),
    ],
)
def test_at_its_limit_a_loss_is_cross_entropy(run, loss, params):
    expected = run(crossentropy, ONE_HOT, LOGITS)
    got = run(loss, ONE_HOT, LOGITS, **on_logits(loss), **params)
    for ours, keras_own in zip(got, expected, strict=True):
        # A parameter next to its limit gives what is next to cross-entropy.
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)


def test_generalized_crossentropy_with_q_1_is_the_mean_absolute_error(run):
    # The mean over 4 classes of |y - p|, whose sum is 2 * (1 - p_t).
    expected = run(mean_absolute_error, ONE_HOT, LOGITS)
    got = run(generalized_crossentropy, ONE_HOT, LOGITS, q=1.0, from_logits=True)
    for ours, keras_own in zip(got, expected, strict=True):
        np.testing.assert_allclose(
            ours, 4 / 2 * keras_own, rtol=EACH_OTHER, atol=2 * CANCELLATION * LARGEST
        )


def test_jensen_shannon_near_weight_1_is_the_mean_absolute_error():
    expected = array(mean_absolute_error(ONE_HOT, LOGITS))
    # It is reached as slowly as 1 / log(1 - weight).
    values = [
        array(jensen_shannon(ONE_HOT, LOGITS, weight=weight, from_logits=True))
        for weight in (0.9, 0.99, 0.999)
    ]
    errors = [np.abs(each - 2 * expected) for each in values]
    assert (errors[1] <= errors[0] + EACH_OTHER).all()
    assert (errors[2] <= errors[1] + EACH_OTHER).all()


def test_jensen_shannon_is_symmetric_at_half():
    a, b = (RANDOM.dirichlet(np.ones(4), 6).astype("float32") for _ in range(2))
    np.testing.assert_allclose(
        array(jensen_shannon(a, b)),
        array(jensen_shannon(b, a)),
        rtol=EACH_OTHER,
        atol=2 * CANCELLATION,
    )


@pytest.mark.parametrize(
    ("loss", "params", "ceiling"),
    [
        (reverse_crossentropy, {"log_clip": 1e-4}, 4 * math.log(10)),
        (normalized_crossentropy, {}, 1.0),
        (active_passive, {"alpha": 2.0, "beta": 0.5, "log_clip": 1e-4}, 2 + 2 * math.log(10)),
        (generalized_crossentropy, {"q": 0.4}, 2.5),
        (jensen_shannon, {}, 2.0),
        (bi_tempered_logistic, {"t1": 0.6, "t2": 1.5}, 2.5),
    ],
)
def test_no_sample_costs_more_than_the_ceiling(loss, params, ceiling):
    y_pred = np.array([[1e4, -1e4], [-1e4, 1e4], [1e30, -1e30]], "float32")
    y_true = np.eye(2, dtype="float32")[[1, 0, 1]]
    values = array(loss(y_true, y_pred, **on_logits(loss), **params))
    assert (values <= ceiling * (1 + FLOAT32)).all()
    # Heavy tails come near it only.
    assert values == pytest.approx([ceiling] * 3, rel=0.01)


@EVERY_LOSS
@given(order=st.permutations(range(4)), samples=st.permutations(range(6)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_classes_and_samples_changes_nothing(loss, order, samples):
    expected = array(loss(ONE_HOT, LOGITS, **on_logits(loss)))[list(samples)]
    y_true, y_pred = (each[list(samples)][:, list(order)] for each in (ONE_HOT, LOGITS))
    values = array(loss(y_true, y_pred, **on_logits(loss)))
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * LARGEST)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not taylor_crossentropy])
@given(shift=st.floats(-50, 50, width=32))
@settings(max_examples=10, deadline=None)
def test_a_shift_of_all_logits_changes_nothing(loss, shift):
    expected = array(loss(ONE_HOT, LOGITS, **on_logits(loss)))
    values = array(loss(ONE_HOT, LOGITS + np.float32(shift), **on_logits(loss)))
    # 9.2 is the steepest slope.
    np.testing.assert_allclose(
        values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * 9.2 * (LARGEST + abs(shift))
    )


@EVERY_LOSS
@pytest.mark.parametrize("size", [0.0, 1e2, 1e4, 1e30])
def test_logits_of_any_size_have_a_finite_value_and_gradient(run, loss, size):
    for sign in (1, -1):
        y_pred = (sign * np.float32(size) * (2 * ONE_HOT - 1)).astype("float32")
        for y_true in (ONE_HOT, np.full((6, 4), 0.25, "float32"), np.zeros((6, 4), "float32")):
            values, gradient = run(loss, y_true, y_pred, **on_logits(loss))
            assert np.isfinite(values).all()
            assert np.isfinite(gradient).all()


@EVERY_LOSS
def test_a_class_may_be_ruled_out_by_a_logit_of_minus_infinity(run, loss):
    y_true = np.eye(3, dtype="float32")[:2]
    y_pred = np.array([[0.5, 1, -np.inf], [0.5, -np.inf, 0]], "float32")
    values, gradient = run(loss, y_true, y_pred, **on_logits(loss))
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss not in OF_LOGITS])
def test_probabilities_of_exactly_0_and_1_are_finite(run, loss):
    y_pred = np.eye(4, dtype="float32")[[0, 0, 1, 2, 3, 3]]
    for y_true in (ONE_HOT, y_pred, np.full((6, 4), 0.25, "float32")):
        values, gradient = run(loss, y_true, y_pred)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@EVERY_LOSS
def test_the_classes_may_be_on_any_axis(run, loss):
    y_true, y_pred = ONE_HOT.reshape(2, 3, 4), LOGITS.reshape(2, 3, 4)
    expected, slope = run(loss, y_true, y_pred, **on_logits(loss))
    moved = [each.transpose(0, 2, 1) for each in (y_true, y_pred)]
    values, gradient = run(loss, *moved, axis=1, **on_logits(loss))
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * LARGEST)
    np.testing.assert_allclose(
        gradient,
        slope.transpose(0, 2, 1),
        rtol=EACH_OTHER,
        atol=2 * CANCELLATION * np.abs(slope).max(),
    )


def test_a_logit_far_on_the_left_is_likely_under_a_polynomial():
    # f(x) = 1 + x + x**2 / 2 is 1 at 0, and 41 at -10.
    value = array(taylor_crossentropy([[0.0, 1.0]], np.array([[0, -10]], "float32")))
    assert value == pytest.approx([math.log(42 / 41)], rel=FLOAT32, abs=CANCELLATION * math.log(42))
