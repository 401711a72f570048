"""Losses whose weights follow what training has seen, against float64 numpy with plain loops."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg_imbalance.accumulated import equalization_v2, seesaw

RANDOM = np.random.default_rng(8)
CLASSES = 4
LOGITS = 2 * RANDOM.normal(size=(5, 7, CLASSES))
LABELS = RANDOM.integers(CLASSES, size=(5, 7))
ONE_HOT = np.eye(CLASSES)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def seesaw_steps(p, q):
    counts, values = np.zeros(CLASSES), []
    for logits, labels in zip(LOGITS, LABELS, strict=True):
        for label in labels:
            counts[label] += 1
        n = np.maximum(counts, 1)
        step = []
        for x, i in zip(logits, labels, strict=True):
            share, below = softmax(x), 0.0
            for j in range(CLASSES):
                mitigation = (n[j] / n[i]) ** p if n[i] > n[j] else 1
                compensation = (share[j] / share[i]) ** q if share[j] > share[i] else 1
                below += np.exp(x[j]) if j == i else mitigation * compensation * np.exp(x[j])
            step.append(-np.log(np.exp(x[i]) / below))
        values.append(step)
    return np.array(values), counts


@pytest.mark.parametrize(("p", "q"), [(0.8, 2.0), (0.5, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_seesaw_is_the_formula(p, q):
    expected, expected_counts = seesaw_steps(p, q)
    counts = ops.zeros(CLASSES)
    for logits, labels, values in zip(LOGITS, LABELS, expected, strict=True):
        arrays = ONE_HOT[labels].astype("float32"), logits.astype("float32")
        found, counts = seesaw(*arrays, counts, p=p, q=q, from_logits=True)
        np.testing.assert_allclose(ops.convert_to_numpy(found), values, rtol=FLOAT32, atol=1e-6)
    np.testing.assert_array_equal(ops.convert_to_numpy(counts), expected_counts)


def test_seesaw_without_its_factors_is_crossentropy():
    y, x = ONE_HOT[LABELS[0]].astype("float32"), LOGITS[0].astype("float32")
    found, _ = seesaw(y, x, ops.zeros(CLASSES), p=0.0, q=0.0, from_logits=True)
    expected = keras.losses.categorical_crossentropy(y, x, from_logits=True)
    np.testing.assert_allclose(found, expected, rtol=EACH_OTHER)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def equalized_steps(gamma, mu, alpha):
    positives, negatives, values = np.zeros(CLASSES), np.zeros(CLASSES), []
    for logits, labels in zip(LOGITS, LABELS, strict=True):
        more, less, step = np.zeros(CLASSES), np.zeros(CLASSES), []
        for x, label in zip(logits, labels, strict=True):
            value = 0.0
            for j in range(CLASSES):
                g = positives[j] / negatives[j] if negatives[j] else 100.0
                r = sigmoid(gamma * (g - mu))
                q, p = 1 + alpha * (1 - r), sigmoid(x[j])
                if j == label:
                    value -= q * np.log(p)
                    more[j] += q * (1 - p)
                else:
                    value -= r * np.log(1 - p)
                    less[j] += r * p
            step.append(value)
        positives, negatives = positives + more, negatives + less
        values.append(step)
    return np.array(values), positives, negatives


@pytest.mark.parametrize(("gamma", "mu", "alpha"), [(12.0, 0.8, 4.0), (3.0, 0.4, 1.0)])
def test_equalization_is_the_formula(gamma, mu, alpha):
    expected, *sums = equalized_steps(gamma, mu, alpha)
    states = [ops.zeros(CLASSES), ops.zeros(CLASSES)]
    params = {"gamma": gamma, "mu": mu, "alpha": alpha, "from_logits": True}
    for logits, labels, values in zip(LOGITS, LABELS, expected, strict=True):
        arrays = ONE_HOT[labels].astype("float32"), logits.astype("float32")
        found, *states = equalization_v2(*arrays, *states, **params)
        np.testing.assert_allclose(ops.convert_to_numpy(found), values, rtol=TRAINED)
    for state, total in zip(states, sums, strict=True):
        np.testing.assert_allclose(ops.convert_to_numpy(state), total, rtol=TRAINED)


X = RANDOM.normal(size=(96, 4)).astype("float32")
Y = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 1.2)


@pytest.mark.parametrize("loss", ["seesaw(from_logits=True)", "eqlv2(from_logits=True)"])
def test_a_model_learns_and_goes_on_after_saving(loss, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model = lossreg.compile(model, keras.optimizers.Adam(0.1), loss=loss)
    history = model.fit(X, Y, epochs=8, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    more = [m.fit(X, Y, batch_size=32, shuffle=False, verbose=0).history for m in (model, loaded)]
    assert more[1]["loss"] == pytest.approx(more[0]["loss"], rel=TRAINED)
