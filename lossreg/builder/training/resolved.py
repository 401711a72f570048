"""The config of a run with every default spelled out, so that the run can be repeated."""

from typing import Any

import numpy as np

from ... import experiment
from ...api import to_config
from ...experiment import Data, Experiment
from ...lazy import keras
from ...parts import Part
from .. import keras_parts
from ..arguments import arguments
from ..model import build
from . import versions
from .run_folder import RunFolder
from .spelled import as_given, spelled
from .trial import Trial

# A config has a limit, and a list of more columns says no more than "all others", as one of more
# classes says no more than "all there are".
_MOST_LISTED = 200

_MOST_BUILDS = 10  # of the model, to find the layers that can't be spelled out


def resolved(trial: Trial, folder: RunFolder) -> dict[str, Any]:
    """Return the config that repeats a trial, for a file in its folder."""
    said = trial.said
    return {
        "model": _model(trial, folder),
        "compile": {
            "optimizer": spelled("optimizer", trial.model.optimizer, said.compile.optimizer),
            "loss": _loss(trial.model.loss),
            "loss_weights": said.compile.loss_weights,
            "metrics": _metrics(said.compile.metrics),
        },
        "data": _data(said, trial.data.said, folder),
        "fit": said.fit.model_dump(),
        "versions": versions.used(said.compile.loss.bound),
    }


def _model(trial: Trial, folder: RunFolder) -> Any:
    said = trial.said
    if isinstance(said.model, str):
        return folder.relative(said.folder / said.model)
    first, *parts = said.model
    made = list(zip(trial.model.layers, parts, strict=True))
    start = _input(trial.model, first)
    layers = [spelled("layer", layer, part) for layer, part in made]
    given = [_named(layer, part) for layer, part in made]
    # A layer that is made with its defaults may draw other seeds than one that is given them,
    # as a Bidirectional does of its copies, and so begin with other weights.
    for _ in range(_MOST_BUILDS):
        index = _first_that_differs(trial, [start, *layers])
        if index is None:
            return [start, *layers]
        layers[index] = given[index]
    return [start, *given]


def _named(layer: Any, part: Part) -> dict[str, Any]:
    """Return a layer as the config has it, with the name that it got."""
    target: Any = type(layer)
    ((name, given),) = as_given(part, list(arguments(target))).items()
    return {name: {**given, "name": layer.name}}


def _first_that_differs(trial: Trial, layers: list[dict[str, Any]]) -> int | None:
    """Return the first layer of a config that begins with other values than in the trial."""
    keras.utils.set_random_seed(trial.data.said.seed)
    again = build(experiment.read({"model": layers, "compile": {"loss": "mse"}}))
    for index, (layer, other) in enumerate(zip(trial.model.layers, again.layers, strict=True)):
        # It has been adapted to the data.
        if isinstance(layer, keras.layers.Normalization):
            continue
        for one, another in zip(layer.variables, other.variables, strict=True):
            if not np.array_equal(_values(one), _values(another)):
                return index
    return None


def _values(variable: Any) -> Any:
    values = keras.ops.convert_to_numpy(variable)
    # Of a generator the seed, and not how often the checks of the data have drawn from it.
    return values[:1] if variable.name == "seed_generator_state" else values


def _input(model: Any, part: Part) -> dict[str, Any]:
    """Return the input, which is a tensor by now."""
    (tensor,) = model.inputs
    (given,) = as_given(part, ["shape", "batch_size", "dtype"]).values()
    known = {"shape": list(tensor.shape[1:]), "dtype": str(tensor.dtype), "name": tensor.name}
    if "batch_shape" in given:
        # Keras takes one of the two.
        del known["shape"]
    return {part.name: {**known, **given}}


def _loss(compiled: Any) -> dict[str, Any]:
    """Return what was given to `compile`: a loss, or that of each output."""
    if isinstance(compiled, dict):
        losses = {name: loss and to_config(loss) for name, loss in compiled.items()}
        return {"outputs": losses}
    return to_config(compiled)


def _metrics(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: [_metric(part) for part in each] for name, each in said.items()}
    return [_metric(part) for part in said]


def _metric(part: Part) -> Any:
    made = keras_parts.metric(part)
    # Keras chooses among its accuracies by the text.
    return made if isinstance(made, str) else spelled("metric", made, part)


def _data(said: Experiment, found: Data, folder: RunFolder) -> dict[str, Any]:
    data = found.model_dump()
    data["file"] = folder.relative(said.folder / found.file)
    assert said.data is not None, "there was something to train on"
    if isinstance(found.features, list) and len(found.features) > _MOST_LISTED:
        data["features"] = said.data.features
    if found.classes is not None and len(found.classes) > _MOST_LISTED:
        data["classes"] = said.data.classes
    return data
