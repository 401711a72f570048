"""What the focal losses promise beside the formula."""

import importlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

import lossreg
from lossreg.lazy import keras, ops
from lossreg_focal import plugin
from lossreg_focal.losses import categorical_focal, focal, sparse_focal

RANDOM = np.random.default_rng(7)
LOGITS = RANDOM.normal(0, 4, (12, 5)).astype("float32")
CLASSES = RANDOM.integers(0, 5, 12)
ONE_HOT = np.eye(5, dtype="float32")[CLASSES]
BINARY = (RANDOM.random((12, 5)) < 0.4).astype("float32")
SIGMOID = (1 / (1 + np.exp(-LOGITS.astype("float64")))).astype("float32")
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)

LOSSES = [
    pytest.param(focal, BINARY, SIGMOID, id="focal"),
    pytest.param(categorical_focal, ONE_HOT, SOFTMAX, id="categorical_focal"),
    pytest.param(sparse_focal, CLASSES, SOFTMAX, id="sparse_focal"),
]
KERAS = {
    focal: "binary_crossentropy",
    categorical_focal: "categorical_crossentropy",
    sparse_focal: "sparse_categorical_crossentropy",
}

# Keras computes 1 - p from a float32 p, which holds it to 1e-7. That is more than 1e-3 of it where
# p is above 0.9999; values and gradients are below 3e-6 there.
KERAS_FOCAL = {"rtol": 1e-3, "atol": 3e-6}


def array(values):
    return np.asarray(ops.convert_to_numpy(values), "float64")


@pytest.mark.parametrize("spec", plugin.lossreg_losses(), ids=lambda spec: spec.name)
def test_the_summary_is_the_first_line_of_the_docstring(spec):
    module, _, name = spec.target.partition(":")
    function = getattr(importlib.import_module(module), name)
    assert function.__doc__.splitlines()[0] == spec.summary


@pytest.mark.parametrize(("loss", "y_true", "probabilities"), LOSSES)
@pytest.mark.parametrize("from_logits", [True, False])
def test_without_gamma_and_alpha_it_is_keras_cross_entropy(
    run, loss, y_true, probabilities, from_logits
):
    y_pred = LOGITS if from_logits else probabilities
    theirs = getattr(keras.losses, KERAS[loss])
    expected = run(lambda y, p: theirs(y, p, from_logits=from_logits), y_true, y_pred)
    got = run(loss, y_true, y_pred, gamma=0, alpha=None, from_logits=from_logits)
    for ours, keras_own in zip(got, expected, strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=EACH_OTHER, atol=2 * CANCELLATION)


@given(
    logits=st.lists(st.floats(-8, 8, width=32), min_size=6, max_size=6),
    gamma=st.sampled_from([1.0, 1.5, 2.0, 3.3]),
    alpha=st.floats(0.05, 0.95),
    label_smoothing=st.sampled_from([0.0, 0.1, 0.3]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_focal_is_keras_binary_focal_where_that_is_right(
    run_eagerly, logits, gamma, alpha, label_smoothing
):
    y_pred = np.array(logits, "float32").reshape(2, 3)
    y_true = np.array([[0, 1, 1], [1, 0, 0]], "float32")
    params = {"gamma": gamma, "alpha": alpha, "label_smoothing": label_smoothing}

    def theirs(y_true, y_pred):
        return keras.losses.binary_focal_crossentropy(
            y_true, y_pred, from_logits=True, apply_class_balancing=True, **params
        )

    expected = run_eagerly(theirs, y_true, y_pred)
    got = run_eagerly(focal, y_true, y_pred, from_logits=True, **params)
    np.testing.assert_allclose(got[0], expected[0], **KERAS_FOCAL)
    np.testing.assert_allclose(got[1], expected[1], **KERAS_FOCAL)


@given(
    logits=st.lists(st.floats(-5, 5, width=32), min_size=8, max_size=8),
    gamma=st.sampled_from([1.0, 1.5, 2.0, 3.3]),
    alpha=st.floats(0.05, 3.0),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_categorical_and_sparse_focal_are_keras_categorical_focal_where_that_is_right(
    run_eagerly, logits, gamma, alpha
):
    y_pred = np.array(logits, "float32").reshape(2, 4)
    y_true = np.array([2, 0])
    one_hot = np.eye(4, dtype="float32")[y_true]

    def theirs(y_true, y_pred):
        return keras.losses.categorical_focal_crossentropy(
            y_true, y_pred, from_logits=True, gamma=gamma, alpha=alpha
        )

    expected = run_eagerly(theirs, one_hot, y_pred)
    for loss, labels in ((categorical_focal, one_hot), (sparse_focal, y_true)):
        got = run_eagerly(loss, labels, y_pred, gamma=gamma, alpha=alpha, from_logits=True)
        np.testing.assert_allclose(got[0], expected[0], **KERAS_FOCAL)
        np.testing.assert_allclose(got[1], expected[1], **KERAS_FOCAL)


@pytest.mark.parametrize(("loss", "y_true", "probabilities"), LOSSES)
def test_every_way_to_run_it_agrees(run_all, loss, y_true, probabilities):
    for y_pred, from_logits in ((LOGITS, True), (probabilities, False)):
        first, *others = run_all(loss, y_true, y_pred, gamma=1.5, from_logits=from_logits)
        for other in others:
            for one, another in zip(first, other, strict=True):
                near = {"rtol": EACH_OTHER, "atol": 2 * CANCELLATION * max(1, abs(one).max())}
                np.testing.assert_allclose(one, another, **near)


@pytest.mark.parametrize("gamma", [0.0, 0.25, 1.5, 2.0])
@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        pytest.param(focal, [[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]], id="focal"),
        pytest.param(
            categorical_focal,
            [[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]],
            [[0.0, 1.0], [0.0, 1.0], [0.0, 0.0]],
            id="categorical_focal",
        ),
        pytest.param(
            sparse_focal, [1, 0, 0], [[0.0, 1.0], [0.0, 1.0], [0.0, 0.0]], id="sparse_focal"
        ),
    ],
)
def test_probabilities_of_exactly_0_and_1_are_finite(run, loss, y_true, y_pred, gamma):
    dtype = "int32" if loss is sparse_focal else "float32"
    values, gradient = run(loss, np.array(y_true, dtype), np.array(y_pred, "float32"), gamma=gamma)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [categorical_focal, sparse_focal])
def test_probabilities_may_sum_to_anything(run_eagerly, loss):
    y_true = CLASSES if loss is sparse_focal else ONE_HOT
    whole, _ = run_eagerly(loss, y_true, SOFTMAX, gamma=1.5)
    scaled, _ = run_eagerly(loss, y_true, SOFTMAX * np.float32(0.37), gamma=1.5)
    np.testing.assert_allclose(scaled, whole, rtol=EACH_OTHER, atol=2 * CANCELLATION)


@pytest.mark.parametrize("loss", [categorical_focal, sparse_focal])
@pytest.mark.parametrize("from_logits", [True, False])
def test_the_classes_may_be_on_any_axis(run, loss, from_logits):
    y_pred = (LOGITS if from_logits else SOFTMAX).reshape(3, 4, 5)
    y_true = (CLASSES if loss is sparse_focal else ONE_HOT).reshape(
        3, 4, *([5] * (loss is categorical_focal))
    )
    params = {"gamma": 1.5, "alpha": (1.0, 2.0, 0.5, 3.0, 0.0), "from_logits": from_logits}
    expected, _ = run(loss, y_true, y_pred, **params)
    moved_true = y_true if loss is sparse_focal else y_true.transpose(0, 2, 1)
    values, gradient = run(loss, moved_true, y_pred.transpose(0, 2, 1), axis=1, **params)
    near = {"rtol": EACH_OTHER, "atol": 2 * CANCELLATION * max(params["alpha"])}
    np.testing.assert_allclose(values, expected, **near)
    assert gradient.shape == (3, 5, 4)


@pytest.mark.parametrize("loss", ["categorical_focal", "sparse_focal"])
def test_as_many_class_weights_as_classes_or_an_error_that_counts_them(loss):
    y_true = CLASSES if loss == "sparse_focal" else ONE_HOT
    with pytest.raises(lossreg.ParameterError, match="5 weights, one for each class.*got 1"):
        lossreg.get_loss(loss, alpha=[0.5], from_logits=True)(y_true, LOGITS)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(("loss", "y_true", "probabilities"), LOSSES)
def test_half_precision_is_computed_in_float32(loss, y_true, probabilities, dtype):
    narrow = ops.cast(LOGITS, dtype)
    wide = ops.cast(narrow, "float32")
    values = loss(y_true, narrow, gamma=1.5, from_logits=True)
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
    expected = loss(y_true, wide, gamma=1.5, from_logits=True)
    # The same operations on the same numbers: not a bit differs.
    np.testing.assert_array_equal(array(values), array(expected))


def test_a_class_number_above_256_keeps_its_value_in_bfloat16():
    y_pred = np.zeros((1, 300), "float32")
    y_pred[0, 257] = 8
    loss = lossreg.get_loss("sparse_focal", from_logits=True, dtype="bfloat16")
    # p = e**8 / (e**8 + 299) = 0.909, so -log(p) is below 0.1; a wrong class would cost 8 more.
    assert float(loss(np.array([257]), y_pred)) < 0.1


@pytest.mark.parametrize("from_logits", [True, False])
def test_ignored_labels_count_neither_in_the_sum_nor_in_the_mean(from_logits):
    y_pred = LOGITS if from_logits else SOFTMAX
    loss = lossreg.get_loss("sparse_focal", ignore_class=255, gamma=1.5, from_logits=from_logits)
    some = CLASSES.copy()
    some[4:] = 255
    expected = float(loss(CLASSES[:4], y_pred[:4]))
    assert float(loss(some, y_pred)) == pytest.approx(expected, rel=EACH_OTHER)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_batch_of_ignored_labels_gives_0_and_a_gradient_of_0(run, gamma):
    loss = lossreg.get_loss("sparse_focal", ignore_class=-1, gamma=gamma, from_logits=True)
    value, gradient = run(loss, np.full(12, -1), LOGITS)
    assert value == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize(("loss", "y_true", "probabilities"), LOSSES)
@pytest.mark.parametrize("size", [1e4, 3e38])
def test_a_weight_of_0_silences_any_finite_prediction(run, loss, y_true, probabilities, size):
    wild = LOGITS.copy()
    wild[0] = [size, -size, size, -size, 0]
    weights = np.array([0] + [1] * 11, "float32")
    built = lossreg.get_loss(loss.__name__, gamma=0.5, from_logits=True)
    value, gradient = run(lambda y, p: built(y, p, sample_weight=weights), y_true, wild)
    tame, _ = run(lambda y, p: built(y, p, sample_weight=weights), y_true, LOGITS)
    assert value == pytest.approx(tame, rel=EACH_OTHER)
    assert (gradient[0] == 0).all()


def test_a_class_that_is_not_there_is_never_taken_for_another(run):
    values, _ = run(sparse_focal, np.array([0, -1, 2]), LOGITS[:3], from_logits=True)
    assert np.isnan(values[1])
    assert np.isfinite(values[[0, 2]]).all()


def test_soft_labels_weigh_the_terms_of_all_classes(run_eagerly):
    y_true = np.array([[0.25, 0.75]], "float32")
    y_pred = np.array([[0.4, 0.6]], "float32")
    values, _ = run_eagerly(categorical_focal, y_true, y_pred, gamma=3, alpha=(2.0, 0.5))
    expected = -2 * 0.25 * 0.6**3 * np.log(0.4) - 0.5 * 0.75 * 0.4**3 * np.log(0.6)
    assert values[0] == pytest.approx(expected, rel=FLOAT32)


def test_fit_learns_with_each_focal_loss():
    x = RANDOM.normal(size=(256, 4)).astype("float32")
    classes = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)
    labels = {
        "focal": np.eye(3, dtype="float32")[classes],
        "categorical_focal": np.eye(3, dtype="float32")[classes],
        "sparse_focal": classes,
    }
    for name, y_true in labels.items():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)])
        loss = lossreg.get_loss(name, gamma=1.5, from_logits=True)
        model.compile(optimizer=keras.optimizers.Adam(0.01), loss=loss)
        losses = model.fit(x, y_true, epochs=8, verbose=0).history["loss"]
        assert losses[-1] < 0.6 * losses[0]


EXTREME = [3e38, 1e30, 100.0, 0.0, -100.0]


@pytest.mark.parametrize(
    ("loss", "y_true"), [(focal, BINARY), (categorical_focal, ONE_HOT), (sparse_focal, CLASSES)]
)
@pytest.mark.parametrize("gamma", [0.0, 0.25, 1.0, 2.0, 3.3])
def test_a_sample_of_weight_0_adds_exactly_nothing(run, loss, y_true, gamma):
    y_true, ordinary = y_true[:6], LOGITS[:6]
    # One sample counts; the others are as wrong as float32 can say, in both directions.
    extreme = np.array([np.roll(EXTREME, shift) for shift in range(6)], "float32")
    extreme[0] = ordinary[0]
    weights = np.array([1, 0, 0, 0, 0, 0], "float32")
    whole = lossreg.get_loss(loss.__name__, gamma=gamma, from_logits=True)
    value, gradient = run(lambda y, p: whole(y, p, weights), y_true, extreme)
    expected, slope = run(lambda y, p: whole(y, p, weights), y_true, ordinary)
    assert value == expected
    assert (gradient[1:] == 0).all()
    assert (gradient[0] == slope[0]).all()
