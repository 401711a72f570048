"""GHM-C with a momentum: its shares against float64 numpy with plain loops, and in training."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg.errors import ConfigError
from lossreg_focal.sigmoids import ghm_c

RANDOM = np.random.default_rng(12)


def test_shares_are_moving_means_of_the_batches():
    shares, expected = ops.zeros(5), np.zeros(5)
    for _ in range(4):
        x, y = 2 * RANDOM.normal(size=(6, 3)), RANDOM.integers(2, size=(6, 3))
        arrays = y.astype("float32"), x.astype("float32")
        values, shares = ghm_c(*arrays, shares, bins=5, momentum=0.6, from_logits=True)
        p = 1 / (1 + np.exp(-x))
        parts = np.minimum((np.abs(y - p) * 5).astype(int), 4)
        counted = np.bincount(parts.ravel(), minlength=5) / parts.size
        expected = 0.6 * expected + 0.4 * counted
        np.testing.assert_allclose(shares, expected, rtol=FLOAT32)
        nats = -np.log(np.where(y == 1, p, 1 - p))
        weights = 1 / (5 * (expected / expected.sum())[parts])
        np.testing.assert_allclose(values, (weights * nats).mean(axis=1), rtol=TRAINED)


def test_the_first_step_is_that_of_the_batch_alone():
    x, y = RANDOM.normal(size=(8, 2)).astype("float32"), np.eye(2, dtype="float32")[[0, 1] * 4]
    values, _ = ghm_c(y, x, ops.zeros(10), momentum=0.9, from_logits=True)
    np.testing.assert_allclose(values, ghm_c(y, x, from_logits=True), rtol=EACH_OTHER)


def test_a_momentum_needs_a_model_that_remembers():
    line = r"lossreg.compile\(model, optimizer, loss='ghm_c\(momentum=0.75\)'\)"
    with pytest.raises(ConfigError, match=line):
        lossreg.get_loss("ghm_c(momentum=0.75)")
    assert lossreg.get_loss("ghm_c(momentum=0)").params["momentum"] == 0


@pytest.mark.parametrize(
    ("loss", "classes"),
    [
        ("focal(gamma={}, from_logits=True)", 1),
        ("categorical_focal(gamma={}, from_logits=True)", 3),
        ("sparse_focal(gamma={}, from_logits=True)", 3),
    ],
)
def test_gamma_may_change_during_training(loss, classes):
    x = RANDOM.normal(size=(16, 3)).astype("float32")
    y = np.arange(16) % max(classes, 2)
    y = y[:, None] if classes == 1 else np.eye(3)[y] if "categorical" in loss else y
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(classes)])
    changing = lossreg.compile(
        model, keras.optimizers.SGD(0.1), loss.format("linear(0, 2, steps=2)")
    )
    for gamma in (0.0, 1.0, 2.0, 2.0):
        weights = model.get_weights()
        found = changing.train_on_batch(x, y)
        # The same step with a constant.
        constant = keras.models.clone_model(model)
        constant.set_weights(weights)
        constant.compile(keras.optimizers.SGD(0.1), lossreg.get_loss(loss.format(gamma)))
        assert float(found) == pytest.approx(float(constant.train_on_batch(x, y)), rel=TRAINED)
        for one, other in zip(model.get_weights(), constant.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=TRAINED, atol=1e-6)


def test_training_goes_on_after_saving(tmp_path):
    x = RANDOM.normal(size=(64, 3)).astype("float32")
    y = (x[:, :1] > 0.8).astype("float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model = lossreg.compile(
        model, keras.optimizers.Adam(0.05), "ghm_c(momentum=0.75, from_logits=True)"
    )
    history = model.fit(x, y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    more = [m.fit(x, y, shuffle=False, verbose=0).history["loss"] for m in (model, loaded)]
    assert more[1] == pytest.approx(more[0], rel=TRAINED)
