import pytest

from lossreg import ConfigError
from lossreg.config import LossConfig, from_keras

HUBER = LossConfig(name="Huber", params={"delta": 2.0}, options={"reduction": "sum"})


@pytest.mark.parametrize("module", [{}, {"module": None}, {"module": "keras.losses"}])
def test_what_keras_writes_for_a_class_is_read(module):
    config = {"class_name": "Huber", "config": {"delta": 2.0, "reduction": "sum"}, **module}
    assert from_keras(config) == HUBER


def test_what_keras_writes_for_a_function_is_read():
    config = {"module": "builtins", "class_name": "function", "config": "huber"}
    assert from_keras(config) == LossConfig(name="huber", params={}, options={})


def test_what_keras_writes_for_a_registered_loss_is_read():
    inner = {"loss": "keras/huber", "version": "3", "params": {"delta": 2.0}, "reduction": "sum"}
    config = {
        "module": "lossreg.keras_loss",
        "class_name": "RegisteredLoss",
        "registered_name": "lossreg>RegisteredLoss",
        "config": inner,
    }
    expected = LossConfig(name="keras/huber", params={"delta": 2.0}, options={"reduction": "sum"})
    assert from_keras(config) == expected


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
        from_keras(config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"name": "huber"},
        {"class_name": 3},
        {"class_name": "Huber", "config": "x"},
        {"class_name": "function", "config": {"a": 1}},
    ],
)
def test_a_mapping_of_another_form_says_what_is_taken(config):
    with pytest.raises(ConfigError, match="Give a name, such as 'huber', or what keras.losses"):
        from_keras(config)


def test_a_registered_loss_without_a_name_is_refused():
    with pytest.raises(ConfigError, match="This is no config of a registered loss"):
        from_keras({"module": "lossreg.keras_loss", "class_name": "RegisteredLoss", "config": {}})
