"""Losses as data: what a text, a mapping or a list says of a loss.

Every form can name registered losses only; none can name code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NoReturn

from . import expression
from .annotations import plain
from .errors import ConfigError
from .names import did_you_mean
from .params import OPTIONS

# Where Keras says that its own losses, and ours, come from.
_MODULES = (None, "builtins", "keras", "keras.losses", "lossreg.keras_loss", "lossreg.keras_sum")

_FORMS = (
    "Give a name, such as 'huber'; a call or a sum, such as 'dice + 0.5 * focal(gamma=2)'; "
    "{'name': 'huber', 'params': {'delta': 2}}; or what keras.losses.serialize returns."
)


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss by name, with its parameters and its weight in a sum."""

    name: str
    args: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What a config says: the terms of a loss, mostly one, and Keras' options."""

    terms: tuple[Term, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


def is_expression(text: str) -> bool:
    """Return whether a text is more than a name.

    >>> is_expression("huber"), is_expression("huber(delta=2)"), is_expression("mse + mae")
    (False, True, True)
    """
    return any(sign in text for sign in "()+*'\"")


def read(config: str | Mapping[str, Any] | Sequence[Any]) -> LossConfig:
    """Return what a config says of a loss.

    Args:
        config: A name, an expression, a mapping (`name`, `params`, `options`; `sum`,
            `options`; or what Keras writes), or a list of losses to add, each of
            which may have a `weight`.

    Raises:
        ConfigError: It describes no loss.
    """
    if isinstance(config, str):
        return LossConfig(terms=_read_text(config))
    if not isinstance(config, Mapping):
        return LossConfig(terms=_read_terms(config))
    if "class_name" in config:
        return _read_keras(config)
    options = config.get("options", {})
    if not _is_mapping_of_names(options) or set(options) - set(OPTIONS):
        _refuse(config, f"'options' must map {', '.join(OPTIONS)} to values")
    if "sum" in config:
        _check_keys(config, ("sum", "options"))
        terms = config["sum"]
        if isinstance(terms, str) or not isinstance(terms, Sequence):
            _refuse(config, "'sum' must be a list of losses")
        return LossConfig(terms=_read_terms(terms), options=dict(options))
    _check_keys(config, ("name", "params", "options"))
    return LossConfig(terms=(_read_term(config),), options=dict(options))


def _read_text(text: str) -> tuple[Term, ...]:
    if not is_expression(text):
        return (Term(name=text),)
    return tuple(
        Term(name=call.name, args=call.args, params=call.kwargs, weight=call.weight)
        for call in expression.parse(text)
    )


def _read_terms(entries: Sequence[Any]) -> tuple[Term, ...]:
    terms: list[Term] = []
    for entry in entries:
        if isinstance(entry, str):
            terms += _read_text(entry)
        elif isinstance(entry, Mapping):
            # A term takes no options: a sum has one name, one reduction and one dtype.
            _check_keys(entry, ("name", "params", "weight"))
            terms.append(_read_term(entry))
        else:
            raise ConfigError(f"A list of losses can't hold {entry!r}. {_FORMS}")
    if not terms:
        raise ConfigError(f"An empty list describes no loss. {_FORMS}")
    return tuple(terms)


def _read_term(config: Mapping[str, Any]) -> Term:
    name, params = config.get("name"), config.get("params", {})
    weight = plain(config.get("weight", 1.0))
    if not isinstance(name, str):
        _refuse(config, f"'name' must be the name of a loss, got {name!r}")
    if not _is_mapping_of_names(params):
        _refuse(config, f"'params' must map names to values, got {params!r}")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not isfinite(weight):
        _refuse(config, f"'weight' must be a finite number, got {weight!r}")
    return Term(name=name, params=dict(params), weight=float(weight))


def _read_keras(config: Mapping[str, Any]) -> LossConfig:
    """Return what a mapping that Keras wrote says; the module in it is never imported."""
    name, inner = config.get("class_name"), config.get("config", {})
    if name == "function":
        # Keras writes the function form so: {"class_name": "function", "config": "huber"}.
        name, inner = inner, {}
    if not isinstance(name, str) or not _is_mapping_of_names(inner):
        _refuse(config, "'class_name' must be a text, and 'config' a mapping")
    if config.get("module") not in _MODULES:
        raise ConfigError(
            f"A config can't name code: module {config['module']!r} is neither Keras nor lossreg. "
            f"Register {name!r} with lossreg.register, or install the package that offers it, "
            "and give its name."
        )
    if name.removeprefix("lossreg>") in ("RegisteredLoss", "RegisteredSum"):
        return _read_saved(inner)
    params = {key: value for key, value in inner.items() if key not in OPTIONS}
    options = {key: value for key, value in inner.items() if key in OPTIONS}
    return LossConfig(terms=(Term(name=name, params=params),), options=options)


def _read_saved(config: Mapping[str, Any]) -> LossConfig:
    """Return what `get_config` of a registered loss or sum wrote."""
    options = {key: value for key, value in config.items() if key in OPTIONS}
    rest = {key: value for key, value in config.items() if key not in OPTIONS}
    entries = rest.get("sum", [rest])
    for entry in entries if isinstance(entries, list | tuple) else [entries]:
        known = isinstance(entry, Mapping) and set(entry) <= {"loss", "version", "params", "weight"}
        known = known and isinstance(entry.get("loss"), str)
        if not known or (rest is not entry and set(rest) != {"sum"}):
            raise ConfigError(f"This is no config of a registered loss: {dict(config)!r}.")
    renamed = [{**entry, "name": entry.get("loss")} for entry in entries]
    return LossConfig(terms=tuple(map(_read_term, renamed)), options=options)


def _check_keys(config: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in config:
        if key not in known:
            near = did_you_mean(str(key), known)
            _refuse(config, f"it has the key {key!r}, which isn't one of {', '.join(known)}.{near}")


def _refuse(config: Mapping[str, Any], problem: str) -> NoReturn:
    raise ConfigError(
        f"This mapping describes no loss: {dict(config)!r}: {problem.rstrip('.')}. {_FORMS}"
    )


def _is_mapping_of_names(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
