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
├── ConfigError (ValueError)            a config that describes no loss or no model
├── SpecError (ValueError)              a loss that its package describes wrongly
├── RegistrationError (ValueError)      a name that is taken
├── ShapeError (ValueError)             labels that don't fit the predictions
├── DataError (ValueError)              data that don't fit the loss
└── WeightError (ValueError)            weights for a loss that can't take them

PluginWarning (UserWarning)             a plugin that doesn't work as it says
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .fault import Fault


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
    """Parameters that the loss doesn't know, or values that it doesn't allow.

    Args:
        message: What is wrong.
        faults: What is wrong with each parameter by itself, where that is known.
    """

    def __init__(self, message: str, faults: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.faults = dict(faults or {})


class ConfigError(LossregError, ValueError):
    """A config that describes no registered loss, or no model.

    Args:
        message: What is wrong.
        faults: Each thing that is wrong, with its place, where there are places.
    """

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class SpecError(LossregError, ValueError):
    """A loss whose spec, signature or target breaks the rules for plugins."""


class RegistrationError(LossregError, ValueError):
    """A name that another loss has already taken."""


class ShapeError(LossregError, ValueError):
    """Labels and predictions whose shapes or values don't belong together.

    Args:
        message: What is wrong.
        fits: The loss that takes them, where there is one.
    """

    def __init__(self, message: str, fits: str | None = None) -> None:
        super().__init__(message)
        self.fits = fits


class DataError(LossregError, ValueError):
    """Data of which `check_data` finds that they don't fit the loss.

    Args:
        message: All findings.
        findings: Each of them, as `check_data` returns them.
    """

    def __init__(self, message: str, findings: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.findings = list(findings)


class WeightError(LossregError, ValueError):
    """Weights or a mask for a loss that has no value per sample."""


class PluginWarning(UserWarning):
    """A plugin that is broken, or says something that isn't so."""
