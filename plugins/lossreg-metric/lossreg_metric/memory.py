"""Losses of embeddings that remember: a centre for each class, or the embeddings of before."""

from typing import Annotated, Any

from annotated_types import Gt, Le

from lossreg import LossFunction, State
from lossreg.lazy import ops
from lossreg.numerics import at_least_float32


def center(
    y_true,
    y_pred,
    centers: Annotated[Any, State("classes", "dimensions")],
    *,
    classes: Annotated[int, Gt(0)],
    alpha: Annotated[float, Gt(0), Le(1)] = 0.5,
):
    """Center loss: squared distance to the centre of the own class.

    `sum((x - c_y)**2) / 2` over the dimensions, where `x` is an embedding and `c_y` the centre of
    its class. In each step of training the centre of class `j` moves by
    `alpha * sum(x - c_j) / (1 + n_j)`, over the `n_j` samples of the class in the batch. The
    centres count as constants in the gradient.

    The centres are memory, all 0 at first: train with `lossreg.compile`. Alone the loss is lowest
    where all embeddings are equal; the paper adds it to a softmax cross-entropy over another
    output, with a weight of 0.003, and tries 0 to 0.1.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Embeddings, any numbers, shape `(batch, dimensions)`.
        classes: How many classes there are.
        alpha: How fast the centres move.

    Returns:
        Squared units of the embeddings per sample, shape `(batch,)`.

    Source:
        Wen et al., 2016, "A Discriminative Feature Learning Approach for Deep Face Recognition",
        equations 2 to 4.
    """
    x = at_least_float32(y_pred)
    labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    away = ops.take(centers, labels, axis=0) - x
    hot = ops.one_hot(labels, classes, dtype=x.dtype)
    n = ops.expand_dims(ops.sum(hot, axis=0), -1)
    moved = centers - alpha * ops.matmul(ops.transpose(hot), away) / (1 + n)
    return ops.sum(ops.square(away), axis=-1) / 2, moved


def cross_batch_memory(
    y_true,
    y_pred,
    embeddings: Annotated[Any, State("size", "dimensions", combine="first")],
    labels: Annotated[Any, State("size", combine="first")],
    filled: Annotated[Any, State(combine="first")],
    *,
    base: LossFunction = "supervised_contrastive",
    size: Annotated[int, Gt(0)] = 1024,
):
    """Any loss of embeddings, with those of earlier batches beside the batch.

    `base(y + labels, x + embeddings)`, where `+` joins the batch and the latest `size` embeddings,
    with their class numbers, of the batches before it, as if all were one batch. Where `base` gives
    a value for each sample, those of the batch count. Embeddings change slowly, so that old ones
    stand in for a batch that no memory would hold. They have no gradient.

    The embeddings are memory: train with `lossreg.compile`. Until `size` of them are there, the
    batch counts alone. In validation the memory is what training left.

    Args:
        y_true: Class numbers from 0, shape `(batch,)`.
        y_pred: Embeddings as `base` takes them, shape `(batch, dimensions)`.
        base: A loss of class numbers and embeddings.
        size: How many embeddings are kept.

    Returns:
        What `base` returns: one value for each sample of the batch, or one for the batch.

    Source:
        Wang et al., 2019, arXiv:1912.06798. The paper compares the batch with the
        memory alone; here the batch itself counts too, since `base` takes one batch.
    """
    x = at_least_float32(y_pred)
    y = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    batch, dimensions = ops.shape(x)[0], x.shape[-1]
    all_x = ops.concatenate([x, ops.cast(embeddings, x.dtype)], axis=0)
    all_y = ops.concatenate([y, ops.cast(labels, "int32")], axis=0)
    is_full = filled >= size
    together = base(all_y, all_x)
    if len(together.shape):
        together = together[:batch]
    values = ops.where(is_full, together, base(y, x))
    new_x = ops.reshape(ops.stop_gradient(all_x)[:size], (size, dimensions))
    new_y = ops.reshape(all_y[:size], (size,))
    return values, new_x, new_y, ops.minimum(filled + ops.cast(batch, filled.dtype), float(size))
