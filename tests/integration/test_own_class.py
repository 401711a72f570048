"""Somebody's own Loss class is used as Keras would use it."""

import keras
import numpy as np
import pytest
from tolerances import FLOAT32

import lossreg

ZEROS, ERRORS = np.zeros((2, 1)), np.array([[1.0], [2.0]])


class Summed(keras.losses.Loss):
    """Has a reduction of its own."""

    def __init__(self, factor=1.0, reduction="sum", name="summed", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def test_its_own_reduction_counts_until_another_is_given():
    assert float(lossreg.get_loss(Summed)(ZEROS, ERRORS)) == 5
    assert float(lossreg.get_loss(Summed, factor=3)(ZEROS, ERRORS)) == 15
    mean = lossreg.get_loss(Summed, reduction="sum_over_batch_size")
    assert float(mean(ZEROS, ERRORS)) == 2.5


def test_its_own_dtype_counts_until_another_is_given():
    class Wide(Summed):
        def __init__(self):
            super().__init__(dtype="float64")

    assert lossreg.get_loss(Wide).dtype == "float64"
    assert lossreg.get_loss(Wide, dtype="float32").dtype == "float32"
    assert keras.backend.standardize_dtype(lossreg.get_loss(Wide)(ZEROS, ERRORS).dtype) == "float64"


def test_its_own_call_operator_is_called():
    class Tenfold(Summed):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return 10 * super().__call__(y_true, y_pred, sample_weight)

    assert float(lossreg.get_loss(Tenfold)(ZEROS, ERRORS)) == 50
    weighted = lossreg.get_loss(Tenfold)(ZEROS, ERRORS, sample_weight=np.array([1.0, 0.0]))
    assert float(weighted) == 10
    mean = lossreg.get_loss(Tenfold, reduction="sum_over_batch_size")
    assert float(mean(ZEROS, ERRORS)) == 25


def test_a_class_may_have_a_call_operator_and_no_call():
    class Distance(keras.losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return keras.ops.sum(keras.ops.abs(y_true - y_pred))

    assert float(lossreg.get_loss(Distance)(ZEROS, ERRORS)) == 3
    assert float(lossreg.get_loss_fn(Distance)(ZEROS, ERRORS)) == 3
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", lossreg.get_loss(Distance))
    assert model.evaluate(ERRORS, ZEROS, verbose=0) == 3


def test_labels_and_predictions_reach_it_in_their_shapes():
    class Squeezing(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.square(y_true - keras.ops.squeeze(y_pred, -1))

    labels = np.arange(4.0)
    assert float(lossreg.get_loss(Squeezing)(labels, labels[:, None])) == 0
    np.testing.assert_array_equal(lossreg.get_loss_fn(Squeezing)(labels, labels[:, None]), 0)


def test_what_it_is_survives_saving(tmp_path):
    lossreg.register(Summed, replace=True)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", lossreg.get_loss("summed", factor=3))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss.reduction == "sum"
    assert loaded.evaluate(ERRORS, ZEROS, verbose=0) == pytest.approx(15, rel=FLOAT32)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function is TensorFlow's")
def test_a_compiled_method_or_function_is_a_loss():
    import tensorflow as tf

    class Threshold(keras.losses.Loss):
        def __init__(self, threshold=1.0, **options):
            super().__init__(**options)
            self.threshold = threshold

        @tf.function
        def call(self, y_true, y_pred):
            error, limit = tf.abs(y_true - y_pred), self.threshold
            return tf.where(error <= limit, error * error / 2, limit * error - limit * limit / 2)

    labels, predictions = np.array([[0.0], [5.0]]), np.array([[1.0], [0.0]])
    # 1 / 2, and 2 * 5 - 2
    found = lossreg.get_loss(Threshold, threshold=2.0)(labels, predictions)
    assert float(found) == pytest.approx((0.5 + 8) / 2, rel=FLOAT32)
    values = lossreg.get_loss_fn(Threshold, threshold=2.0)(labels, predictions)
    np.testing.assert_allclose(np.ravel(values), [0.5, 8], rtol=FLOAT32)

    @tf.function
    def scaled(y_true, y_pred, k=1.0):
        return k * tf.reduce_mean((y_true - y_pred) ** 2, -1)

    assert float(lossreg.get_loss(scaled, k=3.0)(ZEROS, ERRORS)) == pytest.approx(
        3 * 2.5, rel=FLOAT32
    )


def test_keras_2_is_told_that_the_loss_is_for_keras_3(monkeypatch):
    import sys
    import types

    # What tf_keras does with a loss, from a module of its name.
    keras_2 = types.ModuleType("tf_keras")
    exec("def train(loss, y_true, y_pred): return loss(y_true, y_pred)", vars(keras_2))
    loss = lossreg.get_loss("mse")
    assert float(keras_2.train(loss, ZEROS, ERRORS)) == 2.5
    monkeypatch.setitem(sys.modules, "tf_keras", keras_2)
    with pytest.raises(lossreg.LossregError, match=r"is for Keras 3, and Keras 2 \(tf_keras\)"):
        keras_2.train(loss, ZEROS, ERRORS)
    # A program that uses both.
    assert float(loss(ZEROS, ERRORS)) == 2.5
    values = keras_2.train(lossreg.get_loss_fn("mse"), ZEROS, ERRORS)
    np.testing.assert_allclose(values, [1, 4], rtol=FLOAT32)
