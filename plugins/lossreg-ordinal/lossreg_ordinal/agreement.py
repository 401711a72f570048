"""Losses of the distance between the predicted class and the true one."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt

from lossreg.lazy import ops
from lossreg.numerics import at_least_float32, divide, log_softmax, power, smallest


def weighted_kappa(
    y_true,
    y_pred,
    *,
    weightage: Literal["linear", "quadratic"] = "quadratic",
    epsilon: Annotated[float, Gt(0)] = 1e-6,
    from_logits: bool = False,
):
    """Weighted kappa: agreement beyond chance, where far mistakes count most.

    `log(O / E + epsilon)`, where `O = sum(w_ij * y_ni * p_nj)` is the disagreement over the samples
    n, and `E = sum(w_ij * y_ni * p_mj) / batch` the one expected by chance, over all pairs of
    samples n and m. The weight `w_ij` of classes i and j is `(i - j)**2`, or `abs(i - j)` with
    `weightage="linear"`; `1 - O / E` is Cohen's weighted kappa.

    As in TensorFlow Addons, `O / E` is 0 where nothing is expected: labels and predictions are
    all of one class. A batch whose labels are all of one class has `O / E = 1`, whatever is
    predicted, and no gradient, so take large batches.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        weightage: How the cost of a mistake grows with the distance of the classes.
        epsilon: What keeps the logarithm finite: the lowest loss is `log(epsilon)`.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.

    Returns:
        The logarithm of a share, about 0 for chance and at least `log(epsilon)`, shape `()`.

    Source:
        de la Torre, Puig and Valls, 2018, "Weighted kappa loss function for multi-class
        classification of ordinal data in deep learning".
    """
    p = _probabilities(y_pred, from_logits=from_logits)
    y = ops.cast(y_true, p.dtype)
    classes = ops.arange(ops.shape(p)[-1], dtype=p.dtype)
    distance = ops.abs(ops.expand_dims(classes, -1) - classes)
    weighted = ops.matmul(y, distance if weightage == "linear" else ops.square(distance))
    observed = ops.sum(weighted * p)
    expected = ops.sum(ops.sum(weighted, axis=0) * ops.mean(p, axis=0))
    # Where 1 / expected**2, which is in JAX's gradient, isn't finite, nothing is expected.
    expected = ops.where(expected > smallest(expected) ** 0.5, expected, 0.0)
    return ops.log(divide(observed, expected) + epsilon)


def squared_earth_mover(
    y_true,
    y_pred,
    *,
    r: Annotated[float, Ge(1)] = 2.0,
    root: bool = False,
    from_logits: bool = False,
):
    """Squared earth mover's distance of distributions over ordered classes.

    `mean(abs(C_y - C_p)**r)` over the classes, where `C_y` and `C_p` are the sums of labels and of
    probabilities up to a class; with `root`, the `r`-th root of it.

    `r=2` is the squared distance of Hou et al., divided by the number of classes. `r=2, root=True`
    is what NIMA trains on; a prediction that is exactly right has no gradient then. `r=1` is the
    earth mover's distance itself, divided by the number of classes.

    Args:
        y_true: One-hot, or a distribution over the classes, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        r: How much more large differences count than small ones.
        root: Whether the `r`-th root of the mean is taken.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        ignore_class: A class number, such as -1 or 255, whose samples don't count.

    Returns:
        A number in [0, 1], the share of the largest possible distance, shape `(batch, ...)`.

    Source:
        Hou et al., 2016, arXiv:1611.05916; Talebi and Milanfar, 2018, arXiv:1709.05424, for
        `root`.
    """
    p = _probabilities(y_pred, from_logits=from_logits)
    difference = ops.cumsum(ops.cast(y_true, p.dtype) - p, axis=-1)
    values = ops.mean(power(ops.abs(difference), r), axis=-1)
    return power(values, 1 / r) if root else values


def _probabilities(y_pred, *, from_logits: bool):
    if from_logits:
        return ops.exp(log_softmax(y_pred, from_logits=True))
    return at_least_float32(y_pred)
