"""Numbers that change during training: what they are, and how a config has them."""

import pytest

import lossreg
from lossreg.errors import ConfigError, ParameterError

SCHEDULED = "linear(0, 1, epochs=10) * huber(delta=cosine(1, 2, steps=5)) + mse"


def test_a_loss_with_schedules_is_the_same_after_its_config():
    bound = lossreg.bind(SCHEDULED)
    assert lossreg.bind(bound.config()) == bound
    assert lossreg.bind(bound.label) == bound
    assert bound.config()["sum"][0]["weight"] == "linear(0.0, 1.0, epochs=10)"


def test_a_mapping_has_a_schedule_as_a_string():
    term = {"name": "mse", "weight": "piecewise(1, 0.1, epochs=5)"}
    assert lossreg.bind([term]) == lossreg.bind("piecewise(1, 0.1, epochs=[5]) * mse")


def test_every_value_of_a_schedule_must_be_allowed():
    with pytest.raises(ParameterError, match="'delta' must be a number > 0, got -2.0"):
        lossreg.bind("huber(delta=linear(1, -2, epochs=3))")
    with pytest.raises(ParameterError, match="'axis' must be an integer"):
        lossreg.bind("cosine_similarity(axis=linear(1, 2, epochs=3))")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("linear(0, 1)", "give steps=... or epochs=..."),
        ("linear(0, 1, epochs=3, steps=3)", "give steps=... or epochs=..."),
        ("linear(0, 1, 2, epochs=3)", "it goes from one value to another"),
        ("cosine(0, 'a', epochs=3)", "its values must be two numbers or more"),
        ("linear(0, 1, epochs=0)", "counts must be whole numbers from 1"),
        ("piecewise(1, 2, 3, steps=[5, 2])", "counts must be whole numbers from 1 that rise"),
        ("piecewise(1, 2, 3, steps=[5])", "3 values need 2 counts"),
    ],
)
def test_a_wrong_schedule_is_told(schedule, message):
    with pytest.raises(ConfigError, match=message):
        lossreg.bind(f"{schedule} * mse")
    with pytest.raises(ConfigError, match=message):
        lossreg.bind([{"name": "mse", "weight": schedule}])


def test_a_loss_that_changes_is_no_keras_loss():
    with pytest.raises(ConfigError, match=r"compile\(model, optimizer, loss='linear"):
        lossreg.get_loss("linear(0, 1, epochs=10) * mse")


@pytest.mark.parametrize("field", [3, ["a"]])
def test_the_name_of_a_label_is_a_string(field):
    with pytest.raises(ConfigError, match="'field' must be the name of a label tensor"):
        lossreg.bind([{"name": "mse", "field": field}])
