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
# Three classes, of which the last is rare.
CLASSES = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 1.5)
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
COUNTS = np.bincount(CLASSES).tolist()

PARAMS = {
    "weighted_binary_crossentropy": {"pos_weight": 3, "from_logits": True},
    "class_balanced_crossentropy": {"counts": COUNTS, "beta": 0.99, "from_logits": True},
    "class_balanced_focal": {"counts": COUNTS, "gamma": 1.5, "from_logits": True},
    "logit_adjusted": {"counts": COUNTS, "tau": 0.5, "from_logits": True},
    "balanced_softmax": {"counts": COUNTS, "from_logits": True},
    "ldam": {"counts": COUNTS, "max_margin": 0.3, "scale": 8},
    "hard_example_crossentropy": {"share": 0.5, "from_logits": True},
    "batch_balanced_crossentropy": {"from_logits": True},
}
FORMS = [(name, ONE_HOT) for name in PARAMS] + [
    (name, CLASSES) for name in PARAMS if "counts" in PARAMS[name] or "hard" in name
]


def trained(name, y_true):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.UnitNormalization(),
            keras.layers.Dense(
                3,
                use_bias=False,
                kernel_constraint=keras.constraints.UnitNorm() if name == "ldam" else None,
            ),
        ]
    )
    loss = lossreg.get_loss(name, **PARAMS[name])
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss)
    history = model.fit(X, y_true, epochs=12, verbose=0).history["loss"]
    return model, history


@pytest.mark.parametrize(("name", "y_true"), FORMS)
def test_fit_learns_from_either_form_of_labels(name, y_true):
    _, history = trained(name, y_true)
    assert history[-1] < 0.8 * history[0]


def test_adjusted_logits_find_the_rare_class_more_often():
    recalls = {}
    for name in ("categorical_crossentropy", "balanced_softmax"):
        params = {**PARAMS["balanced_softmax"]} if name in PARAMS else {"from_logits": True}
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        loss = lossreg.get_loss(name, **params)
        model.compile(optimizer=keras.optimizers.Adam(0.05), loss=loss)
        model.fit(X, ONE_HOT, epochs=12, verbose=0)
        guesses = np.asarray(model.predict(X, verbose=0)).argmax(axis=-1)
        recalls[name] = (guesses[CLASSES == 2] == 2).mean()
    assert recalls["balanced_softmax"] > recalls["categorical_crossentropy"]


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
    model, _ = trained("logit_adjusted", CLASSES)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=X, y=CLASSES)
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, tmp_path / "model.keras", tmp_path / "data.npz"],
        capture_output=True,
        text=True,
        check=True,
    )
    params, value = json.loads(done.stdout.splitlines()[-1])
    assert params["counts"] == COUNTS
    assert params["tau"] == 0.5
    assert value == pytest.approx(model.evaluate(X, CLASSES, verbose=0), rel=EACH_OTHER)
