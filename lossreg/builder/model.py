"""A config as a compiled Keras model."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import experiment
from ..api import get_loss
from ..document import Document
from ..errors import ConfigError
from ..experiment import Experiment
from ..fault import Fault, listed
from ..lazy import keras
from ..names import key, shown
from ..parts import Part
from ..places import located
from ..readable import Readable, readable
from . import keras_names, keras_parts, saved_model
from .keras_errors import collected, refused_by_keras
from .outputs import Outputs
from .weights import count, refused, without_weights


def build_model(config: "str | os.PathLike[str] | Mapping[str, Any]") -> Any:
    """Return the model that a config describes, compiled.

    Args:
        config: The path of a YAML, TOML or JSON file, or what it would hold as a mapping.
            `model` lists the layers, or names the file that `model.to_json()` wrote;
            `compile` has the loss, the optimizer and the metrics.

    Returns:
        A `keras.Model`. It saves and loads like any other; loading needs `import lossreg`.

    Raises:
        ConfigError: Names everything that is wrong with the config, with its place.
    """
    return build_data(*experiment.loaded(config))


def build_data(data: Any, read_from: Document | None) -> Any:
    """Return the model that a config's data describe, compiled.

    Args:
        data: What the config holds.
        read_from: The file that it was read from, if it was.

    Raises:
        ConfigError: Names everything that is wrong, also with the parts of a config that
            is wrong elsewhere, with its place.
    """
    try:
        said = experiment.checked(data, read_from)
    except ConfigError as error:
        faults = [*error.faults]
        _built(readable(data, read_from), faults)
        # A part within a layer is read again where the layer is made.
        told = {(fault.path, fault.message): fault for fault in faults}
        ordered = sorted(told.values(), key=lambda fault: _order(data, fault))
        raise located(ordered, read_from) from None
    return build(said)


def _order(data: Any, fault: Fault) -> list[int]:
    """Return what orders faults as a config is read."""
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


def build(said: Experiment) -> Any:
    """Return the model of a config that was read, compiled.

    Raises:
        ConfigError: Names everything that is wrong, with its place.
    """
    faults: list[Fault] = []
    model = _built(Readable.of(said), faults)
    if faults:
        raise said.error(faults)
    return model


def _built(said: Readable, faults: list[Fault]) -> Any:
    """Return the model, compiled, unless there are faults; add what is wrong to them."""
    model = optimizer = loss = None
    with collected(faults, ("model",)):
        model = _model(said)
    if said.optimizer is not None:
        with collected(faults, ("compile", "optimizer")):
            optimizer = keras_parts.optimizer(said.optimizer)
    metrics: Any = _metrics(said.metrics, faults)
    if said.loss is not None:
        with collected(faults, ("compile", "loss")):
            loss = get_loss(said.loss)
    outputs = None if model is None else Outputs.of(model)
    if outputs is not None:
        faults += outputs.faults(said, loss)
        if not faults:
            arguments = outputs.arguments(said, loss, metrics)
            with collected(faults), refused_by_keras("compile()", ("compile",)):
                model.compile(optimizer=optimizer, **arguments)
    return model


def _model(said: Readable) -> Any:
    """Return the model, or None where one of its layers couldn't be read."""
    if said.model is None:
        return None
    if isinstance(said.model, str):
        return saved_model.load(said.folder / said.model)
    return _sequential(said.model)


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
        misplaced = _misplaced(index, part, last=len(layers) == 1)
        if misplaced:
            made[-1] = None
            faults.append(Fault(message=misplaced, path=part.path))
    # Whether a layer fits shows where all before it are there.
    ready = [*itertools.takewhile(lambda layer: layer is not None, made)]
    known = [part for part in layers[: len(ready)] if part is not None]
    model = None
    if ready and _is_input(known[0]):
        with collected(faults, ("model",)):
            model = _joined(known, ready)
    if faults:
        raise ConfigError(listed(faults), faults)
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
    # Keras doesn't say which it is. Adding them singly tells, and takes quadratic time; the
    # input is made anew, since the tensor may be spoilt (keras.layers.Equalization, 3.15.1).
    first = keras_parts.make("layer", layers[0], name=made[0].name)
    model = keras.Sequential([first], name="sequential")
    for part, layer in zip(layers[1:], made[1:], strict=False):
        _add(model, part, layer)
    return model


def _check_size(layers: Sequence[Part], names: Sequence[str]) -> None:
    """Raise where a model would have more weights than a config's can.

    Raises:
        ConfigError: Names the layer with which it would.
    """

    def counted() -> None:
        before, tensor = 0, None
        for part, name in zip(layers, names, strict=True):
            layer = keras_parts.make("layer", part, name=name)
            if tensor is None:
                # keras.Input makes a tensor, and InputLayer a layer.
                tensor = getattr(layer, "output", layer)
                continue
            tensor = layer(tensor)
            message = refused(layer, f"Layer {shown(part.name)}", before)
            if message:
                raise ConfigError(message, [Fault(message=message, path=part.path)])
            before += count(layer)

    try:
        without_weights(counted)
    except ConfigError:
        raise
    # A layer doesn't fit, for any reason, which is told where the model is built.
    except Exception:
        return


def _add(model: Any, part: Part, layer: Any) -> None:
    """Add a layer to a sequential model.

    Raises:
        ConfigError: It doesn't fit the output of the layer before it.
    """
    said = f"Layer {shown(part.name)} doesn't fit"
    said += f" behind an output of shape {model.output_shape}" if model.layers else " the input"
    with refused_by_keras(said, part.path):
        model.add(layer)
    if not model.built:
        said = f"Keras can't tell the shape of what layer {shown(part.name)} returns."
        raise ConfigError(said, [Fault(message=said, path=part.path)])


def _is_input(part: Part) -> bool:
    return key(part.name) in ("input", "inputlayer")


def _misplaced(index: int, part: Part, *, last: bool) -> str:
    """Return what is wrong where a model doesn't begin with its input, or is nothing else.

    Without an input, Keras would build the model at its first data: neither shapes nor the
    number of outputs nor that of parameters would be known before.
    """
    if _is_input(part) and index:
        return f"Only the first layer can be {shown(part.name)}, and this is layer {index + 1}."
    if _is_input(part) and last:
        return "The model has an input and nothing behind it. Add a layer for its output."
    if _is_input(part) or index:
        return ""
    return (
        "The model must begin with its input. Put {'Input': {'shape': [64]}} before "
        f"{shown(part.name)}, with the shape of one sample of yours, without the batch."
    )


class _Names:
    """The names of layers that have none: as Keras counts them in a fresh process.

    Keras counts on through the process, so that the same config would give other names, and
    other names of outputs, the second time.
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


def _metrics(
    said: Sequence[Part] | Mapping[str, Sequence[Part]], faults: list[Fault]
) -> list[Any] | dict[str, list[Any]]:
    """Return the metrics, or those of each output; add what is wrong with others to `faults`."""
    if isinstance(said, Mapping):
        return {name: _listed(each, faults) for name, each in said.items()}
    return _listed(said, faults)


def _listed(said: Sequence[Part], faults: list[Fault]) -> list[Any]:
    metrics = []
    for part in said:
        with collected(faults, part.path):
            metrics.append(keras_parts.metric(part))
    return metrics
