"""What a good loss needs of numbers: at least float32, the logits behind predictions, clipping.

For the modules of losses. A loss that takes probabilities, or logits with `from_logits`, and
computes from logits wherever it can:

    def bernoulli(y_true, y_pred, *, from_logits: bool = False):
        x = logits_of(y_pred, "sigmoid", from_logits=from_logits)
        if x is None:
            p = clip(at_least_float32(y_pred))
            x = ops.log(p) - ops.log1p(-p)
        return ops.mean(ops.softplus(x) - ops.cast(y_true, x.dtype) * x, axis=-1)

Importing it imports no Keras.
"""

import warnings
from typing import Any, Literal

from .lazy import keras, ops

__all__ = [
    "at_least_float32",
    "clip",
    "divide",
    "finite",
    "leave_out",
    "log_sigmoid",
    "log_softmax",
    "logits_of",
    "masked_mean",
    "power",
    "root",
    "smallest",
    "spacing",
    "total",
]

# The exponents of 2 that numpy calls smallest_normal and epsneg.
_SMALLEST = {"float16": -14, "bfloat16": -126, "float32": -126, "float64": -1022}
_SPACING = {"float16": -11, "bfloat16": -8, "float32": -24, "float64": -53}


def at_least_float32(values: Any) -> Any:
    """Return a tensor in float32, or in float64 if it is one.

    Take it for predictions before any formula: in float16 and bfloat16 a logarithm or a sum
    over classes keeps three digits or two. Integers become float32. The logits that Keras on
    TensorFlow leaves on its output stay there.

        y_pred = at_least_float32(y_pred)
    """
    values = ops.convert_to_tensor(values)
    if _dtype(values) in ("float32", "float64"):
        return values
    wide = ops.cast(values, "float32")
    logits = getattr(values, "_keras_logits", None)
    if logits is not None:
        wide._keras_logits = at_least_float32(logits)
    return wide


def finite(logits: Any, where: Any = None) -> Any:
    """Return logits with -1e30 and 1e30 in place of the infinities.

    Take it where a formula multiplies logits or subtracts them. A model may rule a class out by
    a logit of minus infinity; 0 times infinity is NaN, and so is infinity less infinity.

        nats = ops.logsumexp(finite(x), axis=-1) - ops.sum(y_true * finite(x), axis=-1)

    Args:
        logits: Logits, or scores. NaN stays NaN.
        where: True for each infinity to replace, in the shape of `logits`; by default all.
    """
    wrong = ops.isinf(logits)
    if where is not None:
        wrong = ops.logical_and(wrong, where)
    return ops.where(wrong, ops.stop_gradient(ops.sign(logits)) * 1e30, logits)


def smallest(values: Any) -> float:
    """Return the smallest number above 0 that a tensor's dtype holds with all its digits.

    Keep a value this far from 0 where a division or a root of 0 would give an infinite
    gradient. It is too small to change any other value.

        root = ops.sqrt(ops.maximum(miss, smallest(miss)))
    """
    return float(2.0 ** _SMALLEST[_dtype(values)])


def spacing(values: Any) -> float:
    """Return the distance from 1 to the next smaller number in a tensor's dtype.

    An epsilon below it is lost: `1 - epsilon` is 1.

        p = ops.minimum(p, 1 - spacing(p))
    """
    return float(2.0 ** _SPACING[_dtype(values)])


def clip(probabilities: Any) -> Any:
    """Return probabilities without exact 0 and 1, as Keras' cross-entropy clips them.

    Take it before a logarithm. Keras' epsilon, 1e-7 by default, is raised to what the dtype
    can hold. Clipped probabilities have no gradient, so take `logits_of` first.

        nats = -ops.log(clip(p))
    """
    epsilon = max(keras.config.epsilon(), spacing(probabilities))
    return ops.clip(probabilities, epsilon, 1 - epsilon)


def total(probabilities: Any) -> Any:
    """Return the sum over the last axis, which is kept, and Keras' epsilon in place of 0.

    Divide by it what should sum to 1; a row of zeros stays a row of zeros.

        p = probabilities / total(probabilities)
    """
    return ops.maximum(ops.sum(probabilities, axis=-1, keepdims=True), keras.config.epsilon())


def logits_of(
    y_pred: Any,
    activation: Literal["sigmoid", "softmax"],
    *,
    from_logits: bool,
    axis: int = -1,
) -> Any:
    """Return the logits behind predictions, or None where only probabilities are known.

    Take it first in every loss with a parameter `from_logits`. Where the last layer ends in a
    sigmoid or softmax, Keras on TensorFlow leaves the logits on its output. From these logits a
    saturated model goes on learning; its probabilities of exactly 0 and 1 have no gradient. They
    are returned only if they belong to the activation that the loss stands for.

        x = logits_of(y_pred, "softmax", from_logits=from_logits, axis=axis)

    Args:
        y_pred: The predictions, as the loss got them.
        activation: What turns logits into the probabilities of the loss.
        from_logits: Whether the user says that `y_pred` holds logits. There is a warning if
            `y_pred` comes from the activation all the same.
        axis: Axis of the classes, for a softmax; Keras leaves logits of the last axis only.

    Returns:
        Logits in float32 or wider, in the shape of `y_pred`, or None.
    """
    return _logits(y_pred, activation, from_logits=from_logits, axis=axis, stacklevel=4)


def log_softmax(y_pred: Any, *, from_logits: bool, axis: int = -1) -> Any:
    """Return the logarithm of each class's probability, from logits or from probabilities.

    Of logits it is exact and finite at any size; -1e30 stands for a class that is ruled out.
    Probabilities are divided by their sum and clipped, unless Keras kept the logits behind them.

        nats = -ops.sum(y_true * log_softmax(y_pred, from_logits=from_logits), axis=-1)

    Args:
        y_pred: The predictions, as the loss got them.
        from_logits: Whether `y_pred` holds logits.
        axis: Axis of the classes.
    """
    x = _logits(y_pred, "softmax", from_logits=from_logits, axis=axis, stacklevel=4)
    if x is not None:
        return ops.log_softmax(finite(x), axis=axis)
    p = at_least_float32(y_pred)
    whole = ops.maximum(ops.sum(p, axis=axis, keepdims=True), keras.config.epsilon())
    return ops.log(clip(p / whole))


def log_sigmoid(y_pred: Any, *, from_logits: bool) -> tuple[Any, Any]:
    """Return the logarithms of `p` and of `1 - p`, from logits or from probabilities.

    Of logits both are exact and finite at any size. Probabilities are clipped, unless Keras kept
    the logits behind them.

        log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
        nats = -(y_true * log_p + (1 - y_true) * log_q)

    Args:
        y_pred: The predictions, as the loss got them.
        from_logits: Whether `y_pred` holds logits.
    """
    x = _logits(y_pred, "sigmoid", from_logits=from_logits, axis=-1, stacklevel=4)
    if x is not None:
        x = finite(x)
        return ops.log_sigmoid(x), ops.log_sigmoid(-x)
    p = clip(at_least_float32(y_pred))
    return ops.log(p), ops.log1p(-p)


def root(values: Any) -> Any:
    """Return the square root of numbers from 0, with a gradient of 0 at 0.

    There the true one is infinite, and infinity times the 0 that comes before it is NaN.

        distances = root(ops.sum(ops.square(a - b), axis=-1))
    """
    at_zero = values <= 0
    return ops.where(at_zero, 0.0, ops.sqrt(ops.where(at_zero, 1.0, values)))


def power(values: Any, exponent: float) -> Any:
    """Return numbers from 0 to a power from 0, whose gradient at 0 is finite.

    An exponent of 0 gives 1 everywhere. Below 1 the gradient at 0 would be infinite; it is 0.

        factor = power(1 - p, gamma)
    """
    if exponent == 0:
        return ops.ones_like(values)
    if exponent == 1:
        return values
    if exponent >= 1:
        return ops.power(ops.maximum(values, 0.0), exponent)
    at_zero = values <= 0
    return ops.where(at_zero, 0.0, ops.power(ops.where(at_zero, 1.0, values), exponent))


def divide(numerator: Any, denominator: Any) -> Any:
    """Return a quotient, and 0 where the denominator is 0.

    The gradient is 0 there too.

        recall = divide(hits, positives)
    """
    empty = ops.equal(denominator, 0)
    return ops.where(empty, 0.0, numerator / ops.where(empty, 1.0, denominator))


def masked_mean(values: Any, mask: Any, axis: Any = None) -> Any:
    """Return the mean of what counts, and 0 where nothing does.

    What doesn't count may be NaN or infinite: neither the mean nor its gradient is touched.

        per_image = masked_mean(values, y_true >= 0, axis=(1, 2))

    Args:
        values: Numbers.
        mask: True for each that counts, same shape.
        axis: The axes that are reduced; by default all.
    """
    counts = ops.cast(mask, values.dtype)
    kept = ops.where(ops.cast(mask, "bool"), values, 0.0)
    return divide(ops.sum(kept, axis=axis), ops.sum(counts, axis=axis))


def _logits(
    y_pred: Any,
    activation: Literal["sigmoid", "softmax"],
    *,
    from_logits: bool,
    axis: int,
    stacklevel: int,
) -> Any:
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
            stacklevel=stacklevel,
        )
    return at_least_float32(logits)


def leave_out(values: Any, counts: Any) -> None:
    """Let Keras leave some of a loss's values out of the sum and of the mean.

    Call it last, on what the loss returns, as for labels that are to be ignored.

        leave_out(values, ops.not_equal(y_true, ignore_class))

    Args:
        values: One value per sample, finite everywhere.
        counts: True for each value that counts, same shape.
    """
    # Keras' own ignore_class does it in this way, and offers no public one. The attribute that
    # TensorFlow's tensors take instead isn't there on what JAX traces.
    from keras.src.backend import set_keras_mask

    set_keras_mask(values, counts)


def _dtype(values: Any) -> str:
    return str(keras.backend.standardize_dtype(values.dtype))


def _comes_from(y_pred: Any, activation: str, logits: Any) -> bool:
    try:
        return bool(y_pred.op.type.lower() == activation)
    except AttributeError:
        # An eager tensor doesn't know its operation, but it knows its values.
        again = getattr(ops, activation)(logits)
        return bool(ops.all(ops.equal(again, y_pred)))
