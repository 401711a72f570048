"""Robust losses: squared or steep for small errors, and lenient with large ones.

Each takes the mean over the last axis of a function of the error `e = y_true - y_pred`.
"""

import math
from typing import Annotated

from annotated_types import Gt, Le

from lossreg.lazy import ops

from .divergence import divergence
from .errors import absolute, error
from .exponential import expm1

# Beyond them, general_robust has the values of its limits to 8 digits.
_ALPHA_OF_CAUCHY = 1e-9
_ALPHA_OF_WELSCH = -1e12


def smooth_l1(y_true, y_pred, *, beta: Annotated[float, Gt(0)] = 1.0):
    """Squared for small errors and absolute for large, with slope 1 at any `beta`.

    The mean over the last axis of `e**2 / (2 * beta)` where `|e| <= beta`, and of
    `|e| - beta / 2` elsewhere, with `e = y_true - y_pred`. It is `huber(delta=beta)` divided by
    `beta`, so `beta` moves the bend and leaves the slope of large errors alone.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        beta: Error from which the loss grows linearly, in the unit of the labels.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Girshick, 2015, arXiv:1504.08083, equation 3, for `beta=1`; PyTorch's `SmoothL1Loss` has
        the same `beta`.
    """
    size = absolute(error(y_true, y_pred))
    bent = ops.minimum(size, beta)
    # bent**2 / (2 * beta) + (size - bent), in which no small beta overflows.
    return ops.mean(bent / beta * (size - bent / 2), axis=-1)


def charbonnier(y_true, y_pred, *, scale: Annotated[float, Gt(0)] = 1.0):
    """Smooth everywhere: squared for small errors, absolute for large ones.

    `mean(sqrt((e / scale)**2 + 1) - 1)` over the last axis, with `e = y_true - y_pred`: about
    `(e / scale)**2 / 2` for small errors and `|e| / scale - 1` for large. Also known as
    pseudo-Huber: that is `scale**2` times this value. In image restoration
    `sqrt(e**2 + epsilon**2)` has the same name: it is `epsilon` times this value, plus `epsilon`.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        scale: Error at which the bend lies, in the unit of the labels.

    Returns:
        A number without unit per sample, shape `(batch, ...)`.

    Source:
        Barron, 2019, arXiv:1701.03077, at alpha 1; Charbonnier et al., 1994.
    """
    squared = ops.square(error(y_true, y_pred) / scale)
    # sqrt(x + 1) - 1 loses every digit of a small x.
    return ops.mean(squared / (ops.sqrt(squared + 1) + 1), axis=-1)


def cauchy(y_true, y_pred, *, scale: Annotated[float, Gt(0)] = 1.0):
    """Logarithmic for large errors: each further outlier matters less.

    `mean(log((e / scale)**2 / 2 + 1))` over the last axis, with `e = y_true - y_pred`. The gradient
    is largest at an error of `sqrt(2) * scale` and falls as `1 / e` from there. Also known as
    Lorentzian.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        scale: Error from which samples count as outliers, in the unit of the labels.

    Returns:
        A number without unit per sample, shape `(batch, ...)`.

    Source:
        Barron, 2019, arXiv:1701.03077, at alpha 0; Black and Anandan, 1996.
    """
    return ops.mean(ops.log1p(ops.square(error(y_true, y_pred) / scale) / 2), axis=-1)


def geman_mcclure(y_true, y_pred, *, scale: Annotated[float, Gt(0)] = 1.0):
    """Bounded by 2: outliers cost the same, however far away they are.

    `mean(2 * x**2 / (x**2 + 4))` over the last axis, with `x = (y_true - y_pred) / scale`. The
    gradient of a large error falls as `1 / x**3`, so start with a `scale` that holds most errors,
    or with a model trained on another loss.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        scale: Error from which samples count as outliers, in the unit of the labels.

    Returns:
        A number without unit in [0, 2] per sample, shape `(batch, ...)`.

    Source:
        Barron, 2019, arXiv:1701.03077, at alpha -2; Geman and McClure, 1985, with other
        factors.
    """
    squared = ops.square(error(y_true, y_pred) / scale)
    # x / (x + 4) is 1 - 1 / (1 + x / 4), here in a form whose gradient isn't a difference.
    return ops.mean(-2 * expm1(-ops.log1p(squared / 4)), axis=-1)


def welsch(y_true, y_pred, *, scale: Annotated[float, Gt(0)] = 1.0):
    """Bounded by 1: an outlier costs 1 and pulls at nothing.

    `mean(1 - exp(-(e / scale)**2 / 2))` over the last axis, with `e = y_true - y_pred`. The
    gradient of an error of `13 * scale` is 1e-36, so a model that starts far away learns nothing:
    start with a `scale` that holds most errors, or with a model trained on another loss. Also known
    as Leclerc, and as correntropy.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        scale: Error from which samples count as outliers, in the unit of the labels.

    Returns:
        A number without unit in [0, 1] per sample, shape `(batch, ...)`.

    Source:
        Barron, 2019, arXiv:1701.03077, at alpha minus infinity; Dennis and Welsch, 1978.
    """
    return ops.mean(-expm1(-ops.square(error(y_true, y_pred) / scale) / 2), axis=-1)


def general_robust(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Le(2)] = 1.0,
    scale: Annotated[float, Gt(0)] = 1.0,
):
    """Barron's loss, in which one number says how little outliers matter.

    `mean(b / alpha * (((e / scale)**2 / b + 1)**(alpha / 2) - 1))` over the last axis, with
    `b = 2 - alpha` and `e = y_true - y_pred`. It is half the squared error at `alpha=2`,
    `charbonnier` at 1, `cauchy` at 0, `geman_mcclure` at -2 and `welsch` from -1e12 down. These and
    the values beside them are exact: nothing is divided by an `alpha` or a `b` near 0.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        alpha: How fast large errors grow: as `|e|**alpha`; below 0 the loss is bounded by
            `-b / alpha`.
        scale: Error from which samples count as outliers, in the unit of the labels.

    Returns:
        A number without unit per sample, shape `(batch, ...)`.

    Source:
        Barron, 2019, arXiv:1701.03077; alpha above 2 isn't offered.
    """
    half_squared = ops.square(error(y_true, y_pred) / scale) / 2
    if alpha == 2:
        return ops.mean(half_squared, axis=-1)
    if alpha < _ALPHA_OF_WELSCH:
        return ops.mean(-expm1(-half_squared), axis=-1)
    b = 2 - alpha
    logarithm = ops.log1p(half_squared * (2 / b))
    if abs(alpha) < _ALPHA_OF_CAUCHY:
        return ops.mean(logarithm, axis=-1)
    return ops.mean(b / alpha * expm1(alpha / 2 * logarithm), axis=-1)


def wing(
    y_true,
    y_pred,
    *,
    width: Annotated[float, Gt(0)] = 10.0,
    curvature: Annotated[float, Gt(0)] = 2.0,
):
    """Steep near 0 and absolute for large errors: for landmarks that must be exact.

    The mean over the last axis of `width * log(1 + |e| / curvature)` where `|e| < width`, and of
    `|e| - width + width * log(1 + width / curvature)` elsewhere, with `e = y_true - y_pred`. Near
    0 the slope is `width / curvature`, and 0 at an error of exactly 0.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        width: Error from which the loss grows linearly, in the unit of the labels. The default is
            meant for pixels.
        curvature: How much flatter the logarithm is at the bend than near 0: the smaller, the
            steeper near 0. In the unit of the labels.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Feng et al., 2018, arXiv:1711.06753, equation 5, where the coordinates are summed.
    """
    size = absolute(error(y_true, y_pred))
    bent = ops.minimum(size, width)
    return ops.mean(width * ops.log1p(bent / curvature) + ops.relu(size - width), axis=-1)


def balanced_l1(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Gt(0)] = 0.5,
    gamma: Annotated[float, Gt(0)] = 1.5,
    beta: Annotated[float, Gt(0)] = 1.0,
):
    """Smooth L1 with more gradient for samples that are nearly right.

    `beta` times the mean over the last axis of
    `alpha / b * (b * x + 1) * log(b * x + 1) - alpha * x` where `x < 1`, and of
    `gamma * x + gamma / b - alpha` elsewhere, with `x = |y_true - y_pred| / beta` and
    `b = exp(gamma / alpha) - 1`. Value and slope are continuous at any `beta`; in MMDetection they
    are so at `beta=1` only.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        alpha: Slope of small errors: the smaller, the more they count. At least `gamma / 80`.
        gamma: Slope of large errors.
        beta: Error from which the loss grows linearly, in the unit of the labels.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        Pang et al., 2019, arXiv:1904.02701, section 3.3, for `beta=1`.
    """
    b = math.expm1(gamma / alpha)
    x = absolute(error(y_true, y_pred)) / beta
    bent = ops.minimum(x, 1.0)
    # (b * x + 1) * log(b * x + 1) - b * x is Poisson's divergence, which has every digit.
    curve = alpha / b * divergence(ops.log1p(b * bent), power=1)
    return ops.mean(beta * (curve + gamma * ops.relu(x - 1)), axis=-1)
