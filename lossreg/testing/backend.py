"""Values and gradients on the backend at hand: all that differs from one backend to the next."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import error_line
from ..lazy import keras, ops
from ..loss import as_array
from .results import NotApplicableError
from .samples import Array

Values = Callable[[Any, Any], Any]
"""A function of `(y_true, y_pred)`, both tensors, to the value of each sample."""

Step = Callable[[Values, Any, Any], tuple[Any, Any]]
"""Runs such a function; returns its values and the gradient of their sum by `y_pred`."""

# As in `fit`, where Keras 3.15.1 keeps TensorFlow from rewriting Python code; that takes a third
# of the time.
_AS_IN_FIT: Mapping[str, Any] = {"autograph": False}


def numbers(tensor: Any) -> Array:
    """Return a tensor of any float dtype as an array of float64."""
    if keras.backend.standardize_dtype(tensor.dtype) in ("bfloat16", "float16"):
        tensor = keras.ops.cast(tensor, "float32")
    return np.asarray(as_array(tensor), "float64")


def tensor(values: Array, dtype: str) -> Any:
    """Return an array as a tensor; integers stay integers."""
    if dtype == "float64" and keras.backend.backend() in ("jax", "torch"):
        # Keras 3.15.1, on JAX even with jax_enable_x64.
        raise NotApplicableError("on JAX and torch Keras takes a mean of float64 in float32")
    kept = "int32" if np.issubdtype(values.dtype, np.integer) else dtype
    return keras.ops.convert_to_tensor(values, dtype=kept)


def value_and_gradient(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return the value of each sample, and the gradient of their sum by `y_pred`.

    >>> from lossreg import get_loss_fn
    >>> values, gradient = value_and_gradient(get_loss_fn("mse"), [[0.0]], [[1.5]])
    >>> float(values[0]), float(gradient[0][0])
    (2.25, 3.0)

    TensorFlow, JAX or torch differentiates, whichever Keras runs on. Called within
    `tf.function` or `jax.jit`, it is compiled.

    Args:
        function: A loss function: `(y_true, y_pred)` to one value per sample.
        y_true: Labels, a tensor or an array.
        y_pred: Predictions, a tensor or an array of floats.

    Returns:
        Two tensors; the gradient has the shape of `y_pred`.

    Raises:
        NotApplicableError: The backend computes no gradients.
    """
    backend = keras.backend.backend()
    if backend not in _STEPS:
        raise NotApplicableError(f"Keras' backend {backend!r} computes no gradients")
    return _STEPS[backend](function, *map(keras.ops.convert_to_tensor, (y_true, y_pred)))


def compiled() -> Mapping[str, Step]:
    """Return `value_and_gradient` in each compiled form, by what the backend calls it.

    Raises:
        NotApplicableError: No way to compile on this backend is known here.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return {"tf.function": _tensorflow_graph, "jit_compile=True": _tensorflow_xla}
    if backend == "jax":
        return {"jax.jit": _jax_jit}
    raise NotApplicableError(f"Keras compiles nothing by itself on {backend}")


def without_shapes(function: Values) -> Values:
    """Return a function in a graph that knows the ranks of its arguments only.

    Raises:
        NotApplicableError: The backend's graphs know all shapes.
    """
    if keras.backend.backend() != "tensorflow":
        raise NotApplicableError("only TensorFlow's graphs may lack sizes")
    import tensorflow as tf

    def call(*arrays: Any) -> Any:
        signature = [tf.TensorSpec([None] * len(array.shape), array.dtype) for array in arrays]
        graph = tf.function(lambda *traced: function(*traced), signature, **_AS_IN_FIT)
        return graph(*arrays)

    return call


@contextlib.contextmanager
def own_gradients() -> Iterator[list[str]]:
    """Collect what is wrong in each pass of `ops.custom_gradient`; "" where nothing is."""
    found: list[str] = []
    made = keras.ops.custom_gradient

    def watched(forward: Callable[..., Any]) -> Any:
        def passed(*args: Any, **kwargs: Any) -> Any:
            try:
                result = forward(*args, **kwargs)
            except Exception as error:
                found.append(f"its function raises {error_line(error)}")
                raise
            is_pair = isinstance(result, tuple) and len(result) == 2 and callable(result[1])
            found.append("" if is_pair else "its function returns no pair of value and gradient")
            return result

        return made(passed)

    # lossreg.lazy keeps what it has imported.
    places = (keras.ops, ops)
    for place in places:
        place.custom_gradient = watched
    try:
        yield found
    finally:
        for place in places:
            place.custom_gradient = made


def _tensorflow(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        values = function(y_true, y_pred)
        total = tf.reduce_sum(values)
    return values, tape.gradient(total, y_pred, unconnected_gradients="zero")


def _tensorflow_graph(function: Values, *arrays: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    # As in fit, where the last batch may be smaller: the size of the batch isn't known.
    signature = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in arrays]
    step: Any = tf.function(lambda *traced: _tensorflow(function, *traced), signature, **_AS_IN_FIT)
    return step(*arrays)  # type: ignore[no-any-return]  # no types


def _tensorflow_xla(function: Values, *arrays: Any) -> tuple[Any, Any]:
    import tensorflow as tf

    step: Any = tf.function(
        lambda *traced: _tensorflow(function, *traced), jit_compile=True, **_AS_IN_FIT
    )
    return step(*arrays)  # type: ignore[no-any-return]  # no types


def _jax(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    import jax

    def total(y_pred: Any) -> tuple[Any, Any]:
        values = function(y_true, y_pred)
        return values.sum(), values

    (_, values), gradient = jax.value_and_grad(total, has_aux=True)(y_pred)
    return values, gradient


def _jax_jit(function: Values, *arrays: Any) -> tuple[Any, Any]:
    import jax

    step: Any = jax.jit(lambda *traced: _jax(function, *traced))
    return step(*arrays)  # type: ignore[no-any-return]  # no types


def _torch(function: Values, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = y_pred.detach().requires_grad_()
    values = function(y_true, y_pred)
    values.sum().backward()
    return values.detach(), y_pred.grad


_STEPS: Mapping[str, Step] = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
