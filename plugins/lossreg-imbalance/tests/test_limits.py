"""Where a parameter turns a loss into another one, what changes nothing, and the edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg.lazy import keras, ops
from lossreg_imbalance.batches import batch_balanced_crossentropy, hard_example_crossentropy
from lossreg_imbalance.margins import balanced_softmax, ldam, logit_adjusted
from lossreg_imbalance.reweighted import (
    class_balanced_crossentropy,
    class_balanced_focal,
    weighted_binary_crossentropy,
)

RANDOM = np.random.default_rng(5)
LOGITS = RANDOM.normal(0, 3, (6, 4)).astype("float32")
LARGEST = np.abs(LOGITS).max()
ONE_HOT = np.eye(4, dtype="float32")[RANDOM.integers(0, 4, 6)]
BINARY = (RANDOM.random((6, 4)) < 0.4).astype("float32")
COUNTS = (4000.0, 300.0, 20.0, 1.0)
EQUAL = (50.0,) * 4


def crossentropy(y_true, y_pred):
    return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


def binary_crossentropy(y_true, y_pred):
    return keras.losses.binary_crossentropy(y_true, y_pred, from_logits=True)


def array(values):
    return np.asarray(ops.convert_to_numpy(values), "float64")


@pytest.mark.parametrize(
    ("loss", "params", "other", "y_true"),
    [
        pytest.param(
            logit_adjusted, {"counts": COUNTS, "tau": 0.0}, crossentropy, ONE_HOT, id="tau=0"
        ),
        pytest.param(
            balanced_softmax, {"counts": EQUAL}, crossentropy, ONE_HOT, id="equal counts, softmax"
        ),
        pytest.param(
            class_balanced_crossentropy,
            {"counts": EQUAL, "beta": 0.99},
            crossentropy,
            ONE_HOT,
            id="equal counts, weights",
        ),
        pytest.param(
            class_balanced_crossentropy,
            {"counts": COUNTS, "beta": 0.0},
            crossentropy,
            ONE_HOT,
            id="beta=0",
        ),
        pytest.param(
            class_balanced_focal,
            {"counts": EQUAL, "gamma": 0.0},
            lambda y, x: 4 * binary_crossentropy(y, x),
            ONE_HOT,
            id="equal counts and gamma=0",
        ),
        pytest.param(
            weighted_binary_crossentropy,
            {"pos_weight": 1.0},
            binary_crossentropy,
            BINARY,
            id="pos_weight=1",
        ),
        pytest.param(
            hard_example_crossentropy,
            {"share": 1.0},
            lambda y, x: ops.mean(crossentropy(y, x)),
            ONE_HOT,
            id="share=1",
        ),
        pytest.param(
            batch_balanced_crossentropy,
            {},
            lambda y, x: 0.5 * ops.mean(binary_crossentropy(y, x)),
            np.array([[1, 0, 1, 0]] * 6, "float32"),
            id="as many of either label",
        ),
    ],
)
def test_at_its_limit_a_loss_is_cross_entropy(run, loss, params, other, y_true):
    expected = run(other, y_true, LOGITS)
    got = run(loss, y_true, LOGITS, from_logits=True, **params)
    for ours, keras_own in zip(got, expected, strict=True):
        np.testing.assert_allclose(
            ours, keras_own, rtol=EACH_OTHER, atol=2 * CANCELLATION * LARGEST
        )


def test_balanced_softmax_is_logit_adjusted_with_tau_1(run):
    both = [
        run(loss, ONE_HOT, LOGITS, counts=COUNTS, from_logits=True)
        for loss in (balanced_softmax, logit_adjusted)
    ]
    for one, another in zip(*both, strict=True):
        np.testing.assert_array_equal(one, another)


def test_without_a_margin_worth_the_name_ldam_is_cross_entropy_of_scaled_cosines(run):
    cosines = np.tanh(LOGITS)
    got = run(ldam, ONE_HOT, cosines, counts=COUNTS, max_margin=1e-9, scale=7.0)
    expected = run(lambda y, c: crossentropy(y, 7 * c), ONE_HOT, cosines)
    for ours, keras_own in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=EACH_OTHER, atol=2 * CANCELLATION * 7)


LOSSES_WITH_COUNTS = [
    pytest.param(class_balanced_crossentropy, {"beta": 0.99, "from_logits": True}, id="weights"),
    pytest.param(class_balanced_focal, {"beta": 0.99, "from_logits": True}, id="focal"),
    pytest.param(logit_adjusted, {"tau": 1.3, "from_logits": True}, id="logit_adjusted"),
    pytest.param(balanced_softmax, {"from_logits": True}, id="balanced_softmax"),
    pytest.param(ldam, {"max_margin": 0.3}, id="ldam"),
]


@pytest.mark.parametrize(("loss", "params"), LOSSES_WITH_COUNTS)
@given(order=st.permutations(range(4)), samples=st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_classes_and_samples_changes_nothing(loss, params, order, samples):
    expected = array(loss(ONE_HOT, LOGITS, counts=COUNTS, **params))[list(samples)]
    counts = tuple(COUNTS[index] for index in order)
    y_true, y_pred = (each[list(samples)][:, list(order)] for each in (ONE_HOT, LOGITS))
    values = array(loss(y_true, y_pred, counts=counts, **params))
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * LARGEST)


@pytest.mark.parametrize("loss", [logit_adjusted, balanced_softmax, class_balanced_crossentropy])
@given(shift=st.floats(-50, 50, width=32), factor=st.floats(1e-3, 1e3))
@settings(max_examples=30, deadline=None)
def test_neither_a_shift_of_all_logits_nor_a_factor_of_all_counts_counts(loss, shift, factor):
    if loss is class_balanced_crossentropy:
        factor = 1.0
    expected = array(loss(ONE_HOT, LOGITS, counts=COUNTS, from_logits=True))
    counts = tuple(n * factor for n in COUNTS)
    values = array(loss(ONE_HOT, LOGITS + np.float32(shift), counts=counts, from_logits=True))
    largest = LARGEST + abs(shift)
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * largest)


@pytest.mark.parametrize(("loss", "params"), LOSSES_WITH_COUNTS)
def test_the_classes_may_be_on_any_axis(run, loss, params):
    y_true, y_pred = ONE_HOT.reshape(2, 3, 4), LOGITS.reshape(2, 3, 4)
    expected, slope = run(loss, y_true, y_pred, counts=COUNTS, **params)
    moved = [each.transpose(0, 2, 1) for each in (y_true, y_pred)]
    values, gradient = run(loss, *moved, counts=COUNTS, axis=1, **params)
    np.testing.assert_allclose(values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * LARGEST)
    np.testing.assert_allclose(
        gradient, slope.transpose(0, 2, 1), rtol=EACH_OTHER, atol=2 * CANCELLATION
    )


@pytest.mark.parametrize("size", [1e4, 3e30])
@pytest.mark.parametrize(
    ("loss", "params"),
    [
        *LOSSES_WITH_COUNTS[:4],
        pytest.param(hard_example_crossentropy, {"share": 0.5, "from_logits": True}, id="hard"),
    ],
)
def test_logits_of_any_size_have_a_finite_value_and_gradient(run, loss, params, size):
    counts = {} if loss is hard_example_crossentropy else {"counts": COUNTS}
    for sign in (1, -1):
        values, gradient = run(loss, ONE_HOT, sign * np.float32(size) * LOGITS, **counts, **params)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [logit_adjusted, balanced_softmax])
def test_a_class_that_is_ruled_out_costs_nothing_unless_it_is_the_right_one(run, loss):
    y_true = np.eye(3, dtype="float32")[:2]
    y_pred = np.array([[0, 0, -np.inf], [0, -np.inf, 0]], "float32")
    values, gradient = run(loss, y_true, y_pred, counts=(1.0, 1.0, 2.0), from_logits=True)
    assert values[0] == pytest.approx(np.log(2), rel=FLOAT32)
    assert values[1] == pytest.approx(1e30, rel=FLOAT32)
    np.testing.assert_allclose(gradient, [[-0.5, 0.5, 0], [1 / 3, -1, 2 / 3]], rtol=FLOAT32)


@pytest.mark.parametrize("loss", [weighted_binary_crossentropy, batch_balanced_crossentropy])
def test_yes_or_no_logits_of_any_size_have_a_finite_value_and_gradient(run, loss):
    for size in (1e4, 1e30, np.inf):
        y_pred = np.where(LOGITS > 0, size, -size).astype("float32")
        values, gradient = run(loss, BINARY, y_pred, from_logits=True)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_batch_of_one_label_costs_nothing_when_balanced(run, label):
    y_true = np.full((6, 4), label, "float32")
    value, gradient = run(batch_balanced_crossentropy, y_true, LOGITS, from_logits=True)
    assert value == 0
    assert (gradient == 0).all()


def test_a_batch_without_a_class_costs_nothing(run):
    nothing = np.zeros((6, 4), "float32")
    value, gradient = run(hard_example_crossentropy, nothing, LOGITS, from_logits=True)
    assert value == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize("loss", [logit_adjusted, balanced_softmax, class_balanced_crossentropy])
def test_probabilities_of_exactly_0_and_1_are_finite(run, loss):
    y_pred = np.eye(4, dtype="float32")[[0, 0, 1, 2, 3, 3]]
    for y_true in (ONE_HOT, y_pred):
        values, gradient = run(loss, y_true, y_pred, counts=COUNTS)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


def test_probabilities_of_exactly_0_and_1_are_finite_for_sigmoids_too(run):
    y_pred = np.eye(4, dtype="float32")[[0, 0, 1, 2, 3, 3]]
    for loss, params in (
        (weighted_binary_crossentropy, {"pos_weight": 5.0}),
        (class_balanced_focal, {"counts": COUNTS, "gamma": 0.5}),
        (batch_balanced_crossentropy, {}),
    ):
        values, gradient = run(loss, ONE_HOT, y_pred, **params)
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()
