"""Models that a stranger's config may ask for: refused in time, and before there are weights."""

import contextlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import sites
from fakes import add
from hostile.attacks import CODE, LAYERS, PLACES, SAVED_LAYERS, VALUES, layer
from processor import MOST_SECONDS, at_most

import lossreg
from lossreg import ConfigError, LossregError, build_model
from lossreg.errors import ShapeError

INPUT = {"Input": {"shape": [4]}}


@pytest.fixture(scope="module", autouse=True)
def made():
    """Have Keras make a first layer, which takes seconds."""
    build_model({"model": [INPUT, "Dense(1)"], "compile": {"loss": "mse"}})


def refusal(config):
    """Return why a config is refused, in time and without its weights."""
    with at_most(MOST_SECONDS), pytest.raises(ConfigError) as refused:
        build_model({"compile": {"loss": "mse"}, **config})
    assert len(refused.value.faults) <= 100
    assert len(str(refused.value)) <= 4096
    return str(refused.value)


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_a_list_of_layers_is_refused_in_time(layers):
    assert refusal({"model": [INPUT, *layers]})


def written(folder, layers):
    """Write a model's file with layers after an input, and return its path."""
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [None, 4]},
    }
    config = {"layers": [first, *layers]}
    data = {"module": "keras", "class_name": "Sequential", "config": config}
    file = folder / "model.json"
    file.write_text(json.dumps(data))
    return str(file)


@pytest.mark.parametrize("layers", SAVED_LAYERS.values(), ids=SAVED_LAYERS)
def test_a_model_file_is_refused_in_time(layers, tmp_path):
    assert refusal({"model": written(tmp_path, layers)})


@pytest.mark.parametrize("data", CODE.values(), ids=CODE)
def test_nothing_that_a_model_names_runs(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, [data])
    assert refusal({"model": file})
    assert refusal({"model": [INPUT, data]})
    dense = layer("Dense", {"units": 1, "kernel_regularizer": data})
    assert refusal({"model": written(tmp_path, [dense])})
    compiled = {"loss": "mse", "optimizer": data, "metrics": [data]}
    assert refusal({"model": [INPUT, "Dense(1)"], "compile": compiled})
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]


def test_the_layer_that_does_not_fit_is_named_among_many():
    layers = [INPUT, *["Dense(4)"] * 60, "Conv2D(1, 1)", *["Dense(4)"] * 30]
    message = refusal({"model": layers})
    assert message.startswith("model[61]: Layer 'Conv2D' doesn't fit after an output of shape")
    assert "(None, 4)" in message


def test_a_thousand_metrics_are_too_many():
    config = {"loss": "mse", "metrics": ["AUC"] * 1000}
    message = refusal({"model": [INPUT, "Dense(1)"], "compile": config})
    assert "may have 100 parts of a model, got 1,000" in message


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_any_python_object_is_a_loss_for_keras_or_an_error_of_ours(place):
    for value in VALUES.values():
        for form in (lossreg.get_loss, lossreg.get_loss_fn):
            with at_most(MOST_SECONDS), contextlib.suppress(LossregError):
                form(place(value))


FACTORIES = {
    "exits": "raise SystemExit(0)",
    "is cancelled": "import asyncio; raise asyncio.CancelledError",
    "ends a generator": "raise GeneratorExit",
    "prints": "print('from the factory')",
}


@pytest.mark.fresh
def test_a_factory_that_raises_anything_is_a_fault_of_the_config(tmp_path):
    plugin, losses = "@hookimpl\ndef lossreg_losses(): return [", ""
    for index, body in enumerate(FACTORIES.values()):
        plugin += f"spec('made{index}', f'{{__package__}}.losses:made{index}'), "
        losses += f"def made{index}(gamma=2.0):\n    {body}\n    return lambda y, p: p\n"
        config = {"model": [INPUT, "Dense(1)"], "compile": {"loss": f"made{index}"}}
        (tmp_path / f"{index}.json").write_text(json.dumps(config))
    sites.install(tmp_path, f"{plugin}]", losses=losses)
    command = ["validate", "--build", "--json", *(f"{index}.json" for index in range(4))]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "lossreg", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, "LOSSREG_PLUGINS": "acme-losses"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    faults = json.loads(done.stdout)
    assert [fault["file"] for fault in faults] == ["0.json", "1.json", "2.json"]
    for fault, error in zip(
        faults, ["SystemExit: 0", "CancelledError", "GeneratorExit"], strict=True
    ):
        assert f"its factory raised {error}. Repair or update that package." in fault["message"]


@pytest.mark.fresh
@pytest.mark.parametrize("first", ["import keras, lossreg", "import lossreg, keras"])
def test_plugins_are_found_in_either_order_of_imports(tmp_path, first):
    sites.install(tmp_path)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    program = f"{first}\nprint([record.state for record in lossreg.plugins()])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path, "LOSSREG_PLUGINS": "acme-losses"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "PluginWarning" not in done.stderr
    assert "'broken'" not in done.stdout
    assert done.stdout.count("'active'") == 2


def of_the_tenth(y_true, y_pred):
    """A loss that takes ten outputs."""
    return y_pred.shape[9] * (y_true - y_pred)


def test_a_loss_that_fails_on_a_shape_says_so_and_an_empty_batch_costs_nothing():
    registry = lossreg.Registry()
    add(registry, "tenth", of_the_tenth)
    loss = registry.get_loss("tenth")
    with pytest.raises(ShapeError) as refused:
        loss([[1.0]], [[2.0]])
    shapes = "y_true of shape (1, 1) and y_pred of shape (1, 1) (IndexError: "
    assert f"Loss 'tenth' can't be computed from {shapes}" in str(refused.value)
    assert isinstance(refused.value.__cause__, IndexError)
    assert float(loss(np.zeros((0, 1)), np.zeros((0, 1)))) == 0.0


def test_a_loss_of_the_program_raises_its_own_errors():
    with pytest.raises(IndexError):
        lossreg.get_loss(of_the_tenth)([[1.0]], [[2.0]])
