"""Self-supervised losses: two views of each sample are alike, and nothing collapses."""

from typing import Annotated

from annotated_types import Ge, Gt

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32

from .pairs import itself, unit
from .similarities import contrast


def ntxent(y_true, y_pred, *, temperature: Annotated[float, Gt(0)] = 0.1):
    """Temperature-scaled cross-entropy of SimCLR, for two views of each sample.

    `-log(exp(s_p / temperature) / sum(exp(s_a / temperature)))` for each view, where `s_p` is its
    cosine to the other view of the sample, and `a` runs over all views of the batch but
    itself; a sample's value is the mean of its two views.

    Embeddings are scaled to length 1 first. The gradient can't be differentiated again.

    Args:
        y_true: Ignored; one entry for each sample.
        y_pred: Embeddings of both views, of any length, shape `(batch, 2, dims)`.
        temperature: What cosines are divided by; a smaller one weighs the nearest others more.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`.

    Source:
        Chen et al., 2020, arXiv:2002.05709, equation 1 and algorithm 1.
    """
    del y_true
    y_pred = at_least_float32(y_pred)
    samples = ops.arange(ops.shape(y_pred)[0])
    views = ops.concatenate([y_pred[:, 0], y_pred[:, 1]], axis=0)
    nats = contrast(ops.concatenate([samples, samples]), views, temperature)
    return ops.mean(ops.reshape(nats, (2, -1)), axis=0)


def info_nce(
    y_true,
    y_pred,
    *,
    temperature: Annotated[float, Gt(0)] = 0.07,
    symmetric: bool = False,
):
    """Contrastive cross-entropy of queries and keys: each query finds its own key.

    `-log(exp(s_ii / temperature) / sum_j(exp(s_ij / temperature)))`, where `s_ij` is the cosine
    of query `i` and key `j`. With `symmetric` it is the mean of that and of each key's
    search for its query, which is the loss of CLIP.

    Embeddings are scaled to length 1 first.

    Args:
        y_true: Ignored; one entry for each sample.
        y_pred: Embeddings of query and key, of any length, shape `(batch, 2, dims)`.
        temperature: What cosines are divided by; a smaller one weighs the nearest others more.
        symmetric: Whether keys look for queries too.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`.

    Source:
        van den Oord et al., 2018, arXiv:1807.03748, equation 4; with cosines as in He et al.,
        2019, arXiv:1911.05722, equation 1; `symmetric` is Radford et al., 2021,
        arXiv:2103.00020, figure 3.
    """
    del y_true
    y_pred = unit(at_least_float32(y_pred))
    query, key = y_pred[:, 0], y_pred[:, 1]
    right = ops.sum(query * key, axis=1) / temperature
    logits = ops.matmul(query, ops.transpose(key)) / temperature
    nats = ops.logsumexp(logits, axis=1) - right
    if symmetric:
        nats = (nats + ops.logsumexp(logits, axis=0) - right) / 2
    return nats


def barlow_twins(
    y_true,
    y_pred,
    *,
    redundancy: Annotated[float, Ge(0)] = 0.005,
    epsilon: Annotated[float, Gt(0)] = 1e-5,
):
    """Barlow Twins: each dimension agrees with itself, and with no other.

    `sum_i((1 - C_ii)**2) + redundancy * sum_{i != j}(C_ij**2)`, where `C_ij` is the correlation,
    over the batch, of dimension `i` of one view with dimension `j` of the other.

    As in the authors' code, `epsilon` is added to each variance, so that a dimension that is
    the same for all samples has the correlation 0.

    Args:
        y_true: Ignored; one entry for each sample.
        y_pred: Embeddings of both views, not scaled, shape `(batch, 2, dims)`.
        redundancy: Weight of the correlations of different dimensions.
        epsilon: What is added to the variance of each dimension.

    Returns:
        A sum of squared correlations, in float32 or wider, shape `()`.

    Source:
        Zbontar et al., 2021, arXiv:2103.03230.
    """
    del y_true
    y_pred = at_least_float32(y_pred)
    centred = y_pred - ops.mean(y_pred, axis=0, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=0, keepdims=True)
    z = centred * ops.rsqrt(variance + epsilon)
    samples = ops.cast(ops.shape(z)[0], z.dtype)
    c = ops.matmul(ops.transpose(z[:, 0]), z[:, 1]) / samples
    return ops.sum(ops.where(itself(c), ops.square(1 - c), redundancy * ops.square(c)))


def vicreg(
    y_true,
    y_pred,
    *,
    invariance: Annotated[float, Ge(0)] = 25.0,
    variance: Annotated[float, Ge(0)] = 25.0,
    covariance: Annotated[float, Ge(0)] = 1.0,
    epsilon: Annotated[float, Gt(0)] = 1e-4,
):
    """VICReg: views alike, dimensions that vary, and no two that say the same.

    `invariance * s + variance * (v + v') + covariance * (c + c')`. `s` is the mean squared
    difference of the views; `v` is the mean, over the dimensions of a view, of
    `max(0, 1 - sqrt(var + epsilon))`; `c` is the sum of its squared covariances of two different
    dimensions, divided by the number of dimensions.

    The authors' code halves `v + v'`; pass half the `variance` for its values. In `s` the paper
    sums over the dimensions, and the code takes the mean, as here.

    Args:
        y_true: Ignored; one entry for each sample.
        y_pred: Embeddings of both views, not scaled, shape `(batch, 2, dims)`.
        invariance: Weight of the distance of the views.
        variance: Weight of what the deviation of each dimension lacks to 1.
        covariance: Weight of the covariances.
        epsilon: What is added to the variance of each dimension.

    Returns:
        A weighted sum, in float32 or wider, shape `()`.

    Source:
        Bardes et al., 2021, arXiv:2105.04906, equations 1 to 6.
    """
    del y_true
    y_pred = at_least_float32(y_pred)
    apart = ops.mean(ops.square(y_pred[:, 0] - y_pred[:, 1]))
    centred = y_pred - ops.mean(y_pred, axis=0, keepdims=True)
    # One sample has no variance, whatever it is divided by.
    freedom = ops.cast(ops.maximum(ops.shape(y_pred)[0] - 1, 1), y_pred.dtype)
    deviation = ops.sqrt(ops.sum(ops.square(centred), axis=0) / freedom + epsilon)
    lack = ops.sum(ops.mean(ops.maximum(1 - deviation, 0.0), axis=-1))

    def crossed(z):
        c = ops.matmul(ops.transpose(z), z) / freedom
        dims = ops.cast(ops.shape(z)[1], z.dtype)
        return ops.sum(ops.where(itself(c), 0.0, ops.square(c))) / dims

    together = crossed(centred[:, 0]) + crossed(centred[:, 1])
    return invariance * apart + variance * lack + covariance * together
