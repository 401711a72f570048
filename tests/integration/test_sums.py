"""Sums of losses: values, training, saving."""

import copy
import json
import pickle

import keras
import numpy as np
import pytest
from core_losses import core_entries
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg import ConfigError, ParameterError
from lossreg.errors import NotInstalledError, ShapeError, WeightError

Y_TRUE = np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]], "float32")
Y_PRED = np.array([[0.2, 0.7], [0.6, 0.9], [0.4, 0.1]], "float32")
TEXT = "mse + 0.5 * huber(delta=0.3) + dice"


def parts():
    """Return the terms of the sum, each made by Keras itself."""
    mse = keras.losses.MeanSquaredError()(Y_TRUE, Y_PRED)
    huber = keras.losses.Huber(delta=0.3)(Y_TRUE, Y_PRED)
    return float(mse), 0.5 * float(huber), float(keras.losses.Dice()(Y_TRUE, Y_PRED))


def test_a_sum_is_the_sum_of_its_reduced_terms():
    loss = lossreg.get_loss(TEXT)
    assert float(loss(Y_TRUE, Y_PRED)) == pytest.approx(sum(parts()), rel=EACH_OTHER)


def test_a_sum_reports_each_term():
    values = lossreg.get_loss(TEXT).terms(Y_TRUE, Y_PRED)
    assert list(values) == ["mean_squared_error", "0.5 * huber(delta=0.3)", "dice"]
    assert [float(value) for value in values.values()] == pytest.approx(parts(), rel=EACH_OTHER)


def test_a_term_that_stands_twice_is_reported_twice():
    values = lossreg.get_loss("mse + mse").terms(Y_TRUE, Y_PRED)
    assert list(values) == ["mean_squared_error", "mean_squared_error (2)"]
    assert sum(map(float, values.values())) == pytest.approx(2 * parts()[0], rel=EACH_OTHER)


def test_a_sum_shows_its_terms():
    loss = lossreg.get_loss("mse + 2 * mae", name="both")
    assert repr(loss) == "<mean_squared_error() + 2.0 * mean_absolute_error()>"
    assert loss.name == "both"
    assert lossreg.get_loss("mse + mae").name == "mean_squared_error_plus_mean_absolute_error"


def test_each_term_weighs_its_own_values():
    weights = np.array([1.0, 0.0, 3.0], "float32")
    ours = lossreg.get_loss("mse + 0.5 * huber(delta=0.3)", reduction="mean_with_sample_weight")
    theirs = [
        kind(Y_TRUE, Y_PRED, weights)
        for kind in (
            keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"),
            keras.losses.Huber(delta=0.3, reduction="mean_with_sample_weight"),
        )
    ]
    expected = float(theirs[0]) + 0.5 * float(theirs[1])
    assert float(ours(Y_TRUE, Y_PRED, weights)) == pytest.approx(expected, rel=EACH_OTHER)


def test_a_term_that_takes_no_weights_makes_the_sum_refuse_them():
    with pytest.raises(WeightError, match="Loss 'dice' takes no sample_weight"):
        lossreg.get_loss("mse + dice")(Y_TRUE, Y_PRED, np.ones(3, "float32"))


def test_unreduced_terms_need_one_shape():
    values = lossreg.get_loss("mse + mae", reduction=None)(Y_TRUE, Y_PRED)
    expected = np.mean((Y_TRUE - Y_PRED) ** 2, -1) + np.mean(np.abs(Y_TRUE - Y_PRED), -1)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)
    with pytest.raises(ShapeError, match=r"values of shapes \(3,\), \(\), which can't be added"):
        lossreg.get_loss("mse + dice", reduction=None)(Y_TRUE, Y_PRED)


def test_the_function_form_adds_the_values_of_each_sample():
    values = lossreg.get_loss_fn("mse + 2 * mae")(Y_TRUE, Y_PRED)
    expected = np.mean((Y_TRUE - Y_PRED) ** 2, -1) + 2 * np.mean(np.abs(Y_TRUE - Y_PRED), -1)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)


def test_a_single_weighted_loss_is_a_sum_of_one():
    loss = lossreg.get_loss("0.5 * mse")
    assert float(loss(Y_TRUE, Y_PRED)) == pytest.approx(0.5 * parts()[0], rel=EACH_OTHER)


def test_a_sum_takes_no_parameters():
    with pytest.raises(ParameterError, match="is a sum and takes no parameters, got delta"):
        lossreg.get_loss("mse + huber", delta=2)


def test_a_call_takes_more_parameters():
    assert lossreg.bind("focal(gamma=3)", alpha=0.5).params["alpha"] == 0.5
    assert lossreg.bind("focal(3)").params["gamma"] == 3.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("huber(1, 2)", r"Loss 'huber' takes 1 parameters \(delta\), got 2 values"),
        ("huber(1, delta=2)", "Loss 'huber': 'delta' is given twice"),
        ("huber(delat=2)", "no parameter 'delat'. Did you mean 'delta'"),
        ("mse + huber(delta='x')", "'delta' must be a number > 0, got 'x'"),
    ],
)
def test_a_wrong_argument_in_an_expression_is_told(text, message):
    with pytest.raises(ParameterError, match=message):
        lossreg.bind(text)


def trained(loss):
    """Return a model after an epoch, and the loss of that epoch."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), loss)
    history = model.fit(Y_PRED, Y_TRUE, epochs=2, verbose=0).history["loss"]
    return model, history


def test_a_model_with_a_sum_trains_as_one_with_its_function_in_keras():
    def by_hand(y_true, y_pred):
        squared = keras.losses.mean_squared_error(y_true, y_pred)
        return squared + 0.5 * keras.losses.huber(y_true, y_pred, delta=0.3)

    ours = trained(lossreg.get_loss("mse + 0.5 * huber(delta=0.3)"))[1]
    assert ours == pytest.approx(trained(by_hand)[1], rel=TRAINED)


def test_a_sum_saves_loads_and_goes_on(tmp_path):
    model, history = trained(lossreg.get_loss(TEXT, dtype="float32", reduction="sum"))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.loss == model.loss
    assert (str(loaded.loss.bound), loaded.loss.reduction) == (str(model.loss.bound), "sum")
    assert loaded.fit(Y_PRED, Y_TRUE, verbose=0).history["loss"][0] < history[0]


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))])
def test_a_sum_pickles_and_copies(twin):
    loss = lossreg.get_loss(TEXT, dtype="float16", name="three")
    again = twin(loss)
    assert again == loss
    assert (again.dtype, again.name, repr(again)) == ("float16", "three", repr(loss))


def test_keras_config_of_a_sum_gives_the_sum():
    loss = lossreg.get_loss(TEXT, reduction="sum")
    assert lossreg.get_loss(keras.losses.serialize(loss)) == loss
    assert keras.losses.deserialize(keras.losses.serialize(loss)) == loss


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"sum": []}, ConfigError),
        ({"sum": "mse"}, ConfigError),
        ({"sum": [{"loss": "keras/huber"}]}, ConfigError),
        ({"sum": [{"loss": "os.system", "weight": 1.0}]}, lossreg.errors.LossNameError),
        ({"sum": [{"loss": "acme/poly1", "weight": 1.0}]}, NotInstalledError),
        ({"module": "os"}, ConfigError),
        ({"dtype": {"module": "os", "class_name": "system"}}, ConfigError),
    ],
)
def test_a_config_that_was_changed_is_refused(change, error):
    config = {**lossreg.get_loss(TEXT).get_config(), **change}
    with pytest.raises(error):
        type(lossreg.get_loss(TEXT)).from_config(config)


LOSSES = st.sampled_from(
    ["mse", "mae", "huber(0.3)", "'lossreg-focal/focal'(gamma=1.5, alpha=None)", "bce(True)"]
)
WEIGHTS = st.floats(-10, 10).filter(lambda weight: weight != 1)


@settings(max_examples=50)
@given(st.lists(st.tuples(WEIGHTS, LOSSES), min_size=1, max_size=3))
def test_what_a_bound_sum_says_means_the_same_sum(terms):
    bound = lossreg.bind(" + ".join(f"{weight!r} * {loss}" for weight, loss in terms))
    assert lossreg.bind(str(bound)) == bound


@pytest.mark.parametrize("name", [e.qualified_name for e in core_entries()])
def test_a_loss_as_data_gives_the_loss_again(name, changed):
    loss = lossreg.get_loss(name, reduction="sum", dtype="bfloat16", **changed(name))
    config = json.loads(json.dumps(lossreg.to_config(loss)))
    assert lossreg.get_loss(config) == loss
    assert lossreg.bind(lossreg.to_config(loss.bound)) == loss.bound


def test_a_sum_as_data_gives_the_sum_again():
    loss = lossreg.get_loss(TEXT, reduction="sum", name="three")
    config = json.loads(json.dumps(lossreg.to_config(loss)))
    assert lossreg.get_loss(config) == loss
    assert lossreg.bind(lossreg.to_config(loss.bound)) == loss.bound


def test_what_is_no_registered_loss_has_no_config():
    with pytest.raises(ConfigError, match=r"isn't a loss of lossreg. Build it with get_loss"):
        lossreg.to_config(keras.losses.MeanSquaredError())
