"""Cross-entropy of a last layer, in chunks of tokens: the logits never exist as a whole.

The gradients are computed in the forward pass, where the logits of a chunk are at hand, and are
multiplied by what arrives in the backward pass.
"""

from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from lossreg import Needs
from lossreg.lazy import ops

_LOGITS = 2**22
"""How many logits a chunk has by default: 16 MiB of float32."""


def fused_linear_crossentropy(
    y_true,
    y_pred: Annotated[Any, Needs("hidden")],
    kernel: Annotated[Any, Needs("kernel")],
    bias: Annotated[Any, Needs("bias")],
    weights: Annotated[Any, Needs("weights")],
    *,
    chunk: Annotated[int, Gt(0)] | None = None,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
    z_weight: Annotated[float, Ge(0)] = 0.0,
    gamma: Annotated[float, Ge(0)] = 0.0,
    ignore_class: int | None = None,
):
    """Cross-entropy of a large vocabulary, whose logits never exist as a whole.

    `(1 - p_t)**gamma * -sum(y * log(p)) + z_weight * log(sum(exp(x)))**2` for each token, where
    `x = h @ kernel + bias` are the logits of the last layer, `p = softmax(x)`, `p_t` the
    probability of the true class, and `y` its one-hot row, of which `label_smoothing` spreads a
    part over all classes. The loss takes `h`, what the last layer got, and its kernel, and
    computes the logits of `chunk` tokens at a time, with their gradients. `predict` and metrics
    still get the model's own output.

    The last layer is an input: train with `lossreg.compile`. The model must end in a `Dense` layer
    with a softmax or without an activation, or in an embedding used backwards. Metrics need the
    logits: without any, training never computes them whole.

    Args:
        y_true: Class numbers from 0, shape `(batch, ...)`.
        y_pred: What the last layer got, shape `(batch, ..., dimensions)`.
        chunk: How many tokens have logits at a time; by default 4 million logits.
        label_smoothing: The share of a label that is spread over all classes.
        z_weight: Weight of the squared logarithm of the softmax's divisor, which keeps it near 1.
        gamma: How much easy tokens are played down, as in the focal loss; 0 plays none down.
        ignore_class: A class number, such as -1, whose tokens don't count.

    Returns:
        Nats, weighted and reduced, one number for the batch, in float32, shape `()`.

    Source:
        Cross-entropy, focal loss (Lin et al., 2017, arXiv:1708.02002, equation 4), label smoothing
        (Szegedy et al., 2016, arXiv:1512.00567, section 7) and z-loss (Chowdhery et al., 2022,
        arXiv:2204.02311, section 5). The gradients in the forward pass: Hsu et al., 2024,
        arXiv:2410.10989, section 3.2.
    """
    del ignore_class  # What is ignored has a weight of 0.
    kernel = ops.convert_to_tensor(kernel)
    dimensions, classes = kernel.shape
    bias = ops.zeros((classes,), kernel.dtype) if bias is None else ops.convert_to_tensor(bias)
    h = ops.reshape(y_pred, (-1, dimensions))
    labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    shares = ops.cast(ops.reshape(weights, (-1,)), "float32")
    rows = chunk or max(1, _LOGITS // classes)
    if h.shape[0] is not None:
        rows = min(rows, max(h.shape[0], 1))

    def total(h, kernel, bias, labels, shares):
        tokens = ops.shape(h)[0]
        blocks = (tokens + rows - 1) // rows
        missing = blocks * rows - tokens
        padded, numbers, each = (
            ops.pad(h, ((0, missing), (0, 0))),
            *(ops.pad(array, ((0, missing),)) for array in (labels, shares)),
        )
        narrow, offsets = ops.cast(kernel, h.dtype), ops.cast(bias, "float32")

        def add(block, sums):
            value, by_h, by_kernel, by_bias = sums
            start = block * rows
            block_h = ops.slice(padded, (start, 0), (rows, dimensions))
            logits = ops.cast(ops.matmul(block_h, narrow), "float32") + offsets
            more, slopes = of_chunk(
                logits, ops.slice(numbers, (start,), (rows,)), ops.slice(each, (start,), (rows,))
            )
            half = ops.cast(slopes, h.dtype)
            by_block = ops.matmul(half, ops.transpose(narrow))
            by_h = ops.slice_update(by_h, (start, 0), by_block)
            by_kernel = by_kernel + ops.cast(ops.matmul(ops.transpose(block_h), half), "float32")
            return value + more, by_h, by_kernel, by_bias + ops.sum(slopes, axis=0)

        start = (
            ops.zeros((), "float32"),
            ops.zeros_like(padded),
            ops.zeros((dimensions, classes), "float32"),
            ops.zeros((classes,), "float32"),
        )
        value, by_h, by_kernel, by_bias = ops.fori_loop(0, blocks, add, start)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return (
                ops.cast(upstream, h.dtype) * by_h[:tokens],
                ops.cast(upstream * by_kernel, kernel.dtype),
                ops.cast(upstream * by_bias, bias.dtype),
                None,
                None,
            )

        return value, gradient

    def of_chunk(logits, numbers, share):
        """Return the weighted sum of a chunk's values, and its slopes by the logits."""
        highest = ops.max(logits, axis=-1, keepdims=True)
        e = ops.exp(logits - highest)
        s = ops.sum(e, axis=-1, keepdims=True)
        divisor = ops.log(s) + highest
        hit = ops.equal(ops.arange(classes, dtype="int32"), ops.expand_dims(numbers, -1))
        x_t = ops.sum(ops.where(hit, logits, 0.0), axis=-1, keepdims=True)
        nats = divisor - x_t
        smoothed = nats
        if label_smoothing:
            mean = ops.mean(logits, axis=-1, keepdims=True)
            smoothed = divisor - (1 - label_smoothing) * x_t - label_smoothing * mean
        factor, by_nats = 1.0, 0.0
        if gamma:
            p_t = ops.exp(-nats)
            miss = ops.maximum(1 - p_t, 1e-7)
            factor = ops.power(miss, gamma)
            by_nats = smoothed * gamma * p_t * factor / miss
        values = factor * smoothed + z_weight * ops.square(divisor)
        share = ops.expand_dims(share, -1)
        # By each logit: a part that goes with its probability, one for the true class alone, and
        # one that all classes share.
        by_p = (factor + by_nats + 2 * z_weight * divisor) * share
        by_true = ((1 - label_smoothing) * factor + by_nats) * share
        slopes = e * (by_p / s) - ops.where(hit, by_true, 0.0)
        if label_smoothing:
            slopes = slopes - label_smoothing / classes * factor * share
        # A label beyond the classes must not be cheap.
        known = ops.logical_and(numbers >= 0, numbers < classes)
        values = ops.where(ops.expand_dims(known, -1), values, float("nan"))
        counts = share != 0
        value = ops.sum(ops.where(counts, values * share, 0.0))
        return value, ops.where(counts, slopes, 0.0)

    return ops.custom_gradient(total)(h, kernel, bias, labels, shares)
