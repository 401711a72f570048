"""Sums whose weights are learned or follow the terms, and what a teacher predicts."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg_memory.distillation import distill
from lossreg_memory.weighing import dynamic_weight_average, uncertainty

RANDOM = np.random.default_rng(4)
X = RANDOM.normal(size=(32, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def model_of(outputs=1):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(outputs)])


def state(model, name):
    (found,) = (w for w in model.weights if w.path.endswith(f"/{name}"))
    return ops.convert_to_numpy(found)


def test_uncertainty_is_the_formula():
    terms, s = np.array([2.0, 0.5], "float32"), np.array([0.3, -1.0], "float32")
    value = uncertainty(None, None, [*map(ops.convert_to_tensor, terms)], s, losses=())
    expected = np.exp(-0.3) * 2 / 2 + 0.3 / 2 + np.exp(1.0) * 0.5 / 2 - 1.0 / 2
    assert float(value) == pytest.approx(expected, rel=FLOAT32)


def test_the_learned_weights_come_to_one_over_twice_the_term():
    model = model_of()
    model.trainable = False
    model = lossreg.compile(
        model, keras.optimizers.Adam(0.1), loss="uncertainty(mse, 'huber'(delta=0.5))"
    )
    model.fit(X, Y, batch_size=32, epochs=150, verbose=0)
    error = np.abs(Y - model.predict(X, verbose=0))
    terms = [np.mean(error**2), np.where(error < 0.5, error**2 / 2, 0.5 * error - 0.125).mean()]
    np.testing.assert_allclose(np.exp(state(model, "log_variances")), terms, rtol=0.01)


def test_a_term_within_may_be_a_sum_and_weights_of_samples_count():
    config = {"name": "uncertainty", "params": {"losses": ["mse + 0.5 * mae", "huber"]}}
    model = lossreg.compile(model_of(), keras.optimizers.SGD(0.0), loss=config)
    weights = np.arange(32, dtype="float32")
    error = (Y - model.predict(X, verbose=0))[:, 0]
    huber = np.where(np.abs(error) < 1, error**2 / 2, np.abs(error) - 0.5)
    terms = [np.mean(weights * (error**2 + 0.5 * np.abs(error))), np.mean(weights * huber)]
    found = model.evaluate(X, Y, 32, sample_weight=weights, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(sum(terms) / 2, rel=EACH_OTHER)


def averaged(epochs, temperature):
    """The weights in each epoch, from the terms in each of its steps."""
    means = [np.mean(steps, axis=0) for steps in epochs]
    weights = [np.ones(2), np.ones(2)]
    for last, before in zip(means[1:], means, strict=False):
        powers = np.exp(last / before / temperature)
        weights.append(2 * powers / powers.sum())
    return weights


def test_dynamic_weights_follow_the_terms_of_the_epochs_before():
    epochs = RANDOM.uniform(0.5, 2, (5, 3, 2)).astype("float32")
    states = [np.zeros(2), np.zeros(()), np.zeros(2), np.zeros(2), np.zeros(())]
    expected = averaged(epochs, 1.5)
    for epoch, steps in enumerate(epochs):
        for terms in steps:
            states = [ops.convert_to_tensor(each, "float32") for each in states]
            value, *states = dynamic_weight_average(
                None,
                None,
                [*map(ops.convert_to_tensor, terms)],
                epoch,
                *states,
                losses=(1, 2),
                temperature=1.5,
            )
            total = float(terms @ expected[epoch])
            assert float(value) == pytest.approx(total, rel=FLOAT32)


def test_dynamic_weights_go_on_after_saving(tmp_path):
    loss = "dwa(mse, mae, temperature=0.5)"
    whole = lossreg.compile(model_of(), keras.optimizers.SGD(0.05), loss=loss)
    values = whole.fit(X, Y, batch_size=8, epochs=5, shuffle=False, verbose=0).history["loss"]
    model = lossreg.compile(model_of(), keras.optimizers.SGD(0.05), loss=loss)
    model.fit(X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    rest = loaded.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history["loss"]
    assert rest == pytest.approx(values[3:], rel=TRAINED)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("from_logits", [True, False])
def test_distillation_is_the_divergence_of_softened_probabilities(from_logits):
    x, z = RANDOM.normal(size=(2, 6, 4))
    given = (x, z) if from_logits else (softmax(x), softmax(z))
    q, p = softmax(z / 3), softmax(x / 3)
    found = distill(
        np.zeros(6), *(each.astype("float32") for each in given), temperature=3.0,
        from_logits=from_logits,
    )  # fmt: skip
    expected = 9 * (q * np.log(q / p)).sum(axis=-1)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-4, atol=1e-6)


def test_a_student_learns_what_its_teacher_predicts(tmp_path):
    teacher = model_of(3)
    labels = teacher.predict(X, verbose=0).argmax(axis=1)
    keras.utils.set_random_seed(7)
    student = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    loss = "distill(temperature=2, from_logits=True) + 0.1 * sparse_categorical_crossentropy(True)"
    model = lossreg.compile(student, keras.optimizers.Adam(0.1), loss=loss, teacher=teacher)
    before = model.evaluate(X, labels, verbose=0, return_dict=True)["loss"]
    model.fit(X, labels, epochs=40, verbose=0)
    assert model.evaluate(X, labels, verbose=0, return_dict=True)["loss"] < before / 4
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    found = loaded.evaluate(X, labels, verbose=0)
    assert found == pytest.approx(model.evaluate(X, labels, verbose=0), rel=EACH_OTHER)
