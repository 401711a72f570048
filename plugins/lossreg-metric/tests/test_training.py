"""Real training: embeddings find their classes, and a saved model goes on in a fresh process."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg
from lossreg.lazy import keras
from lossreg_metric.heads import Prototypes

RANDOM = np.random.default_rng(6)
CLASSES = RANDOM.integers(0, 4, 256).astype("int32")
# Two numbers say the class, and eight are louder and say nothing.
X = np.concatenate(
    [np.eye(4)[CLASSES] @ RANDOM.normal(size=(4, 2)), 2 * RANDOM.normal(size=(256, 8))], axis=1
).astype("float32")


def embedder():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [keras.Input((10,)), keras.layers.Dense(8), keras.layers.UnitNormalization()]
    )


def nearest_neighbour_accuracy(vectors):
    """Return how often the nearest other sample is of the same class."""
    near = vectors @ vectors.T - 9 * np.eye(len(vectors))
    return (CLASSES[near.argmax(axis=1)] == CLASSES).mean()


@pytest.mark.parametrize(
    "name",
    [
        "triplet_semihard(margin=0.5)",
        "triplet_hard(soft=True)",
        "margin",
        "lifted_structure",
        "multi_similarity(base=0.5)",
        "supervised_contrastive",
    ],
)
def test_embeddings_find_their_classes(name):
    model = embedder()
    before = nearest_neighbour_accuracy(model.predict(X, verbose=0))
    model.compile(keras.optimizers.Adam(0.02), loss=lossreg.get_loss(name))
    # The last batch is smaller than the others.
    model.fit(X, CLASSES, batch_size=60, epochs=20, verbose=0)
    assert nearest_neighbour_accuracy(model.predict(X, verbose=0)) > before + 0.2


@pytest.mark.fresh
def test_a_fresh_process_goes_on_with_head_and_loss(tmp_path):
    model = keras.Sequential([*embedder().layers, Prototypes(4, centers=2)])
    model.compile("adam", loss=lossreg.get_loss("arcface", margin=0.3, scale=10.0))
    model.fit(X, CLASSES, epochs=1, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    np.savez(tmp_path / "data.npz", x=X, y=CLASSES)
    program = (
        "import json, sys, lossreg, keras, numpy as np\n"
        "model, data = keras.models.load_model(sys.argv[1]), np.load(sys.argv[2])\n"
        "print(json.dumps([model.loss.params, model.evaluate(data['x'], data['y'], verbose=0)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path, tmp_path / "data.npz"],
        capture_output=True,
        text=True,
        check=True,
    )
    params, value = json.loads(done.stdout.splitlines()[-1])
    assert params == {"margin": 0.3, "scale": 10.0, "easy_margin": False}
    assert value == pytest.approx(model.evaluate(X, CLASSES, verbose=0), rel=EACH_OTHER)
