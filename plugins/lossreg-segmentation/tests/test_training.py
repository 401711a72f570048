"""Real training: a model learns, is saved, and goes on in a fresh process."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg
from lossreg.lazy import keras

RNG = np.random.default_rng(4)
IMAGES = RNG.normal(size=(16, 8, 8, 2)).astype("float32")
# Class 2 where both channels are high, class 1 where the first one is, class 0 elsewhere.
LABELS = (IMAGES[..., 0] > 0).astype("int32") * (1 + (IMAGES[..., 1] > 0))

RELOAD = """
import json, sys
import lossreg
import keras, numpy as np

model = keras.models.load_model(sys.argv[1])
data = np.load(sys.argv[2])
print(json.dumps(model.evaluate(data["x"], data["y"], verbose=0)))
"""


def model_with(loss):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Conv2D(8, 1, activation="relu"), keras.layers.Conv2D(3, 1)]
    model = keras.Sequential([keras.Input((8, 8, 2)), *layers])
    model.compile(keras.optimizers.Adam(0.05), loss=lossreg.get_loss(loss))
    return model


@pytest.mark.parametrize(
    "loss",
    [
        "soft_dice(from_logits=True)",
        "jaccard(smooth=1, from_logits=True)",
        "focal_tversky(from_logits=True)",
        "generalized_dice(from_logits=True)",
        "generalized_wasserstein_dice(from_logits=True)",
        "unified_focal(from_logits=True)",
        "lovasz_softmax(from_logits=True)",
    ],
)
def test_fit_learns_from_class_numbers(loss):
    model = model_with(loss)
    losses = model.fit(IMAGES, LABELS, epochs=30, batch_size=8, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    found = np.asarray(model.predict(IMAGES, verbose=0)).argmax(axis=-1)
    assert (found == LABELS).mean() > 0.9


@pytest.mark.fresh
def test_a_saved_model_goes_on_in_a_fresh_process(tmp_path):
    model = model_with("focal_tversky(alpha=0.4, beta=0.6, gamma=1.5, from_logits=True)")
    model.fit(IMAGES, LABELS, epochs=1, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=IMAGES, y=LABELS)
    command = [sys.executable, "-c", RELOAD, tmp_path / "model.keras", tmp_path / "data.npz"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == pytest.approx(model.evaluate(IMAGES, LABELS, verbose=0), rel=EACH_OTHER)
