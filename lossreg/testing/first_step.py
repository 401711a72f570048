"""A loss with memory as it is in the first step of training: a plain one, for the checks."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..errors import SpecError
from ..lazy import keras, ops
from ..loss import Entry, State
from .results import NotApplicableError


def at_first_step(entry: Entry) -> Entry | None:
    """Return an entry whose loss has its memory at the first values, or None.

    There is none where the loss takes other inputs or several label tensors.
    """
    memory = entry.signature.memory
    if not memory:
        return entry
    others = [each for each in memory.inputs.values() if not isinstance(each, State)]
    if others or memory.fields or memory.takes_hidden:
        # Those that depend on a parameter are None without it.
        plain = all(each.when is not None for each in memory.inputs.values())
        return entry if plain and not memory.fields and not memory.takes_hidden else None
    if all(state.when is not None for state in memory.states.values()):
        return entry
    target = _first_step(entry)
    return replace(entry, load=lambda: target)


def _first_step(entry: Entry) -> Callable[..., Any]:
    target, memory = entry.target, entry.signature.memory

    @functools.wraps(target)
    def values(y_true: Any, y_pred: Any, **params: Any) -> Any:
        known = {
            "classes": y_pred.shape[entry.spec.class_axis(params)],
            "dimensions": y_pred.shape[-1],
            **params,
        }
        # As precise as the values, for a check of the gradient.
        wide = keras.backend.standardize_dtype(y_pred.dtype) == "float64"
        dtype = "float64" if wide else "float32"
        found = memory.with_params(params)
        try:
            states = {
                name: ops.full(state.sizes(known), state.initial, dtype)
                for name, state in found.states.items()
            }
        except SpecError as error:
            raise NotApplicableError(f"{error}") from None
        result = target(y_true, y_pred, **states, **params)
        return result[0] if found.kept else result

    signature = inspect.signature(target)
    kept = [p for p in signature.parameters.values() if p.name not in memory.inputs]
    values.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]  # Python reads it
    return values
