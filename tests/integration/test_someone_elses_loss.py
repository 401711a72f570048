"""A loss class that someone wrote for Keras, offered as a plugin by a LossSpec alone."""

import copy
import json
import os
import pickle
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from tolerances import EACH_OTHER, TRAINED

import lossreg
from lossreg.testing import run_checks

# A module as people have it, written as Keras' guides teach; lossreg isn't known to it.
THEIRS = '''
import keras
from keras import ops


@keras.saving.register_keras_serializable(package="their_research")
class AsymmetricError(keras.losses.Loss):
    """Squared error in which one direction costs more.

    Arguments:
        under: weight of predictions that are too low
        over: weight of predictions that are too high
    """

    def __init__(self, under=2.0, over=1.0, name="asymmetric_error", **kwargs):
        super().__init__(name=name, **kwargs)
        self.under = under
        self.over = over

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        error = y_true - y_pred
        weight = ops.where(error > 0, self.under, self.over)
        return ops.mean(ops.cast(weight, error.dtype) * ops.square(error), axis=-1)

    def get_config(self):
        config = super().get_config()
        config.update({"under": self.under, "over": self.over})
        return config
'''
# All that is written for lossreg.
PLUGIN = """
from lossreg import LossSpec, hookimpl

@hookimpl
def lossreg_losses():
    return [
        LossSpec(
            name="asymmetric",
            target="their_research.regression:AsymmetricError",
            summary="Squared error in which one direction costs more.",
            task=("regression",),
            y_true="real",
            y_pred="real",
            aliases=("asymmetric_error",),
        )
    ]
"""
LOAD = """
import json, sys
import numpy as np
import lossreg
import keras

model = keras.models.load_model(sys.argv[1])
x = np.ones((4, 2), "float32")
print(json.dumps({
    "params": model.loss.params,
    "dtype": model.loss.dtype,
    "loss": float(model.evaluate(x, x[:, :1], verbose=0)),
    "same": model.loss == lossreg.get_loss("asymmetric", under=5, over=0.5),
}))
"""


@pytest.fixture(scope="module", autouse=True)
def site(tmp_path_factory):
    """Their module, and a second package that makes it a plugin, both installed."""
    site = tmp_path_factory.mktemp("site")
    for package, module, source in (
        ("their_research", "regression", THEIRS),
        ("their_research_lossreg", "plugin", PLUGIN),
    ):
        (site / package).mkdir()
        (site / package / "__init__.py").touch()
        (site / package / f"{module}.py").write_text(source)
    info = site / "their_research_lossreg-0.3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: their-research-lossreg\nVersion: 0.3.0\n")
    (info / "entry_points.txt").write_text("[lossreg]\ntheirs = their_research_lossreg.plugin\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        lossreg.refresh()
        yield site
    lossreg.refresh()


def theirs(**params):
    from their_research.regression import AsymmetricError

    return AsymmetricError(**params)


X = np.random.default_rng(3).normal(size=(48, 2)).astype("float32")
Y = X.sum(axis=-1, keepdims=True)


def compiled(loss):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), loss)
    return model


def test_it_has_the_values_of_their_class():
    y_true, y_pred = [[0.0], [0.0]], [[1.0], [-1.0]]
    # One prediction too high by 1, one too low by 1.
    assert float(lossreg.get_loss("asymmetric")(y_true, y_pred)) == (1.0 + 2.0) / 2
    assert float(lossreg.get_loss("asymmetric", under=5, over=3)(y_true, y_pred)) == (5 + 3) / 2
    values = lossreg.get_loss_fn("AsymmetricError", under=5)(np.array(y_true), np.array(y_pred))
    assert np.asarray(values).tolist() == [1, 5]


def test_its_parameters_are_those_of_its_init():
    assert lossreg.bind("asymmetric").params == {"under": 2.0, "over": 1.0}
    with pytest.raises(lossreg.ParameterError, match="no parameter 'undr'. Did you mean 'under'"):
        lossreg.bind("asymmetric", undr=3)


def test_the_options_of_keras_are_keras_options():
    loss = lossreg.get_loss("asymmetric", reduction="sum", dtype="float64", name="mine")
    assert (loss.reduction, loss.dtype, loss.name) == ("sum", "float64", "mine")
    with pytest.raises(lossreg.ParameterError, match="'reduction' isn't a parameter of a loss"):
        lossreg.bind("asymmetric", reduction="sum")


def test_it_trains_as_their_class_does():
    ours = compiled(lossreg.get_loss("asymmetric", under=5)).fit(X, Y, epochs=2, verbose=0)
    own = compiled(theirs(under=5)).fit(X, Y, epochs=2, verbose=0)
    np.testing.assert_allclose(ours.history["loss"], own.history["loss"], rtol=TRAINED)
    assert ours.history["loss"][1] < ours.history["loss"][0]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda loss: pickle.loads(pickle.dumps(loss)), id="pickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(lambda loss: keras.losses.get(keras.losses.serialize(loss)), id="serialize"),
    ],
)
def test_a_copy_has_its_parameters(again):
    loss = lossreg.get_loss("asymmetric", under=5, over=0.5, dtype="float64")
    assert again(loss) == loss
    assert again(loss).params == {"under": 5, "over": 0.5}


@pytest.mark.fresh
def test_a_saved_model_loads_in_a_process_that_imports_only_lossreg(site, tmp_path):
    model = compiled(lossreg.get_loss("asymmetric", under=5, over=0.5))
    model.save(tmp_path / "m.keras")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOAD), str(tmp_path / "m.keras")],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    x = np.ones((4, 2), "float32")
    assert found == {
        "params": {"under": 5, "over": 0.5},
        "dtype": "float32",
        "loss": pytest.approx(model.evaluate(x, x[:, :1], verbose=0), rel=EACH_OTHER),
        "same": True,
    }


@pytest.mark.fresh
def test_it_passes_every_check_that_applies():
    results = {result.check: result for result in run_checks("their-research-lossreg")}
    assert [result for result in results.values() if result.state == "failed"] == []
    unused = {check for check, result in results.items() if result.state == "not applicable"}
    assert unused == {
        # Its labels are numbers, and its predictions are neither probabilities nor logits.
        "integer_labels",
        "saturated_model_learns",
        "unknown_classes",
        "ignored_class",
        "padding",
        "axis",
        # It has no memory, and no gradient of its own.
        "memory",
        "custom_gradient",
        # Its signature has no types, and its documentation is its own.
        "parameter_type",
        "parameter_range",
        "docstring",
    }
