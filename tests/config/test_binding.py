"""`LossConfig`, by itself and as a field of a pydantic model."""

import copy
import json
import pickle

import jsonschema
import pydantic
import pytest

import lossreg
from lossreg import BoundLoss, ConfigError, LossConfig, bind, to_config


class Trainer(pydantic.BaseModel):
    """The settings of somebody's trainer."""

    loss: LossConfig
    steps: int = 10


HUBER = {"name": "keras/huber", "params": {"delta": 2.0}}


@pytest.mark.parametrize(
    "given",
    ["huber(2)", "Huber(delta=2)", {"name": "huber", "params": {"delta": 2}}, ["huber(2)"]],
)
def test_every_form_of_a_config_is_a_field_of_a_pydantic_model(given):
    trainer = Trainer(loss=given)
    assert trainer.loss.bound == bind("huber", delta=2)
    assert trainer.model_dump() == {"loss": HUBER, "steps": 10}


@pytest.mark.parametrize("default", [LossConfig("huber(2)"), "huber(2)", {"name": "huber"}])
def test_a_default_of_any_form_is_dumped_in_the_canonical_form(default):
    class WithDefault(pydantic.BaseModel):
        loss: LossConfig = default

    expected = LossConfig(default.config if isinstance(default, LossConfig) else default).canonical
    assert WithDefault().model_dump() == {"loss": expected}
    assert json.loads(WithDefault().model_dump_json()) == {"loss": expected}
    assert WithDefault.model_json_schema()["properties"]["loss"]


@pytest.mark.parametrize("given", ['{"name": "huber", "params": {"delta": 2}}', ' ["huber(2)"]'])
def test_an_environment_variable_may_hold_a_loss_as_json(given):
    assert Trainer(loss=given).loss.bound == bind("huber", delta=2)


def test_a_loss_that_is_wrong_in_json_is_reported_with_its_path():
    with pytest.raises(pydantic.ValidationError) as caught:
        Trainer(loss='{"name": "huber", "params": {"delta": -2}}')
    (fault,) = caught.value.errors()
    assert fault["loc"] == ("loss", "params", "delta")
    with pytest.raises(pydantic.ValidationError, match="is a mapping in a string"):
        Trainer(loss='{"name": "huber"')


def test_a_bound_loss_is_shown_as_a_call():
    assert repr(bind("huber(2)")) == "<BoundLoss keras/huber(delta=2.0)>"
    assert repr(bind("hinge + 0.5 * huber(2)")) == "<BoundSum hinge() + 0.5 * huber(delta=2.0)>"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none", "An output without a loss has None (null in YAML and JSON), not a string."),
        ({"name": "null"}, "An output without a loss has None (null in YAML and JSON)"),
        (
            {"name": "bce", "params": {"from_logits": "yes"}},
            "'from_logits' must be True or False, got 'yes' (str). Write True (true in YAML",
        ),
        (
            {"name": "bce", "params": {"from_logits": "OFF"}},
            "got 'OFF' (str). Write False (false in YAML and JSON).",
        ),
        (
            {"name": "dice", "params": {"axis": "none"}},
            "got 'none' (str). Write None (null in YAML and JSON).",
        ),
        (
            {"name": "huber", "params": {"delta": "${delta}"}},
            "got '${delta}' (str). Fill in the variable first; for OmegaConf and Hydra: "
            "OmegaConf.to_container(config, resolve=True).",
        ),
    ],
)
def test_a_word_of_another_format_is_answered_with_what_to_write(given, message):
    with pytest.raises(ConfigError) as caught:
        LossConfig(given)
    assert message in str(caught.value)
    assert "cosine" not in str(caught.value)


def test_a_dumped_model_is_read_back_as_the_same():
    trainer = Trainer(loss="mse + 0.5 * huber(2)")
    assert Trainer.model_validate_json(trainer.model_dump_json()) == trainer


def test_pydantic_tells_the_path_of_every_fault_of_a_loss():
    given = {
        "sum": ["mse", {"name": "hubre"}, {"name": "huber", "params": {"delta": -1, "dleta": 1}}]
    }
    with pytest.raises(pydantic.ValidationError) as caught:
        Trainer(loss=given, steps="x")
    faults = {fault["loc"]: fault["msg"] for fault in caught.value.errors()}
    assert set(faults) == {
        ("loss", "sum", 1, "name"),
        ("loss", "sum", 2, "params", "delta"),
        ("loss", "sum", 2, "params", "dleta"),
        ("steps",),
    }
    assert "Did you mean 'huber'" in faults["loss", "sum", 1, "name"]
    assert "'delta' must be a number > 0, got -1" in faults["loss", "sum", 2, "params", "delta"]
    assert "Did you mean 'delta'" in faults["loss", "sum", 2, "params", "dleta"]


def test_a_message_with_braces_reaches_the_user_as_it_is():
    with pytest.raises(pydantic.ValidationError, match=r"got \{'a': 1\}|\{'a': 1\}"):
        Trainer(loss=[{"name": {"a": 1}}])


def test_the_json_schema_of_a_model_knows_the_losses():
    schema = Trainer.model_json_schema()
    valid = jsonschema.Draft202012Validator(schema)
    assert valid.is_valid({"loss": {"name": "huber", "params": {"delta": 2}}})
    assert valid.is_valid({"loss": "mse + huber(2)"})
    assert not valid.is_valid({"loss": {"name": "huber", "params": {"delta": -2}}})
    assert not valid.is_valid({"loss": {"name": "huber", "params": {"dleta": 2}}})
    # It travels with the user's own API documentation.
    assert len(json.dumps(schema)) < 3_000 * len(lossreg.list_losses())


def test_a_loss_for_each_output_keeps_names_weights_and_options():
    given = {
        "outputs": {
            "mask": "mse",
            "label": {"name": "huber", "params": {"delta": 2}, "weight": 0.5},
            "size": {"name": "mae", "options": {"reduction": "sum"}},
            "none": None,
        }
    }
    found = LossConfig(given)
    assert set(found.bound) == {"mask", "label", "size", "none"}
    assert isinstance(found.bound["mask"], BoundLoss)
    assert str(found.bound["label"]) == "0.5 * huber(delta=2.0)"
    assert found.bound["none"] is None
    assert found.canonical["outputs"]["size"]["options"] == {"reduction": "sum"}
    assert LossConfig(found.canonical) == found


def test_bind_and_to_config_take_one():
    config = LossConfig({"name": "huber", "params": {"delta": 2}, "options": {"reduction": "sum"}})
    assert bind(config) == bind("huber", delta=2).with_options({"reduction": "sum"})
    assert to_config(config) == {**HUBER, "options": {"reduction": "sum"}}


def test_what_was_checked_stays_as_it_was():
    given = {"name": "huber", "params": {"delta": 2}}
    config = LossConfig(given)
    given["params"]["delta"] = -1
    assert config.config == {"name": "huber", "params": {"delta": 2}}


def test_it_copies_and_pickles():
    config = LossConfig("mse + 0.5 * huber(2)")
    assert pickle.loads(pickle.dumps(config)) == copy.deepcopy(config) == config
    assert hash(config) == hash(LossConfig("mean_squared_error + 0.5 * huber(delta=2.0)"))
    assert config != LossConfig("mse + huber(2)")


def test_equal_configs_have_one_hash_whatever_the_order_of_their_keys():
    given = {"a": "mse", "b": {"name": "huber", "options": {"name": "x", "reduction": "sum"}}}
    turned = {"b": {"options": {"reduction": "sum", "name": "x"}, "name": "huber"}, "a": "mse"}
    first, second = LossConfig({"outputs": given}), LossConfig({"outputs": turned})
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        (3, [()]),
        (None, [()]),
        ([], [()]),
        ({"outputs": {}}, [("outputs",)]),
        ({"outputs": {"a": "hubre", "b": 3}}, [("outputs", "a"), ("outputs", "b")]),
        ({"outputs": {"a": "mse"}, "name": "mse"}, [("name",)]),
        (
            {"name": "huber", "param": {}, "options": {"reduction": "sun", "nmae": "x"}},
            [("param",), ("options", "reduction"), ("options", "nmae")],
        ),
        (
            {"class_name": "Huber", "config": {"delta": -1, "dtype": "int32"}},
            [("config", "delta"), ("config", "dtype")],
        ),
        ("huber(-1) + focl + hinge(x=1)", [(), (), ()]),
    ],
)
def test_every_fault_is_told_with_its_path(given, paths):
    with pytest.raises(ConfigError) as caught:
        LossConfig(given)
    assert sorted(map(str, (fault.path for fault in caught.value.faults))) == sorted(
        map(str, paths)
    )


def test_parameters_are_given_to_the_losses_of_outputs_themselves():
    with pytest.raises(ValueError, match="a loss for each output takes no parameters, got delta"):
        bind({"outputs": {"a": "huber"}}, delta=2)
