"""A whole config as data."""

import functools

import pytest

from lossreg import ConfigError
from lossreg.config import read_experiment


def test_a_mapping_that_is_nested_too_deep_is_a_fault_of_the_config():
    deep = functools.reduce(lambda inner, _: [inner], range(60), 1)
    with pytest.raises(ConfigError, match="nested 50 deep") as caught:
        read_experiment({"model": ["Flatten"], "compile": {"loss": "mse"}, "fit": deep})
    assert len(caught.value.faults) == 1
