"""The focal formula on logits, each value with its gradient in closed form.

Labels get no gradient. Keras passes the gradient that arrives by position on TensorFlow and
JAX, and by name on torch.
"""

from lossreg.lazy import ops
from lossreg.numerics import finite, spacing

# The difference of two finite logits can overflow, and no weight of 0 silences infinity.
_LOWEST = -1e30

# In place of a miss of 0. Its square, and its powers down to -2, are still float32 numbers, so the
# derivatives of a gradient have no 0 * infinity either.
NO_MISS = 1e-18


def _changes(gamma) -> bool:
    """Return whether a parameter is a tensor, which changes during training."""
    return not isinstance(gamma, int | float)


def power(base, exponent: float):
    """Return `base**exponent`; products and roots are several times faster than pow."""
    if _changes(exponent):
        return ops.power(base, exponent)
    if exponent == 0:
        return ops.ones_like(base)
    whole, half = divmod(exponent, 1)
    if half not in (0, 0.5) or whole > 8:
        return ops.power(base, exponent)
    factors = [base] * int(whole) + [ops.sqrt(base)] * (half == 0.5)
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def focused(cross_entropy, gamma: float):
    """Return `(1 - p_t)**gamma * -log(p_t)` from `-log(p_t)`."""
    # 1 - exp(-x) loses every digit for small x; expm1 keeps them.
    miss = -ops.expm1(-cross_entropy)
    # At 0 a root is infinitely steep, and infinity times the 0 that follows would be NaN.
    return power(ops.maximum(miss, NO_MISS), gamma) * cross_entropy


def binary(y, x, gamma: float, alpha: float | None, smoothing: float):
    """Return the focal loss of labels `y` and logits `x`, its mean over the last axis."""
    kept = 1 - smoothing

    def mean(y, x):
        # r is the probability of the less likely label, and u the share of y on that label.
        # In these two nothing cancels, however sure the prediction is:
        # -log(p_t) = u * |x| - log(1 - r) and 1 - p_t = (1 - u) * r + u * (1 - r).
        # At a tie either label will do, but the sign must not be 0: the derivative of the
        # gradient comes from the formula of one side.
        sign = ops.where(x < 0, -1.0, ops.ones_like(x))
        x = finite(x)
        r = ops.sigmoid(-sign * x)
        likely = 1 - r
        # The label that the prediction favours, less the true one: u with a sign.
        off = (sign / 2 + 0.5) - y
        if smoothing:
            off = off * kept + sign * (smoothing / 2)
        miss = ops.maximum(r + ops.abs(off) * (likely - r), NO_MISS)
        factor = power(miss, gamma)
        if alpha is not None:
            factor = factor * _alpha_t(y, 0.5 + (alpha - 0.5) * kept)
        # Where r is so small that log(1 - r) loses digits, a gamma from 1 on makes the value
        # smaller than 1e-9 anyway; log takes half the time of log1p.
        log_likely = ops.log1p(-r) if _changes(gamma) or gamma < 1 else ops.log(likely)
        values = factor * (x * off - log_likely)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            slope = factor * (off - r * sign)
            if _changes(gamma) or gamma:
                # From the values, which XLA keeps, rather than from a logarithm taken again.
                relative = r * likely / miss
                slope = slope + values * ((gamma * kept - 2 * gamma * kept * y) * relative)
            each = upstream / ops.cast(ops.shape(x)[-1], x.dtype)
            return None, slope * ops.expand_dims(each, -1)

        return ops.mean(values, axis=-1), gradient

    return ops.custom_gradient(mean)(y, x)


def _alpha_t(y, alpha: float):
    """Return `y * alpha + (1 - y) * (1 - alpha)`, with every digit of the smaller weight."""
    if alpha < 0.5:
        return (1 - y) * (1 - 2 * alpha) + alpha
    return y * (2 * alpha - 1) + (1 - alpha)


def categorical(y, x, gamma: float):
    """Return the focal loss of class weights `y` and logits `x`, summed over the last axis."""

    def total(y, x):
        z = ops.maximum(x - ops.max(x, axis=-1, keepdims=True), _LOWEST)
        e = ops.exp(z)
        s = ops.sum(e, axis=-1, keepdims=True)
        p = e * (1 / s)
        # What float32 holds of a smaller miss is 0, where no root has a derivative.
        miss = ops.maximum(1 - p, spacing(p))
        factor = y * power(miss, gamma)
        values = factor * (ops.log(s) - z)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            # By -log(p) of each class, and through the softmax.
            slope = factor
            if _changes(gamma) or gamma:
                slope = slope + gamma * p * values / miss
            total_slope = ops.sum(slope, axis=-1, keepdims=True)
            return None, (p * total_slope - slope) * ops.expand_dims(upstream, -1)

        return ops.sum(values, axis=-1), gradient

    return ops.custom_gradient(total)(y, x)


def cross_entropy(labels, x):
    """Return `-log(p_t)` for class numbers and logits."""
    classes = ops.shape(x)[-1]

    def of_true_class(labels, x):
        highest = ops.max(x, axis=-1, keepdims=True)
        e = ops.exp(x - highest)
        s = ops.sum(e, axis=-1, keepdims=True)
        x_t = ops.take_along_axis(x, ops.expand_dims(labels, -1), axis=-1)
        z_t = ops.maximum(x_t - highest, _LOWEST)
        nats = ops.squeeze(ops.log(s) - z_t, -1)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            # p - 1 in place of p for the true class. One-hot labels would be a second array of
            # this size; where and a product both work in the first.
            hit = ops.equal(ops.arange(classes, dtype="int32"), ops.expand_dims(labels, -1))
            slope = ops.where(hit, ops.exp(z_t) - s, e)
            return None, slope * (ops.expand_dims(upstream, -1) / s)

        return nats, gradient

    return ops.custom_gradient(of_true_class)(labels, x)
