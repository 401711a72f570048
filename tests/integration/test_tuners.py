"""KerasTuner searches over losses and their parameters, as the example shows."""

import importlib.util
from pathlib import Path

import pytest

import lossreg

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "tune_loss.py"


@pytest.fixture(scope="module")
def example():
    pytest.importorskip("lossreg_focal")
    spec = importlib.util.spec_from_file_location("tune_loss", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tuner_finds_a_loss_that_a_config_can_name(example):
    best = lossreg.bind(example.search({"focal": {"gamma": (0.5, 3.0)}}, trials=2, epochs=1))
    assert best.name == "focal"
    assert 0.5 <= best.params["gamma"] <= 3.0


def test_the_tuner_sees_the_parameters_of_the_loss_that_it_chose(example):
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    hp.Fixed("loss", "focal")
    model = example.network({"focal": {"gamma": (0.5, 3.0)}, "huber": {}}, hp)
    assert model.loss.params["gamma"] == hp.get("focal.gamma")


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ({"focal": {"gamma": (-1.0, 3.0)}}, "'gamma' must be a number >= 0, got -1.0"),
        ({"focal": {"alpha": (0.5, 1.5)}}, "'alpha' must be None or a number in .0, 1., got 1.5"),
        ({"focal": {"gama": (0.0, 3.0)}}, "Did you mean 'gamma'"),
        ({"focl": {}}, "Did you mean 'focal'"),
    ],
)
def test_a_range_that_a_loss_refuses_is_told_before_the_search(example, losses, message):
    with pytest.raises(lossreg.LossregError, match=message):
        example.search(losses, trials=1, epochs=1)
