"""The names that the option `name` allows are those that Keras and TensorFlow can use."""

import string

import keras
import numpy as np
import pytest

from lossreg import ParameterError, get_loss

ROWS = np.zeros((2, 1), "float32")


def trains(name):
    """Return whether Keras' own loss of this name survives a batch in a graph."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    try:
        model.compile("sgd", loss=keras.losses.MeanSquaredError(name=name))
        model.train_on_batch(ROWS, ROWS)
    except Exception:
        return False
    return True


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others take any name")
@pytest.mark.parametrize("sign", [*string.punctuation, " ", "\n", "0", "Z", "é", "损"])
def test_a_name_is_allowed_if_keras_can_train_with_it(sign):
    name = f"a{sign}b"
    if trains(name):
        assert get_loss("mse", name=name).name == name
    else:
        with pytest.raises(ParameterError, match="'name' must be None or a string of letters"):
            get_loss("mse", name=name)
