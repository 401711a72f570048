"""What Keras' own functions compute for Keras' own losses, in float32, float16 and bfloat16.

Keras must run on JAX. These numbers are sampled; a page can't compute them.
"""

import inspect
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..lazy import keras
from .node import Array
from .programs import Curves, default_values
from .scene import arrays

DTYPES = ("float32", "float16", "bfloat16")
Dtype = Literal["float32", "float16", "bfloat16"]

_GRIDS = {"class": (-20.0, 20.0), "error": (-4.0, 4.0), "prediction": (0.05, 4.0)}
_POINTS = 81
# What one sees: 2 % of a number that isn't far below the largest one.
_VISIBLE, _FAR_BELOW = 0.02, 1e-6


@dataclass(frozen=True, kw_only=True)
class KerasCurve:
    """A loss with its default parameters as Keras computes it.

    Args:
        dtype: Of labels, predictions and of everything between.
        label: The label.
        low: Where the curve begins.
        high: Where it ends.
        values: The value at each point.
        gradients: The gradient at each point.
    """

    dtype: str
    label: float
    low: float
    high: float
    values: Array
    gradients: Array


def keras_curves(curves: Curves) -> list[KerasCurve]:
    """Return Keras' curves of a loss of Keras that visibly differ from the exact ones.

    A classification loss gets probabilities, from a sigmoid or softmax in the same dtype.
    """
    entry, scene = curves.entry, curves.scene
    function = getattr(keras.losses, entry.spec.name, None)
    if not entry.provider.is_builtin or function is None or scene.group not in _GRIDS:
        return []
    low, high = _GRIDS[scene.group]
    x = np.linspace(low, high, _POINTS)
    labels = (1.0, 0.0) if scene.label == "class" else (1.0,)
    exact = {label: default_values(curves, x, label) for label in labels}
    found = []
    for dtype in DTYPES:
        # JAX compiles each operation for each shape, so all labels are in one batch.
        own = _sample(curves, function, np.tile(x, len(labels)), np.repeat(labels, _POINTS), dtype)
        if own is None:
            return []
        for index, label in enumerate(labels):
            values, gradients = (each[index * _POINTS :][:_POINTS] for each in own)
            if _differ(values, exact[label][0]) or _differ(gradients, exact[label][1]):
                curve = KerasCurve(
                    dtype=dtype,
                    label=label,
                    low=low,
                    high=high,
                    values=values,
                    gradients=gradients,
                )
                found.append(curve)
    return found


def _sample(
    curves: Curves, function: Any, x: Array, labels: Array, dtype: str
) -> tuple[Array, Array] | None:
    """Return Keras' values and gradients, or None where it has one value for all samples."""
    import jax
    import jax.numpy as jnp

    required = {control.name: control.default for control in curves.controls if control.is_required}
    bound = curves.entry.bind(required)
    # Keras' function may need what ours has a default for.
    needed = {
        parameter.name: bound.params[parameter.name]
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.name in bound.params
    }

    def total(x: Any) -> Any:
        y = jnp.asarray(labels, dtype=dtype)
        y_true, y_pred = arrays(curves.scene, bound, x, y, 2)
        values = function(y_true, y_pred, **needed)
        return values.sum(), values

    floatx = keras.config.floatx()
    keras.config.set_floatx(dtype)
    try:
        with jax.enable_x64(False):
            (_, values), gradients = jax.value_and_grad(total, has_aux=True)(
                jnp.asarray(x, dtype=dtype)
            )
    finally:
        keras.config.set_floatx(floatx)
    if values.shape != x.shape:
        return None
    return np.asarray(values, "float32"), np.asarray(gradients, "float32")


def _differ(own: Array, exact: Array) -> bool:
    if not np.isfinite(own).all():
        return True
    counts = np.abs(exact) > _FAR_BELOW * np.abs(exact).max()
    return bool((np.abs(own - exact) > _VISIBLE * np.abs(exact))[counts].any())
