"""The JSON Schema says of a config what `examine_experiment` says."""

import json

import jsonschema
import pytest
from fakes import KERAS, add, scaled, tuned

from lossreg import Registry, list_losses
from lossreg.config import examine_experiment, experiment_schema
from lossreg.config.schema import definitions
from lossreg.registry import installed

SCHEMA = experiment_schema()
VALID = jsonschema.Draft202012Validator(SCHEMA)


def config(loss, **more):
    return {"model": [{"Dense": {"units": 1}}], "compile": {"loss": loss}, **more}


def agree(data):
    """Return what both say of a config, if it is the same."""
    ours = not examine_experiment(data, None)[2]
    theirs = VALID.is_valid(data)
    assert ours == theirs, (ours, data)
    return ours


def test_it_stays_small_enough_for_editors():
    assert len(json.dumps(SCHEMA)) < 1_700 * len(list_losses())
    registry = Registry()
    for index in range(150):
        add(registry, f"made_up_{index}", tuned, aliases=(f"other_name_{index}",))
    assert len(json.dumps({**SCHEMA, "$defs": definitions(registry)})) < 400_000


def test_a_loss_of_a_taken_name_has_its_parameters_under_its_qualified_name_only():
    registry = Registry()
    add(registry, "huber", scaled, KERAS)
    add(registry, "huber", tuned)
    known = definitions(registry)
    assert known["LossNames/keras/huber"]["enum"] == ["huber", "Huber", "keras/huber"]
    assert known["LossNames/acme-losses/huber"]["enum"] == ["acme-losses/huber"]


def test_it_is_a_schema_of_2020_12():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


@pytest.mark.parametrize("spec", list_losses(), ids=lambda spec: spec.name)
def test_every_loss_is_in_it_with_every_parameter(spec):
    [entry] = [e for e in installed().entries() if e.spec is spec]
    defaults = {
        p.name: list(p.default) if isinstance(p.default, tuple) else p.default
        for p in entry.signature.parameters
        if not p.required
    }
    complete = all(not p.required for p in entry.signature.parameters)
    # A name that a built-in has, or another package too, means something else.
    own = [name for name in spec.names if installed().explain(name).chosen is entry]
    for name in (*own, entry.qualified_name):
        assert agree(config({"name": name, "params": defaults})) == complete
        assert not agree(config({"name": name, "params": {**defaults, "nosuch": 1}}))
    for parameter in defaults:
        wrong = {parameter: {"no": "value"}}
        # What a loss may be, its own schema says.
        if parameter not in entry.signature.losses:
            assert not agree(config({"name": entry.qualified_name, "params": wrong}))
    names = SCHEMA["$defs"][f"LossNames/{entry.qualified_name}"]
    assert entry.qualified_name in names["enum"]
    assert names["description"] == spec.summary


def test_the_documentation_of_a_parameter_is_in_it():
    [described] = [
        parameters["properties"]["gamma"]["description"]
        for name, parameters in SCHEMA["$defs"].items()
        if name == "LossParameters/lossreg-focal/focal"
    ]
    assert described


@pytest.mark.parametrize(
    "name",
    [
        *("Huber", "HUBER", "huber-loss", "HuberLoss", "huber_LOSS", "BinaryCrossentropy", "MSE"),
        *("binary--crossentropy", "Keras/huber", "LOSSREG_focal/FocalLoss", "lossreg.focal/focal"),
    ],
)
def test_every_spelling_of_a_name_is_allowed(name):
    assert agree(config({"name": name}))
    assert agree(config(name))


@pytest.mark.parametrize(
    "name", ["hubre", "keras/focal", "a/b/c", "..", "", "huber_", "huber\0", "os.system", "/huber"]
)
def test_what_names_no_loss_is_refused(name):
    assert not agree(config({"name": name}))
    assert not agree(config(name))


GOOD = {
    "everything": {
        "model": [{"Input": {"shape": [4]}}, {"Flatten": None}, "Flatten", {"Dense": {"units": 2}}],
        "compile": {
            "loss": {"outputs": {"a": "mse", "b": None, "c": ["mse", "0.5 * huber(2)"]}},
            "optimizer": {"Adam": {"learning_rate": 1e-3}},
            "metrics": {"a": ["AUC"], "b": "mae"},
            "loss_weights": {"a": 1, "b": 0.5},
        },
        "data": {"file": "x.csv", "target": {"a": "x", "b": ["y", "z"]}, "split": 0.5, "seed": 3},
        "fit": {"epochs": 1, "batch_size": 8},
        "compare": {
            "losses": ["mse", "huber(2)", {"name": "mae"}],
            "metrics": ["rmse", "pinball(0.9)"],
            "folds": 3,
            "repeats": 1,
            "margin": 0.5,
            "learning_rate": "fixed",
            "patience": 3,
            "tune": 4,
            "slices": ["site"],
        },
        "versions": {"keras": "3.15.1"},
    },
    "a model's file": {"model": "model.json", "compile": {"loss": "mse", "loss_weights": [1, 2]}},
    "a weight in a list": config([{"name": "mse", "weight": 2}, "mae"]),
    "a weight that changes": config([{"name": "mse", "weight": "linear(0, 1, epochs=10)"}]),
    "a parameter that changes": config(
        {"name": "huber", "params": {"delta": "cosine(1, 2, steps=5)"}}
    ),
    "a label of its own": config([{"name": "mse", "field": "mask"}, "mae"]),
    "a teacher": {"model": ["Flatten"], "compile": {"loss": "mse", "teacher": "teacher.keras"}},
    "a weight for an output": config({"outputs": {"a": {"name": "mse", "weight": 2}}}),
    "a sum with options": config({"sum": ["mse", {"name": "mae"}], "options": {"dtype": None}}),
    "what Keras writes": config({"class_name": "Huber", "config": {"delta": 2.0}}),
    "a function that Keras writes": config({"class_name": "function", "config": "huber"}),
    "a loss of two outputs that Keras writes": config(
        {"class_name": "Huber", "config": {}, "registered_name": None, "shared_object_id": 7}
    ),
    "options that Keras writes": config(
        {"module": "keras.losses", "class_name": "Huber", "config": {"reduction": "sum"}}
    ),
    "a loss of ours that Keras writes": config(
        {"class_name": "lossreg>RegisteredLoss", "config": {"loss": "huber", "params": {}}}
    ),
    "a call of Hydra's": config({"_target_": "lossreg.get_loss", "_args_": ["huber"], "delta": 2}),
    "options": config({"name": "mse", "options": {"reduction": "sum", "name": "x"}}),
    "no reduction": config({"name": "mse", "options": {"reduction": None}}),
    "null is a value": config({"name": "focal", "params": {"alpha": None}}),
    "an integer for a number": config({"name": "focal", "params": {"gamma": 2}}),
    "no metrics": {"model": ["Flatten"], "compile": {"loss": "mse", "metrics": None}},
    "classes": config("mse", data={"file": "a", "target": "b", "classes": ["x", 3]}),
    "weights of classes": config("mse", fit={"class_weight": {"0": 1, "yes": 0.5}}),
    "no weights of classes": config("mse", fit={"class_weight": None}),
    "a column of weights": config("mse", data={"file": "a", "target": "b", "weight": "c"}),
    "a column of groups": config("mse", data={"file": "a", "target": "b", "group": "c"}),
    "a column of times": config("mse", data={"file": "a", "target": "b", "time": "c"}),
    "a column to judge by": config("mse", data={"file": "a", "target": "b", "truth": "c"}),
    "no early stopping": config("mse", compare={"patience": 0}),
    "all losses that fit": config("mse", compare={"losses": "auto", "metrics": "mae"}),
}
BAD = {
    "no loss": {"model": ["Flatten"], "compile": {}},
    "no compile": {"model": ["Flatten"]},
    "no model": {"compile": {"loss": "mse"}},
    "a weight that is a text": config([{"name": "mse", "weight": "half"}]),
    "a label that is a number": config([{"name": "mse", "field": 3}]),
    "a teacher that is a number": {
        "model": ["Flatten"],
        "compile": {"loss": "mse", "teacher": 3},
    },
    "no layers": {"model": [], "compile": {"loss": "mse"}},
    "a number for a model": {"model": 3, "compile": {"loss": "mse"}},
    "a number for a layer": {"model": [3], "compile": {"loss": "mse"}},
    "a key too many": config("mse", los="mse"),
    "a key too many below": config("mse", fit={"epoch": 3}),
    "no loss to compare": config("mse", compare={"losses": []}),
    "a loss to compare that isn't": config("mse", compare={"losses": ["mse", "hubre"]}),
    "one fold": config("mse", compare={"folds": 1}),
    "a rate that is neither": config("mse", compare={"learning_rate": "best"}),
    "a weight alone": config({"name": "mse", "weight": 2}),
    "an option that isn't": config({"name": "mse", "options": {"reductoin": "sum"}}),
    "a reduction that isn't": config({"name": "mse", "options": {"reduction": "sun"}}),
    "an integer dtype": config({"name": "mse", "options": {"dtype": "int32"}}),
    "an unknown dtype": config({"name": "mse", "options": {"dtype": "float33"}}),
    "a number for a dtype": config({"name": "mse", "options": {"dtype": 3}}),
    "an unknown parameter that Keras writes": config(
        {"class_name": "Huber", "config": {"delt": 2}}
    ),
    "a key that Keras doesn't write": config({"class_name": "Huber", "confg": {"delta": 2}}),
    "a loss that Keras hasn't": config({"class_name": "Hubre", "config": {}}),
    "code that Keras writes": config({"module": "os", "class_name": "Huber", "config": {}}),
    "code that Hydra calls": config({"_target_": "os.system", "_args_": ["huber"]}),
    "Hydra without a loss": config({"_target_": "lossreg.get_loss"}),
    "an option of a term": config([{"name": "mse", "options": {}}]),
    "an empty list": config([]),
    "an empty sum": config({"sum": []}),
    "a text for a sum": config({"sum": "mse"}),
    "no outputs": config({"outputs": {}}),
    "a list of lists": config([["mse"]]),
    "a number for a loss": config(3),
    "true for a number": config({"name": "focal", "params": {"gamma": True}}),
    "a text for a number": config({"name": "focal", "params": {"gamma": "2"}}),
    "a number below its range": config({"name": "focal", "params": {"gamma": -1}}),
    "a number above its range": config({"name": "focal", "params": {"alpha": 1.5}}),
    "an unknown parameter": config({"name": "focal", "params": {"gama": 2}}),
    "a list for parameters": config({"name": "focal", "params": [2]}),
    "a split of one": config("mse", data={"file": "a", "target": "b", "split": 1}),
    "no target": config("mse", data={"file": "a"}),
    "a weight below 0": config("mse", fit={"class_weight": {"0": -1}}),
    "a list of weights of classes": config("mse", fit={"class_weight": [1, 5]}),
    "a number for a column of weights": config(
        "mse", data={"file": "a", "target": "b", "weight": 2}
    ),
    "zero epochs": config("mse", fit={"epochs": 0}),
    "half an epoch": config("mse", fit={"epochs": 0.5}),
    "a text for weights": config("mse") | {"compile": {"loss": "mse", "loss_weights": "1"}},
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_good_config_is_allowed(data):
    assert agree(data)


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_bad_config_is_refused(data):
    assert not agree(data)


def test_a_trainer_keeps_its_own_keys():
    assert VALID.is_valid({"loss": {"name": "huber"}, "gpus": 3})
    assert not VALID.is_valid({"loss": {"name": "hubre"}, "gpus": 3})


def test_a_text_is_taken_as_it_is():
    """A schema can't see into an expression; `lossreg validate` does."""
    assert VALID.is_valid(config("focal(gama=2)"))
    _, _, [fault] = examine_experiment(config("focal(gama=2)"), None)
    assert "Did you mean 'gamma'" in fault.message
