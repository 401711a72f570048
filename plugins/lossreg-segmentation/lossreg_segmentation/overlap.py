"""Losses of how far predicted and true regions overlap, image by image.

Dice, Jaccard and Tversky are fractions of the same sizes. `smooth` stands once above and once
below the fraction bar, as the fraction is written in each docstring.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Gt

from lossreg.lazy import ops
from lossreg.numerics import power, spacing

from .regions import (
    TINY,
    counted,
    mean_over_classes,
    measure,
    over_positions,
    probabilities,
    share,
)

Absent = Literal["count", "zero", "skip"]


def soft_dice(
    y_true,
    y_pred,
    *,
    smooth: Annotated[float, Ge(0)] = 1e-5,
    squared: bool = False,
    form: Literal["linear", "log", "log_cosh"] = "linear",
    class_weight: tuple[Annotated[float, Ge(0)], ...] | None = None,
    include_background: bool = True,
    absent: Absent = "count",
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """One minus the Dice overlap of each class, averaged over the classes.

    `1 - (2 * sum(y * p) + smooth) / (sum(y) + sum(p) + smooth)` for each class, summed over the
    positions of one image; then the mean over the classes. With `squared` the sums below the bar
    are `sum(y**2) + sum(p**2)`. With `D` for the fraction, `form` makes `1 - D` into `-log(D)` or
    `log(cosh(1 - D))`.

    For a class that isn't in the image, `smooth` alone decides: the cost goes from 0, where
    nothing is predicted either, to nearly 1. With `smooth=0` it is 1 for any prediction. A class
    of `n` predicted pixels costs `1 - smooth / (n + smooth)`, so that the default is a hard rule,
    and `smooth=1` a soft one.

    A value is within 1e-5 of the exact one, or within 1e-6. Labels get no gradient.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`; 0 or 1 where
            `y_pred` has one channel.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        smooth: Pixels that are added above and below the bar. `2 * tp` stands above, so that it
            has half the weight that it has in `focal_tversky` and `jaccard`.
        squared: Whether the sums below the bar are those of squares.
        form: What is made of the fraction; the log-Dice is steepest where nothing is found.
        class_weight: A weight for each class; the mean over the classes is weighted by them.
        include_background: Whether class 0 counts, where there are several classes.
        absent: Whether a class that the image doesn't have counts like others (`"count"`), costs 0
            (`"zero"`), or is left out of the mean (`"skip"`).
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        A share in [0, 1] per image, or nats with `form="log"`, shape `(batch,)`.

    Source:
        Milletari et al., 2016, arXiv:1606.04797, section 3, with `squared`; `log_cosh`: Jadon,
        2020, arXiv:2006.14822, the log-cosh Dice loss.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    if squared:
        both, true, predicted = map(over_positions, (y * p, y * y, p * p))
    else:
        regions = measure(y, p)
        both, true, predicted = regions.both, regions.true, regions.predicted
    whole = true + predicted + smooth
    if form == "log":
        # The gradient of the logarithm has a limit where the fraction is 0.
        found = ops.maximum(2 * both + smooth, TINY)
        values = ops.log(ops.maximum(whole, found)) - ops.log(found)
    else:
        values = 1 - share(2 * both + smooth, whole)
    if form == "log_cosh":
        # log(cosh(x)) loses its digits where x is small.
        values = ops.log1p(2 * ops.square(ops.sinh(values / 2)))
    return mean_over_classes(
        values,
        true,
        class_weight=class_weight,
        include_background=include_background,
        absent=absent,
    )


def jaccard(
    y_true,
    y_pred,
    *,
    smooth: Annotated[float, Ge(0)] = 1e-5,
    class_weight: tuple[Annotated[float, Ge(0)], ...] | None = None,
    include_background: bool = True,
    absent: Absent = "count",
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """One minus the intersection over union of each class, averaged over classes.

    `1 - (sum(y * p) + smooth) / (sum(y) + sum(p) - sum(y * p) + smooth)` for each class, summed
    over the positions of one image; then the mean over the classes. With `D` for the Dice
    fraction at twice the `smooth`, it is `1 - D / (2 - D)`: it orders predictions as `soft_dice`
    does, and asks more of the good ones.

    A value is within 1e-5 of the exact one, or within 1e-6. Labels get no gradient.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`; 0 or 1 where
            `y_pred` has one channel.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        smooth: Pixels that are added above and below the bar; twice the weight that it has in
            `soft_dice`.
        class_weight: A weight for each class; the mean over the classes is weighted by them.
        include_background: Whether class 0 counts, where there are several classes.
        absent: Whether a class that the image doesn't have counts like others (`"count"`), costs 0
            (`"zero"`), or is left out of the mean (`"skip"`).
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        A share in [0, 1] per image, shape `(batch,)`.

    Source:
        Rahman and Wang, Optimizing Intersection-Over-Union in Deep Neural Networks for Image
        Segmentation, 2016, the IoU loss.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    regions = measure(y, p)
    union = regions.true + regions.predicted - regions.both
    return mean_over_classes(
        1 - share(regions.both + smooth, union + smooth),
        regions.true,
        class_weight=class_weight,
        include_background=include_background,
        absent=absent,
    )


def focal_tversky(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0)] = 0.3,
    beta: Annotated[float, Ge(0)] = 0.7,
    gamma: Annotated[float, Gt(0)] = 0.75,
    smooth: Annotated[float, Ge(0)] = 1e-5,
    class_weight: tuple[Annotated[float, Ge(0)], ...] | None = None,
    include_background: bool = True,
    absent: Absent = "count",
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """Tversky loss to a power: small objects whose misses cost most.

    `(1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth))**gamma` for each class, where
    `tp = sum(y * p)`, `fp = sum((1 - y) * p)` and `fn = sum(y * (1 - p))` over the positions of
    one image; then the mean over the classes. Half and half with `gamma=1` is `soft_dice` at
    twice the `smooth`.

    A `gamma` below 1 lifts what is nearly right, so that training goes on there, and above 1
    it plays it down. The paper raises to `1 / gamma`, with its gamma from 1 to 3; its best, 4/3,
    is 0.75 here. The paper also calls the price of a miss alpha. Here `alpha` and `beta` mean what
    they mean in `tversky`.

    A value is within 1e-5 of the exact one, or `1 - fraction` within 1e-6. Labels get no gradient.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`; 0 or 1 where
            `y_pred` has one channel.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        alpha: Price of false positives, that is, of background called object.
        beta: Price of false negatives, that is, of object called background.
        gamma: Exponent; 1 gives the Tversky loss.
        smooth: Pixels that are added above and below the bar; twice the weight that it has in
            `soft_dice`.
        class_weight: A weight for each class; the mean over the classes is weighted by them.
        include_background: Whether class 0 counts, where there are several classes.
        absent: Whether a class that the image doesn't have counts like others (`"count"`), costs 0
            (`"zero"`), or is left out of the mean (`"skip"`).
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        A share in [0, 1] per image, shape `(batch,)`.

    Source:
        Abraham and Khan, 2018, arXiv:1810.07842, the focal Tversky loss.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    regions = measure(y, p)
    wrong = alpha * regions.invented + beta * regions.missed
    missing = share(wrong, regions.both + wrong + smooth)
    # Less is lost beside the fraction itself, and a root is steeper there than float32 can hold.
    missing = ops.where(missing < spacing(missing), 0.0, missing)
    return mean_over_classes(
        power(missing, gamma),
        regions.true,
        class_weight=class_weight,
        include_background=include_background,
        absent=absent,
    )


def generalized_dice(
    y_true,
    y_pred,
    *,
    weighting: Literal["square", "simple", "uniform"] = "square",
    smooth: Annotated[float, Ge(0)] = 1e-5,
    include_background: bool = True,
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """Dice of all classes at once, where a class weighs less the larger it is.

    `1 - (2 * sum(w * sum(y * p)) + smooth) / (sum(w * (sum(y) + sum(p))) + smooth)`: the inner
    sums over the positions of one image, the outer ones over the classes, `w = 1 / sum(y)**2`.

    The weights are divided by the largest of the image, so that the rarest class has weight 1,
    and `smooth` is in its pixels. A class that the image doesn't have gets weight 1 too: a false
    alarm for it costs as much as one for the rarest class. A value is within 1e-5 of the exact
    one, or within 1e-6. Labels get no gradient.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`; 0 or 1 where
            `y_pred` has one channel.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        weighting: `w` is one over the square of the true size, one over the size, or 1.
        smooth: What is added above and below the bar.
        include_background: Whether class 0 counts, where there are several classes.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        A share in [0, 1] per image, shape `(batch,)`.

    Source:
        Sudre et al., 2017, arXiv:1707.03237, the equation of GDL.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    if not include_background and p.shape[-1] != 1:
        y, p = y[..., 1:], p[..., 1:]
    regions = measure(y, p)
    present = regions.true > 0
    sizes = ops.where(present, regions.true, float("inf"))
    rarest = ops.min(sizes, axis=-1, keepdims=True)
    exponent = {"square": 2, "simple": 1, "uniform": 0}[weighting]
    # In an image without any class, infinity over infinity would be NaN.
    weights = ops.where(present, rarest / ops.where(present, sizes, 1.0), 1.0) ** exponent
    both = ops.sum(weights * regions.both, axis=-1)
    whole = ops.sum(weights * (regions.true + regions.predicted), axis=-1)
    return 1 - share(2 * both + smooth, whole + smooth)
