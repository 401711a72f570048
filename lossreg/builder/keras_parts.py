"""A part of a config as the object of Keras that it names."""

from collections.abc import Mapping
from typing import Any

from .. import parts
from ..errors import ConfigError
from ..fault import Fault, Path, listed
from ..names import did_you_mean, key, shown
from ..parts import Part
from .arguments import Argument, Kind, arguments
from .keras_errors import collected, refused_by_keras
from .keras_names import by_key, find, known, own_name

# Old tutorials say so what Input says now.
_SHAPES = ("input_shape", "input_dim", "batch_input_shape")


def make(kind: Kind, part: Part, *, name: str | None = None) -> Any:
    """Return the object of Keras that a part describes.

    Args:
        kind: What it must be.
        part: What the config says.
        name: Keras' name of the object, where the config gives none.

    Raises:
        ConfigError: Names every fault of the part, and of the parts within it.
    """
    if kind == "activation":
        return _activation(part)
    target = find(kind, part)
    taken = arguments(target)
    values, faults = _checked(kind, part, taken)
    if faults:
        raise ConfigError(listed(faults), faults)
    if name is not None and "name" in taken and values.get("name") is None:
        values["name"] = name
    places = {each: _place(part, each) for each in values}
    with refused_by_keras(_titled(kind, part), part.path, places):
        return target(**values)


def optimizer(part: Part) -> Any:
    """Return an optimizer for `compile`, under the name that it has in a fresh process.

    Raises:
        ConfigError: As `make` raises it.
    """
    return make("optimizer", part, name=own_name("optimizer", part))


def metric(part: Part) -> Any:
    """Return a metric for `compile`.

    Keras shows a metric under the name that the config has for it, as it does with the text
    in `compile(metrics=["AUC"])`; a call is shown under Keras' name for the class, without
    the number that Keras would add to it in a process that has made one before.

    Raises:
        ConfigError: As `make` raises it.
    """
    bare = not part.args and not part.kwargs
    if bare and key(part.name) in ("accuracy", "acc"):
        # Keras chooses the accuracy that fits the shapes, and it does so for the text only.
        return part.name
    return make("metric", part, name=part.name if bare else own_name("metric", part))


def _place(part: Part, name: str) -> Path:
    """Return where an argument of a part stands: where the part does, if it is a text."""
    if part.kwargs_at is None or name not in part.kwargs:
        return part.path
    return (*part.kwargs_at, name)


def _checked(
    kind: Kind, part: Part, taken: Mapping[str, Argument]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return the arguments of a part as Keras takes them, and what is wrong with the others."""
    title, faults = _titled(kind, part), list[Fault]()
    # An LSTM takes 28, which are told once.
    takes = iter([f" It takes {', '.join(taken) or 'no arguments'}."])
    positional = [argument.name for argument in taken.values() if argument.positional]
    if len(part.args) > len(positional):
        said = f"it takes {len(positional)} values without a name ({', '.join(positional)})"
        message = f"{title}: {said}, got {len(part.args)}."
        faults.append(Fault(message=message, path=part.path))
    by_name = dict(zip(positional, part.args, strict=False))
    for name in [each for each in by_name if each in part.kwargs]:
        faults.append(Fault(message=f"{title}: {name!r} is given twice.", path=_place(part, name)))
    by_name.update(part.kwargs)
    values: dict[str, Any] = {}
    for name, value in by_name.items():
        argument, place = taken.get(name), _place(part, name)
        if argument is not None:
            with collected(faults, place):
                values[name] = _value(title, argument, value, place)
            continue
        near = did_you_mean(name, taken)
        if name in _SHAPES:
            near = " Begin the model with Input and its shape, without the batch."
        message = f"{title}: it has no argument {shown(name)}.{near}{next(takes, '')}"
        faults.append(Fault(message=message, path=place, at_key=place != part.path))
    for argument in taken.values():
        if argument.required and argument.name not in by_name:
            message = f"{title}: {argument.name!r} is missing.{next(takes, '')}"
            faults.append(Fault(message=message, path=part.kwargs_at or part.path))
    return values, faults


def _value(title: str, argument: Argument, value: Any, place: Path) -> Any:
    """Return an argument as Keras takes it.

    Raises:
        ConfigError: It doesn't fit.
    """
    if argument.part is not None:
        if value is None:
            return None
        if argument.part != "schedule" or not isinstance(value, int | float):
            return _nested(argument.part, value, place)
    if argument.name == "dtype":
        value = _dtype(value)
    if argument.file and isinstance(value, str):
        said = f"{argument.name!r} must be a list: a config can't have Keras open a file"
        raise _fault(place, f"{title}: {said}, got {shown(value)}.")
    if not argument.fits(value):
        said = f"{argument.name!r} must be {argument.allowed}, got {shown(value)}"
        raise _fault(place, f"{title}: {said} ({type(value).__name__}).")
    return argument.for_keras(value)


def _dtype(value: Any) -> Any:
    """Return the name of a policy as Keras writes it, or the value as it is."""
    match value:
        case {"class_name": "DTypePolicy", "config": {"name": str(name)}}:
            return name
    return value


def _nested(kind: Kind, value: Any, place: Path, suffix: str = "") -> Any:
    """Return a part within a part, or a list of them, such as the cells of an RNN."""
    if isinstance(value, list | tuple) and kind == "layer":
        faults: list[Fault] = []
        made = []
        for index, entry in enumerate(value):
            with collected(faults, place):
                made.append(_nested(kind, entry, (*place, index), suffix=f"_{index}"))
        if faults:
            raise ConfigError(listed(faults), faults)
        return made
    part = parts.read(value, place)
    return make(kind, part, name=own_name(kind, part) + suffix if kind == "layer" else None)


def _activation(part: Part) -> Any:
    """Return an activation function, or its layer where it has arguments.

    Keras saves a function by its name alone, so that an argument would be lost; Keras takes
    a layer for an activation too, and saves all of it.
    """
    function = find("activation", part)
    if not part.args and not part.kwargs and part.module != "keras.layers":
        return function
    layer = by_key("layer").get(key(part.name))
    title = _titled("activation", part)
    if layer is None:
        said = f"{title}: Keras can't save the arguments of an activation that is no layer."
        both = ", ".join(name for name in known("activation") if key(name) in by_key("layer"))
        raise _fault(part.path, f"{said} Give it without, or take one of {both}.")
    # The first argument of the function is the tensor. Those of the layer may come in another
    # order, and some more of them.
    taken = dict([*arguments(function).items()][1:])
    taken |= {name: each for name, each in arguments(layer).items() if name not in taken}
    values, faults = _checked("activation", part, taken)
    if faults:
        raise ConfigError(listed(faults), faults)
    places = {each: _place(part, each) for each in values}
    with refused_by_keras(title, part.path, places):
        return layer(**values)


def _titled(kind: Kind, part: Part) -> str:
    return f"{kind.capitalize()} {shown(part.name)}"


def _fault(path: Path, message: str) -> ConfigError:
    return ConfigError(message, [Fault(message=message, path=path)])
