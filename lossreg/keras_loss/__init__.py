"""A bound loss for Keras: the classes for `compile`, and the functions for training loops.

Keras is imported at the first use of a loss, or at the first access to one of the classes.
"""

from typing import TYPE_CHECKING, Any

from .forms import Registry, get_loss, get_loss_fn

if TYPE_CHECKING:
    from .loss import RegisteredFunction, RegisteredLoss, RegisteredSum


def __getattr__(name: str) -> Any:
    if name not in ("RegisteredFunction", "RegisteredLoss", "RegisteredSum"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import loss

    return getattr(loss, name)
