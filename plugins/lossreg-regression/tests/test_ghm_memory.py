"""GHM-R with a momentum: its shares against float64 numpy with plain loops, and in training."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg_regression.imbalance import ghm_r

RANDOM = np.random.default_rng(13)


def test_shares_are_moving_means_of_the_batches():
    shares, expected = ops.zeros(4), np.zeros(4)
    for _ in range(4):
        y, p = RANDOM.normal(size=(2, 7, 3))
        arrays = y.astype("float32"), p.astype("float32")
        values, shares = ghm_r(*arrays, shares, mu=0.5, bins=4, momentum=0.3)
        e = y - p
        root = np.sqrt(e**2 + 0.25)
        parts = np.minimum((np.abs(e) / root * 4).astype(int), 3)
        expected = 0.3 * expected + 0.7 * np.bincount(parts.ravel(), minlength=4) / parts.size
        np.testing.assert_allclose(shares, expected, rtol=FLOAT32)
        weights = 1 / ((expected / expected.sum())[parts] * np.count_nonzero(expected))
        by_hand = (weights * (root - 0.5)).mean(axis=1)
        np.testing.assert_allclose(values, by_hand, rtol=TRAINED)


def test_the_first_step_is_that_of_the_batch_alone():
    y, p = RANDOM.normal(size=(2, 8, 2)).astype("float32")
    values, _ = ghm_r(y, p, ops.zeros(10), momentum=0.9)
    np.testing.assert_allclose(values, ghm_r(y, p), rtol=EACH_OTHER)


def test_training_goes_on_after_saving(tmp_path):
    x = RANDOM.normal(size=(64, 3)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model = lossreg.compile(model, keras.optimizers.Adam(0.05), "ghm_r(mu=0.5, momentum=0.75)")
    history = model.fit(x, y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    more = [m.fit(x, y, shuffle=False, verbose=0).history["loss"] for m in (model, loaded)]
    assert more[1] == pytest.approx(more[0], rel=TRAINED)
