"""Any Keras loss by name: checked, documented and saveable.

`get_loss("focal", gamma=2)` returns a `keras.losses.Loss`, whichever installed
package offers it. Importing lossreg imports no Keras.
"""

from .api import bind, get_loss, get_loss_fn, list_losses, plugins, refresh, register, to_config
from .entry import BoundLoss, BoundSum
from .errors import (
    AmbiguousLossError,
    BlockedPluginError,
    BrokenPluginError,
    ConfigError,
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
from .registry import Registry
from .spec import LossSpec

__all__ = [
    "AmbiguousLossError",
    "BlockedPluginError",
    "BoundLoss",
    "BoundSum",
    "BrokenPluginError",
    "ConfigError",
    "LossLookupError",
    "LossNameError",
    "LossSpec",
    "LossregError",
    "NotInstalledError",
    "NotRegisteredError",
    "ParameterError",
    "PluginWarning",
    "RegistrationError",
    "Registry",
    "ShapeError",
    "SpecError",
    "UnknownLossError",
    "WeightError",
    "bind",
    "get_loss",
    "get_loss_fn",
    "hookimpl",
    "list_losses",
    "plugins",
    "refresh",
    "register",
    "to_config",
]
