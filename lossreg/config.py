"""Losses as data: what a mapping says, as a name, parameters and options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ConfigError
from .params import OPTIONS

# Where Keras says that its own losses, and ours, come from.
_MODULES = (None, "builtins", "keras", "keras.losses", "lossreg.keras_loss")


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """A loss by name, with what to build it from."""

    name: str
    params: Mapping[str, Any]
    options: Mapping[str, Any]


def from_keras(config: Mapping[str, Any]) -> LossConfig:
    """Return what a mapping that Keras wrote says.

    It can name registered losses only: the module in it is compared, never imported.

    Args:
        config: `class_name` and `config`, as `keras.losses.serialize` returns them.

    Raises:
        ConfigError: It has another form, or it names code outside Keras.
    """
    name, inner = config.get("class_name"), config.get("config", {})
    if name == "function":
        # Keras writes the function form so: {"class_name": "function", "config": "huber"}.
        name, inner = inner, {}
    if not isinstance(name, str) or not _is_mapping_of_names(inner):
        raise ConfigError(
            f"This mapping describes no loss: {dict(config)!r}. Give a name, such as 'huber', or "
            "what keras.losses.serialize returns: {'class_name': 'Huber', 'config': {'delta': 2}}."
        )
    if config.get("module") not in _MODULES:
        raise ConfigError(
            f"A config can't name code: module {config['module']!r} is neither Keras nor lossreg. "
            f"Register {name!r} with lossreg.register, or install the package that offers it, "
            "and give its name."
        )
    if name in ("RegisteredLoss", "lossreg>RegisteredLoss"):
        name, params = inner.get("loss"), inner.get("params", {})
        known = {"loss", "version", "params", *OPTIONS}
        if not isinstance(name, str) or not _is_mapping_of_names(params) or set(inner) - known:
            raise ConfigError(f"This is no config of a registered loss: {dict(inner)!r}.")
        inner = {**params, **{key: inner[key] for key in OPTIONS if key in inner}}
    return LossConfig(
        name=name,
        params={key: value for key, value in inner.items() if key not in OPTIONS},
        options={key: value for key, value in inner.items() if key in OPTIONS},
    )


def _is_mapping_of_names(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
