"""What Keras exports for a model, by name. A config can name nothing else."""

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Any

from ..config import REFUSED, Part
from ..errors import ConfigError
from ..lazy import keras
from ..loss import MAX_LENGTH, canonical, did_you_mean, key, shown
from .arguments import Kind

# Where Keras exports each kind, and its base class.
_PLACES: dict[Kind, tuple[str, str]] = {
    "layer": ("layers", "Layer"),
    "regularizer": ("regularizers", "Regularizer"),
    "constraint": ("constraints", "Constraint"),
    "initializer": ("initializers", "Initializer"),
    "activation": ("activations", ""),
    "optimizer": ("optimizers", "Optimizer"),
    "schedule": ("optimizers.schedules", "LearningRateSchedule"),
    "metric": ("metrics", "Metric"),
}

_SHORT_LIST = 20  # names in one message


@functools.cache
def known(kind: Kind) -> Mapping[str, Any]:
    """Return what Keras exports of a kind, by name."""
    namespace, base = _namespace(kind), _PLACES[kind][1]
    if kind == "activation":
        return {
            name: value
            for name, value in vars(namespace).items()
            if inspect.isfunction(value) and name not in ("get", "serialize", "deserialize")
        }
    root = getattr(namespace, base)
    found: dict[str, Any] = {
        name: value
        for name, value in vars(namespace).items()
        if inspect.isclass(value)
        and issubclass(value, root)
        and value is not root
        and name != "Wrapper"
        and name not in REFUSED
    }
    if kind == "layer":
        found["Input"] = namespace.Input
    if kind == "metric":
        # Mean and Sum take values, not labels and predictions.
        takes = {name: inspect.signature(each.update_state) for name, each in found.items()}
        found = {name: found[name] for name in found if "y_pred" in takes[name].parameters}
    return found


def _namespace(kind: Kind) -> Any:
    return functools.reduce(getattr, _PLACES[kind][0].split("."), keras)


@functools.cache
def by_key(kind: Kind) -> Mapping[str, Any]:
    """Return what Keras exports of a kind, by the folded name."""
    return {key(name): value for name, value in known(kind).items()}


def find(kind: Kind, part: Part) -> Any:
    """Return the class or function of Keras that a part names.

    Raises:
        ConfigError: Keras exports none of this kind and name, or a config can't have it.
    """
    where = f"keras.{_PLACES[kind][0]}"
    # Keras takes a layer for an activation too.
    others = ("keras.layers",) if kind == "activation" else ()
    if part.module not in (None, "keras", where, *others):
        raise ConfigError.at(
            part.path, f"A config can't name code: module {shown(part.module)} isn't {where!r}."
        )
    folded = key(part.name) if len(part.name) <= MAX_LENGTH else ""
    found = by_key(kind).get(folded) or _short(kind, folded)
    if found is not None:
        return found
    # One spelling of each: Keras exports L1 and l1.
    names = sorted({key(name): name for name in known(kind)}.values())
    near = did_you_mean(part.name, names)
    if kind == "layer" and folded in by_key("activation"):
        near = f" It is an activation: write {{'Activation': {{'activation': {part.name!r}}}}}."
    offered = f"The documentation of {where} lists all."
    if len(names) <= _SHORT_LIST:
        offered = f"{where} has {', '.join(names)}."
    message = f"There is no {kind} {shown(part.name)}."
    if kind == "schedule":
        message = f"A learning rate must be a number or a schedule, got {shown(part.name)}."
    raise ConfigError.at(part.path, f"{message}{near} {offered}")


def _short(kind: Kind, folded: str) -> Any:
    """Return what Keras itself finds under a short name, such as 'mse', or None."""
    if kind not in ("metric", "initializer") or not folded.isidentifier():
        return None
    # A name that the program has registered with Keras means the program's own code.
    if keras.saving.get_registered_object(folded) is not None:
        return None
    try:
        made = type(_namespace(kind).get(folded))
    except (ValueError, TypeError):
        return None
    return made if made in known(kind).values() else None


def own_name(kind: Kind, part: Part) -> str:
    """Return the name that Keras gives to the first object of a class: `max_pooling2d`."""
    target = find(kind, part)
    if target is keras.layers.Input:
        return "input_layer"
    named = inspect.signature(target.__init__).parameters.get("name")
    # A metric has its name there: "logcosh", where its class is LogCoshError.
    if named is not None and isinstance(named.default, str):
        return named.default
    # Keras' names end as its classes do: conv2d, not conv2_d.
    return re.sub("([123])_d", r"\1d", canonical(target.__name__))
