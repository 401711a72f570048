"""Pickles of losses: one public function and plain data, which is checked again."""

import copy
import functools
import os
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path

import pytest
import sites
from fakes import ACME, add, spec, tuned

import lossreg
from lossreg import ParameterError, Registry
from lossreg.loss import BoundLoss

FIXTURES = Path(__file__).parents[1] / "fixtures" / "v0.1" / "bound"
LOSSES = {
    "a loss": "huber(delta=2)",
    "a sum": "mse + 0.5 * huber(delta=2)",
    "options": {"name": "huber", "options": {"reduction": "sum", "dtype": "float64"}},
    "outputs": {"outputs": {"a": "mse + mae", "b": None}},
}


def named_in(pickled):
    """Return what a pickle imports, as "module name"."""
    found, strings = set(), []
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name == "GLOBAL":
            found.add(argument)
        elif operation.name == "STACK_GLOBAL":
            found.add(" ".join(strings[-2:]))
        elif isinstance(argument, str):
            strings.append(argument)
    return found


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("config", LOSSES.values(), ids=LOSSES)
def test_a_pickle_is_one_public_function_and_data(config, protocol):
    bound = lossreg.bind(config)
    pickled = pickle.dumps(bound, protocol)
    assert named_in(pickled) == {"lossreg bind"}
    assert pickle.loads(pickled) == bound


def test_a_config_is_pickled_as_it_was_written():
    config = lossreg.LossConfig("mse + huber(2)")
    pickled = pickle.dumps(config)
    assert named_in(pickled) == {"lossreg LossConfig"}
    assert pickle.loads(pickled).config == "mse + huber(2)"


@pytest.mark.parametrize("config", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_same_loss(config, twin):
    bound = lossreg.bind(config)
    assert twin(bound) == bound


def test_what_a_pickle_holds_is_checked():
    forged = pickle.dumps(lossreg.bind("huber", delta=2)).replace(
        b"G" + bytes.fromhex("4000000000000000"), b"G" + bytes.fromhex("c000000000000000")
    )
    with pytest.raises(ParameterError, match="'delta' must be a number > 0, got -2.0"):
        pickle.loads(forged)


def test_a_loss_of_a_registry_of_its_own_is_pickled_whole():
    registry = Registry()
    add(registry, "tuned", tuned)
    bound = registry.bind("tuned", gamma=3)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        # The fakes load a target by a lambda.
        pickle.dumps(bound)
    registry = Registry()
    registry.add(spec("tuned", tuned), ACME)
    bound = registry.bind("tuned", gamma=3)
    again = pickle.loads(pickle.dumps(bound))
    assert again == bound
    assert again.params == {"gamma": 3.0, "alpha": 0.75, "from_logits": False}
    assert copy.deepcopy(bound) is bound


def test_a_loss_of_the_same_name_in_another_registry_is_never_mixed_up():
    registry = Registry()
    registry.add(spec("huber", tuned), lossreg.plugins()[0].provider)
    again = pickle.loads(pickle.dumps(registry.bind("huber", gamma=3)))
    assert again.params["gamma"] == 3.0
    assert again.entry.target is tuned


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("*.pickle")), ids=lambda file: file.stem)
def test_a_pickle_of_the_first_version_loads_and_is_pickled_anew(file):
    bound = pickle.loads(file.read_bytes())
    assert isinstance(bound, BoundLoss | lossreg.BoundSum | dict)
    again = lossreg.bind(lossreg.to_config(bound))
    assert lossreg.to_config(again) == lossreg.to_config(bound)


def test_a_pickle_of_the_first_version_is_checked_too():
    whole = (FIXTURES / "huber.pickle").read_bytes()
    # 0.3, as that version pickled a float.
    number = b"G" + bytes.fromhex("3fd3333333333333")
    assert number in whole
    with pytest.raises(ParameterError, match="'delta' must be a number > 0"):
        pickle.loads(whole.replace(number, b"G" + bytes.fromhex("bfd3333333333333")))


PROGRAM = """
import pickle, sys, lossreg
try:
    print(pickle.loads(bytes.fromhex(sys.argv[1])))
except lossreg.LossregError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.fresh
def test_a_blocked_package_stays_blocked(tmp_path):
    package = sites.install(tmp_path)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    run = functools.partial(subprocess.run, capture_output=True, text=True, check=True)
    env = {**os.environ, "PYTHONPATH": path, "LOSSREG_PLUGINS": "acme-losses"}
    dump = "import pickle, lossreg; print(pickle.dumps(lossreg.bind('good', gamma=3)).hex())"
    pickled = run([sys.executable, "-c", dump], env=env).stdout.strip()
    assert package not in bytes.fromhex(pickled).decode("latin-1")
    load = [sys.executable, "-c", PROGRAM, pickled]
    assert run(load, env=env).stdout == "good(gamma=3.0)\n"
    blocked = run(load, env={**env, "LOSSREG_PLUGINS": "", "LOSSREG_BLOCK": "acme-losses"}).stdout
    assert blocked.startswith("BlockedPluginError Loss 'acme-losses/good' can't be used")


@pytest.mark.fresh
@pytest.mark.parametrize("rule", [{"LOSSREG_BLOCK": "lossreg-focal"}, {"LOSSREG_PLUGINS": ""}])
def test_a_blocked_package_stays_blocked_for_a_pickle_of_the_first_version(rule):
    pickled = (FIXTURES / "focal.pickle").read_bytes().hex()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, pickled],
        env={**os.environ, **rule},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("BlockedPluginError Loss 'lossreg-focal/focal' can't be used")
