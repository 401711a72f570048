"""Keras' losses for directions and embeddings: how alike two vectors are."""

from typing import Annotated

from annotated_types import Ge, Gt, Le

from lossreg.lazy import keras
from lossreg.numerics import at_least_float32


def cosine_similarity(y_true, y_pred, *, axis: int = -1):
    """Minus the cosine between vectors: when direction matters, not length.

    `-sum(u * v)` over `axis`, where `u` and `v` are `y_true` and `y_pred` divided by their
    lengths. -1 is the best value, 0 means a right angle, 1 the opposite direction. A vector of
    zeros gives 0, and a prediction of zeros a gradient of up to 1e7.

    Args:
        y_true: Vectors, any finite numbers, shape `(batch, ..., features)`.
        y_pred: Vectors, any finite numbers, same shape.
        axis: Axis of the features.

    Returns:
        Minus a cosine, in [-1, 1], per sample, shape `(batch, ...)`.

    Source:
        Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, section 6.3.
    """
    return keras.losses.cosine_similarity(y_true, at_least_float32(y_pred), axis=axis)


def circle(
    y_true,
    y_pred,
    *,
    gamma: Annotated[float, Gt(0)] = 80.0,
    margin: Annotated[float, Ge(-1), Le(1)] = 0.4,
    remove_diagonal: bool = True,
):
    """Circle loss for embeddings: same class together, other classes apart.

    `log(1 + sum(n) * sum(p))`, with `n = exp(gamma * max(s_n + margin, 0) * (s_n - margin))` and
    `p = exp(gamma * max(1 + margin - s_p, 0) * (1 - margin - s_p))`, where `s_n` and `s_p` are a
    sample's cosine similarities to the samples of other classes and to the others of its own.

    The embeddings must have length 1, and nothing checks it: end the model with
    `keras.layers.UnitNormalization()`. Every sample is compared with the rest of its batch, so
    sample weights, class weights and masks are refused. A sample without another of its class, or
    without one of another class, costs 0; Keras masks values of 0, so its mean divides by the
    number of the others. Keras' parameters `ref_labels` and `ref_embeddings`, other samples to
    compare with, aren't offered.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings of length 1, shape `(batch, features)`.
        gamma: Scale of the similarities; larger is closer to the hardest pair alone.
        margin: How far from perfect a pair may stay; smaller is stricter.
        remove_diagonal: Whether a sample isn't its own partner.

    Returns:
        Nats per sample, shape `(batch,)`.

    Source:
        Sun et al., 2020, arXiv:2002.10857, with its four constants set by one margin, as there.
    """
    return keras.losses.circle(
        y_true,
        at_least_float32(y_pred),
        gamma=gamma,
        margin=margin,
        remove_diagonal=remove_diagonal,
    )
