"""Losses of the similarities to each class, as the layer `Prototypes` returns them.

The layer has the weights; no loss here has any.
"""

import math
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide, root

# No logit is as high.
_HIGHEST = 1e30


def arcface(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0), Le(math.pi / 2)] = 0.5,
    scale: Annotated[float, Gt(0)] = 64.0,
    easy_margin: bool = False,
):
    """ArcFace: the angle to the own class is made larger by a margin.

    The cross-entropy of `softmax(scale * c)` after the cosine `c = cos(t)` of the true class is
    replaced by `cos(t + margin)`. Where `t + margin` is beyond pi, it is replaced by
    `c - margin * sin(margin)`, so that the loss goes on falling with the angle. With
    `easy_margin` there is a margin only where `c` is above 0.

    At a cosine of exactly 1 or -1, where the angle is infinitely steep, the slope is
    `cos(margin)`. Labels get no gradient.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Cosines to each class in [-1, 1], as the layer `Prototypes` returns them, shape
            `(batch, classes)`.
        margin: The angle that is added, in radians; 0.5 is 28.6 degrees.
        scale: What cosines are multiplied by to become logits.
        easy_margin: Whether samples more than a right angle away have no margin.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`.

    Source:
        Deng et al., 2018, arXiv:1801.07698, equation 3; the rule beyond pi is that of its code.
    """

    def with_margin(c):
        sine = root(1 - ops.square(c))
        turned = c * math.cos(margin) - sine * math.sin(margin)
        slope = math.cos(margin) + math.sin(margin) * divide(c, sine)
        if easy_margin:
            far, otherwise = c <= 0, c
        else:
            far, otherwise = c < -math.cos(margin), c - margin * math.sin(margin)
        return ops.where(far, otherwise, turned), ops.where(far, 1.0, slope)

    return _softmax(y_true, y_pred, scale, with_margin)


def cosface(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0), Le(2)] = 0.35,
    scale: Annotated[float, Gt(0)] = 64.0,
):
    """CosFace: the cosine to the own class is made smaller by a margin.

    The cross-entropy of `softmax(scale * c)` after the cosine `c` of the true class is replaced by
    `c - margin`. Labels get no gradient.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Cosines to each class in [-1, 1], as the layer `Prototypes` returns them, shape
            `(batch, classes)`.
        margin: What is taken off the cosine.
        scale: What cosines are multiplied by to become logits.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`.

    Source:
        Wang et al., 2018, arXiv:1801.09414, the large margin cosine loss.
    """
    return _softmax(y_true, y_pred, scale, lambda c: (c - margin, ops.ones_like(c)))


def soft_triple(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0), Le(2)] = 0.01,
    scale: Annotated[float, Gt(0)] = 20.0,
):
    """SoftTriple loss: several centres a class, chosen softly, and a margin.

    The cross-entropy of `softmax(scale * s)` after the similarity `s` to the true class is replaced
    by `s - margin`. The layer `Prototypes(classes, centers=10, pooling="softmax")` returns these
    similarities: the mean of the cosines to the centres of a class, weighted by a softmax; its
    `spread` is the paper's penalty on distant centres. Labels get no gradient.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Similarities to each class in [-1, 1], shape `(batch, classes)`.
        margin: What is taken off the similarity.
        scale: What similarities are multiplied by to become logits, the paper's lambda.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`.

    Source:
        Qian et al., 2019, arXiv:1909.05235.
    """
    return _softmax(y_true, y_pred, scale, lambda s: (s - margin, ops.ones_like(s)))


def _softmax(y_true, y_pred, scale: float, with_margin):
    """Return the cross-entropy of scaled cosines, the true one replaced.

    Args:
        y_true: Class numbers.
        y_pred: Cosines to each class.
        scale: What all cosines are multiplied by.
        with_margin: Takes the cosine of the true class; returns what replaces it, and its slope.
    """

    def nats(labels, c):
        labels = ops.expand_dims(labels, 1)
        true = ops.equal(ops.arange(ops.shape(c)[1], dtype="int32"), labels)
        target, slope = with_margin(ops.take_along_axis(c, labels, axis=1))
        c = ops.where(true, target, c)
        highest = ops.max(c, axis=1, keepdims=True)
        e = ops.exp(scale * (c - highest))
        total = ops.sum(e, axis=1, keepdims=True)
        z = scale * (target - highest)

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            by_logit = ops.where(true, (ops.exp(z) - total) * slope, e)
            return None, by_logit * (scale * ops.reshape(upstream, (-1, 1)) / total)

        return ops.squeeze(ops.log(total) - z, 1), gradient

    labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    return ops.custom_gradient(nats)(labels, at_least_float32(y_pred))


def proxy_nca(
    y_true,
    y_pred,
    *,
    scale: Annotated[float, Gt(0)] = 1.0,
    denominator: Literal["others", "all"] = "others",
):
    """Proxy-NCA: nearer to the own class's proxy than to any other.

    `-log(exp(-scale * d_y) / sum_z(exp(-scale * d_z)))`, where `d = 2 - 2 * c` is the squared
    distance of embedding and proxy at length 1, `y` the true class, and `z` runs over the other
    classes, or over `"all"`.

    With `"others"`, the paper's form, values may be below 0, and a single class costs
    `scale * d_y`. With `"all"` it is the cross-entropy of the softmax, as in ProxyNCA++.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Cosines to each class in [-1, 1], as the layer `Prototypes` returns them, shape
            `(batch, classes)`.
        scale: What squared distances are multiplied by; much code takes 9, from vectors of
            length 3.
        denominator: Whether the true class counts among those that the sum runs over.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`.

    Source:
        Movshovitz-Attias et al., 2017, arXiv:1703.07464; `"all"` is Teh et al., 2020,
        arXiv:2004.01113, equation 6.
    """
    c = at_least_float32(y_pred)
    true = _true_class(y_true, c)
    # The 2 in each distance cancels.
    logits = 2 * scale * c
    own = ops.sum(ops.where(true, logits, 0.0), axis=1)
    if denominator == "all":
        return ops.logsumexp(logits, axis=1) - own
    others = ops.logsumexp(ops.where(true, -_HIGHEST, logits), axis=1)
    return ops.where(ops.all(true, axis=1), 2 * scale, others) - own


def proxy_anchor(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 0.1,
    alpha: Annotated[float, Gt(0)] = 32.0,
):
    """Proxy-anchor loss: each class's proxy against the whole batch.

    `mean_{c in batch}(log(1 + sum_p(exp(-alpha * (s_pc - margin)))))
    + mean_c(log(1 + sum_n(exp(alpha * (s_nc + margin)))))`, where `s_pc` are the cosines of
    class `c`'s samples to its proxy and `s_nc` those of all other samples. The first mean is over
    the classes that the batch has, the second over all.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Cosines to each class in [-1, 1], as the layer `Prototypes` returns them, shape
            `(batch, classes)`.
        margin: By how much cosines should be above, and below, 0.
        alpha: How much the hardest samples weigh.

    Returns:
        Nats, in float32 or wider, shape `()`.

    Source:
        Kim et al., 2020, arXiv:2003.13911, equation 4.
    """
    s = at_least_float32(y_pred)
    true = _true_class(y_true, s)
    present = ops.sum(ops.cast(ops.any(true, axis=0), s.dtype))
    pulled = _log_of_one_and(ops.where(true, -alpha * (s - margin), -_HIGHEST))
    pushed = _log_of_one_and(ops.where(true, -_HIGHEST, alpha * (s + margin)))
    return divide(ops.sum(pulled), present) + ops.mean(pushed)


def _true_class(y_true, y_pred):
    """Return a matrix of bools, true for the class of each sample."""
    return ops.equal(
        ops.arange(ops.shape(y_pred)[1], dtype="int32"),
        ops.cast(ops.reshape(y_true, (-1, 1)), "int32"),
    )


def _log_of_one_and(powers):
    """Return `log(1 + sum(exp(powers)))` over the batch."""
    return ops.logsumexp(ops.pad(powers, ((1, 0), (0, 0))), axis=0)
