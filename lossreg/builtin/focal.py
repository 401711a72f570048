"""Keras' focal cross-entropies: easy samples count less than hard ones."""

from typing import Annotated

from annotated_types import Ge, Le

from lossreg.lazy import keras
from lossreg.numerics import at_least_float32

from .crossentropy import keep_finite


def binary_focal_crossentropy(
    y_true,
    y_pred,
    *,
    apply_class_balancing: bool = False,
    alpha: Annotated[float, Ge(0), Le(1)] = 0.25,
    gamma: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
    axis: int | tuple[int, ...] = -1,
):
    """Keras' focal loss for yes-or-no labels, where most samples are easy ones.

    `mean((1 - p_t)**gamma * -log(p_t))` over `axis`, where `p_t` is the probability given to the
    label that is right; with `apply_class_balancing` times `alpha` for label 1 and `1 - alpha`
    for label 0. `alpha` alone does nothing.

    It has Keras' values and their limits: for `gamma` in (0, 1) the gradient is NaN where `p_t`
    rounds to 1, in float32 from a logit of 17, and logits are turned into probabilities first.
    `focal` in lossreg-focal is exact on logits. Labels outside [0, 1] are refused, which Keras
    takes; a compiled step can't see them.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        apply_class_balancing: Whether `alpha` is applied.
        alpha: Weight of label 1; label 0 has `1 - alpha`.
        gamma: How much easy samples are played down; 0 gives plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.
        label_smoothing: How far labels move towards 1/2: 0.1 turns 0 and 1 into 0.05 and 0.95.
        axis: Axis, or axes, that the mean is taken over.

    Returns:
        Nats, scaled down, per sample, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Lin et al., 2017, arXiv:1708.02002, equations 4 and 5.
    """
    return keras.losses.binary_focal_crossentropy(
        y_true,
        keep_finite(at_least_float32(y_pred), from_logits),
        apply_class_balancing=apply_class_balancing,
        alpha=alpha,
        gamma=gamma,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        axis=axis,
    )


def categorical_focal_crossentropy(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] | tuple[Annotated[float, Ge(0)], ...] = 0.25,
    gamma: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
    axis: int = -1,
):
    """Keras' focal loss for one class of several, one-hot, when some are rare.

    `sum(alpha * (1 - p)**gamma * -y_true * log(p))` over `axis`, where `p` is `y_pred` divided by
    its sum, or its softmax with `from_logits`, clipped to [1e-7, 1 - 1e-7]. One number for `alpha`
    scales every class alike: the default only makes the loss four times smaller.

    It has Keras' values and their limits: where the true class has a probability below 1e-7, also
    from logits, the gradient is 0, so a model can't learn from its worst mistakes.
    `categorical_focal` in lossreg-focal is exact on logits. Labels outside [0, 1] and an axis of
    one class are refused, which Keras takes; a compiled step can't see values.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        alpha: Weight of every class, or a list with the weight of each; the list needs the
            classes on the last axis.
        gamma: How much easy samples are played down; 0 gives cross-entropy times `alpha`.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        label_smoothing: Share of each label that is spread over all classes. Keras counts the
            classes on the last axis, whatever `axis` says.
        axis: Axis of the classes.

    Returns:
        Nats, scaled down, per sample, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Lin et al., 2017, arXiv:1708.02002, equation 5, summed over the classes.
    """
    return keras.losses.categorical_focal_crossentropy(
        y_true,
        at_least_float32(y_pred),
        alpha=alpha,
        gamma=gamma,
        from_logits=from_logits,
        label_smoothing=label_smoothing,
        axis=axis,
    )
