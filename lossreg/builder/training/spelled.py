"""What Keras built of a config, as a config again with every default spelled out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import parts
from ...errors import LossregError
from ...parts import Part
from .. import keras_parts
from ..arguments import Kind, arguments


def spelled(kind: Kind, made: Any, part: Part) -> dict[str, Any]:
    """Return an object of Keras as a part of a config, its defaults included.

    What Keras says of the object is taken where it makes the same object again, and
    otherwise the arguments that the config gave.

    Args:
        kind: What it is.
        made: The object.
        part: What it was made of.
    """
    config = made.get_config()
    target: Any = type(made)
    taken = arguments(target)
    said = {target.__name__: {name: _plain(config[name]) for name in taken if name in config}}
    try:
        again = keras_parts.make(kind, parts.read(said))
    except LossregError:
        return as_given(part, list(taken))
    return said if _plain(again.get_config()) == _plain(config) else as_given(part, list(taken))


def as_given(part: Part, names: list[str]) -> dict[str, Any]:
    """Return a part as its config has it, with a name for each argument.

    Args:
        part: The part.
        names: Its arguments, in the order in which they are given without their names.
    """
    by_name = {**dict(zip(names, part.args, strict=False)), **part.kwargs}
    return {part.name: {name: _plain(value) for name, value in by_name.items()}}


def _plain(value: Any) -> Any:
    """Return a value as a file has it; objects that Keras serialized as parts of a config."""
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
    """Return a float32 with the digits that it has: 0.001 for 0.0010000000474974513."""
    narrow = np.float32(value)
    return float(str(narrow)) if float(narrow) == value else value
