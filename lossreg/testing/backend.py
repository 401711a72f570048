"""Values and gradients on the backend at hand: all that differs from one to the next."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lossreg.lazy import keras

from .results import NotApplicableError
from .samples import Array

Values = Callable[[Any, Any], Any]
"""A function of `(y_true, y_pred)`, both tensors, to the value of each sample."""

Step = Callable[[Values, Any, Any], tuple[Any, Any]]
"""Runs such a function; returns its values and the gradient of their sum by `y_pred`."""


def numbers(tensor: Any) -> Array:
    """Return a tensor of any float dtype as an array of float64."""
    if keras.backend.standardize_dtype(tensor.dtype) in ("bfloat16", "float16"):
        tensor = keras.ops.cast(tensor, "float32")
    return np.asarray(keras.ops.convert_to_numpy(tensor), "float64")


def tensor(values: Array, dtype: str) -> Any:
    """Return an array as a tensor; integers stay integers."""
    if dtype == "float64" and keras.backend.backend() == "jax":
        # Keras 3.15.1, even with jax_enable_x64.
        raise NotApplicableError("on JAX Keras takes a mean of float64 in float32")
    kept = "int32" if np.issubdtype(values.dtype, np.integer) else dtype
    return keras.ops.convert_to_tensor(values, dtype=kept)


def eager() -> Step:
    """Return the way that runs operation by operation."""
    return _STEPS[keras.backend.backend()]


def compiled() -> Mapping[str, Step]:
    """Return the ways that compile first, by what the backend calls them.

    Raises:
        NotApplicableError: The backend compiles in no way that is known here.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return {"tf.function": _tensorflow_graph, "jit_compile=True": _tensorflow_xla}
    if backend == "jax":
        return {"jax.jit": _jax_jit}
    raise NotApplicableError(f"on {backend} Keras compiles nothing by itself")


def _tensorflow(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        values = function(y_true, y_pred)
        total = tf.reduce_sum(values)
    return values, tape.gradient(total, y_pred, unconnected_gradients="zero")


def _tensorflow_graph(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    # As in fit, where the last batch may be smaller: the size of the batch isn't known.
    signature = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in (y_true, y_pred)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]  # no types
    def step(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        return _tensorflow(function, y_true, y_pred)

    return step(y_true, y_pred)  # type: ignore[no-any-return]  # no types


def _tensorflow_xla(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]  # no types
    def step(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        return _tensorflow(function, y_true, y_pred)

    return step(y_true, y_pred)  # type: ignore[no-any-return]  # no types


def _jax(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import jax

    def total(y_pred: Any) -> tuple[Any, Any]:
        values = function(y_true, y_pred)
        return values.sum(), values

    (_, values), gradient = jax.value_and_grad(total, has_aux=True)(y_pred)
    return values, gradient


def _jax_jit(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import jax

    step = jax.jit(lambda y_true, y_pred: _jax(function, y_true, y_pred))
    return step(y_true, y_pred)  # type: ignore[no-any-return]  # no types


def _torch(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = y_pred.detach().requires_grad_()
    values = function(y_true, y_pred)
    values.sum().backward()
    return values.detach(), y_pred.grad


_STEPS: Mapping[str, Step] = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
