"""The programs of `examples/`: the comparison of losses, and the data beside the configs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lossreg.config import read_experiment

pytest.importorskip("sklearn")
pytest.importorskip("lossreg_focal")

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(path):
    """Return a program as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.fresh
def test_the_comparison_is_a_config_and_one_command(tmp_path):
    short = "--folds 2 --repeats 1 --epochs 1 --learning-rate fixed --workers 1"
    config = str(EXAMPLES / "compare_losses.yaml")
    result = subprocess.run(
        [sys.executable, "-m", "lossreg", "compare", config, *short.split(), "-o", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    rows = result.stdout.splitlines()[1:4]
    assert {row.split("  ")[0] for row in rows} == {
        "binary_crossentropy",
        "focal(gamma=2.0, alpha=0.75)",
        "focal(gamma=1.0, alpha=0.5)",
    }
    assert (tmp_path / "report.html").is_file()


def test_the_losses_of_the_comparison_are_those_of_its_config():
    compare = read_experiment(EXAMPLES / "compare_losses.yaml").compare
    assert [loss.bound.name for loss in compare.losses] == ["binary_crossentropy", "focal", "focal"]
    assert compare.metrics[0].name == "average_precision"


def test_the_data_are_what_the_program_beside_them_writes(tmp_path):
    make = load(EXAMPLES / "data" / "make.py")
    make.FOLDER = tmp_path
    make.main()
    assert (tmp_path / "wine.csv").read_text() == (EXAMPLES / "data" / "wine.csv").read_text()
    with np.load(tmp_path / "faults.npz") as made, np.load(EXAMPLES / "data/faults.npz") as ours:
        # Another version of scikit-learn draws other numbers; their shape is what counts.
        assert {name: made[name].shape for name in made} == {n: ours[n].shape for n in ours}
        assert made["fault"].sum() == ours["fault"].sum() == 99
    with np.load(tmp_path / "digits.npz") as made, np.load(EXAMPLES / "data/digits.npz") as ours:
        assert {*made} == {*ours}
        for name in made:
            assert made[name].dtype == ours[name].dtype
            assert (made[name] == ours[name]).all()


def test_the_rare_label_weighs_more_in_the_example_that_has_one():
    # One digit in ten is an 8, and alpha is the weight of label 1.
    (loss,) = read_experiment(EXAMPLES / "is-8.yaml").compile.loss.bound.losses()
    assert loss.params["alpha"] == 0.75


def test_the_data_are_what_their_description_says():
    with np.load(EXAMPLES / "data" / "digits.npz") as digits:
        assert digits["pixels"].shape == (1797, 64)
        assert (digits["one_hot"].argmax(axis=1) == digits["digit"]).all()
        assert ((digits["digit"] == 8) == digits["is_8"]).all()
        assert digits["is_8"].sum() == 174
    with np.load(EXAMPLES / "data" / "faults.npz") as faults:
        assert faults["measurements"].shape == (10_000, 6)
        assert faults["fault"].sum() == 99
    lines = (EXAMPLES / "data" / "wine.csv").read_text().splitlines()
    cultivars = [line.rpartition(",")[2] for line in lines]
    assert [cultivars.count(cultivar) for cultivar in ("cultivar", "1", "2", "3")] == [
        1,
        59,
        71,
        48,
    ]
    for file in (EXAMPLES / "data").iterdir():
        assert not file.is_file() or file.stat().st_size < 120_000
