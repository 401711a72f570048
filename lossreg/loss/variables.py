"""Weights in a loss, which nothing would train, and Keras' classes by their names.

Nothing here imports Keras: an object of a Keras class exists only where Keras is imported.
"""

import functools
import inspect
from collections.abc import Mapping
from typing import Any

NO_WEIGHTS = (
    "Keras trains no weights of a loss, and on JAX a variable in a loss keeps its first value, "
    "both without a word. Put them into a layer at the end of the model, and let the loss take "
    "that layer's output."
)
"""What to do about weights in a loss."""

# The variables of TensorFlow and torch, by their classes.
_VARIABLES = {"ResourceVariable", "MirroredVariable", "Parameter"}


def find_variable(made: Any) -> str | None:
    """Return the name under which a function or an object holds a variable or a layer, or None."""
    for name, value in _held(made).items():
        kind = type(value)
        if keras_bases(kind) & {"Layer", "Variable"} or kind.__name__ in _VARIABLES:
            return name
    return None


def keras_bases(kind: type) -> set[str]:
    """Return the names of the Keras classes that a class inherits from."""
    return {b.__name__ for b in kind.__mro__ if b.__module__.partition(".")[0] == "keras"}


def _held(made: Any) -> Mapping[str, Any]:
    """Return what a function or an object holds, by name."""
    if isinstance(made, functools.partial):
        return {**_held(made.func), **made.keywords}
    if inspect.isfunction(made):
        found = inspect.getclosurevars(made)
        return {**found.globals, **found.nonlocals}
    # A tf.function has the function in it.
    wrapped = getattr(made, "__wrapped__", None)
    return _held(wrapped) if inspect.isfunction(wrapped) else getattr(made, "__dict__", {})
