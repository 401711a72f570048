"""The function form of a loss: saved with every parameter, as a loss and as a metric."""

import pickle

import keras
import numpy as np
import pytest
from tolerances import FLOAT32

import lossreg

# The error is 3: outside of delta 0.1 Huber costs 0.1 * (3 - 0.1 / 2).
HUBER = 0.1 * (3 - 0.05)
X, Y = np.array([[3.0]]), np.array([[0.0]])


def model_with(**compiled):
    layers = [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")]
    model = keras.Sequential(layers)
    model.compile("sgd", **compiled)
    return model


CASES = {
    "huber(delta=0.1)": (Y, HUBER),
    # p_t = sigmoid(-3) for label 0; alpha of label 0 is 1 - 0.3.
    "focal(gamma=1, alpha=0.3, from_logits=True)": (
        Y,
        0.7 * (1 / (1 + np.exp(-3))) * np.log1p(np.exp(3)),
    ),
    "mse + 0.5 * huber(delta=0.1)": (Y, 9 + 0.5 * HUBER),
    "tversky(alpha=0.3, beta=0.9, axis=-1)": (
        np.array([[0.5]]),
        # tp 1.5, fp 0.5 * 3, fn 0.5 * (1 - 3)
        1 - 1.5 / (1.5 + 0.3 * 1.5 + 0.9 * -1),
    ),
}


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(("loss", "case"), CASES.items(), ids=CASES)
def test_a_function_is_saved_with_its_parameters(loss, case, suffix, tmp_path):
    y, value = case
    model = model_with(loss=lossreg.get_loss_fn(loss), metrics=[lossreg.get_loss_fn(loss)])
    assert model.evaluate(X, y, verbose=0) == pytest.approx([value, value], rel=FLOAT32)
    model.save(tmp_path / f"model.{suffix}")
    loaded = keras.models.load_model(tmp_path / f"model.{suffix}")
    assert loaded.evaluate(X, y, verbose=0) == pytest.approx([value, value], rel=FLOAT32)


def test_a_function_is_pickled_with_its_parameters():
    function = lossreg.get_loss_fn("huber", delta=0.1)
    copied = pickle.loads(pickle.dumps(function))
    assert copied == function
    assert float(copied(Y, X)[0]) == pytest.approx(HUBER, rel=FLOAT32)


def test_a_function_is_a_config_and_gives_its_loss_again():
    function = lossreg.get_loss_fn("huber", delta=0.1)
    assert lossreg.to_config(function) == {"name": "keras/huber", "params": {"delta": 0.1}}
    assert lossreg.get_loss(function) == lossreg.get_loss("huber", delta=0.1)
    assert lossreg.bind(function, delta=2) == lossreg.bind("huber", delta=2)
    serialized = keras.losses.serialize(function)
    assert lossreg.get_loss(serialized) == lossreg.get_loss("huber", delta=0.1)


def test_a_function_says_what_it_is():
    function = lossreg.get_loss_fn("huber", delta=0.1)
    assert function.__name__ == "huber"
    assert "outliers" in function.__doc__
    assert repr(function) == "<function of huber(delta=0.1)>"


@pytest.mark.parametrize("dtype", ["uint8", "int32", "bool"])
def test_predictions_that_are_integers_are_computed_as_numbers(dtype):
    value = lossreg.get_loss_fn("mse")(np.array([[0.1]]), np.array([[0]], dtype))
    assert float(value[0]) == pytest.approx(0.01, rel=FLOAT32)
    assert float(lossreg.get_loss("mse")(np.array([[0.1]]), np.array([[0]], dtype))) == (
        pytest.approx(0.01, rel=FLOAT32)
    )


def test_a_function_over_several_outputs_gets_them_as_keras_gives_them():
    @lossreg.register
    def both(y_true, y_pred):
        return keras.ops.abs(y_true["a"] - y_pred["a"]) + keras.ops.abs(y_true["b"] - y_pred["b"])

    y_true = {"a": np.array([1.0, 2.0]), "b": np.array([0.0, 0.0])}
    y_pred = {"a": np.array([1.5, 2.0]), "b": np.array([0.0, 3.0])}
    assert float(lossreg.get_loss("both")(y_true, y_pred)) == pytest.approx(
        (0.5 + 3) / 2, rel=FLOAT32
    )
    np.testing.assert_allclose(lossreg.get_loss_fn("both")(y_true, y_pred), [0.5, 3], rtol=FLOAT32)
    paired = lossreg.get_loss(lambda t, p: keras.ops.abs(t[0] - p[0]) + keras.ops.abs(t[1] - p[1]))
    assert float(paired(tuple(y_true.values()), tuple(y_pred.values()))) == pytest.approx(
        3.5 / 2, rel=FLOAT32
    )
