"""Every exception and warning that lossreg raises.

LossregError
├── LossNameError (ValueError)          a text that can't be a loss's name
├── LossLookupError (LookupError)       a legal name that gives no loss
│   ├── UnknownLossError                    nobody offers it
│   ├── AmbiguousLossError                  several packages offer it
│   ├── NotInstalledError                   a package that isn't installed offers it
│   ├── NotRegisteredError                  a loss of the process that saved it
│   ├── BrokenPluginError                   its package is installed, and fails
│   └── BlockedPluginError                  its package is installed, and may not load
├── ParameterError (TypeError, ValueError)  parameters that a loss doesn't take
├── ConfigError (ValueError)            a mapping that describes no loss
├── SpecError (ValueError)              a loss that its package describes wrongly
├── RegistrationError (ValueError)      a name that is taken
├── ShapeError (ValueError)             labels that don't fit the predictions
└── WeightError (ValueError)            weights for a loss that can't take them

PluginWarning (UserWarning)             a plugin that doesn't work as it says
"""


class LossregError(Exception):
    """The base of every error that lossreg raises."""


class LossNameError(LossregError, ValueError):
    """A text that can't be the name of a loss, whatever is installed."""


class LossLookupError(LossregError, LookupError):
    """A legal name that doesn't lead to exactly one working loss."""


class UnknownLossError(LossLookupError):
    """No installed package offers a loss of this name, and no known one does."""


class AmbiguousLossError(LossLookupError):
    """Several installed packages offer a loss of this name."""


class NotInstalledError(LossLookupError):
    """A package offers this loss and isn't installed here."""


class NotRegisteredError(LossLookupError):
    """A loss that `lossreg.register` added in another process."""


class BrokenPluginError(LossLookupError):
    """An installed package offers this loss and doesn't work; see the cause."""


class BlockedPluginError(LossLookupError):
    """A package offers this loss, and `LOSSREG_PLUGINS` or `LOSSREG_BLOCK` leaves it out."""


class ParameterError(LossregError, TypeError, ValueError):
    """Parameters that the loss doesn't know, or values that it doesn't allow."""


class ConfigError(LossregError, ValueError):
    """A mapping that describes no registered loss."""


class SpecError(LossregError, ValueError):
    """A loss whose spec, signature or target breaks the rules for plugins."""


class RegistrationError(LossregError, ValueError):
    """A name that another loss has already taken."""


class ShapeError(LossregError, ValueError):
    """Labels and predictions whose shapes or values don't belong together."""


class WeightError(LossregError, ValueError):
    """Weights or a mask for a loss that has no value per sample."""


class PluginWarning(UserWarning):
    """A plugin that is broken, or says something that isn't so."""
