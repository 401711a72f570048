"""Parameters that are losses, and rules across parameters."""

import json
from typing import Annotated

import pytest
from annotated_types import Ge
from fakes import add

from lossreg import LossFunction, ParameterError, Registry
from lossreg.config import bind_in
from lossreg.loss import make


def around(
    y_true,
    y_pred,
    *,
    base: LossFunction = "mean_squared_error",
    share: Annotated[float, Ge(0)] = 0.5,
):
    """The largest values of another loss."""


def between(y_true, y_pred, *, low: float = 0.0, high: float | None = 1.0):
    """Something between two numbers."""


@pytest.fixture
def losses(registry):
    add(registry, "around", around)
    add(registry, "between", between, rules=("low < high", "high + low <= 10"))
    return registry


@pytest.mark.parametrize(
    "config",
    [
        "around(base=huber(scale=2), share=0.25)",
        "around(base='huber(scale=2)', share=0.25)",
        {"name": "around", "params": {"base": "huber(scale=2)", "share": 0.25}},
        {
            "name": "around",
            "params": {"base": {"name": "huber", "params": {"scale": 2}}, "share": 0.25},
        },
    ],
)
def test_a_parameter_that_is_a_loss_takes_every_form_of_a_config(losses, config):
    bound = bind_in(losses, config, {})
    assert str(bound.params["base"]) == "huber(scale=2.0)"
    assert bound.label == "around(base=huber(scale=2.0), share=0.25)"
    data = bound.config()
    assert data["params"]["base"] == {"name": "keras/huber", "params": {"scale": 2.0}}
    assert bind_in(losses, json.loads(json.dumps(data)), {}) == bound
    assert bind_in(losses, bound.label, {}) == bound


def test_it_may_be_a_sum(losses):
    bound = bind_in(losses, "around", {"base": "mse + 0.5 * quartic"})
    assert bound.label == "around(base=mean_squared_error + 0.5 * quartic)"
    assert bind_in(losses, bound.config(), {}) == bound


def test_a_default_is_bound_as_a_given_one_is():
    losses = Registry()
    add(losses, "mean_squared_error", aliases=("mse",))
    add(losses, "around", around)
    given, default = bind_in(losses, "around(base=mse)", {}), bind_in(losses, "around", {})
    assert given == default
    assert default.label == "around"
    assert type(given.params["base"]) is type(default.params["base"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("around(base=hubr(scale=2))", "'base' must be a loss. No loss named 'hubr'.*'huber'"),
        ("around(base=huber(scale=-1))", "'base' must be a loss. Loss 'huber': 'scale' must be"),
        ("around(base=3)", "'base' must be a loss. 3 .int. doesn't describe a loss"),
        (
            "around(share=huber(scale=2))",
            "'share' must be a number >= 0, got huber.scale=2. .a name, which would be a loss.",
        ),
        ("around(share=nan)", "'share' must be a number >= 0, got nan .a name, which"),
    ],
)
def test_a_fault_in_it_is_told_with_the_parameter(losses, call, message):
    with pytest.raises(ParameterError, match=f"(?s)Loss 'around': {message}"):
        bind_in(losses, call, {})


def test_the_function_gets_a_function(losses):
    made = make(bind_in(losses, "around(base=mse)", {}))
    assert callable(made.keywords["base"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"low": 2}, "low < high must hold, got low=2.0, high=1.0"),
        ({"low": 4, "high": 8}, "high .+ low <= 10 must hold, got high=8.0, low=4.0"),
    ],
)
def test_a_rule_across_parameters_is_checked_before_anything_is_built(losses, params, message):
    with pytest.raises(ParameterError, match=message) as caught:
        bind_in(losses, "between", params)
    assert set(caught.value.faults) == {"low", "high"}


@pytest.mark.parametrize("params", [{"low": 0.5}, {"low": 3, "high": 4}, {"high": None}])
def test_a_rule_that_holds_or_has_no_number_refuses_nothing(losses, params):
    assert bind_in(losses, "between", params).name == "between"
