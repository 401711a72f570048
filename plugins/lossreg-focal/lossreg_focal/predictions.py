"""What the model hands to a loss: its dtype, its logits, its probabilities."""

import warnings
from typing import Literal

from lossreg.lazy import keras, ops


def at_least_float32(values):
    """Return a tensor of float32, or of float64 if it was one."""
    values = ops.convert_to_tensor(values)
    dtype = keras.backend.standardize_dtype(values.dtype)
    return values if dtype in ("float32", "float64") else ops.cast(values, "float32")


def smallest(values) -> float:
    """Return the smallest number above 0 with all its digits, in float32 or float64."""
    return 2.0**-1022 if _is_float64(values) else 2.0**-126


def spacing(values) -> float:
    """Return the distance from 1 to the next number below, in float32 or float64."""
    return 2.0**-53 if _is_float64(values) else 2.0**-24


def _is_float64(values) -> bool:
    return keras.backend.standardize_dtype(values.dtype) == "float64"


def logits_of(
    y_pred, activation: Literal["sigmoid", "softmax"], *, from_logits: bool, axis: int = -1
):
    """Return the logits behind predictions, or None where only probabilities are left.

    Where a layer ends in a sigmoid or softmax, Keras on TensorFlow leaves the logits on its
    output. From them a saturated model goes on learning; its probabilities of 0 and 1 have
    no gradient. They count only if the last activation is the one that the loss stands for.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    logits = getattr(y_pred, "_keras_logits", None)
    last = axis in (-1, len(y_pred.shape) - 1)
    if logits is None or not last or not _comes_from(y_pred, activation, logits):
        return at_least_float32(y_pred) if from_logits else None
    if from_logits:
        warnings.warn(
            f"from_logits=True, and y_pred comes from a {activation}, so it holds probabilities. "
            f"The loss takes the logits before the {activation}. Leave out the activation, or "
            "from_logits.",
            stacklevel=3,
        )
    return at_least_float32(logits)


def _comes_from(y_pred, activation: str, logits) -> bool:
    try:
        return y_pred.op.type.lower() == activation
    except AttributeError:
        # An eager tensor doesn't know its operation, but it knows its values.
        again = getattr(ops, activation)(logits)
        return bool(ops.all(ops.equal(again, y_pred)))


def clip(probabilities):
    """Return probabilities without exact 0 and 1, as Keras' cross-entropy clips them."""
    # A smaller epsilon in Keras' settings would leave 1 - epsilon at exactly 1.
    epsilon = max(keras.config.epsilon(), spacing(probabilities))
    return ops.clip(probabilities, epsilon, 1 - epsilon)


def total(probabilities):
    """Return what to divide probabilities by so that they sum to one; not 0 for zeros."""
    return ops.maximum(ops.sum(probabilities, axis=-1, keepdims=True), keras.config.epsilon())


def leave_out(values, counts) -> None:
    """Tell Keras which values count neither in the sum nor in the mean."""
    # Keras' own ignore_class does it in this way, and offers no public one. The attribute that
    # TensorFlow's tensors take instead isn't there on what JAX traces.
    from keras.src.backend import set_keras_mask

    set_keras_mask(values, counts)
