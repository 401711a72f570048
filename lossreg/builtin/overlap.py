"""Keras' overlap losses: how well a predicted region covers the true one."""

from typing import Annotated

from annotated_types import Ge

from lossreg.lazy import keras, ops
from lossreg.numerics import at_least_float32


def dice(y_true, y_pred, *, axis: int | tuple[int, ...] | None = None):
    """One minus the Dice overlap, for segmentation where the object is small.

    `1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + 1e-7)`, summed over `axis`.
    Pixels that both sides call background don't count. An image without any object costs 1
    however well it is predicted, unless `axis` puts it together with others.

    By default the sums run over the whole batch and give one number for it, so sample weights,
    class weights and masks are refused. `axis=(1, 2, 3)` gives one number per image.

    It is stricter than Keras: labels outside [0, 1], such as a mask of 0 and 255, are refused. A
    compiled step can't see the values; `check_data` and `DataCheck` find them before.

    Args:
        y_true: 0 or 1, or one-hot, shape `(batch, ..., channels)`.
        y_pred: Probabilities in [0, 1], same shape.
        axis: Axis, or axes, to sum over; None sums over all of them.

    Returns:
        A share in [0, 1]: one for the batch, or per sample, shape that of `y_pred` without `axis`.

    Source:
        Dice, Measures of the Amount of Ecologic Association Between Species, 1945; as a loss:
        Milletari et al., 2016, arXiv:1606.04797, section 3, which squares the terms below the
        fraction bar.
    """
    return keras.losses.dice(y_true, at_least_float32(y_pred), axis=axis)


def tversky(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] = 0.5,
    beta: Annotated[float, Ge(0)] = 0.5,
    axis: int | tuple[int, ...] | None = None,
):
    """Dice with a price for each mistake: segmentation where misses cost more.

    `1 - tp / (tp + alpha * fp + beta * fn + 1e-7)`, where `tp = sum(y_true * y_pred)`,
    `fp = sum((1 - y_true) * y_pred)` and `fn = sum(y_true * (1 - y_pred))` over `axis`. Half and
    half gives `dice`; a larger `beta` finds more of the object, with more false alarms.

    Keras, up to 3.15.1 at least, swaps the two weights against its own documentation. Here they
    have the meaning that the paper and Keras' documentation give them: with alpha 0.3 and
    beta 0.7, one pixel found and one missed cost 0.4118, where Keras returns 0.2308.

    By default the sums run over the whole batch and give one number for it, so sample weights,
    class weights and masks are refused. `axis=(1, 2, 3)` gives one number per image.

    It is stricter than Keras: labels outside [0, 1], such as a mask of 0 and 255, are refused. A
    compiled step can't see the values; `check_data` and `DataCheck` find them before.

    Args:
        y_true: 0 or 1, or one-hot, shape `(batch, ..., channels)`.
        y_pred: Probabilities in [0, 1], same shape.
        alpha: Price of false positives, that is, of background called object.
        beta: Price of false negatives, that is, of object called background.
        axis: Axis, or axes, to sum over; None sums over all of them.

    Returns:
        A share in [0, 1]: one for the batch, or per sample, shape that of `y_pred` without `axis`.

    Source:
        Salehi et al., 2017, arXiv:1706.05721.
    """
    y_pred = at_least_float32(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    tp = ops.sum(y_true * y_pred, axis=axis)
    fn = ops.sum((1 - y_pred) * y_true, axis=axis)
    fp = ops.sum(y_pred * (1 - y_true), axis=axis)
    # In Keras' order of terms, which gives Keras' last digit where alpha is beta.
    return 1 - ops.divide(tp, tp + fn * beta + fp * alpha + keras.config.epsilon())
