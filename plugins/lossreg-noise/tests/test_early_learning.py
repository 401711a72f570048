"""Early-learning regularization, against float64 numpy with plain loops, and in training."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import FLOAT32, TRAINED

import lossreg
from lossreg_noise.early_learning import early_learning

RANDOM = np.random.default_rng(9)
SAMPLES, CLASSES = 6, 3


def test_value_and_targets_are_the_formula():
    targets, expected_targets = ops.zeros((SAMPLES, CLASSES)), np.zeros((SAMPLES, CLASSES))
    for _ in range(4):
        index = RANDOM.permutation(SAMPLES)[:4]
        labels, logits = RANDOM.integers(CLASSES, size=4), 3 * RANDOM.normal(size=(4, CLASSES))
        y_true = {"label": np.eye(CLASSES)[labels], "index": index[:, None]}
        values, targets = early_learning(
            y_true, logits.astype("float32"), targets, samples=SAMPLES, weight=2.0, beta=0.6,
            from_logits=True,
        )  # fmt: skip
        for at, label, x, value in zip(index, labels, logits, values, strict=True):
            p = np.exp(x) / np.exp(x).sum()
            near = np.clip(p, 1e-4, 1 - 1e-4)
            expected_targets[at] = 0.6 * expected_targets[at] + 0.4 * near / near.sum()
            expected = -np.log(p[label]) + 2 * np.log(1 - near @ expected_targets[at])
            assert float(value) == pytest.approx(expected, rel=FLOAT32, abs=1e-5)
        np.testing.assert_allclose(targets, expected_targets, rtol=FLOAT32, atol=1e-7)


X = RANDOM.normal(size=(64, 4)).astype("float32")
TRUE = (X[:, 0] > 0).astype("int32")
# A third of the labels is wrong.
NOISY = np.where(np.arange(64) % 3 == 0, 1 - TRUE, TRUE)


def trained(loss, labels, epochs):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(2)]
    )
    model = lossreg.compile(model, keras.optimizers.Adam(0.02), loss=loss)
    model.fit(X, labels, epochs=epochs, batch_size=16, verbose=0)
    return model


def test_fewer_wrong_labels_are_learned_by_heart():
    fields = {"label": NOISY, "index": np.arange(64)}
    models = {
        "elr": trained("elr(samples=64, from_logits=True)", fields, 60),
        "plain": trained("sparse_categorical_crossentropy(from_logits=True)", NOISY, 60),
    }
    right = {
        name: (model.predict(X, verbose=0).argmax(axis=1) == TRUE).mean()
        for name, model in models.items()
    }
    assert right["elr"] > right["plain"]


def test_training_goes_on_after_saving(tmp_path):
    fields = {"label": NOISY, "index": np.arange(64)}
    model = trained("elr(samples=64, from_logits=True)", fields, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    more = [m.fit(X, fields, shuffle=False, verbose=0).history for m in (model, loaded)]
    assert more[1]["loss"] == pytest.approx(more[0]["loss"], rel=TRAINED)
