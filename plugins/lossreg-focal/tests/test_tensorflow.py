"""What only TensorFlow has: logits kept by Keras, loss scaling, replicas, retracing."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg_focal.losses import categorical_focal, focal, sparse_focal

X = np.random.default_rng(3).normal(size=(64, 4)).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
LABELS = {"focal": ONE_HOT, "categorical_focal": ONE_HOT, "sparse_focal": CLASSES}


def saturated(activation, bias, units):
    """Return a model whose output is its bias, so sure of it that p is exactly 0 or 1."""
    layer = keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(bias),
    )
    return keras.Sequential([keras.Input((4,)), layer])


def gradient_of_bias(model, loss, y_true):
    with tf.GradientTape() as tape:
        value = loss(y_true, model(X[:1]))
    return np.asarray(tape.gradient(value, model.layers[-1].bias))


def test_a_saturated_sigmoid_has_the_gradient_of_its_logit():
    model = saturated("sigmoid", 30.0, 1)
    loss = lossreg.get_loss("focal", gamma=2, alpha=None)
    assert float(model(X[:1])[0, 0]) == 1.0
    # At logit 30 and label 0 the loss is the logit.
    assert gradient_of_bias(model, loss, np.zeros((1, 1))) == pytest.approx([1.0], rel=FLOAT32)


@pytest.mark.parametrize("name", ["categorical_focal", "sparse_focal"])
def test_a_saturated_softmax_has_the_gradient_of_its_logits(name):
    model = saturated("softmax", 0.0, 2)
    model.layers[-1].bias.assign([200.0, 0.0])
    y_true = np.array([1]) if name == "sparse_focal" else np.array([[0.0, 1.0]])
    slopes = gradient_of_bias(model, lossreg.get_loss(name, gamma=2), y_true)
    assert slopes == pytest.approx([1.0, -1.0], rel=FLOAT32)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("name", "activation", "units"),
    [("focal", "sigmoid", 1), ("categorical_focal", "softmax", 2), ("sparse_focal", "softmax", 2)],
)
def test_fit_moves_a_saturated_model(name, activation, units, jit_compile):
    model = saturated(activation, 0.0, units)
    bias = np.array([30.0] if units == 1 else [200.0, 0.0], "float32")
    model.layers[-1].bias.assign(bias)
    y_true = {
        "focal": np.zeros((64, 1), "float32"),
        "categorical_focal": np.eye(2, dtype="float32")[np.ones(64, int)],
        "sparse_focal": np.ones(64, "int32"),
    }[name]
    loss = lossreg.get_loss(name, alpha=None)
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, jit_compile=jit_compile)
    model.fit(X, y_true, batch_size=64, epochs=1, verbose=0)
    # One step of rate 1 along a gradient of 1.
    assert np.asarray(model.layers[-1].bias)[0] == pytest.approx(bias[0] - 1, rel=FLOAT32)


@pytest.mark.parametrize("traced", [False, True])
def test_logits_of_another_activation_are_not_taken(traced):
    logits = tf.constant([[2.0, -1.0]])
    y_true = tf.constant([[1.0, 0.0]])

    def of_softmax(logits):
        return focal(y_true, keras.ops.softmax(logits), gamma=2)

    got = (tf.function(of_softmax) if traced else of_softmax)(logits)
    expected = focal(y_true, tf.nn.softmax(logits), gamma=2)
    assert float(got[0]) == pytest.approx(float(expected[0]), rel=EACH_OTHER)


def test_from_logits_after_a_sigmoid_warns_and_takes_the_logits():
    logits = tf.constant([[2.0, -1.0]])
    with pytest.warns(UserWarning, match="Leave out the activation, or from_logits"):
        values = focal([[1.0, 0.0]], keras.ops.sigmoid(logits), from_logits=True)
    expected = focal([[1.0, 0.0]], logits, from_logits=True)
    assert float(values[0]) == pytest.approx(float(expected[0]), rel=EACH_OTHER)


@pytest.mark.parametrize("name", LABELS)
def test_fit_learns_under_mixed_float16_with_loss_scaling(name):
    keras.utils.set_random_seed(0)
    hidden = keras.layers.Dense(16, activation="relu", dtype="mixed_float16")
    model = keras.Sequential([hidden, keras.layers.Dense(3, dtype="mixed_float16")])
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.02))
    model.compile(optimizer=optimizer, loss=lossreg.get_loss(name, from_logits=True))
    losses = model.fit(X, LABELS[name], epochs=15, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.fresh
def test_two_replicas_learn_what_one_device_learns():
    program = pathlib.Path(__file__).with_name("replicas.py")
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["replicas"] == 2
    assert result["differences"] == pytest.approx(dict.fromkeys(LABELS, 0.0), abs=TRAINED)


@pytest.mark.parametrize("loss", [focal, categorical_focal, sparse_focal])
def test_unknown_batch_sizes_can_be_traced(loss):
    y_true = CLASSES if loss is sparse_focal else ONE_HOT
    signature = [
        tf.TensorSpec([None, *y_true.shape[1:]], y_true.dtype),
        tf.TensorSpec([None, 3], "float32"),
    ]
    traced = tf.function(lambda y, p: loss(y, p, from_logits=True), input_signature=signature)
    logits = X[:, :3]
    expected = loss(y_true, logits, from_logits=True)
    np.testing.assert_allclose(
        traced(y_true, logits), expected, rtol=EACH_OTHER, atol=2 * CANCELLATION
    )
    assert traced(y_true[:0], logits[:0]).shape == (0,)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize(
    ("loss", "params"),
    [
        (focal, {}),
        (categorical_focal, {}),
        (categorical_focal, {"alpha": 0.5, "label_smoothing": 0.1}),
        (categorical_focal, {"alpha": (0.2, 0.3, 0.5)}),
        (sparse_focal, {}),
        (sparse_focal, {"alpha": 0.5, "ignore_class": 1}),
        (sparse_focal, {"alpha": (0.2, 0.3, 0.5)}),
    ],
)
def test_an_unknown_number_of_classes_can_be_traced(loss, params, from_logits):
    y_true = CLASSES if loss is sparse_focal else ONE_HOT
    y_pred = X[:, :3] if from_logits else np.asarray(tf.nn.softmax(X[:, :3]))
    signature = [
        tf.TensorSpec([None] * y_true.ndim, y_true.dtype),
        tf.TensorSpec([None, None], "float32"),
    ]

    def values_and_gradient(y_true, y_pred):
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            values = loss(y_true, y_pred, from_logits=from_logits, **params)
        return values, tape.gradient(values, y_pred)

    traced = tf.function(values_and_gradient, input_signature=signature)
    expected = values_and_gradient(tf.constant(y_true), tf.constant(y_pred))
    for ours, eager in zip(traced(y_true, y_pred), expected, strict=True):
        np.testing.assert_allclose(ours, eager, rtol=EACH_OTHER, atol=2 * CANCELLATION)


def test_a_mask_of_keras_leaves_steps_out():
    loss = lossreg.get_loss("sparse_focal", from_logits=True)
    y_pred = tf.constant(np.stack([X[:2, :3], X[2:4, :3]]))
    y_true = np.array([[0, 2], [1, 0]])
    y_pred._keras_mask = tf.constant([[True, False], [True, True]])
    values = np.asarray(sparse_focal(y_true, y_pred, from_logits=True))
    expected = (values[0, 0] + values[1, 0] + values[1, 1]) / 3
    assert float(loss(y_true, y_pred)) == pytest.approx(expected, rel=EACH_OTHER)
