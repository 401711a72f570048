"""Models that other packages, or older versions, saved with a loss of theirs."""

import functools
import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from fakes import ACME, OTHER, spec
from sites import install

from lossreg.errors import AmbiguousLossError
from lossreg.keras_loss import RegisteredLoss, Registry
from lossreg.keras_loss.saved_names import register_names
from lossreg.lazy import ops


def shifted(y_true, y_pred, *, margin: float = 1.0):
    """Squared error, and a margin."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1) + margin


def registry_of(*providers, saved_as):
    registry = Registry()
    for provider in providers:
        described = spec("shifted", shifted, saved_as=saved_as)
        registry.add(described, provider, functools.partial(lambda made: made, shifted))
    return registry


@pytest.fixture
def known():
    before = dict(keras.saving.get_custom_objects())
    yield keras.saving.get_custom_objects()
    keras.saving.get_custom_objects().clear()
    keras.saving.get_custom_objects().update(before)


def saved(registered, /, **config):
    return {
        "class_name": registered,
        "config": config,
        "registered_name": registered,
        "module": None,
    }


def test_a_saved_class_loads_the_loss_with_its_parameters_and_options(known):
    register_names(registry_of(ACME, saved_as=("Other>ShiftedLoss",)))
    loss = keras.losses.deserialize(
        saved("Other>ShiftedLoss", margin=0.5, name="mine", reduction="sum")
    )
    assert type(loss) is RegisteredLoss
    assert (loss.params, loss.name, loss.reduction) == ({"margin": 0.5}, "mine", "sum")
    assert float(loss(np.zeros((2, 1)), np.ones((2, 1)))) == 2 * 1.5


def test_the_default_reduction_of_keras_2_is_that_of_keras_3(known):
    register_names(registry_of(ACME, saved_as=("Other>ShiftedLoss",)))
    loss = keras.losses.deserialize(saved("Other>ShiftedLoss", reduction="auto"))
    assert loss.reduction == "sum_over_batch_size"


def test_a_saved_function_is_the_loss_with_its_defaults(known):
    register_names(registry_of(ACME, saved_as=("Other>shifted_loss",)))
    function = keras.losses.deserialize(
        {"class_name": "function", "config": "Other>shifted_loss", "registered_name": "function"}
    )
    assert np.asarray(function(np.zeros((1, 1)), np.ones((1, 1)))).tolist() == [2.0]


def test_a_name_that_keras_knows_keeps_its_meaning(known):
    known["Other>ShiftedLoss"] = keras.losses.Huber
    register_names(registry_of(ACME, saved_as=("Other>ShiftedLoss",)))
    assert known["Other>ShiftedLoss"] is keras.losses.Huber


def test_a_name_that_two_packages_claim_is_refused_when_it_is_loaded(known):
    register_names(registry_of(ACME, OTHER, saved_as=("Other>ShiftedLoss",)))
    with pytest.raises(AmbiguousLossError, match="acme-losses 1.2.0 and by other-losses 0.3.0"):
        known["Other>ShiftedLoss"].from_config({})


PLUGIN = """
@hookimpl
def lossreg_losses():
    fields = {"summary": "A.", "task": ("regression",), "y_true": "real", "y_pred": "real"}
    return [
        LossSpec(
            name="shifted",
            target=f"{__package__}.losses:shifted",
            saved_as=("Other>ShiftedLoss",),
            head=f"{__package__}.heads:Twice",
            **fields,
        ),
        LossSpec(name="broken", target="gone.losses:broken", head="gone.heads:Gone", **fields),
    ]
"""
LOSSES = """
from lossreg.lazy import ops

def shifted(y_true, y_pred, *, margin: float = 1.0):
    return ops.mean(ops.square(y_true - y_pred), axis=-1) + margin
"""
HEADS = """
import keras

@keras.saving.register_keras_serializable(package="acme-losses")
class Twice(keras.layers.Layer):
    def call(self, x):
        return 2 * x
"""
LOADS = """
import lossreg, keras, sys
model = keras.models.load_model(sys.argv[1])
print(model.loss.params, model.layers[-1].name, float(model(keras.ops.ones((1, 1)))[0, 0]))
"""


@pytest.mark.fresh
def test_a_fresh_process_needs_lossreg_alone(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    package = install(site, PLUGIN, losses=LOSSES)
    (site / package / "heads.py").write_text(HEADS)

    @keras.saving.register_keras_serializable(package="acme-losses")
    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    model = keras.Sequential([keras.Input((1,)), Twice(name="twice")])
    model.compile(loss="mse")
    file = tmp_path / "model.keras"
    model.save(file)
    rewritten = tmp_path / "other.keras"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(rewritten, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                config["compile_config"]["loss"] = saved("Other>ShiftedLoss", margin=0.25)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    done = subprocess.run(
        [sys.executable, "-c", LOADS, str(rewritten)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.splitlines()[-1:] == ["{'margin': 0.25} twice 2.0"], done.stderr
