"""Real training: what a loss asks for is learned, saved, and read again by a fresh process."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg

RANDOM = np.random.default_rng(61)
X = RANDOM.uniform(-1, 1, (512, 2)).astype("float32")
NOISE = RANDOM.normal(size=(512, 1)).astype("float32")
Y = X[:, :1] - 0.5 * X[:, 1:] + 0.3 * NOISE


def fit(loss, units, y=Y, epochs=40):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss=loss)
    history = model.fit(X, y, batch_size=64, epochs=epochs, verbose=0).history["loss"]
    return model, history


def test_pinball_learns_quantiles_that_labels_stay_below():
    model, _ = fit(lossreg.get_loss("pinball", tau=[0.1, 0.5, 0.9]), 3)
    below = (model.predict(X, verbose=0) >= Y).mean(axis=0)
    # Three standard deviations of a share of 512 labels.
    assert below == pytest.approx([0.1, 0.5, 0.9], abs=3 * 0.5 / 512**0.5)


@pytest.mark.parametrize("name", ["gaussian_nll", "beta_nll", "crps_gaussian"])
def test_a_distribution_learns_its_spread(name):
    model, _ = fit(lossreg.get_loss(name), 2)
    outputs = model.predict(X, verbose=0)
    assert np.logaddexp(0, outputs[:, 1]).mean() == pytest.approx(0.3, rel=0.15)


@pytest.mark.parametrize("name", ["cauchy", "geman_mcclure", "welsch"])
def test_a_robust_loss_ignores_outliers_that_move_the_squared_error(name):
    y = Y.copy()
    y[::5] += 30
    model, _ = fit(lossreg.get_loss(name), 1, y=y)
    robust = np.median(np.abs(model.predict(X, verbose=0) - Y))
    model, _ = fit("mse", 1, y=y)
    squared = np.median(np.abs(model.predict(X, verbose=0) - Y))
    assert robust < 0.3 < 3 < squared


FRESH = """
import sys
import lossreg
import keras
import numpy as np
model = keras.saving.load_model(sys.argv[1])
data = np.load(sys.argv[2])
print(repr(float(model.evaluate(data["x"], data["y"], verbose=0))))
"""


@pytest.mark.fresh
@pytest.mark.parametrize(
    ("config", "units"),
    [
        ("pinball(tau=[0.2, 0.8], crossing_penalty=0.5)", 2),
        ("general_robust(alpha=-1.5, scale=0.7)", 1),
        ("mixture_density", 6),
    ],
)
def test_a_saved_model_goes_on_in_a_fresh_process(tmp_path, config, units):
    model, _ = fit(lossreg.get_loss(config), units, epochs=2)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=X, y=Y)
    expected = float(model.evaluate(X, Y, verbose=0))
    command = [sys.executable, "-c", FRESH, tmp_path / "model.keras", tmp_path / "data.npz"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout.splitlines()[-1]) == pytest.approx(expected, rel=EACH_OTHER)
