"""The unified focal loss: cross-entropy and Tversky under one focus."""

from typing import Annotated

from annotated_types import Ge, Le, Lt

from lossreg.lazy import ops
from lossreg.numerics import log_softmax, masked_mean, power, spacing

from .regions import counted, measure, share


def unified_focal(
    y_true,
    y_pred,
    *,
    weight: Annotated[float, Ge(0), Le(1)] = 0.5,
    delta: Annotated[float, Ge(0), Le(1)] = 0.6,
    gamma: Annotated[float, Ge(0), Lt(1)] = 0.5,
    symmetric: bool = False,
    smooth: Annotated[float, Ge(0)] = 1e-6,
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """Focal cross-entropy and focal Tversky in one, with one focus for both.

    `weight * f + (1 - weight) * t`. `f` is the mean over positions of
    `(1 - delta) * (1 - p)**gamma * -log(p)` where class 0 is true, the background, and of
    `delta * -log(p)` where another class is. `t` is the mean over the classes of
    `m = wrong / (tp + wrong + smooth)`, where `wrong = delta * fn + (1 - delta) * fp`, and of
    `m**(1 - gamma)` for all classes but the background: the easy background counts less, the hard
    foreground more.

    With `symmetric` both powers hold for every class. The exponents are those of the authors' code;
    at `gamma=0.5` the paper has the same. The authors' code gives `weight` to `t`; here, as in
    the paper, it is the share of `f`. Probabilities are divided by their sum and clipped to
    [1e-7, 1 - 1e-7]; on logits nothing is clipped.

    Args:
        y_true: One-hot, shape `(batch, ..., classes)`; class 0 is the background.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape; two classes at
            least.
        weight: Share of the cross-entropy.
        delta: Weight of the foreground in `f`, and of misses in `t`; both have `1 - delta` on the
            other side.
        gamma: How far easy background is played down, and hard foreground raised; 0 gives plain
            cross-entropy and Tversky.
        symmetric: Whether background and foreground are treated alike.
        smooth: Pixels that are added below the bar of `m`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        Nats, scaled down, and a share, added up, per image, shape `(batch,)`.

    Source:
        Yeung et al., 2022, arXiv:2102.04525, the asymmetric and the symmetric Unified Focal loss.
    """
    log_p = log_softmax(y_pred, from_logits=from_logits)
    y, p = counted(y_true, ops.exp(log_p), ignore_class)
    background = ops.arange(ops.shape(p)[-1]) == 0
    focused = True if symmetric else background

    shares = (ops.cast(each, p.dtype) for each in (1 - delta, delta))
    nats = -y * log_p * ops.where(background, *shares)
    # 1 - p loses its digits where p is near 1; expm1 keeps them.
    focus = ops.where(focused, power(-ops.expm1(log_p), gamma), 1.0)
    each = ops.sum(nats * focus, axis=-1)
    f = masked_mean(each, ops.any(y > 0, axis=-1), axis=tuple(range(1, len(each.shape))))

    regions = measure(y, p)
    wrong = delta * regions.missed + (1 - delta) * regions.invented
    m = share(wrong, regions.both + wrong + smooth)
    # As in the focal Tversky loss: less is lost, and the root is too steep.
    m = ops.where(m < spacing(m), 0.0, m)
    raised = True if symmetric else ops.logical_not(background)
    t = ops.mean(ops.where(raised, power(m, 1 - gamma), m), axis=-1)
    return weight * f + (1 - weight) * t
