"""Each loss in a real `fit`, and in a saved model that a fresh process loads."""

import json
import subprocess
import sys

import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg
from lossreg.lazy import keras

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(256, 4)).astype("float32")
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]

PARAMS = {
    "symmetric_crossentropy": {"alpha": 0.5, "log_clip": 1e-3, "from_logits": True},
    "reverse_crossentropy": {"log_clip": 1e-2, "from_logits": True},
    "normalized_crossentropy": {"from_logits": True},
    "active_passive": {"alpha": 2.0, "from_logits": True},
    "generalized_crossentropy": {"q": 0.5, "from_logits": True},
    "jensen_shannon": {"weight": 0.3, "from_logits": True},
    "bootstrapping_soft": {"beta": 0.8, "from_logits": True},
    "bootstrapping_hard": {"beta": 0.7, "from_logits": True},
    "bi_tempered_logistic": {"t1": 0.7, "t2": 1.3},
    "taylor_crossentropy": {"order": 4},
    "sparsemax": {},
}


def trained(name, y_true):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3)]
    )
    loss = lossreg.get_loss(f"lossreg-noise/{name}", **PARAMS[name])
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss)
    history = model.fit(X, y_true, epochs=12, verbose=0).history["loss"]
    return model, history


@pytest.mark.parametrize("y_true", [ONE_HOT, CLASSES], ids=["one-hot", "class numbers"])
@pytest.mark.parametrize("name", PARAMS)
def test_fit_learns_from_either_form_of_labels(name, y_true):
    model, history = trained(name, y_true)
    assert history[-1] < 0.8 * history[0]
    guesses = np.asarray(model.predict(X, verbose=0)).argmax(axis=-1)
    assert (guesses == CLASSES).mean() > 0.7


_LOAD = """
import json, sys
import lossreg, keras
import numpy as np
model = keras.models.load_model(sys.argv[1])
data = np.load(sys.argv[2])
value = model.evaluate(data["x"], data["y"], verbose=0)
print(json.dumps([model.loss.get_config()["params"], value]))
"""


@pytest.mark.fresh
def test_a_fresh_process_goes_on_with_the_loss_of_a_saved_model(tmp_path):
    model, _ = trained("bi_tempered_logistic", CLASSES)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=X, y=CLASSES)
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, tmp_path / "model.keras", tmp_path / "data.npz"],
        capture_output=True,
        text=True,
        check=True,
    )
    params, value = json.loads(done.stdout.splitlines()[-1])
    assert params["t1"] == 0.7
    assert params["t2"] == 1.3
    assert value == pytest.approx(model.evaluate(X, CLASSES, verbose=0), rel=EACH_OTHER)
