import types

import pytest

from lossreg import ConfigError
from lossreg.config import examine
from lossreg.config.loss import read
from lossreg.config.terms import LossTerms, Term
from lossreg.errors import key_path

HUBER = LossTerms(terms=(Term(name="Huber", params={"delta": 2.0}),), options={"reduction": "sum"})


@pytest.mark.parametrize("module", [{}, {"module": None}, {"module": "keras.losses"}])
def test_what_keras_writes_for_a_class_is_read(module):
    config = {"class_name": "Huber", "config": {"delta": 2.0, "reduction": "sum"}, **module}
    assert read(config) == HUBER


def test_what_keras_writes_for_a_function_is_read():
    config = {"module": "builtins", "class_name": "function", "config": "huber"}
    assert read(config) == LossTerms(terms=(Term(name="huber"),))


def test_what_keras_writes_for_a_registered_loss_is_read():
    inner = {"loss": "keras/huber", "version": "3", "params": {"delta": 2.0}, "reduction": "sum"}
    config = {
        "module": "lossreg.keras_loss",
        "class_name": "RegisteredLoss",
        "registered_name": "lossreg>RegisteredLoss",
        "config": inner,
    }
    term = Term(name="keras/huber", params={"delta": 2.0})
    assert read(config) == LossTerms(terms=(term,), options={"reduction": "sum"})


# The shapes of CVE-2025-1550, CVE-2025-8747, CVE-2025-9905 and CVE-2025-9906.
@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}},
        {"module": "keras.src.utils", "class_name": "get_file", "config": {}},
        {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "x"}},
    ],
)
def test_a_config_cannot_name_code(config):
    with pytest.raises(ConfigError, match="A config can't name code: module '"):
        read(config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"class_name": 3},
        {"class_name": "Huber", "config": "x"},
        {"class_name": "function", "config": {"a": 1}},
    ],
)
def test_a_mapping_of_another_form_says_what_is_taken(config):
    with pytest.raises(ConfigError, match="Give a name, such as 'huber'; a call or a sum, such as"):
        read(config)


def test_a_registered_loss_without_a_name_is_refused():
    with pytest.raises(ConfigError, match="'loss' must be the name of a loss, and is missing"):
        read({"module": "lossreg.keras_loss", "class_name": "RegisteredLoss", "config": {}})


SUM = LossTerms(
    terms=(Term(name="dice"), Term(name="focal", params={"gamma": 2}, weight=0.5)),
)


@pytest.mark.parametrize(
    "config",
    [
        "dice + 0.5 * focal(gamma=2)",
        ["dice", "0.5 * focal(gamma=2)"],
        ["dice", {"name": "focal", "params": {"gamma": 2}, "weight": 0.5}],
        {"sum": ["dice", {"name": "focal", "params": {"gamma": 2}, "weight": 0.5}]},
        types.MappingProxyType({"sum": ("dice + 0.5 * focal(gamma=2)",)}),
        {
            "class_name": "lossreg>RegisteredSum",
            "config": {
                "sum": [
                    {"weight": 1.0, "loss": "dice", "version": "3", "params": {}},
                    {"weight": 0.5, "loss": "focal", "version": "1", "params": {"gamma": 2}},
                ]
            },
        },
    ],
)
def test_every_form_of_a_sum_says_the_same(config):
    assert read(config) == SUM


def test_a_loss_may_be_spelled_out():
    config = {"name": "huber", "params": {"delta": 2}, "options": {"reduction": "sum"}}
    assert read(config) == LossTerms(
        terms=(Term(name="huber", params={"delta": 2}),), options={"reduction": "sum"}
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"name": "huber", "param": {}},
            "param: The key 'param' isn't one of name, params, options. Did you mean 'params'",
        ),
        (
            {"name": "huber", "delta": 2},
            r"delta: The key 'delta' isn't one of name, params, options\. If it is a parameter, "
            r"put it into params: \{name: huber, params: \{delta: 2\}\}",
        ),
        (
            {"name": "huber", "delta": 2, "params": {"a": 1}},
            r"put it into params: \{name: huber, params: \{\.\.\., delta: 2\}\}",
        ),
        (
            {"name": "huber", "reduction": "sum"},
            r"Put it into options: \{name: huber, options: \{reduction: 'sum'\}\}",
        ),
        ({"name": 3}, "'name' must be the name of a loss, got 3"),
        ({"name": "huber", "params": [2]}, r"'params' must map names to values, got \[2\]"),
        (
            {"name": "huber", "options": {"dtyp": 1}},
            "There is no option 'dtyp'; Keras has name, reduction, dtype. Did you mean 'dtype'",
        ),
        ({"name": "huber", "weight": 2}, "The key 'weight' isn't one of"),
        ([{"name": "huber", "weight": "2"}], "'weight' must be a finite number, got '2'"),
        ([{"name": "huber", "weight": float("nan")}], "'weight' must be a finite number, got nan"),
        ([{"name": "huber", "options": {}}], "The key 'options' isn't one of"),
        ({"sum": "mse"}, "'sum' must be a list of losses"),
        ({"sum": ["mse"], "name": "x"}, "The key 'name' isn't one of sum, options"),
        ([], "An empty list isn't a loss"),
        ([{"name": "huber", "weight": 10**400}], "'weight' must be a finite number"),
        ({"class_name": "RegisteredSum", "config": {"sum": []}}, "An empty list isn't a loss"),
        ({"class_name": "RegisteredSum", "config": {"sum": ()}}, "An empty list isn't a loss"),
        (
            {"name": "mse", "options": {"dtype": "float33"}},
            "'dtype' must be 'float32', .*'float64'",
        ),
        ({"name": "mse", "options": {"dtype": 3}}, "'dtype' must be 'float32', .* got 3"),
        ({"_target_": "os.system", "_args_": ["true"]}, "'_target_' may be 'lossreg.get_loss' and"),
        ({"_target_": "lossreg.get_loss"}, r"'_args_' must be a list with the loss"),
        (
            {"_target_": "lossreg.get_loss", "_args_": [{"_target_": "x"}]},
            r"_args_\[0\]: A loss needs one call",
        ),
        (
            {"_target_": "lossreg.get_loss", "_args_": ["mse + mae"], "delta": 2},
            "A sum takes no parameters, got delta",
        ),
        ({"_target_": "lossreg.get_loss", "_args_": ["huber"], 1: 2}, r"be names .*, got \[1\]"),
        (
            {"class_name": "Huber", "confg": {"delta": 2}},
            "confg: The key 'confg' isn't one of class_name, config, .*Did you mean 'config'",
        ),
        (
            {"outputs": {"a": {"class_name": "Huber", "weight": 3}}},
            r"outputs\.a\.weight: The key 'weight' isn't one of class_name",
        ),
        (
            {"name": "huber(2)"},
            r"'name' must be a name alone, got 'huber\(2\)'\. Give parameters under 'params', or",
        ),
        ([3], "A list of losses can't hold 3. Give a name, a call or a sum as a string, or"),
        ([["mse"]], r"A list of losses can't hold \['mse'\]"),
    ],
)
def test_what_is_no_loss_is_told(config, message):
    with pytest.raises(ConfigError, match=message):
        read(config)


def test_what_hydra_would_call_is_read_as_the_same_loss():
    config = {"_target_": "lossreg.get_loss", "_args_": ["huber"], "delta": 2, "reduction": "sum"}
    expected = {"name": "huber", "params": {"delta": 2}, "options": {"reduction": "sum"}}
    assert read(config) == read(expected)


@pytest.mark.parametrize("key", ["_delta_", "_partial_"])
def test_a_key_that_hydra_would_not_pass_on_is_no_parameter(key):
    _, faults = examine({"_target_": "lossreg.get_loss", "_args_": ["huber"], key: True})
    assert f"no parameter {key!r}" in faults[0].message


@pytest.mark.parametrize("text", ["focal - mse", "focal[0]", "lambda: 1", "2", "-mse", "f(1) / 2"])
def test_what_was_meant_as_an_expression_is_told_what_one_holds(text):
    with pytest.raises(ConfigError, match="An expression holds names, calls, numbers"):
        read(text)


def test_a_saved_loss_that_two_outputs_share_is_read():
    config = {"class_name": "Huber", "config": {"delta": 2.0}, "shared_object_id": 7}
    assert read(config) == read({"name": "Huber", "params": {"delta": 2.0}})


def test_a_fault_of_a_saved_sum_is_placed_at_its_term():
    terms = [
        {"loss": "mse", "weight": 1.0, "params": {}},
        {"loss": "keras/hubr", "weight": 1.0, "params": {}},
        {"loss": "huber", "weight": 0.5, "params": {"delta": -1}},
    ]
    config = {"class_name": "lossreg>RegisteredSum", "config": {"name": "x", "sum": terms}}
    _, faults = examine(config, ("loss",))
    assert [key_path(fault.path) for fault in faults] == [
        "loss.config.sum[1].loss",
        "loss.config.sum[2].params.delta",
    ]


def test_one_fault_is_told_once():
    _, faults = examine("mse(a=1, b=2)")
    assert [fault.message.partition(".")[0] for fault in faults] == [
        "Loss 'mean_squared_error' takes no parameters, got a=1, b=2"
    ]


def test_of_a_hundred_faults_none_is_left():
    _, faults = examine([f"mse{number}" for number in range(100)])
    assert len(faults) == 100
    assert "mse99" in faults[-1].message
