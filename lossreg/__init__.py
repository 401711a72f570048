"""Any Keras loss by name: checked, documented and saveable.

`get_loss("focal", gamma=2)` returns a `keras.losses.Loss`, whichever installed
package offers it. Importing lossreg imports no Keras, and little else: each name below
is imported at its first use.
"""

import importlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

from . import lazy

if TYPE_CHECKING:
    from .checks import DataCheck as DataCheck
    from .checks import Finding as Finding
    from .checks import check_data as check_data
    from .config import LossConfig as LossConfig
    from .config import bind as bind
    from .config import to_config as to_config
    from .errors import ConfigError as ConfigError
    from .errors import DataError as DataError
    from .errors import LossregError as LossregError
    from .errors import ParameterError as ParameterError
    from .errors import UnknownLossError as UnknownLossError
    from .keras_loss import Registry as Registry
    from .keras_loss import compile as compile  # noqa: A004 - the name of Keras' own method
    from .keras_loss import get_loss as get_loss
    from .keras_loss import get_loss_fn as get_loss_fn
    from .loss import BoundLoss as BoundLoss
    from .loss import BoundSum as BoundSum
    from .loss import Fields as Fields
    from .loss import LossFunction as LossFunction
    from .loss import LossSpec as LossSpec
    from .loss import Needs as Needs
    from .loss import State as State
    from .loss import hookimpl as hookimpl
    from .model import build_model as build_model
    from .objectives import Objective as Objective
    from .objectives import objective as objective
    from .registry import list_losses as list_losses
    from .registry import plugins as plugins
    from .registry import refresh as refresh
    from .registry import register as register

_HOMES = {
    "checks": ("DataCheck", "Finding", "check_data"),
    "config": ("LossConfig", "bind", "to_config"),
    "errors": ("ConfigError", "DataError", "LossregError", "ParameterError", "UnknownLossError"),
    "keras_loss": ("Registry", "compile", "get_loss", "get_loss_fn"),
    "loss": (
        "BoundLoss",
        "BoundSum",
        "Fields",
        "LossFunction",
        "LossSpec",
        "Needs",
        "State",
        "hookimpl",
    ),
    "model": ("build_model",),
    "objectives": ("Objective", "objective"),
    "registry": ("list_losses", "plugins", "refresh", "register"),
}
_HOME_OF = {name: room for room, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)

# Pickles of version 0.1 name these modules.
for _old, _room in {
    "discovery": "registry",
    "entry": "loss",
    "keras_sum": "keras_loss",
    "local": "registry.local",
    "provider": "loss",
    "spec": "loss",
}.items():
    sys.modules[f"{__name__}.{_old}"] = lazy.LazyModule(f"{__name__}.{_room}")


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
        # The next access is as fast as one to any other name.
        globals()[name] = value
        return value
    errors = importlib.import_module(".errors", __name__)
    if name.startswith("_") or not hasattr(errors, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        f"lossreg.{name} is lossreg.errors.{name} now; the old name goes in version 0.4.",
        DeprecationWarning,
        stacklevel=2,
    )
    return getattr(errors, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


# load_model looks our classes up among those that Keras knows by then, and old names of losses.
# This comes last: where Keras is imported already, it discovers the plugins, which import lossreg.
lazy.import_after_keras("lossreg.keras_loss.saved_names")
