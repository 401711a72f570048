"""A loss that remembers what the model predicted for each sample before it learned the noise."""

from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt

from lossreg import Fields, State
from lossreg.lazy import ops
from lossreg.numerics import log_softmax

# As in the authors' code: nearer to 1 the regularizer would be unbounded.
_CLOSEST = 1e-4


def early_learning(
    y_true: Annotated[Any, Fields("label", "index")],
    y_pred,
    targets: Annotated[Any, State("samples", "classes", combine="sum")],
    *,
    samples: Annotated[int, Gt(0)],
    weight: Annotated[float, Ge(0)] = 3.0,
    beta: Annotated[float, Ge(0), Lt(1)] = 0.7,
    from_logits: bool = False,
):
    """Cross-entropy that keeps a model near its own early predictions: ELR.

    `-sum(y * log(p)) + weight * log(1 - sum(p * t))` over the classes, where `p` are the
    probabilities of a sample, `y` its label, and `t` the moving mean of its own probabilities:
    `t = beta * t + (1 - beta) * p` each time that training sees the sample. Models learn clean
    labels first; the second term is lowest where they go on as they began, and so a wrong label
    that comes later is not learned by heart.

    The means are memory, one row for each sample: train with `lossreg.compile`, and with labels
    that are a mapping, `fit(x, {"label": y, "index": numpy.arange(len(y))})`. `t` counts as a
    constant in the gradient. Probabilities are divided by their sum and clipped to
    [1e-7, 1 - 1e-7], unless they come straight from a softmax on TensorFlow, where Keras keeps the
    logits; in `t` and in the second term they are clipped to [1e-4, 1 - 1e-4].

    Args:
        y_true: `label`, one-hot, shape `(batch, classes)`, or class numbers, shape `(batch,)`; and
            `index`, the number of each sample in the data, in [0, samples), shape `(batch,)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, shape `(batch, classes)`.
        samples: How many samples the training data has.
        weight: Weight of the second term, the paper's lambda; 0 gives cross-entropy.
        beta: How much of the moving mean stays each time.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.

    Returns:
        Nats per sample, in float32 or wider, shape `(batch,)`; the second term is below 0.

    Source:
        Liu et al., 2020, arXiv:2007.00151, section 4, with the targets of temporal ensembling.
    """
    del samples  # The targets have as many rows.
    log_p = log_softmax(y_pred, from_logits=from_logits)
    y = ops.cast(y_true["label"], log_p.dtype)
    p = ops.clip(ops.exp(log_p), _CLOSEST, 1 - _CLOSEST)
    index = ops.cast(ops.reshape(y_true["index"], (-1,)), "int32")
    own = ops.stop_gradient(p / ops.sum(p, axis=-1, keepdims=True))
    t = beta * ops.take(targets, index, axis=0) + (1 - beta) * own
    nats = -ops.sum(y * log_p, axis=-1)
    # Clipped probabilities may sum to more than 1.
    away = ops.maximum(1 - ops.sum(p * ops.stop_gradient(t), axis=-1), _CLOSEST)
    new = ops.scatter_update(targets, ops.expand_dims(index, -1), ops.cast(t, targets.dtype))
    return nats + weight * ops.log(away), new
