"""Keras' loss for sequences whose labels aren't aligned with the input."""

from lossreg.lazy import keras, ops
from lossreg.numerics import at_least_float32, finite


def ctc(y_true, y_pred):
    """Connectionist temporal classification: text from speech or handwriting.

    `-log(sum(p(path)))` over all paths of one class per step that give the label once repeats and
    blanks are removed. Class 0 is the blank, and 0 pads the label at its end: real classes
    begin at 1. Every step of `y_pred` counts; there is no length per sample.

    A label needs a step for each of its entries, and one more between two equal neighbours. A
    longer label has no path: on TensorFlow, Keras then returns a large number without meaning.
    A logit of minus infinity counts as -1e30, where Keras returns NaN.

    Args:
        y_true: Classes in [1, classes), padded with 0, shape `(batch, entries)`.
        y_pred: Logits, from a last layer without softmax, shape `(batch, steps, classes)`.

    Returns:
        Nats per sample, that is, per whole sequence, shape `(batch,)`.

    Source:
        Graves et al., Connectionist Temporal Classification, 2006.
    """
    y_pred = at_least_float32(y_pred)
    if y_pred.shape[0] == 0:
        # On TensorFlow Keras fails. A graph that is traced for any size does so too.
        return ops.sum(y_pred, axis=(1, 2))
    return keras.losses.ctc(y_true, finite(y_pred))
