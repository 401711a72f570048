"""Any Keras loss by name: checked, documented and saveable.

`get_loss("focal", gamma=2)` returns a `keras.losses.Loss`, whichever installed
package offers it. Importing lossreg imports no Keras.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .api import bind, get_loss, get_loss_fn, list_losses, plugins, refresh, register, to_config
from .entry import BoundLoss, BoundSum
from .errors import (
    AmbiguousLossError,
    BlockedPluginError,
    BrokenPluginError,
    ConfigError,
    DataError,
    LossLookupError,
    LossNameError,
    LossregError,
    NotInstalledError,
    NotRegisteredError,
    ParameterError,
    PluginWarning,
    RegistrationError,
    ShapeError,
    SpecError,
    UnknownLossError,
    WeightError,
)
from .hookspec import hookimpl
from .loss_config import LossConfig
from .registry import Registry
from .spec import LossSpec

if TYPE_CHECKING:
    from .builder.checks.data_check import DataCheck
    from .builder.checks.findings import Finding, check_data
    from .builder.model import build_model
    from .builder.objective.report import Objective, objective

# What needs Keras or pydantic, imported at its first use.
_LATE = {
    "DataCheck": ".builder.checks.data_check",
    "Finding": ".builder.checks.findings",
    "Objective": ".builder.objective.report",
    "build_model": ".builder.model",
    "check_data": ".builder.checks.findings",
    "objective": ".builder.objective.report",
}

__all__ = [
    "AmbiguousLossError",
    "BlockedPluginError",
    "BoundLoss",
    "BoundSum",
    "BrokenPluginError",
    "ConfigError",
    "DataCheck",
    "DataError",
    "Finding",
    "LossConfig",
    "LossLookupError",
    "LossNameError",
    "LossSpec",
    "LossregError",
    "NotInstalledError",
    "NotRegisteredError",
    "Objective",
    "ParameterError",
    "PluginWarning",
    "RegistrationError",
    "Registry",
    "ShapeError",
    "SpecError",
    "UnknownLossError",
    "WeightError",
    "bind",
    "build_model",
    "check_data",
    "get_loss",
    "get_loss_fn",
    "hookimpl",
    "list_losses",
    "objective",
    "plugins",
    "refresh",
    "register",
    "to_config",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_LATE[name], __name__), name)
    # The next access is as fast as one to any other name.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
