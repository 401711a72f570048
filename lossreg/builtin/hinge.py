"""Keras' hinge losses: for a margin between classes, as in support vector machines."""

from lossreg.lazy import keras, ops
from lossreg.numerics import at_least_float32, finite


def hinge(y_true, y_pred):
    """Hinge loss for labels -1 and 1: a margin, as in support vector machines.

    `mean(max(1 - y_true * y_pred, 0))` over the last axis: a sample on the right side of the
    margin costs nothing and has no gradient. Where every label of a batch is 0 or 1, Keras turns
    0 into -1; a batch that mixes 0, 1 and -1, or has soft labels, is taken as it is, and its 0
    then costs 1 whatever is predicted; `check_data` finds such labels.

    Args:
        y_true: -1 or 1, or 0 or 1, shape `(batch, ..., outputs)`.
        y_pred: Scores, any finite numbers; positive means 1; same shape.

    Returns:
        Units of the margin, which is 1, per sample, shape `(batch, ...)`.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, section 7.1.
    """
    return keras.losses.hinge(y_true, at_least_float32(y_pred))


def squared_hinge(y_true, y_pred):
    """Squared hinge loss for labels -1 and 1: a margin with a smooth gradient.

    `mean(max(1 - y_true * y_pred, 0)**2)` over the last axis: as `hinge`, but samples far on the
    wrong side count more. Labels 0 and 1 are turned into -1 and 1 as there, batch by batch.

    Args:
        y_true: -1 or 1, or 0 or 1, shape `(batch, ..., outputs)`.
        y_pred: Scores, any finite numbers; positive means 1; same shape.

    Returns:
        Squared units of the margin, which is 1, per sample, shape `(batch, ...)`.

    Source:
        Tang, 2013, arXiv:1306.0239, the L2-SVM.
    """
    return keras.losses.squared_hinge(y_true, at_least_float32(y_pred))


def categorical_hinge(y_true, y_pred):
    """Hinge loss for one class of several, one-hot: a margin to the next best.

    `max(1 + neg - pos, 0)`, where `pos = sum(y_true * y_pred)` is the score of the true class and
    `neg = max((1 - y_true) * y_pred)` the best other score, but never below 0: the entry of the
    true class is 0 there. So, unlike in the paper, wrong classes gain nothing from scores below 0.
    Keras' documentation allows labels of -1 for the wrong classes, and they would reverse the
    signs of these scores; lossreg refuses such labels where it can see the values, which a
    compiled step can't. A score of minus infinity rules a wrong class out.

    Args:
        y_true: One-hot, shape `(batch, ..., classes)`.
        y_pred: Scores, any finite numbers, same shape.

    Returns:
        Units of the margin, which is 1, per sample, shape `(batch, ...)`.

    Source:
        Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector
        Machines, 2001, section 3.
    """
    y_pred = at_least_float32(y_pred)
    if y_pred.shape[0] == 0:
        # Keras has no maximum of nothing.
        return ops.sum(y_pred, axis=-1)
    return keras.losses.categorical_hinge(y_true, finite(y_pred))
