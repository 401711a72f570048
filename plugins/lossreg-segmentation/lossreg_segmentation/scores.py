"""Scores of yes-or-no answers as losses: the F1 score and the Matthews correlation."""

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, logits_of

from .regions import over_positions, share

# The square root of it, and a number divided by that twice, are still float32 numbers.
_TINY_PRODUCT = 1e-24


def soft_f1(y_true, y_pred, *, double: bool = False, from_logits: bool = False):
    """One minus the F1 score of each label over the batch, averaged over labels.

    `1 - 2 * tp / (2 * tp + fp + fn)` for each label, where `tp = sum(y * p)`,
    `fp = sum((1 - y) * p)` and `fn = sum(y * (1 - p))` over the batch and all positions; then the
    mean over the labels. With `double` half of it is the F1 score of the negatives,
    `1 - 2 * tn / (2 * tn + fp + fn)`, which also has something to say where a label is frequent.

    Precision and recall have no meaning for one sample, so that a batch gives one number, and
    sample weights, class weights and masks are refused. Take large batches: a label that no
    sample of the batch has costs 1, for any prediction.

    Args:
        y_true: 0 or 1, shape `(batch, ..., labels)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        double: Whether the score of the negatives counts too, half and half.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        A share in [0, 1], one for the batch.

    Source:
        Lipton, Elkan and Naryanaswamy, 2014, arXiv:1402.1892, section 2, with shares in place of
        counts; `double`: Maiza, The Unknown Benefits of using a Soft-F1 Loss in Classification
        Systems, 2019.
    """
    table = _table(y_true, y_pred, from_logits=from_logits)
    tp, tn, fp, fn = (ops.sum(size, axis=0) for size in table)
    values = 1 - share(2 * tp, 2 * tp + fp + fn)
    if double:
        values = (values + 1 - share(2 * tn, 2 * tn + fp + fn)) / 2
    return ops.mean(values)


def matthews(y_true, y_pred, *, from_logits: bool = False):
    """One minus the Matthews correlation: object and background count alike.

    `1 - (tp * tn - fp * fn) / sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))`, where
    `tp = sum(y * p)`, `fp = sum((1 - y) * p)`, `fn = sum(y * (1 - p))` and
    `tn = sum((1 - y) * (1 - p))` over the positions of one image; then the mean over the channels.

    An image with object alone, or without any, has no correlation: it costs 1 for any prediction,
    without a gradient. Add a loss that counts there, such as `binary_crossentropy`. A value is
    within 1e-5 of the exact one, or within 1e-6.

    Args:
        y_true: 0 or 1, shape `(batch, ..., channels)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        A number in [0, 2] per image, 1 for chance, shape `(batch,)`.

    Source:
        Abhishek and Hamarneh, 2021, arXiv:2010.13454.
    """
    tp, tn, fp, fn = _table(y_true, y_pred, from_logits=from_logits)
    # As shares of the image: the product of four sizes would leave float32.
    pixels = tp + tn + fp + fn
    tp, tn, fp, fn = (size / pixels for size in (tp, tn, fp, fn))
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    scale = ops.sqrt(ops.maximum(product, _TINY_PRODUCT))
    return ops.mean(1 - (tp * tn - fp * fn) / scale, axis=-1)


def _table(y_true, y_pred, *, from_logits: bool):
    """Return tp, tn, fp and fn of each image and channel."""
    if from_logits:
        p = ops.sigmoid(logits_of(y_pred, "sigmoid", from_logits=True))
    else:
        p = at_least_float32(y_pred)
    y = ops.cast(y_true, p.dtype)
    return [over_positions(size) for size in (y * p, (1 - y) * (1 - p), (1 - y) * p, y * (1 - p))]
