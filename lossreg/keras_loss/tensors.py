"""Labels and predictions as tensors, as the losses of Keras take them.

This module imports Keras.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np


def to_tensors(values: Any, dtype: str | None) -> Any:
    """Return values as Keras' losses get them: a tensor, or a structure of tensors."""
    if is_list(values):
        # With every digit, as an array has them.
        values = np.asarray(values)
    return keras.tree.map_structure(
        lambda value: without_variable(keras.ops.convert_to_tensor(value, dtype=dtype)), values
    )


def without_variable(value: Any) -> Any:
    """Return the value of a variable, and anything else as it is."""
    # Keras leaves a tf.Variable as it is, which lacks attributes of a tensor.
    return value.read_value() if hasattr(value, "read_value") else value


def is_list(values: Any) -> bool:
    """Return whether values are lists of numbers, and not a structure of arrays."""
    return isinstance(values, list | tuple) and not any(map(_holds_arrays, values))


def _holds_arrays(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_arrays, value))
    return isinstance(value, Mapping) or getattr(value, "shape", ()) != ()


def to_predictions(values: Any) -> Any:
    """Return predictions in a dtype that a loss computes in."""
    if keras.tree.is_nested(values) or "float" in keras.backend.standardize_dtype(values.dtype):
        return values
    return keras.ops.cast(values, keras.config.floatx())
