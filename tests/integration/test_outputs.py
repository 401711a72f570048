"""One loss for each named output of a model."""

import keras
import numpy as np
import pytest
from tolerances import FLOAT32

import lossreg

CONFIG = {
    "outputs": {
        "size": "huber(delta=0.5)",
        "sign": {
            "name": "bce",
            "params": {"from_logits": True},
            "options": {"dtype": "float64"},
            "weight": 0.25,
        },
        "unused": None,
    }
}


def model():
    inputs = keras.Input((2,))
    outputs = {
        name: keras.layers.Dense(1, kernel_initializer="ones", name=name)(inputs)
        for name in CONFIG["outputs"]
    }
    return keras.Model(inputs, outputs)


def test_each_output_has_its_loss_and_its_weight():
    trained = model()
    trained.compile("sgd", lossreg.get_loss(CONFIG))
    x = np.array([[1.0, 1.0]])
    y = {"size": np.array([[0.0]]), "sign": np.array([[1.0]]), "unused": np.array([[9.0]])}
    # Every output is 2. Huber's line beyond delta: delta * (|error| - delta / 2).
    huber = 0.5 * (2 - 0.25)
    cross_entropy = np.log1p(np.exp(-2))
    expected = huber + 0.25 * cross_entropy
    assert trained.evaluate(x, y, verbose=0, return_dict=True)["loss"] == pytest.approx(
        expected, rel=FLOAT32
    )


def test_a_model_with_a_loss_for_each_output_saves_and_loads(tmp_path):
    saved = model()
    saved.compile("sgd", lossreg.get_loss(CONFIG))
    saved.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert lossreg.to_config(loaded.loss) == lossreg.to_config(saved.loss)


def test_the_canonical_form_makes_the_same_losses():
    losses = lossreg.get_loss(CONFIG)
    assert losses["sign"].dtype == "float64"
    assert lossreg.get_loss(lossreg.to_config(losses)) == losses
    assert lossreg.bind(lossreg.to_config(lossreg.bind(CONFIG))) == lossreg.bind(CONFIG)


def test_options_given_beside_a_config_are_for_every_output():
    losses = lossreg.get_loss(CONFIG, reduction="sum")
    assert {loss.reduction for loss in losses.values() if loss is not None} == {"sum"}
    assert losses["unused"] is None


def test_the_function_form_is_one_for_each_output():
    functions = lossreg.get_loss_fn(CONFIG)
    assert float(functions["size"]([[0.0]], [[2.0]])[0]) == pytest.approx(
        0.5 * (2 - 0.25), rel=FLOAT32
    )
    assert functions["unused"] is None


def test_a_checked_config_makes_what_the_config_makes():
    assert lossreg.get_loss(lossreg.LossConfig(CONFIG)) == lossreg.get_loss(CONFIG)
    huber = lossreg.LossConfig({"name": "huber", "options": {"reduction": "sum"}})
    assert lossreg.get_loss(huber) == lossreg.get_loss("huber", reduction="sum")
