"""The config that a run writes: every default is spelled out, so that it repeats the run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lossreg.config import Data, Part, read_experiment, read_part, to_config
from lossreg.errors import LossregError
from lossreg.lazy import keras
from lossreg.model import Kind, arguments, build, make, metric

from . import versions
from .run_folder import RunFolder
from .trial import Trial

# A config has a size limit. More columns than this are written as the config gave them, which is
# "all others" where it gave none, and so are more classes.
_MOST_LISTED = 200


def record(trial: Trial, folder: RunFolder) -> dict[str, Any]:
    """Return the config that repeats a trial, for a file in its folder."""
    experiment = trial.experiment
    optimizer = experiment.compile.optimizer
    return {
        "model": _model(trial, folder),
        "compile": {
            "optimizer": _spell("optimizer", trial.model.optimizer, optimizer),
            "loss": to_config(trial.model.loss),
            "loss_weights": experiment.compile.loss_weights,
            "metrics": _metrics(experiment.compile.metrics),
        },
        "data": _data(trial, folder),
        "fit": experiment.fit.model_dump(),
        "versions": versions.collect(experiment.compile.loss.bound),
    }


def _model(trial: Trial, folder: RunFolder) -> Any:
    model = trial.experiment.model
    if isinstance(model, str):
        return folder.relative(trial.experiment.folder / model)
    first, *parts = model
    made = list(zip(trial.model.layers, parts, strict=True))
    start = _input(trial.model, first)
    layers = [start, *(_spell("layer", layer, part) for layer, part in made)]
    # A layer that gets its defaults spelled out may draw other seeds, as a Bidirectional does
    # for its copies, and then it begins with other weights.
    if _begins_alike(trial, layers):
        return layers
    return [start, *(_named(layer, part) for layer, part in made)]


def _begins_alike(trial: Trial, layers: list[dict[str, Any]]) -> bool:
    """Return whether layers begin with the values that those of the trial began with."""
    keras.utils.set_random_seed(trial.data.config.seed)
    again = build(read_experiment({"model": layers, "compile": {"loss": "mse"}}))
    return all(
        np.array_equal(_values(one), _values(other))
        for layer, twin in zip(trial.model.layers, again.layers, strict=True)
        # Those of the trial have been adapted to the data.
        if not isinstance(layer, keras.layers.Normalization)
        for one, other in zip(layer.variables, twin.variables, strict=True)
    )


def _values(variable: Any) -> Any:
    values = keras.ops.convert_to_numpy(variable)
    # The second number of a seed generator counts its draws, and the checks of the data draw too.
    return values[:1] if variable.name == "seed_generator_state" else values


def _named(layer: Any, part: Part) -> dict[str, Any]:
    """Return a layer as the config gave it, with the name that it got."""
    target: Any = type(layer)
    return {part.name: {**_given(part, list(arguments(target))), "name": layer.name}}


def _input(model: Any, part: Part) -> dict[str, Any]:
    """Return the input layer, of which Keras keeps only the tensor."""
    (tensor,) = model.inputs
    given = _given(part, ["shape", "batch_size", "dtype"])
    known = {"shape": list(tensor.shape[1:]), "dtype": str(tensor.dtype), "name": tensor.name}
    if "batch_shape" in given:
        # Keras takes either the one or the other.
        del known["shape"]
    return {part.name: {**known, **given}}


def _metrics(metrics: Sequence[Part] | Mapping[str, Sequence[Part]]) -> Any:
    if isinstance(metrics, Mapping):
        return {name: [_metric(part) for part in each] for name, each in metrics.items()}
    return [_metric(part) for part in metrics]


def _metric(part: Part) -> Any:
    made = metric(part)
    # Keras chooses an accuracy by this string.
    return made if isinstance(made, str) else _spell("metric", made, part)


def _data(trial: Trial, folder: RunFolder) -> dict[str, Any]:
    given, found = trial.experiment.data, trial.data.config
    assert isinstance(given, Data), "there was something to train on"
    data = found.model_dump()
    data["file"] = folder.relative(trial.experiment.folder / found.file)
    if isinstance(found.features, list) and len(found.features) > _MOST_LISTED:
        data["features"] = given.features
    if found.classes is not None and len(found.classes) > _MOST_LISTED:
        data["classes"] = given.classes
    return data


def _spell(kind: Kind, made: Any, part: Part) -> dict[str, Any]:
    """Return a Keras object as a part of a config, its defaults included.

    Keras' own config of the object is taken if it makes the same object again, and otherwise
    the arguments that the config gave.

    Args:
        kind: What the object is.
        made: The object.
        part: The part that it was made of.
    """
    config = made.get_config()
    target: Any = type(made)
    taken = arguments(target)
    whole = {target.__name__: {name: _plain(config[name]) for name in taken if name in config}}
    try:
        again = make(kind, read_part(whole))
    except LossregError:
        same = False
    else:
        same = _plain(again.get_config()) == _plain(config)
    return whole if same else {part.name: _given(part, list(taken))}


def _given(part: Part, names: list[str]) -> dict[str, Any]:
    """Return the arguments that a config gave a part, each with its name.

    Args:
        part: The part.
        names: Its arguments in their order, for those that were given without a name.
    """
    by_name = {**dict(zip(names, part.args, strict=False)), **part.kwargs}
    return {name: _plain(value) for name, value in by_name.items()}


def _plain(value: Any) -> Any:
    """Return a value as a file holds it; what Keras serialized becomes a part of a config."""
    if isinstance(value, Mapping):
        if set(value) >= {"class_name", "config"}:
            if value["class_name"] == "DTypePolicy":
                return value["config"]["name"]
            return {value["class_name"]: _plain(value["config"])}
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return _short(value) if isinstance(value, float) else value


def _short(value: float) -> float:
    """Return a float32 with no more digits than it has: 0.001 for 0.0010000000474974513."""
    narrow = np.float32(value)
    return float(str(narrow)) if float(narrow) == value else value
