"""The conformance kit: what every loss promises its users, checked by running the losses.

A package's tests call `loss_checks`, and `lossreg check` calls `run_checks`. Importing the kit
imports no Keras; running a check does.
"""

from .backend import value_and_gradient
from .lean_import import import_keras_lean
from .results import ConformanceError, Result
from .run import loss_checks, run_checks
from .samples import Example

__all__ = [
    "ConformanceError",
    "Example",
    "Result",
    "import_keras_lean",
    "loss_checks",
    "run_checks",
    "value_and_gradient",
]
