"""Losses in the configs of the programs that people drive their training with."""

import subprocess
import sys

import hydra
import pytest
from omegaconf import OmegaConf

import lossreg

pytestmark = pytest.mark.slow


def test_omegaconfs_mapping_is_a_config():
    config = OmegaConf.create(
        """
        gamma: 3
        loss:
          name: focal
          params: {gamma: "${gamma}", alpha: 0.25}
          options: {reduction: sum}
        """
    )
    loss = lossreg.get_loss(config.loss)
    assert (loss.params["gamma"], loss.params["alpha"], loss.reduction) == (3.0, 0.25, "sum")
    focal = lossreg.bind("focal", gamma=3, alpha=0.25)
    assert lossreg.bind(config.loss) == focal.with_options({"reduction": "sum"})
    assert lossreg.LossConfig(config.loss).bound == lossreg.bind(config.loss)


def test_omegaconfs_list_is_a_config_and_a_parameter():
    config = OmegaConf.create({"loss": ["mse", "0.5 * huber(2)"], "alpha": [0.25, 0.5, 0.25]})
    assert lossreg.get_loss(config.loss) == lossreg.get_loss("mse + 0.5 * huber(2)")
    loss = lossreg.get_loss("categorical_focal", alpha=config.alpha)
    assert loss.params["alpha"] == (0.25, 0.5, 0.25)


def test_omegaconf_gives_a_loss_for_each_output():
    config = OmegaConf.create({"outputs": {"mask": "dice", "label": "focal(gamma=3)"}})
    losses = lossreg.get_loss(config)
    assert {name: loss.bound.name for name, loss in losses.items()} == {
        "mask": "dice",
        "label": "focal",
    }


@pytest.mark.parametrize(
    ("fields", "loss"),
    [
        ({"_args_": ["focal"], "gamma": 3}, "focal(3)"),
        (
            {"_args_": ["categorical_focal"], "alpha": [0.25, 0.75]},
            "categorical_focal(2, [0.25, 0.75])",
        ),
        ({"_args_": ["dice + 0.5 * focal(gamma=3)"]}, "dice + 0.5 * focal(gamma=3)"),
        ({"_args_": [{"name": "huber", "params": {"delta": 3}}]}, "huber(3)"),
    ],
)
def test_hydra_instantiates_a_loss(fields, loss):
    config = OmegaConf.create({"loss": {"_target_": "lossreg.get_loss", **fields}})
    assert hydra.utils.instantiate(config.loss) == lossreg.get_loss(loss)


def test_hydra_tells_a_typo_in_our_words():
    config = OmegaConf.create({"_target_": "lossreg.get_loss", "_args_": ["focal"], "gama": 3})
    with pytest.raises(hydra.errors.InstantiationException, match="Did you mean 'gamma'"):
        hydra.utils.instantiate(config)


APP = """
import hydra
import lossreg

@hydra.main(version_base="1.3", config_path=".", config_name="train")
def main(config):
    print(lossreg.bind(config.loss), flush=True)

main()
"""


@pytest.mark.fresh
def test_a_hydra_program_overrides_a_loss_on_its_command_line(tmp_path):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "train.yaml").write_text("loss: {name: huber, params: {delta: 2}}\n")

    def run(*overrides):
        return subprocess.run(
            [sys.executable, "app.py", "hydra.run.dir=.", *overrides],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("loss.params.delta=3").stdout.strip() == "huber(delta=3.0)"
    assert "Did you mean 'huber'" in run("loss.name=hubre").stderr
