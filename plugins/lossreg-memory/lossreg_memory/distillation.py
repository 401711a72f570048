"""Learning from what another model predicts."""

from typing import Annotated, Any

from annotated_types import Gt

from lossreg import Needs
from lossreg.lazy import ops
from lossreg.numerics import log_softmax


def distill(
    y_true,
    y_pred,
    teacher: Annotated[Any, Needs("teacher")],
    *,
    temperature: Annotated[float, Gt(0)] = 4.0,
    from_logits: bool = False,
):
    """Distance to the softened probabilities of a teacher: knowledge distillation.

    `T**2 * sum(q * (log(q) - log(p)))` over the last axis, where `T` is the temperature,
    `p = softmax(x / T)` for the logits `x` of the model, and `q` the same for those of the teacher.
    The factor keeps the gradient's size for any temperature, so that a loss of the labels can be
    added: `"distill(temperature=4) + 0.5 * sparse_categorical_crossentropy"`. It is 0 where both
    models predict the same. The labels are ignored.

    The teacher is another input: train with `lossreg.compile(..., teacher=model)`. It predicts in
    inference mode, and isn't trained. Logits of probabilities are their logarithms; probabilities
    are divided by their sum and clipped to [1e-7, 1 - 1e-7], unless they come straight from a
    softmax on TensorFlow, where Keras keeps the logits.

    Args:
        y_true: Anything; it is ignored.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, shape
            `(batch, ..., classes)`. The teacher has the same.
        temperature: How much the small probabilities of the teacher count; 1 leaves them.
        from_logits: Whether the model and the teacher predict logits.

    Returns:
        Nats, times the square of the temperature, per sample, in float32 or wider, shape
        `(batch, ...)`.

    Source:
        Hinton et al., 2015, arXiv:1503.02531, section 2, less the entropy of the teacher, which is
        constant.
    """
    del y_true
    log_p, log_q = (
        ops.log_softmax(log_softmax(each, from_logits=from_logits) / temperature, axis=-1)
        for each in (y_pred, teacher)
    )
    return temperature**2 * ops.sum(ops.exp(log_q) * (log_q - log_p), axis=-1)
