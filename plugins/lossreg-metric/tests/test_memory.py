"""Center loss and cross-batch memory, by hand and against plain loops, and in training."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg_metric.memory import center

RANDOM = np.random.default_rng(6)


def test_center_and_its_moves_are_the_formula():
    centers, expected = ops.zeros((3, 2)), np.zeros((3, 2))
    for _ in range(3):
        labels, x = RANDOM.integers(3, size=5), RANDOM.normal(size=(5, 2))
        values, centers = center(labels, x.astype("float32"), centers, classes=3, alpha=0.4)
        by_hand = [((a - expected[y]) ** 2).sum() / 2 for a, y in zip(x, labels, strict=True)]
        np.testing.assert_allclose(values, by_hand, rtol=FLOAT32)
        moved = expected.copy()
        for j in range(3):
            own = [expected[j] - a for a, y in zip(x, labels, strict=True) if y == j]
            moved[j] = expected[j] - 0.4 * sum(own, np.zeros(2)) / (1 + len(own))
        expected = moved
        np.testing.assert_allclose(centers, expected, rtol=FLOAT32, atol=1e-7)


X = RANDOM.normal(size=(24, 4)).astype("float32")
Y = (np.arange(24) % 3).astype("int32")


def embedding_model():
    keras.utils.set_random_seed(3)
    layers = [keras.Input((4,)), keras.layers.Dense(5), keras.layers.UnitNormalization()]
    return keras.Sequential(layers)


def test_a_batch_is_compared_with_the_batches_before_it():
    base = "supervised_contrastive(temperature=0.5)"
    loss = f"cross_batch_memory(base={base}, size=8)"
    model = lossreg.compile(embedding_model(), keras.optimizers.SGD(0.0), loss=loss)
    x = model.predict(X, verbose=0)
    plain = lossreg.get_loss(base, reduction=None)
    # Two batches of 4 fill the memory; they count alone.
    for start in (0, 4):
        alone = float(ops.mean(plain(Y[start : start + 4], x[start : start + 4])))
        found = model.train_on_batch(X[start : start + 4], Y[start : start + 4])
        assert found == pytest.approx(alone, rel=EACH_OTHER)
    for start in (8, 12):
        kept = np.r_[start : start + 4, start - 4 : start, start - 8 : start - 4]
        values = ops.convert_to_numpy(plain(Y[kept], x[kept]))[:4]
        found = model.evaluate(X[start : start + 4], Y[start : start + 4], verbose=0)
        assert found == pytest.approx(values.mean(), rel=EACH_OTHER)
        model.train_on_batch(X[start : start + 4], Y[start : start + 4])


@pytest.mark.parametrize("base", ["triplet_semihard", "multi_similarity", "lifted_structure"])
def test_any_loss_of_embeddings_and_class_numbers_can_be_within(base):
    loss = f"xbm(base={base}, size=6)"
    model = lossreg.compile(embedding_model(), keras.optimizers.SGD(0.01), loss=loss)
    history = model.fit(X, Y, batch_size=5, epochs=2, verbose=0).history["loss"]
    assert np.isfinite(history).all()


def test_the_paper_adds_center_to_a_softmax(tmp_path):
    inputs = keras.Input((4,))
    embedding = keras.layers.Dense(2, name="embedding")(inputs)
    outputs = {"embedding": embedding, "label": keras.layers.Dense(3, name="label")(embedding)}
    losses = {
        "embedding": "center(classes=3)",
        "label": "sparse_categorical_crossentropy(from_logits=True)",
    }
    model = lossreg.compile(
        keras.Model(inputs, outputs), "adam", loss=losses, loss_weights={"embedding": 0.01}
    )
    labels = {"embedding": Y, "label": Y}
    model.fit(X, labels, epochs=2, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    more = [
        m.fit(X, labels, batch_size=8, shuffle=False, verbose=0).history for m in (model, loaded)
    ]
    assert more[1]["loss"] == pytest.approx(more[0]["loss"], rel=TRAINED)
