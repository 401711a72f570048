"""A config as a compiled Keras model: `build_model`."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..checks import output_names
from ..config import Document, Experiment, Part, Parts, examine_experiment, load_config, located
from ..errors import ConfigError, Fault
from ..keras_loss import get_loss
from ..lazy import keras
from ..loss import key, shown
from . import keras_names, keras_parts, saved_model
from .keras_errors import collected, refused_by_keras
from .outputs import compile_arguments, output_faults
from .weights import created, refused, without_weights


def build_model(
    config: "str | os.PathLike[str] | Mapping[str, Any]",
    *,
    root: "str | os.PathLike[str] | None" = None,
) -> Any:
    """Return the model that a config describes, compiled.

    >>> model = build_model(
    ...     {
    ...         "model": [{"Input": {"shape": [4]}}, "Dense(1, kernel_regularizer='l2(0.01)')"],
    ...         "compile": {"loss": "mse + 0.5 * huber(delta=2)", "optimizer": "adam(1e-3)"},
    ...     }
    ... )
    >>> model.output_shape
    (None, 1)

    Args:
        config: The path of a YAML, TOML or JSON file, or the same data as a mapping.
            `model` lists the layers, or names the file that `model.to_json()` wrote;
            `compile` has the loss, the optimizer and the metrics.
        root: The folder that every file in the config must be in, links followed, for the
            configs of strangers. By default a path may lead anywhere.

    Returns:
        A `keras.Model`. It saves and loads like any other; loading needs `import lossreg`.

    Raises:
        ConfigError: Names everything that is wrong with the config, with its place.
    """
    return build_data(*load_config(config), root)


def build_data(
    data: Any, document: Document | None, root: "str | os.PathLike[str] | None" = None
) -> Any:
    """Return the model that a config's data describe, compiled.

    Args:
        data: The data of the config.
        document: The file that they were read from, if any.
        root: The folder that every file in the config must be in; by default any will do.

    Raises:
        ConfigError: Names everything that is wrong, with its place. Keras judges each part
            that can be read, whatever is wrong with the others.
    """
    _, parts, faults = examine_experiment(data, document, root)
    model = _built(parts, faults)
    if faults:
        # A part within a layer is read a second time where the layer is made.
        found = {(fault.path, fault.message): fault for fault in faults}
        ordered = sorted(found.values(), key=lambda fault: _order(data, fault))
        raise located(ordered, document)
    return model


def _order(data: Any, fault: Fault) -> list[int]:
    """Return the positions of a fault's keys in a config, by which faults are ordered."""
    found: list[int] = []
    for part in fault.path:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            found.append(part)
        elif isinstance(data, dict) and part in data:
            found.append([*data].index(part))
        else:
            break
        data = data[part]
    return found


def build(experiment: Experiment) -> Any:
    """Return the model of a checked config, compiled.

    Raises:
        ConfigError: Names everything that is wrong, with its place.
    """
    faults: list[Fault] = []
    model = _built(experiment.parts, faults)
    if faults:
        raise experiment.error(faults)
    return model


def _built(parts: Parts, faults: list[Fault]) -> Any:
    """Return the model, compiled, unless there are faults; add what is wrong to them."""
    model = optimizer = loss = None
    with collected(faults, ("model",)):
        model = _model(parts)
    if parts.optimizer is not None:
        with collected(faults, ("compile", "optimizer")):
            optimizer = keras_parts.optimizer(parts.optimizer)
    metrics = _metrics(parts.metrics, faults)
    if parts.loss is not None:
        bound = parts.loss.bound
        with collected(faults, ("compile", "loss")):
            loss = get_loss(parts.loss) if bound.is_plain else bound
    teacher = _teacher(parts, faults)
    if model is not None:
        names = output_names(model)
        faults += output_faults(names, parts, loss)
        if not faults:
            arguments = compile_arguments(names, parts, loss, metrics)
            with collected(faults), refused_by_keras("compile()", ("compile",)):
                model = _compile(model, parts, optimizer, teacher, arguments)
    return model


def _compile(
    model: Any, parts: Parts, optimizer: Any, teacher: Any, arguments: dict[str, Any]
) -> Any:
    """Return the model, or one that carries the memory of its loss."""
    if parts.loss is None or parts.loss.bound.is_plain:
        model.compile(optimizer=optimizer, **arguments)
        return model
    # It imports Keras, which reading a config doesn't.
    from ..keras_loss import compile as compile_model

    return compile_model(model, optimizer, teacher=teacher, **arguments)


def _teacher(parts: Parts, faults: list[Fault]) -> Any:
    """Return the teacher with its weights, or None; add what is wrong with its file."""
    if parts.teacher is None:
        return None
    found: list[Fault] = []
    with collected(found):
        return saved_model.load_trained(parts.folder / parts.teacher)
    # Its file is named elsewhere than that of the model.
    faults += [replace(fault, path=("compile", "teacher")) for fault in found]
    return None


def _model(parts: Parts) -> Any:
    """Return the model, or None where one of its layers couldn't be read."""
    if parts.model is None:
        return None
    if isinstance(parts.model, str):
        return saved_model.load(parts.folder / parts.model)
    return _sequential(parts.model)


def _sequential(layers: Sequence[Part | None]) -> Any:
    """Return the model of a list of layers, or None if one of them couldn't be read.

    Raises:
        ConfigError: Names the faults of each layer, and the first that doesn't fit the
            output before it.
    """
    faults: list[Fault] = []
    made: list[Any] = []
    names = _Names(filter(None, layers))
    for index, part in enumerate(layers):
        made.append(None)
        if part is None:
            continue
        with collected(faults, part.path):
            made[-1] = keras_parts.make("layer", part, name=names.next(part))
        misplaced = _misplaced(index, part, alone=len(layers) == 1)
        if misplaced:
            made[-1] = None
            faults.append(Fault(message=misplaced, path=part.path))
    # A layer can be tried only where all layers before it were made.
    ready = [*itertools.takewhile(lambda layer: layer is not None, made)]
    known = [part for part in layers[: len(ready)] if part is not None]
    model = None
    if len(ready) > 1 and _is_input(known[0]):
        with collected(faults, ("model",)):
            model = _joined(known, ready)
    if faults:
        raise ConfigError.of(faults)
    return model if None not in layers else None


def _joined(layers: Sequence[Part], made: list[Any]) -> Any:
    """Return the model of the layers that were made, the first of them its input.

    Raises:
        ConfigError: Names the first that doesn't fit the output before it.
    """
    _check_size(layers, [layer.name for layer in made])
    with contextlib.suppress(ConfigError), refused_by_keras("Some layer doesn't fit", ("model",)):
        model = keras.Sequential(made, name="sequential")
        if model.built:
            return model
    # Keras doesn't say which layer it is, and trying ever longer models takes quadratic time. The
    # input is made anew, since its tensor may be spoilt (Equalization, Keras 3.15.1).
    shapes = _shapes(keras_parts.make("layer", layers[0], name=made[0].name), made[1:])
    last = min(len(shapes), len(made) - 2)
    part = layers[last + 1]
    title = f"Layer {shown(part.name)}"
    before = f"after an output of shape {shapes[last - 1]}" if last else "the input"
    first = keras_parts.make("layer", layers[0], name=made[0].name)
    with refused_by_keras(f"{title} doesn't fit {before}", part.path):
        model = keras.Sequential([first, *made[1 : last + 2]], name="sequential")
    if not model.built:
        raise ConfigError.at(part.path, f"{title}: Keras can't tell the shape of its output.")
    return model


def _shapes(first: Any, layers: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the shapes of the outputs of layers, up to the first that doesn't fit."""
    model = keras.Sequential([first], name="sequential")
    tensor, shapes = getattr(first, "output", first), []
    # What it raises, Keras raises again for the model of the layers up to this one.
    with contextlib.suppress(Exception):
        for layer in layers:
            model.add(layer, rebuild=False)
            tensor = layer(tensor)
            shapes.append(tuple(tensor.shape))
    return shapes


def _check_size(layers: Sequence[Part], names: Sequence[str]) -> None:
    """Raise where a model would have too many weights.

    Raises:
        ConfigError: Names the first layer that is too large.
    """

    def called() -> None:
        before, tensor = 0, None
        for part, name in zip(layers, names, strict=True):
            layer = keras_parts.make("layer", part, name=name)
            if tensor is None:
                # keras.Input makes a tensor, and InputLayer a layer.
                tensor = getattr(layer, "output", layer)
                continue
            try:
                tensor = layer(tensor)
            finally:
                # Weights come before whatever doesn't fit.
                weights = created()
                message = refused(weights - before, f"Layer {shown(part.name)}", before)
                if message:
                    raise ConfigError.at(part.path, message)
                before = weights

    try:
        without_weights(called)
    except ConfigError:
        raise
    # A layer doesn't fit, for any reason, which is reported where the model is built.
    except Exception:
        return


def _is_input(part: Part) -> bool:
    return key(part.name) in ("input", "inputlayer")


def _misplaced(index: int, part: Part, *, alone: bool) -> str:
    """Return what is wrong where a model doesn't begin with its input, or has nothing else.

    Without an input, Keras builds the model at its first data. Shapes, outputs and the number
    of weights would be unknown before.
    """
    if _is_input(part) and index:
        return f"Only the first layer can be {shown(part.name)}, and this is layer {index + 1}."
    if _is_input(part) and alone:
        return "The model has an input and nothing after it. Add a layer for its output."
    if _is_input(part) or index:
        return ""
    return (
        "The model must begin with its input. Put {'Input': {'shape': [64]}} before "
        f"{shown(part.name)}, with the shape of one sample, without the batch."
    )


class _Names:
    """The names of layers that have none in the config: Keras' names in a fresh process.

    Keras counts its layers through the process, so that the same config would give other names,
    also of outputs, the second time.
    """

    def __init__(self, layers: Iterable[Part]) -> None:
        given = (part.kwargs.get("name") for part in layers)
        self._taken = {name for name in given if isinstance(name, str)}

    def next(self, part: Part) -> str | None:
        """Return the name of the next layer, or None where the config names it."""
        if part.kwargs.get("name") is not None:
            return None
        name = first = keras_names.own_name("layer", part)
        count = 0
        while name in self._taken:
            count += 1
            name = f"{first}_{count}"
        self._taken.add(name)
        return name


def _metrics(parts: Sequence[Part] | Mapping[str, Sequence[Part]], faults: list[Fault]) -> Any:
    """Return the metrics, or those of each output; add what is wrong with others to `faults`."""
    if isinstance(parts, Mapping):
        return {name: _metrics(each, faults) for name, each in parts.items()}
    metrics = []
    for part in parts:
        with collected(faults, part.path):
            metrics.append(keras_parts.metric(part))
    return metrics
