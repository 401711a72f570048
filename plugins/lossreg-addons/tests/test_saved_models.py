"""Models that Keras 2.14 saved with losses of TensorFlow Addons 0.23."""

import json
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg  # noqa: F401 - all that a program needs
from lossreg.lazy import keras

FIXTURES = pathlib.Path(__file__).with_name("fixtures")
MODELS = json.loads((FIXTURES / "models.json").read_text("utf-8"))
CLASSES = [model for model in MODELS if model["params"] is not None]
FUNCTIONS = [model for model in MODELS if model["params"] is None]


def name(model):
    return model["name"]


def data(model):
    return np.array(model["x"], "float32"), np.array(model["y_true"])


def saved_loss(model):
    with zipfile.ZipFile(FIXTURES / f"{model['name']}.keras") as file:
        return json.loads(file.read("config.json"))["compile_config"]["loss"]


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_an_h5_file_has_the_value_it_had(model):
    loaded = keras.models.load_model(FIXTURES / f"{model['name']}.h5")
    x, y_true = data(model)
    value = loaded.evaluate(x, y_true, batch_size=len(x), verbose=0)
    if model["value"] is None:
        # In evaluate and fit, TFA's npairs is NaN: Keras gives labels a second axis.
        assert model["name"] in ("NpairsLoss", "npairs_loss")
        assert np.isfinite(value)
    else:
        assert value == pytest.approx(model["value"], rel=EACH_OTHER)


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_training_goes_on(model):
    loaded = keras.models.load_model(FIXTURES / f"{model['name']}.h5")
    x, y_true = data(model)
    before = loaded.evaluate(x, y_true, batch_size=len(x), verbose=0)
    # Keras 3.15.1 builds the optimizer of an h5 file without variables, whatever the loss is.
    optimizer = keras.optimizers.Adam.from_config(loaded.optimizer.get_config())
    loaded.compile(optimizer=optimizer, loss=loaded.loss)
    # The columns of a matrix of similarities have the order of the samples.
    losses = loaded.fit(x, y_true, batch_size=len(x), epochs=20, shuffle=False, verbose=0)
    after = losses.history["loss"][-1]
    if model["params"] == {"mode": "iou"}:
        # Boxes that don't touch have no gradient.
        assert after == before == 1.0
    else:
        assert after < before


@pytest.mark.parametrize("model", CLASSES, ids=name)
def test_a_class_in_a_keras_file_is_read_with_its_parameters(model):
    loss = keras.losses.deserialize(saved_loss(model))
    for param, value in model["params"].items():
        if param in ("name", "reduction"):
            assert getattr(loss, param) == value
        else:
            assert loss.params[param] == value


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_keras_3_cant_read_how_a_keras_file_was_compiled(model):
    # It has arguments of an optimizer that Keras 3 doesn't know, whatever the loss is.
    file = FIXTURES / f"{model['name']}.keras"
    with pytest.raises(ValueError, match="is_legacy_optimizer"):
        keras.models.load_model(file)
    loaded = keras.models.load_model(file, compile=False)
    x, _ = data(model)
    expected = keras.models.load_model(FIXTURES / f"{model['name']}.h5", compile=False)
    outputs = [each.predict(x, verbose=0) for each in (loaded, expected)]
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("model", FUNCTIONS, ids=name)
def test_keras_3_cant_read_a_traced_function_in_a_keras_file(model):
    loss = saved_loss(model)
    if loss["class_name"] == "function":
        assert model["name"] == "giou_loss"
        assert keras.losses.deserialize(loss).__name__ == "giou_loss"
    else:
        # All others are traced by TensorFlow, and Keras 2 wrote the class of that.
        assert loss["class_name"] == "Function"
        with pytest.raises((TypeError, ValueError)):
            keras.losses.deserialize(loss)


LOADS = """
import sys
import lossreg, keras
print(keras.models.load_model(sys.argv[1]).loss.bound.name)
"""


@pytest.mark.fresh
def test_a_fresh_process_needs_lossreg_alone():
    file = FIXTURES / "TripletSemiHardLoss.h5"
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(file)], capture_output=True, text=True, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "addons_triplet_semihard", done.stderr
