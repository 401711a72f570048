"""Losses of a last layer, in chunks of tokens: the logits never exist as a whole.

The gradients of the cross-entropy are computed in the forward pass, where the logits of a chunk
are at hand, and are multiplied by what arrives in the backward pass. Any other loss of the true
class's probability gets that probability, and the backward pass computes the logits once more.
"""

import functools
import threading
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from lossreg import LossFunction, Needs
from lossreg.errors import ParameterError
from lossreg.lazy import numpy, ops

_LOGITS = 2**22
"""How many logits a chunk has by default: 16 MiB of float32."""


def fused_linear_crossentropy(
    y_true,
    y_pred: Annotated[Any, Needs("hidden")],
    kernel: Annotated[Any, Needs("kernel")],
    bias: Annotated[Any, Needs("bias")],
    weights: Annotated[Any, Needs("weights")],
    *,
    base: LossFunction | None = None,
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

    With `base` the value of a token is that of any loss of class numbers and logits that depends
    on the probability of the true class alone, such as `"sparse_focal(alpha=0.25)"`. It takes a
    third more multiplications than the parameters below.

    Args:
        y_true: Class numbers from 0, shape `(batch, ...)`.
        y_pred: What the last layer got, shape `(batch, ..., dimensions)`.
        base: The loss of a token, in place of the cross-entropy with the parameters below.
        chunk: How many tokens have logits at a time; by default 4 million logits.
        label_smoothing: The share of a label that is spread over all classes.
        z_weight: Weight of the squared logarithm of the softmax's divisor, which keeps it near 1.
        gamma: How much easy tokens are played down, as in the focal loss; 0 plays none down.
        ignore_class: A class number, such as -1, whose tokens don't count.

    Returns:
        Nats, weighted and reduced, one number for the batch, in float32, shape `()`.

    Raises:
        ParameterError: `base` depends on more than the probability of the true class.

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
    if base is None:
        of_chunk = _crossentropy(label_smoothing, z_weight, gamma)
        return _summed(of_chunk, rows, h, kernel, bias, labels, shares)
    _check(base, label_smoothing, z_weight, gamma)
    counts = shares != 0
    margins = ops.where(counts, _margins(rows, h, kernel, bias, labels), 0.0)
    values = base(ops.zeros_like(labels), _two_classes(margins))
    return ops.sum(ops.where(counts, values * shares, 0.0))


def _summed(of_chunk, rows, h, kernel, bias, labels, shares):
    """Return the weighted sum of values, whose gradients are computed with them.

    `of_chunk(logits, labels, shares)` returns the sum of a chunk, and its slopes by the logits.
    """

    def total(h, kernel, bias, labels, shares):
        chunks = _Chunks(rows, h, kernel, bias, labels, shares)

        def add(block, sums):
            value, *slopes = sums
            logits, numbers, each = chunks[block]
            more, by_logits = of_chunk(logits, numbers, each)
            return value + more, *chunks.add(block, by_logits, slopes)

        start = (ops.zeros((), "float32"), *chunks.no_slopes())
        value, *slopes = ops.fori_loop(0, chunks.count, add, start)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            slopes_of_all = [ops.cast(upstream, each.dtype) * each for each in slopes]
            return *chunks.gradients(slopes_of_all), None, None

        return value, gradient

    return ops.custom_gradient(total)(h, kernel, bias, labels, shares)


def _margins(rows, h, kernel, bias, labels):
    """Return by how much each token's true logit is above `log(sum(exp(x)))` of the others."""

    def margins(h, kernel, bias, labels):
        chunks = _Chunks(rows, h, kernel, bias, labels)

        def put(block, found):
            logits, numbers = chunks[block]
            margin, _ = _margin(logits, numbers)
            return ops.slice_update(found, (block * rows,), margin)

        found = ops.fori_loop(0, chunks.count, put, ops.zeros_like(chunks.arrays[0], "float32"))

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            again = _Chunks(rows, h, kernel, bias, labels, upstream)

            def add(block, slopes):
                logits, numbers, each = again[block]
                _, by_logits = _margin(logits, numbers)
                each = ops.expand_dims(each, -1)
                return again.add(block, ops.where(each != 0, each * by_logits, 0.0), slopes)

            slopes = ops.fori_loop(0, again.count, add, again.no_slopes())
            return *again.gradients(slopes), None

        return found[: ops.shape(h)[0]], gradient

    return ops.custom_gradient(margins)(h, kernel, bias, labels)


class _Chunks:
    """The tokens in chunks of as many rows, with the logits of each."""

    def __init__(self, rows, h, kernel, bias, *arrays):
        self.rows, self.h, self.kernel, self.bias = rows, h, kernel, bias
        tokens = ops.shape(h)[0]
        self.count = (tokens + rows - 1) // rows
        missing = self.count * rows - tokens
        self.padded = ops.pad(h, ((0, missing), (0, 0)))
        self.arrays = [ops.pad(array, ((0, missing),)) for array in arrays]
        self.narrow, self.offsets = ops.cast(kernel, h.dtype), ops.cast(bias, "float32")

    def _hidden(self, block):
        return ops.slice(self.padded, (block * self.rows, 0), (self.rows, self.h.shape[-1]))

    def __getitem__(self, block):
        """Return the logits of a chunk, and its part of each array."""
        logits = ops.cast(ops.matmul(self._hidden(block), self.narrow), "float32") + self.offsets
        start, size = (block * self.rows,), (self.rows,)
        return logits, *(ops.slice(array, start, size) for array in self.arrays)

    def no_slopes(self):
        """Return sums of slopes by `h`, kernel and bias that begin at 0."""
        shapes = (self.kernel.shape, self.bias.shape)
        return ops.zeros_like(self.padded), *(ops.zeros(shape, "float32") for shape in shapes)

    def add(self, block, by_logits, sums):
        """Return sums with what a chunk's slopes by its logits add."""
        by_h, by_kernel, by_bias = sums
        half = ops.cast(by_logits, self.h.dtype)
        by_block = ops.matmul(half, ops.transpose(self.narrow))
        more = ops.cast(ops.matmul(ops.transpose(self._hidden(block)), half), "float32")
        by_h = ops.slice_update(by_h, (block * self.rows, 0), by_block)
        return by_h, by_kernel + more, by_bias + ops.sum(by_logits, axis=0)

    def gradients(self, sums):
        """Return sums of slopes in the dtypes of `h`, kernel and bias."""
        by_h, by_kernel, by_bias = sums
        given = (self.h, self.kernel, self.bias)
        sums = (by_h[: ops.shape(self.h)[0]], by_kernel, by_bias)
        return [ops.cast(each, of.dtype) for each, of in zip(sums, given, strict=True)]


def _crossentropy(label_smoothing, z_weight, gamma):
    """Return a function of a chunk's logits, labels and shares to its sum and slopes."""

    def of_chunk(logits, numbers, share):
        highest = ops.max(logits, axis=-1, keepdims=True)
        e = ops.exp(logits - highest)
        s = ops.sum(e, axis=-1, keepdims=True)
        divisor = ops.log(s) + highest
        hit, known = _hit(logits, numbers)
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
            slopes = slopes - label_smoothing / logits.shape[-1] * factor * share
        counts = share != 0
        value = ops.sum(ops.where(counts, ops.where(known, values, float("nan")) * share, 0.0))
        return value, ops.where(counts, slopes, 0.0)

    return of_chunk


def _margin(logits, numbers):
    """Return the margin of each token, and its slope by each logit."""
    hit, known = _hit(logits, numbers)
    others = ops.where(hit, float("-inf"), logits)
    highest = ops.max(others, axis=-1, keepdims=True)
    e = ops.exp(others - highest)
    s = ops.sum(e, axis=-1, keepdims=True)
    true = ops.sum(ops.where(hit, logits, 0.0), axis=-1, keepdims=True)
    margin = ops.where(known, true - highest - ops.log(s), float("nan"))
    return ops.squeeze(margin, -1), ops.where(hit, 1.0, -e / s)


def _hit(logits, numbers):
    """Return where the true class of each token is, and whether it is one of the classes.

    A label beyond the classes must not be cheap.
    """
    numbers = ops.expand_dims(numbers, -1)
    hit = ops.equal(ops.arange(logits.shape[-1], dtype="int32"), numbers)
    return hit, ops.logical_and(numbers >= 0, numbers < logits.shape[-1])


def _two_classes(margins):
    """Return logits of two classes, of which the first is as probable as the true one."""
    return ops.stack([margins, ops.zeros_like(margins)], axis=-1)


def _check(base, label_smoothing, z_weight, gamma):
    """Check that the values of a loss follow from the probability of the true class."""
    if label_smoothing or z_weight or gamma:
        raise ParameterError(
            "Loss 'fused_linear_crossentropy': label_smoothing, z_weight and gamma are those of "
            "the cross-entropy, and 'base' is given in its place. Leave them out, or leave 'base' "
            "out."
        )
    problem = _problem(base)
    if problem is not None:
        raise ParameterError(
            "Loss 'fused_linear_crossentropy': 'base' must be a loss of class numbers and logits "
            "with one value for each token, which depends on the probability of the true class "
            f"alone{problem}. 'sparse_focal(gamma=2, from_logits=True)' is one; for smoothed "
            "labels use label_smoothing of this loss."
        )


@functools.lru_cache(maxsize=32)
def _problem(base):
    """Return None if the values of a loss follow from the probability of the true class alone."""
    logits = numpy.array([[0.3, -1.2, 2.1], [1.7, 0.2, -0.4], [-0.9, 0.8, 0.1]], "float32")
    numbers = numpy.array([0, 2, 1], "int32")
    found = []

    def compare():
        try:
            whole = ops.convert_to_numpy(base(numbers, logits))
            margins, _ = _margin(ops.convert_to_tensor(logits), ops.convert_to_tensor(numbers))
            pair = ops.convert_to_numpy(base(numpy.zeros_like(numbers), _two_classes(margins)))
        except Exception as error:  # any loss may be given
            found.append(f" ({str(error).rstrip('.')})")
        else:
            is_same = whole.shape == (3,) and numpy.allclose(whole, pair, rtol=1e-4, atol=1e-6)
            found.append(None if is_same else "")

    # A backend that traces a graph does so in this thread; another one computes.
    thread = threading.Thread(target=compare)
    thread.start()
    thread.join()
    return found[0]
