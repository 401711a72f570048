"""The layers of cumulative logits: order, training, saving."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

import lossreg
from lossreg_ordinal.heads import Coral, Thresholds

HEADS = {"coral": Coral, "cumulative_link": Thresholds}
RNG = np.random.default_rng(2)
X = RNG.normal(size=(128, 4)).astype("float32")
SCORE = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.3 * RNG.normal(size=128)
Y = np.digitize(SCORE, [-2.0, 0.0, 2.0])


def model_of(name, params=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), HEADS[name](classes=4)])
    loss = lossreg.get_loss(name, **params or {})
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=loss)
    return model


def test_coral_shares_one_weight_vector():
    layer = Coral(classes=4)
    z = keras.ops.convert_to_numpy(layer(X[:5]))
    assert z.shape == (5, 3)
    layer.bias.assign([2.0, 0.5, -1.0])
    moved = keras.ops.convert_to_numpy(layer(X[:5]))
    assert moved - z == pytest.approx(
        np.tile([2.0, 0.5, -1.0], (5, 1)), abs=2 * CANCELLATION * float(np.abs(moved).max())
    )


def test_thresholds_stay_in_order():
    layer = Thresholds(classes=5)
    z = keras.ops.convert_to_numpy(layer(X[:5]))
    assert np.diff(z, axis=1) == pytest.approx(
        -np.ones((5, 3)), abs=2 * CANCELLATION * float(np.abs(z).max())
    )
    layer.log_distances.assign([-9.0, 3.0, 0.0])
    thresholds = keras.ops.convert_to_numpy(layer.thresholds)
    assert thresholds == pytest.approx(
        -1.5 + np.cumsum([0, *np.exp([-9.0, 3.0, 0.0])]), rel=FLOAT32
    )
    assert (np.diff(keras.ops.convert_to_numpy(layer(X[:5])), axis=1) < 0).all()


@pytest.mark.parametrize("head", [Coral, Thresholds])
def test_two_classes_have_one_logit(head):
    assert head(classes=2)(X[:5]).shape == (5, 1)


@pytest.mark.parametrize("head", [Coral, Thresholds])
@pytest.mark.parametrize("classes", [1, 2.5])
def test_the_number_of_classes_is_checked(head, classes):
    with pytest.raises(
        lossreg.ParameterError, match=f"'classes' must be an integer >= 2, got {classes}"
    ):
        head(classes=classes)


@pytest.mark.parametrize(
    ("name", "params"),
    [("coral", {}), ("cumulative_link", {}), ("cumulative_link", {"link": "probit"})],
)
def test_a_model_learns_the_order(name, params):
    model = model_of(name, params)
    losses = model.fit(X, Y, epochs=40, batch_size=64, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    z = model.predict(X, verbose=0)
    assert np.mean((z > 0).sum(axis=1) == Y) > 0.8
    # The borders that the model found fall, as those of the data rise.
    assert (np.diff(z, axis=1) < 0).all()


LOADS = """
import json, sys
import keras, lossreg
model = keras.models.load_model(sys.argv[1])
x, y = json.loads(sys.argv[2])
print(json.dumps([type(model.layers[-1]).__name__, model.loss.name, model.evaluate(
    keras.ops.array(x), keras.ops.array(y), verbose=0)]))
"""


@pytest.mark.fresh
@pytest.mark.parametrize("name", HEADS)
def test_a_fresh_process_loads_head_and_loss(name, tmp_path):
    model = model_of(name)
    model.fit(X, Y, epochs=1, verbose=0)
    expected = model.evaluate(X[:8], Y[:8], verbose=0)
    file = tmp_path / "model.keras"
    model.save(file)
    data = json.dumps([X[:8].tolist(), Y[:8].tolist()])
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(file), data],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found[:2] == [HEADS[name].__name__, name]
    assert found[2] == pytest.approx(expected, rel=EACH_OTHER)
