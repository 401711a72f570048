"""Tensors as arrays of NumPy, without the warnings of others. Nothing is computed here."""

from typing import TYPE_CHECKING, Any

from ..lazy import keras
from ..lazy import numpy as np

if TYPE_CHECKING:
    from numpy import ndarray

    Array = ndarray[Any, Any]


def as_array(tensor: Any) -> "Array":
    """Return a tensor, or a variable of Keras, as an array, which may share its memory.

    Raises:
        NotImplementedError: TensorFlow traces a graph, where a tensor has no value.
        TypeError: JAX traces one.
        ValueError: Keras builds one.
    """
    # Keras 3.15 calls np.array, and NumPy 2 warns of TensorFlow's tensors there.
    if keras.backend.backend() == "tensorflow":
        tensor = tensor.value if isinstance(tensor, keras.Variable) else tensor
        if hasattr(tensor, "__array__"):
            return np.asarray(tensor)  # type: ignore[no-any-return]  # imported at first use
    # Of torch it takes tensors with a gradient, of bfloat16 and on a GPU too.
    return keras.ops.convert_to_numpy(tensor)  # type: ignore[no-any-return]  # Keras has no types
