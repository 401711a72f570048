"""The numbers of a plot: a loss and its gradient over one quantity."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ParameterError
from ..keras_loss import get_loss_fn
from ..lazy import numpy as np
from ..lazy import ops
from ..loss import OUTPUTS, BoundLoss, Entry, LossSpec, unit

if TYPE_CHECKING:
    from numpy import ndarray

    Array = ndarray[Any, Any]

Over = Literal["logit", "probability"]
Kind = Literal["logit", "gap", "score", "score gap", "error", "relative error", "prediction"]

_POINTS = 601


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a loss is drawn over.

    Args:
        kind: What is varied, and so how labels and predictions are made.
        label: Of the x axis.
        variable: What the gradient is taken with respect to, in a word.
        sample: The sample that is drawn, for the title.
        low: Where the x axis begins.
        high: Where it ends.
        over: Whether x is the logit or the probability that belongs to it.
    """

    kind: Kind
    label: str
    variable: str = "prediction"
    sample: str = "label 1"
    low: float = -6
    high: float = 6
    over: Over = "logit"


_SETTINGS = {
    each.kind: each
    for each in (
        Setting(kind="logit", label="logit", variable="logit"),
        Setting(
            kind="gap",
            label="logit of the true class, the other's being 0",
            variable="logit",
            sample="one of two classes",
        ),
        Setting(kind="score", label="prediction"),
        Setting(
            kind="score gap",
            label="prediction for the true class, the other's being 0",
            variable="prediction of the true class",
            sample="one of two classes",
        ),
        Setting(
            kind="error", label="error: prediction - label", sample="one output", low=-3, high=3
        ),
        Setting(kind="relative error", label="error: prediction - label", low=-3, high=3),
        Setting(kind="prediction", label="prediction", low=0.01, high=4),
    )
}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A loss along x, and its gradient if it was asked for."""

    loss: BoundLoss
    unit: str
    x: "Array"
    value: "Array"
    gradient: "Array | None"


def setting(entry: Entry, over: Over) -> Setting:
    """Return what a loss can be drawn over.

    Raises:
        ParameterError: It can't be drawn, or not over this.
    """
    spec = entry.spec
    if over == "probability" and not _is_of_classes(spec):
        raise ParameterError(
            f"Loss {spec.name!r} takes no probability of a class, so it can't be drawn over one. "
            "Leave out --over."
        )
    kind = _kind(spec)
    if kind is None:
        raise ParameterError(
            f"Loss {spec.name!r} can't be drawn: a curve needs a loss whose value follows from one "
            "prediction and its label, for regression, yes-or-no, or classes, "
            f"and this one takes {' or '.join(spec.forms)} labels and {spec.y_pred} predictions "
            f"for {', '.join(spec.task)}. 'lossreg show {spec.name}' says more."
        )
    found = _SETTINGS[kind]
    if over == "probability":
        return replace(found, over=over, label="probability of the true class")
    return found


def _is_of_classes(spec: LossSpec) -> bool:
    """Return whether labels and predictions both stand for classes."""
    return spec.labels.is_class and OUTPUTS[spec.y_pred].is_class


def _kind(spec: LossSpec) -> Kind | None:
    labels = spec.labels
    if spec.couples or "metric_learning" in spec.task:
        return None
    if _is_of_classes(spec):
        return "gap" if labels.is_exclusive else "logit"
    if labels.is_class and spec.y_pred == "real":
        return "score gap" if labels.is_exclusive else "score"
    if labels.is_amount and spec.y_pred == "real":
        return "error" if labels.low is None else "relative error"
    return "prediction" if labels.is_amount and spec.y_pred == "positive" else None


def curve(loss: BoundLoss, arrangement: Setting, with_gradient: bool) -> Curve:
    """Return a loss's values along x. It imports Keras.

    Raises:
        ParameterError: The loss has one value for all samples together.
        LossregError: Keras' backend computes no gradients, and one is asked for.
    """
    # It imports numpy, which no wrong command needs.
    from ..testing import value_and_gradient

    if arrangement.over == "probability":
        x = np.linspace(0.002, 0.998, _POINTS)
        points = np.log(x / (1 - x))
    else:
        x = points = np.linspace(arrangement.low, arrangement.high, _POINTS)
    function = get_loss_fn(loss)

    def values(y_true: Any, points: Any) -> Any:
        return function(y_true, _predictions(loss, arrangement, points))

    y_true, points = _labels(loss, arrangement), points.astype("float32")
    if with_gradient:
        # Differences would smear the kinks of a hinge. Each value depends on its own point
        # only, so the gradient of the sum is the slope of each.
        value, slope = value_and_gradient(values, y_true, points)
        gradient = ops.convert_to_numpy(slope)
    else:
        value, gradient = values(y_true, points), None
    if value.shape != points.shape:
        raise ParameterError(
            f"{loss} has one value for a whole batch, and a curve needs one for each sample. "
            f"'lossreg show {loss.name}' says whether a parameter changes that."
        )
    doc = loss.entry.doc
    return Curve(
        loss=loss, unit=unit(doc), x=x, value=ops.convert_to_numpy(value), gradient=gradient
    )


def _labels(loss: BoundLoss, arrangement: Setting) -> "Array":
    labels: Array
    if loss.spec.labels.is_number:
        labels = np.ones(_POINTS, "int32")
    elif loss.spec.labels.is_exclusive:
        labels = np.tile(np.asarray([[0.0, 1.0]], "float32"), (_POINTS, 1))
    else:
        labels = np.full((_POINTS, 1), 0.0 if arrangement.kind == "error" else 1.0, "float32")
    return labels


def _predictions(loss: BoundLoss, arrangement: Setting, points: Any) -> Any:
    logits = loss.y_pred == "logits"
    match arrangement.kind:
        case "logit":
            one = points if logits else ops.sigmoid(points)
        case "gap" | "score gap":
            two = ops.stack([ops.zeros_like(points), points], axis=-1)
            return two if logits or arrangement.kind == "score gap" else ops.softmax(two)
        case "relative error":
            one = points + 1
        case _:
            one = points
    return ops.expand_dims(one, -1)
