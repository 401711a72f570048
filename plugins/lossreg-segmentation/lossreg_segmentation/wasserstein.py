"""The Dice loss in which some confusions of classes are worse than others."""

from typing import Annotated, Literal

from annotated_types import Ge

from lossreg import ParameterError
from lossreg.lazy import ops

from .regions import counted, over_positions, probabilities, share


def generalized_wasserstein_dice(
    y_true,
    y_pred,
    *,
    distances: tuple[tuple[Annotated[float, Ge(0)], ...], ...] | None = None,
    weighting: Literal["foreground", "volume"] = "foreground",
    smooth: Annotated[float, Ge(0)] = 1e-5,
    from_logits: bool = False,
    ignore_class: int | None = None,
):
    """Dice for classes of which some are nearer to each other than others.

    `1 - (2 * tp + smooth) / (2 * tp + sum(w) + smooth)`: `w = sum(m * p)` is how far a position's
    probabilities are from its true class, with `m` the row of that class in `distances`, and
    `tp = sum(a * (1 - w))`, where `a` is 0 for class 0, the background, and 1 for others.

    With `weighting="volume"` each class has weight `a = 1 / (1 + pixels)`, the background
    included, and the fraction is `sum(2 * a * (1 - w)) / sum(a * (2 - w))`.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape; two classes at
            least.
        distances: A row for each true class, with its distance to each predicted class. They are
            divided by the largest; the diagonal counts as 0. None puts all classes at distance 1.
        weighting: What a right position counts: by foreground and background, or by the size of
            its class.
        smooth: What is added above and below the bar.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label, such as 255, whose positions don't count. Among one-hot labels these
            are rows of zeros.

    Returns:
        A share in [0, 1] per image, shape `(batch,)`.

    Source:
        Fidon et al., 2017, arXiv:1707.00478; `"volume"`: the authors' code,
        `weighting_mode="GDL"`.
    """
    y, p = counted(y_true, probabilities(y_pred, from_logits=from_logits), ignore_class)
    w = ops.sum(ops.matmul(y, _matrix(distances, p)) * p, axis=-1, keepdims=True)
    pixels, errors = over_positions(y), over_positions(y * w)
    if weighting == "volume":
        a = 1 / (1 + pixels)
        tp = ops.sum(a * (pixels - errors), axis=-1)
        whole = ops.sum(a * (2 * pixels - errors), axis=-1)
    else:
        tp = ops.sum((pixels - errors)[:, 1:], axis=-1)
        whole = 2 * tp + ops.sum(errors, axis=-1)
    return 1 - share(2 * tp + smooth, whole + smooth)


def _matrix(distances, p):
    """Return the distances between classes: the largest is 1, the diagonal 0."""
    if distances is None:
        index = ops.arange(ops.shape(p)[-1])
        return ops.cast(ops.not_equal(ops.expand_dims(index, 1), index), p.dtype)
    # In a graph the number of classes may be unknown.
    classes = len(distances) if p.shape[-1] is None else p.shape[-1]
    if [len(row) for row in distances] != [classes] * classes:
        raise ParameterError(
            f"Loss 'generalized_wasserstein_dice': 'distances' must have {classes} rows of "
            f"{classes} numbers, one for each class of y_pred, got {distances!r}."
        )
    rows = [[d if i != j else 0.0 for j, d in enumerate(row)] for i, row in enumerate(distances)]
    largest = max(map(max, rows)) or 1.0
    return ops.convert_to_tensor([[d / largest for d in row] for row in rows], dtype=p.dtype)
