"""One Keras object in a config: a layer, a regularizer, an optimizer.

    l2(0.01)                         a name, or a call as for a loss
    Dense: {units: 64}               a mapping from the name to the arguments
    {name: Dense, params: {...}}     the same, as for a loss
    {class_name: ..., config: ...}   what Keras writes

Which objects Keras has is never checked here; `lossreg.model` does that.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ConfigError, Fault, Path
from ..loss import MAX_LENGTH, key, shown
from .expression import is_expression, parse
from .terms import unknown_key

MOST_PARTS = 100
"""The most layers or metrics in one list; Keras makes each of them in some milliseconds."""

REFUSED = {
    "Lambda": "it runs a function",
    "TFSMLayer": "it runs a program that TensorFlow saved",
    "TorchModuleWrapper": "it runs a module of PyTorch",
    "JaxLayer": "it runs a function of JAX",
    "FlaxLayer": "it runs a module of Flax",
    "MeanMetricWrapper": "it runs a function",
    "MultiOptimizer": "it takes Python objects",
}
"""What Keras exports and a config, which is data, can't name, with the reasons."""

FILES = ("vocabulary", "idf_weights", "filepath")
"""Arguments whose string Keras takes as the path of a file or the address of a program."""

# Endings of the arguments that are parts themselves: `kernel_regularizer`.
_NESTED = ("regularizer", "constraint", "initializer")
_REFUSED = {key(name): reason for name, reason in REFUSED.items()}
_SPELLED = {"name": "params", "class_name": "config"}
_FORMS = (
    "Give a name, such as 'Flatten', 'adam' or 'AUC'; a call, such as 'Dense(64)' or 'l2(0.01)'; "
    "or {name: {...}}."
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A name with arguments, and their places in the config.

    Args:
        name: A name that Keras exports, in any spelling.
        args: Arguments by position.
        kwargs: Arguments by name.
        path: Where the part stands.
        kwargs_at: Where the arguments by name stand; None where they are in a string.
        module: The module in what Keras wrote. It is compared and never imported.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    path: Path = ()
    kwargs_at: Path | None = None
    module: str | None = None


def read_part(value: Any, path: Path = ()) -> Part:
    """Return one part of a config.

    >>> read_part("l1_l2(0.01, l2=0.02)").kwargs
    {'l2': 0.02}
    >>> read_part({"Dense": {"units": 64}}, ("model", 1)).kwargs_at
    ('model', 1, 'Dense')

    Raises:
        ConfigError: It has none of the forms.
    """
    if isinstance(value, str):
        return _read_string(value, path)
    if not isinstance(value, Mapping) or not value or not all(isinstance(k, str) for k in value):
        raise ConfigError.at(path, f"{shown(value)} isn't a part of a model. {_FORMS}")
    spelled = next((word for word in _SPELLED if word in value), None)
    if spelled is None:
        if len(value) > 1:
            keys = ", ".join(map(shown, value))
            raise ConfigError.at(
                path, f"One part has one name, got {keys}. Begin each part with '- ' in a list."
            )
        ((name, kwargs),) = value.items()
        # `- Flatten:` has nothing after the colon.
        return _named(name, {} if kwargs is None else kwargs, path, (*path, name))
    inner = _SPELLED[spelled]
    of_keras = ("module", "registered_name", "build_config") if spelled == "class_name" else ()
    known = (spelled, inner, *of_keras)
    unknown = next((each for each in value if each not in known), None)
    if unknown is not None:
        message = unknown_key(value, unknown, known)
        raise ConfigError.at((*path, unknown), message, at_key=True)
    part = _named(value[spelled], value.get(inner, {}), path, (*path, inner))
    return dataclasses.replace(part, module=value.get("module"))


def read_parts(value: Any, at: Path = ()) -> tuple[list[Part | None], list[Fault]]:
    """Return a list of parts, None for each that can't be read, and what is wrong with those.

    Args:
        value: A list, or one part alone.
        at: Where it stands.
    """
    found: list[Part | None] = []
    faults: list[Fault] = []
    if isinstance(value, list) and len(value) > MOST_PARTS:
        message = (
            f"A list may have {MOST_PARTS} parts of a model, got {len(value):,}. Build a deeper "
            "model in Python, and name the file that its to_json() wrote."
        )
        return found, [Fault(path=at, message=message)]
    for index, entry in enumerate(value if isinstance(value, list) else [value]):
        part = None
        try:
            part = read_part(entry, (*at, index) if isinstance(value, list) else at)
        except ConfigError as error:
            faults += error.faults
        found.append(part)
        faults += _unreadable(part) if part else []
    return found, faults


def _unreadable(layer: Part) -> list[Fault]:
    """Return what is wrong with a layer's regularizers, constraints and initializers."""
    found: list[Fault] = []
    for name, value in layer.kwargs.items():
        if name.endswith(_NESTED) and isinstance(value, str | dict):
            inner = None if layer.kwargs_at is None else (*layer.kwargs_at, name)
            try:
                read_part(value, inner or layer.path)
            except ConfigError as error:
                found += error.faults
    return found


def _read_string(text: str, path: Path) -> Part:
    if not is_expression(text):
        return _allowed(Part(name=text, path=path))
    try:
        calls = parse(text)
    except ConfigError as error:
        raise ConfigError.at(path, str(error)) from None
    call = calls[0]
    if len(calls) > 1 or call.weight != 1:
        raise ConfigError.at(
            path, f"{shown(text)} is a sum, and only losses can be added. {_FORMS}"
        )
    return _allowed(Part(name=call.name, args=call.args, kwargs=call.kwargs, path=path))


def _named(name: Any, kwargs: Any, path: Path, at: Path) -> Part:
    if not isinstance(name, str) or not name:
        raise ConfigError.at(path, f"A name must be a string, got {shown(name)}. {_FORMS}")
    if not isinstance(kwargs, Mapping) or not all(isinstance(name, str) for name in kwargs):
        raise ConfigError.at(
            at,
            f"The arguments of {name!r} must be a mapping from names to values, "
            f"got {shown(kwargs)}.",
        )
    return _allowed(Part(name=name, kwargs=dict(kwargs), path=path, kwargs_at=at))


def _allowed(part: Part) -> Part:
    """Return a part, unless it would run a program."""
    reason = _REFUSED.get(key(part.name)) if len(part.name) <= MAX_LENGTH else None
    if reason is not None:
        raise ConfigError.at(
            part.path, f"A config can't have {part.name!r}: {reason}. Build that model in Python."
        )
    return part
