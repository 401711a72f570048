"""Detectors of one box: they learn, are saved, and go on in a fresh process."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg

RNG = np.random.default_rng(4)
CENTRES = RNG.uniform(2, 8, size=(128, 2)).astype("float32")
SIZES = RNG.uniform(1, 3, size=(128, 2)).astype("float32")
X = np.concatenate([CENTRES, SIZES], axis=1)
CORNERS = np.concatenate([CENTRES - SIZES / 2, CENTRES + SIZES / 2], axis=1)


def model_of(loss, outputs=4):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(32, "relu"), outputs_of(outputs)]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss)
    return model


def outputs_of(outputs):
    # A square of side 4 in the middle, from which every box can be reached, whatever a backend
    # draws for the weights.
    start = keras.initializers.Constant([3.0, 3.0, 7.0, 7.0] if outputs == 4 else 0.0)
    near = keras.initializers.RandomNormal(stddev=0.01)
    return keras.layers.Dense(outputs, kernel_initializer=near, bias_initializer=start)


@pytest.mark.parametrize("name", ["iou", "giou", "diou", "ciou", "eiou", "siou"])
def test_boxes_are_learned(name):
    model = model_of(lossreg.get_loss(f"lossreg-detection/{name}"))
    losses = model.fit(X, CORNERS, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    final = model_of(lossreg.get_loss("lossreg-detection/iou"))
    final.set_weights(model.get_weights())
    # The boxes cover more than half of what either covers.
    assert final.evaluate(X, CORNERS, verbose=0) < 0.5


def test_sides_are_learned_as_distributions():
    model = model_of(lossreg.get_loss("distribution_focal", from_logits=True), 11)
    model.fit(X, X[:, 0], epochs=60, verbose=0)
    logits = model.predict(X, verbose=0)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.abs(p @ np.arange(11) - X[:, 0]).mean() < 0.3


LOADS = """
import json, sys
import keras, lossreg
model = keras.models.load_model(sys.argv[1])
x, y = (keras.ops.array(values) for values in json.loads(sys.argv[2]))
print(json.dumps([model.loss.params, model.evaluate(x, y, verbose=0)]))
"""


@pytest.mark.fresh
def test_a_fresh_process_loads_the_loss_with_its_parameters(tmp_path):
    model = model_of(lossreg.get_loss("siou", theta=3, box_format="center"))
    model.fit(X, X, epochs=1, verbose=0)
    expected = model.evaluate(X[:8], X[:8], verbose=0)
    file = tmp_path / "model.keras"
    model.save(file)
    data = json.dumps([X[:8].tolist()] * 2)
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(file), data],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    params, value = json.loads(done.stdout.splitlines()[-1])
    assert params == {"theta": 3, "box_format": "center"}
    assert value == pytest.approx(expected, rel=EACH_OTHER)
