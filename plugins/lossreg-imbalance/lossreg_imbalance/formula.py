"""What these losses share: the logits of either form, and one number for each class."""

from lossreg import ParameterError
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, clip, logits_of

# The difference of two finite logits can overflow, and 0 times infinity is NaN.
_LOWEST = -1e30


def scores(y_pred, *, from_logits: bool, axis: int):
    """Return logits whose softmax the predictions are: known ones, or the logarithms of `p`."""
    x = logits_of(y_pred, "softmax", from_logits=from_logits, axis=axis)
    return ops.log(clip(at_least_float32(y_pred))) if x is None else x


def shifted(x, offsets):
    """Return `x + offsets`, with -1e30 in place of minus infinity."""

    def shift(x):
        # A class that is ruled out has a probability of 0, so its gradient is 0 already;
        # that of the maximum would be one more pass over the array.
        def gradient(*args, upstream=None):
            return args[0] if upstream is None else upstream

        return ops.maximum(x + offsets, _LOWEST), gradient

    return ops.custom_gradient(shift)(x)


def per_class(loss: str, parameter: str, numbers, x, axis: int = -1):
    """Return one number for each class as a tensor that multiplies, or is added to, `x`."""
    classes = x.shape[axis]
    # In a graph the number of classes may be unknown.
    if classes not in (None, len(numbers)):
        raise ParameterError(
            f"Loss {loss!r}: {parameter} must have {classes} numbers, one for each class of "
            f"y_pred, got {len(numbers)}: {numbers!r}."
        )
    shape = [1] * len(x.shape)
    shape[axis] = len(numbers)
    return ops.reshape(ops.convert_to_tensor(numbers, dtype=x.dtype), shape)
