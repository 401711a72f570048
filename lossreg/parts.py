"""What a config says of one thing of Keras: a layer, a regularizer, an optimizer.

    l2(0.01)                         a name, or a call as a loss has it
    Dense: {units: 64}               a mapping of the name to its arguments
    {name: Dense, params: {...}}     the same, spelled as a loss is
    {class_name: ..., config: ...}   what Keras writes

Nothing here knows what Keras has; `builder` does.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import expression
from .errors import ConfigError
from .expression import is_expression
from .fault import Fault, Path
from .names import MAX_LENGTH, did_you_mean, key, shown

NESTED = ("regularizer", "constraint", "initializer")
"""How an argument of a layer ends that is a part itself: `kernel_regularizer`."""

REFUSED = {
    "Lambda": "it runs a function",
    "TFSMLayer": "it runs a program that TensorFlow saved",
    "TorchModuleWrapper": "it runs a module of PyTorch",
    "JaxLayer": "it runs a function of JAX",
    "FlaxLayer": "it runs a module of Flax",
    "MeanMetricWrapper": "it runs a function",
    "MultiOptimizer": "it takes objects of Python",
}
"""What Keras exports and a config, which is data, can't name, each with the reason."""

FILES = ("vocabulary", "idf_weights", "filepath")
"""Arguments of which Keras reads a text as the path of a file or the address of a program."""

_REFUSED = {key(name): reason for name, reason in REFUSED.items()}
_SPELLED = {"name": "params", "class_name": "config"}
_FORMS = (
    "Give a name, such as 'Flatten', 'adam' or 'AUC'; a call, such as 'Dense(64)' or 'l2(0.01)'; "
    "or {name: {...}}."
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """A name with arguments, and where they stand in the config.

    Args:
        name: What Keras exports, in any spelling.
        args: Arguments by position.
        kwargs: Arguments by name.
        path: Where the part stands.
        kwargs_at: Where its arguments by name stand; None where they are in a text.
        module: Where Keras says that it comes from, if Keras wrote it. It is compared and
            never imported.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    path: Path = ()
    kwargs_at: Path | None = None
    module: str | None = None

    def at(self, path: Path) -> "Part":
        """Return the part as one that stands within a larger config."""
        inner = None if self.kwargs_at is None else (*path, *self.kwargs_at)
        return dataclasses.replace(self, path=(*path, *self.path), kwargs_at=inner)


def read(value: Any, path: Path = ()) -> Part:
    """Return what a config says of one part.

    >>> read("l1_l2(0.01, l2=0.02)").kwargs
    {'l2': 0.02}
    >>> read({"Dense": {"units": 64}}, ("model", 1)).kwargs_at
    ('model', 1, 'Dense')

    Raises:
        ConfigError: It has none of the forms.
    """
    if isinstance(value, str):
        return _read_text(value, path)
    if not isinstance(value, Mapping) or not value or not all(isinstance(k, str) for k in value):
        raise _fault(path, f"{shown(value)} names no part of a model. {_FORMS}")
    spelled = next((word for word in _SPELLED if word in value), None)
    if spelled is None:
        if len(value) > 1:
            keys = ", ".join(map(shown, value))
            raise _fault(
                path, f"One part has one name, got {keys}. Begin each with '- ' in a list."
            )
        ((name, kwargs),) = value.items()
        # `- Flatten:` has nothing behind the colon.
        return _named(name, {} if kwargs is None else kwargs, path, (*path, name))
    inner = _SPELLED[spelled]
    of_keras = ("module", "registered_name", "build_config") if spelled == "class_name" else ()
    known = (spelled, inner, *of_keras)
    unknown = next((each for each in value if each not in known), None)
    if unknown is not None:
        near = did_you_mean(unknown, known)
        said = f"The key {shown(unknown)} isn't one of {', '.join(known)}.{near}"
        raise _fault((*path, unknown), said, at_key=True)
    part = _named(value[spelled], value.get(inner, {}), path, (*path, inner))
    return dataclasses.replace(part, module=value.get("module"))


def read_each(value: Any, at: Path = ()) -> tuple[list[Part | None], list[Fault]]:
    """Return a list of parts, None for each that can't be read, and what is wrong with those.

    Args:
        value: A list, or one part alone.
        at: Where it stands.
    """
    found: list[Part | None] = []
    faults: list[Fault] = []
    for index, entry in enumerate(value if isinstance(value, list) else [value]):
        try:
            part = read(entry, (*at, index) if isinstance(value, list) else at)
        except ConfigError as error:
            found.append(None)
            faults += error.faults
        else:
            found.append(part)
            faults += _unreadable(part)
    return found, faults


def by_output(metrics: Any) -> bool:
    """Return whether metrics are a mapping of outputs to theirs, and not one metric."""
    return isinstance(metrics, dict) and not metrics.keys() & {"name", "class_name"}


def _unreadable(layer: Part) -> list[Fault]:
    """Return what can't be read among a layer's regularizers, constraints and initializers."""
    found: list[Fault] = []
    for name, value in layer.kwargs.items():
        if name.endswith(NESTED) and isinstance(value, str | dict):
            inner = None if layer.kwargs_at is None else (*layer.kwargs_at, name)
            try:
                read(value, inner or layer.path)
            except ConfigError as error:
                found += error.faults
    return found


def _read_text(text: str, path: Path) -> Part:
    if not is_expression(text):
        return _allowed(Part(name=text, path=path))
    try:
        calls = expression.parse(text)
    except ConfigError as error:
        raise _fault(path, str(error)) from None
    call = calls[0]
    if len(calls) > 1 or call.weight != 1:
        raise _fault(path, f"{shown(text)} is a sum, and only losses can be added. {_FORMS}")
    return _allowed(Part(name=call.name, args=call.args, kwargs=call.kwargs, path=path))


def _named(name: Any, kwargs: Any, path: Path, at: Path) -> Part:
    if not isinstance(name, str) or not name:
        raise _fault(path, f"A name must be a text, got {shown(name)}. {_FORMS}")
    if not isinstance(kwargs, Mapping) or not all(isinstance(name, str) for name in kwargs):
        said = f"The arguments of {name!r} must map names to values, got {shown(kwargs)}."
        raise _fault(at, said)
    return _allowed(Part(name=name, kwargs=dict(kwargs), path=path, kwargs_at=at))


def _allowed(part: Part) -> Part:
    """Return a part, unless it would run a program."""
    reason = _REFUSED.get(key(part.name)) if len(part.name) <= MAX_LENGTH else None
    if reason is not None:
        said = f"A config can't have {part.name!r}: {reason}. Build that model in Python."
        raise _fault(part.path, said)
    return part


def _fault(path: Path, message: str, *, at_key: bool = False) -> ConfigError:
    return ConfigError(message, [Fault(path=path, message=message, at_key=at_key)])
