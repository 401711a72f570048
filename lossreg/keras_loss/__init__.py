"""A bound loss for Keras: the classes for `compile`, and the functions for training loops.

Keras is imported at the first use of a loss, or at the first access to one of the classes.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .forms import Registry, get_loss, get_loss_fn

if TYPE_CHECKING:
    from .function import RegisteredFunction
    from .loss import RegisteredLoss, RegisteredSum
    from .memory import RememberingModel, compile  # noqa: A004 - the name of Keras' own method


SAVED_CLASSES = {
    "RegisteredFunction": "function",
    "RegisteredLoss": "loss",
    "RegisteredSum": "loss",
    "RememberingModel": "memory",
}
"""The classes that saved files name, and the module of each."""

_MODULES = SAVED_CLASSES | {"compile": "memory"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
