"""A part of a config as the Keras object that it names: a layer, an optimizer, a metric."""

from collections.abc import Mapping
from typing import Any

from ..config import FILES, Part, read_part
from ..errors import ConfigError, Fault, Path
from ..loss import did_you_mean, key, shown
from .arguments import Argument, Kind, arguments
from .keras_errors import collected, refused_by_keras
from .keras_names import by_key, find, known, own_name

# Old tutorials give the shape of the input in the first layer.
_SHAPES = ("input_shape", "input_dim", "batch_input_shape")


def make(kind: Kind, part: Part, *, name: str | None = None) -> Any:
    """Return the Keras object that a part describes.

    Args:
        kind: What it must be.
        part: The part of the config.
        name: Keras' name for the object, where the config gives none.

    Raises:
        ConfigError: Names every fault of the part, and of the parts within it.
    """
    if kind == "activation":
        return _activation(part)
    target = find(kind, part)
    return _called(target, kind, part, arguments(target), name)


def optimizer(part: Part) -> Any:
    """Return an optimizer for `compile`, under the name that it has in a fresh process.

    Raises:
        ConfigError: As `make` raises it.
    """
    return make("optimizer", part, name=own_name("optimizer", part))


def metric(part: Part) -> Any:
    """Return a metric for `compile`.

    Keras shows a metric under the name in the config, as it does for the string in
    `compile(metrics=["AUC"])`. A call is shown under Keras' name for the class, without the
    number that Keras adds in a process that has made such a metric before.

    Raises:
        ConfigError: As `make` raises it.
    """
    bare = not part.args and not part.kwargs
    if bare and key(part.name) in ("accuracy", "acc"):
        # Keras chooses the accuracy that fits the shapes, and does so for the string only.
        return part.name
    return make("metric", part, name=part.name if bare else own_name("metric", part))


def _place(part: Part, name: str) -> Path:
    """Return where an argument of a part stands: where the part does, if that is a string."""
    if part.kwargs_at is None or name not in part.kwargs:
        return part.path
    return (*part.kwargs_at, name)


def _called(
    target: Any, kind: Kind, part: Part, taken: Mapping[str, Argument], name: str | None = None
) -> Any:
    """Return what a class makes of the arguments of a part.

    Raises:
        ConfigError: Names everything that is wrong with them, for us or for Keras.
    """
    title, made = f"{kind.capitalize()} {shown(part.name)}", None
    values, faults = _checked(title, part, taken)
    if name is not None and "name" in taken and values.get("name") is None:
        values["name"] = name
    places = {each: _place(part, each) for each in values}
    if all(argument.name in values for argument in taken.values() if argument.required):
        found: list[Fault] = []
        with collected(found), refused_by_keras(title, part.path, places):
            made = target(**values)
        # A fault that names no argument may only come from those that are left out.
        faults += [fault for fault in found if not faults or fault.path != part.path]
    if faults:
        raise ConfigError.of(faults)
    return made


def _checked(
    title: str, part: Part, taken: Mapping[str, Argument]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return the arguments of a part as Keras takes them, and what is wrong with the others."""
    faults: list[Fault] = []
    # An LSTM takes 28 arguments. One message lists them.
    takes = iter([f" It takes {', '.join(taken) or 'no arguments'}."])
    positional = [argument.name for argument in taken.values() if argument.positional]
    if len(part.args) > len(positional):
        message = (
            f"{title}: it takes {len(positional)} values without a name "
            f"({', '.join(positional)}), got {len(part.args)}."
        )
        faults.append(Fault(message=message, path=part.path))
    by_name = dict(zip(positional, part.args, strict=False))
    faults += [
        Fault(message=f"{title}: {name!r} is given twice.", path=_place(part, name))
        for name in by_name
        if name in part.kwargs
    ]
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
    name = argument.name
    if argument.part is not None:
        if value is None:
            return None
        if argument.part != "schedule" or not isinstance(value, int | float):
            return _nested(argument.part, value, place)
    match value:
        case {"class_name": "DTypePolicy", "config": {"name": str(policy)}} if name == "dtype":
            return policy
        case str() if name in FILES:
            allowed = "a list: a config can't have Keras open a file"
        case _:
            allowed = argument.objection(value)
    if allowed:
        got = f"got {shown(value)} ({type(value).__name__})"
        raise ConfigError.at(place, f"{title}: {name!r} must be {allowed}, {got}.")
    return argument.for_keras(value)


def _nested(kind: Kind, value: Any, place: Path, suffix: str = "") -> Any:
    """Return a part within a part, or a list of them, such as the cells of an RNN."""
    if isinstance(value, list | tuple) and kind == "layer":
        faults: list[Fault] = []
        made = []
        for index, entry in enumerate(value):
            with collected(faults, place):
                made.append(_nested(kind, entry, (*place, index), suffix=f"_{index}"))
        if faults:
            raise ConfigError.of(faults)
        return made
    part = read_part(value, place)
    return make(kind, part, name=own_name(kind, part) + suffix if kind == "layer" else None)


def _activation(part: Part) -> Any:
    """Return an activation function, or its layer where it has arguments.

    Keras saves a function by its name alone, so that an argument would be lost. Keras takes
    a layer as an activation too, and saves all of it.
    """
    function = find("activation", part)
    if not part.args and not part.kwargs and part.module != "keras.layers":
        return function
    layer = by_key("layer").get(key(part.name))
    if layer is None:
        both = ", ".join(name for name in known("activation") if key(name) in by_key("layer"))
        raise ConfigError.at(
            part.path,
            f"Keras can't save the arguments of activation {shown(part.name)}. Remove the "
            f"arguments, or take one of {both}.",
        )
    # The first argument of the function is the tensor. The layer may have the others in another
    # order, and more of them.
    taken = dict([*arguments(function).items()][1:])
    taken |= {name: each for name, each in arguments(layer).items() if name not in taken}
    return _called(layer, "activation", part, taken)
