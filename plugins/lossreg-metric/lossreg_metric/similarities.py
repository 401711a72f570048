"""Losses of similarities: of a matrix that the model returns, or of all embeddings' cosines."""

from typing import Annotated

from annotated_types import Ge, Gt

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide

from .cosines import of_cosines
from .pairs import itself, same_class

# No cosine and no logit is as high.
_HIGHEST = 1e30


def npairs(y_true, y_pred):
    """N-pairs loss: the cross-entropy of each row of a matrix of similarities.

    `-sum(t * log(softmax(s)))` over a row `s`, where `t` is shared evenly by the columns whose
    class is that of the row.

    Args:
        y_true: Class numbers, the same for rows and columns, shape `(batch,)`.
        y_pred: Similarities of anchors (rows) and positives (columns), such as dot products,
            shape `(batch, batch)`.

    Returns:
        Nats per row, in float32 or wider, shape `(batch,)`.

    Source:
        Sohn, 2016, "Improved deep metric learning with multi-class N-pair loss objective",
        "N-pair-mc", without the penalty on lengths.
    """
    labels = ops.reshape(y_true, (-1,))
    s = at_least_float32(y_pred)
    return _cross_entropy(ops.cast(same_class(labels, labels), s.dtype), s)


def npairs_multilabel(y_true, y_pred):
    """N-pairs loss for samples with several classes each.

    `-sum(t * log(softmax(s)))` over a row `s` of similarities, where `t` is shared by the columns
    in proportion to the classes that they have in common with the row. A row without classes
    costs 0; in TensorFlow Addons it is NaN.

    Args:
        y_true: 1 for each class of a sample and 0 for others, shape `(batch, classes)`.
        y_pred: Similarities of anchors (rows) and positives (columns), such as dot products,
            shape `(batch, batch)`.

    Returns:
        Nats per row, in float32 or wider, shape `(batch,)`.

    Source:
        Sohn, 2016, "Improved deep metric learning with multi-class N-pair loss objective",
        "N-pair-mc"; the shares are those of TensorFlow Addons.
    """
    s = at_least_float32(y_pred)
    y = ops.cast(y_true, s.dtype)
    return _cross_entropy(ops.matmul(y, ops.transpose(y)), s)


def _cross_entropy(shares, s):
    t = divide(shares, ops.sum(shares, axis=1, keepdims=True))
    return -ops.sum(t * ops.log_softmax(s, axis=1), axis=1)


def siglip(
    y_true,
    y_pred,
    *,
    scale: Annotated[float, Gt(0)] = 10.0,
    bias: float = -10.0,
):
    """Sigmoid loss of images and texts: each pair by itself, right or wrong.

    `sum(log(1 + exp(-z * (scale * s + bias))))` over a row of similarities `s`, where `z` is 1
    on the diagonal and -1 elsewhere.

    Scale and bias are what the paper's training starts from. To learn them, let the model's
    last layer apply them, and pass `scale=1, bias=0`.

    Args:
        y_true: Ignored; one entry for each row.
        y_pred: Cosines of images (rows) and texts (columns), whose diagonal holds the right
            pairs, shape `(batch, batch)`.
        scale: What similarities are multiplied by.
        bias: What is added then; negative, since most pairs are wrong.

    Returns:
        Nats per row, in float32 or wider, shape `(batch,)`.

    Source:
        Zhai et al., 2023, arXiv:2303.15343, equation in section 3.2 and algorithm 1.
    """
    del y_true
    logits = scale * at_least_float32(y_pred) + bias
    return ops.sum(ops.softplus(ops.where(itself(logits), -logits, logits)), axis=1)


def multi_similarity(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Gt(0)] = 2.0,
    beta: Annotated[float, Gt(0)] = 50.0,
    base: float = 1.0,
    epsilon: Annotated[float, Ge(0)] | None = 0.1,
):
    """Multi-similarity loss: all informative pairs, the hardest ones most.

    `log(1 + sum(exp(-alpha * (s_p - base)))) / alpha
    + log(1 + sum(exp(beta * (s_n - base)))) / beta` for each anchor, with the cosines `s_p` to
    its class and `s_n` to the others. A positive counts if `s_p - epsilon` is below the largest
    `s_n`, and a negative if `s_n + epsilon` is above the smallest `s_p`; with `epsilon=None` all
    count.

    An anchor without positives or without negatives has no informative pair and costs 0.
    Embeddings are scaled to length 1 first. Labels get no gradient, and the gradient can't be
    differentiated again.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings of any length, shape `(batch, dims)`.
        alpha: How much the farthest positives weigh.
        beta: How much the nearest negatives weigh.
        base: The cosine from which pairs begin to cost much.
        epsilon: How much easier than the hardest pair of the other kind a pair may be.

    Returns:
        Nats, scaled down, per anchor, in float32 or wider, shape `(batch,)`.

    Source:
        Wang et al., 2019, arXiv:1904.06627; `epsilon` is its mining of pairs.
    """

    def values(s, same, me):
        # An anchor is no pair with itself; as its own easiest positive it weighs 0.
        s = ops.where(me, _HIGHEST, s)
        least = ops.min(ops.where(same, s, _HIGHEST), axis=1, keepdims=True)
        most = ops.max(ops.where(same, -_HIGHEST, s), axis=1, keepdims=True)
        powers = ops.where(same, alpha * (base - s), beta * (s - base))
        # The largest power of each kind, or that of the 1 in the logarithm.
        top_p = ops.maximum(alpha * (base - least), 0.0)
        top_n = ops.maximum(beta * (most - base), 0.0)
        if epsilon is not None:
            kept = ops.where(same, s - epsilon < most, s + epsilon > least)
            powers = ops.where(kept, powers, -_HIGHEST)
            informative = least - epsilon < most
            top_p, top_n = (ops.where(informative, top, 0.0) for top in (top_p, top_n))
        e = ops.exp(powers - ops.where(same, top_p, top_n))
        sum_p = ops.exp(-top_p) + ops.sum(ops.where(same, e, 0.0), axis=1, keepdims=True)
        sum_n = ops.exp(-top_n) + ops.sum(ops.where(same, 0.0, e), axis=1, keepdims=True)
        pulled = (ops.log(sum_p) + top_p) / alpha
        pushed = (ops.log(sum_n) + top_n) / beta

        slopes = e * ops.where(same, -1 / sum_p, 1 / sum_n)
        return ops.squeeze(pulled + pushed, 1), slopes

    return of_cosines(values, ops.reshape(y_true, (-1,)), at_least_float32(y_pred))


def supervised_contrastive(y_true, y_pred, *, temperature: Annotated[float, Gt(0)] = 0.1):
    """Supervised contrastive loss: each positive against the whole batch.

    `-mean(log(exp(s_p / temperature) / sum(exp(s_a / temperature))))` over the positives `p` of an
    anchor, where `s` are its cosines and `a` runs over all samples but the anchor.

    An anchor without positives costs 0 and counts in Keras' mean. Embeddings are scaled to length
    1 first. Labels get no gradient, and the gradient can't be differentiated again.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings of any length, shape `(batch, dims)`.
        temperature: What cosines are divided by; a smaller one weighs the nearest negatives more.

    Returns:
        Nats per anchor, in float32 or wider, shape `(batch,)`.

    Source:
        Khosla et al., 2020, arXiv:2004.11362, equation 2.
    """
    labels = ops.reshape(y_true, (-1,))
    return contrast(labels, at_least_float32(y_pred), temperature)


def contrast(labels, x, temperature: float):
    """Return the supervised contrastive loss of each sample."""

    def values(s, same, me):
        same = ops.logical_and(same, ops.logical_not(me))
        positives = ops.sum(ops.cast(same, s.dtype), axis=1, keepdims=True)
        s = ops.where(me, -_HIGHEST, s / temperature)
        highest = ops.max(s, axis=1, keepdims=True)
        e = ops.exp(s - highest)
        total = ops.sum(e, axis=1, keepdims=True)
        # From the highest down, in which no digits are lost.
        mean = divide(ops.sum(ops.where(same, highest - s, 0.0), axis=1, keepdims=True), positives)
        nats = ops.where(positives > 0, mean + ops.log(total), 0.0)

        share = ops.where(positives > 0, 1 / total, 0.0)
        by_logit = e * share - ops.where(same, divide(1.0, positives), 0.0)
        return ops.squeeze(nats, 1), by_logit / temperature

    return of_cosines(values, labels, x)
