"""A loss config in normal form, and the reader that collects the faults of a config."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError, Fault, Path
from ..loss import OPTIONS, Schedule, did_you_mean, is_finite, option_faults, shown
from .expression import is_expression, parse_schedule

MOST_LOSSES = 1000
"""The most losses in one config, those of all outputs; each is an object of Keras."""

# Keys that some mappings have and others don't, and that no loss has as a parameter.
_OF_TERMS = ("weight", "field", "options", "sum", "outputs")

FORMS = (
    "Give a name, such as 'huber'; a call or a sum, such as 'dice + 0.5 * focal(gamma=2)'; "
    "{'name': 'huber', 'params': {'delta': 2}}; a list of these, to add; "
    "{'outputs': {...}} with a loss for each; or what keras.losses.serialize returns."
)


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss by name, with its parameters and its weight in a sum.

    Args:
        name: The loss, in any spelling.
        args: Parameters by position.
        params: Parameters by name.
        weight: What the loss is multiplied by, which may change during training.
        field: The one of several label tensors that it takes.
        name_at: The place of the name in the config.
        params_at: The place of the parameters; None where they are in the string of the name.
        version: The version of the package that a saved loss came from.
    """

    name: str
    args: tuple[Any, ...] = ()
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weight: float | Schedule = 1.0
    field: str | None = None
    name_at: Path = dataclasses.field(default=(), compare=False)
    params_at: Path | None = dataclasses.field(default=None, compare=False)
    version: Any = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class LossTerms:
    """The config of one loss in normal form: its terms, mostly one, and Keras' options."""

    terms: tuple[Term, ...]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


Terms = LossTerms | dict[str, LossTerms | None]
"""One loss, or a loss for each output of a model; None for an output without a loss."""


def unknown_key(config: Mapping[str, Any], key: Any, known: Sequence[str]) -> str:
    """Return the message for a key that isn't known, with the place for it if it has one.

    >>> unknown_key({"name": "focal", "gamma": 2}, "gamma", ["name", "params"]).partition(". ")[2]
    'If it is a parameter, put it into params: {name: focal, params: {gamma: 2}}'
    """
    message = f"The key {shown(key)} isn't one of {', '.join(known)}."
    if not isinstance(key, str):
        return message
    if near := did_you_mean(key, known):
        return message + near
    place, when = "params", "If it is a parameter, put"
    if key in OPTIONS:
        place, when = "options", "Put"
    name = config.get("name")
    if place not in known or key in _OF_TERMS or not isinstance(name, str):
        return message
    others = "..., " if config.get(place) else ""
    inner = f"{{{others}{key}: {shown(config[key])}}}"
    return f"{message} {when} it into {place}: {{name: {name}, {place}: {inner}}}"


class Reading:
    """Reads parts of a config, and collects their faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add_fault(self, at: Path, message: str, *, at_key: bool = False) -> None:
        """Add a fault."""
        self.faults.append(Fault(path=at, message=message, at_key=at_key))

    def check_keys(self, config: Mapping[str, Any], at: Path, known: Sequence[str]) -> None:
        """Add a fault for each key that isn't known."""
        for key in config:
            if key not in known:
                # A program's mapping may have any key.
                name = key if isinstance(key, str) else shown(key)
                self.add_fault((*at, name), unknown_key(config, key, known), at_key=True)

    def read_term(self, config: Mapping[str, Any], at: Path, key: str = "name") -> tuple[Term, ...]:
        """Return the term of a mapping, or none if its name, under a key, can't be read."""
        name, params = config.get(key), config.get("params", {})
        weight = self.read_weight(config.get("weight", 1.0), (*at, "weight"))
        field = config.get("field")
        if not isinstance(field, str | None):
            message = f"'field' must be the name of a label tensor, got {shown(field)}."
            self.add_fault((*at, "field"), message)
        if not isinstance(name, str):
            problem = f"got {shown(name)}" if key in config else "and is missing"
            self.add_fault((*at, key), f"{key!r} must be the name of a loss, {problem}.")
        elif is_expression(name):
            self.add_fault(
                (*at, key),
                f"{key!r} must be a name alone, got {shown(name)}. Give parameters under "
                "'params', or give a call or a sum as a string, without the mapping around it.",
            )
            name = None
        if not is_mapping_of_names(params):
            message = f"'params' must map names to values, got {shown(params)}."
            self.add_fault((*at, "params"), message)
            params = {}
        if not isinstance(name, str):
            return ()
        term = Term(
            name=name,
            params=dict(params),
            weight=weight,
            field=field,
            name_at=(*at, key),
            params_at=(*at, "params"),
            version=config.get("version"),
        )
        return (term,)

    def read_weight(self, weight: Any, at: Path) -> float | Schedule:
        """Return the weight of a term: a number, or a schedule from a string."""
        try:
            schedule = parse_schedule(weight) if isinstance(weight, str) else None
        except ConfigError as error:
            self.add_fault(at, str(error))
            return 1.0
        if schedule is not None:
            return schedule
        if not is_finite(weight):
            self.add_fault(at, f"'weight' must be a finite number, got {shown(weight)}.")
            return 1.0
        return float(weight)

    def read_list(
        self, entries: Any, at: Path, read_entry: Callable[[Any, Path], tuple[Term, ...]]
    ) -> tuple[Term, ...]:
        """Return the terms of a list of losses, each entry read by a function."""
        if isinstance(entries, str | bytes) or not isinstance(entries, Sequence):
            self.add_fault(at, f"'sum' must be a list of losses, got {shown(entries)}.")
            return ()
        if not entries:
            self.add_fault(at, "An empty list isn't a loss. Give at least one loss.")
        read = [read_entry(entry, (*at, index)) for index, entry in enumerate(entries)]
        return tuple(term for terms in read for term in terms)

    def read_options(self, options: Any, at: Path) -> dict[str, Any]:
        """Return Keras' options."""
        if not is_mapping_of_names(options):
            names = ", ".join(OPTIONS)
            self.add_fault(at, f"'options' must map {names} to values, got {shown(options)}.")
            return {}
        for option, message in option_faults(options).items():
            self.add_fault((*at, option), message, at_key=option not in OPTIONS)
        return dict(options)


def is_mapping_of_names(value: Any) -> bool:
    """Return whether a value is a mapping whose keys are strings."""
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
