"""What a loss is drawn over: how one number moves its prediction, and which label it has.

A loss without a scene is no curve, and the reason is a sentence. Nothing here imports Keras
before arrays are made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import LossregError
from ..lazy import ops
from ..loss import OUTPUTS, BoundLoss, Entry
from ..testing.samples import example_of

Group = Literal["class", "error", "prediction", "distance", "cosine", "ordinal", "outputs"]
"""Losses of a group have the same x axis."""

# More would be a page of sliders.
_MOST_OUTPUTS = 4


class NoCurveError(LossregError):
    """Why a loss isn't drawn, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What a loss is drawn over.

    Args:
        kind: How labels and predictions are made of the numbers of the page.
        group: Which losses have the same x axis.
        label: What the label may be: a class, any number, or one above 0.
        has_classes: Whether the number of classes can be chosen.
        fewest: The fewest classes.
        others: How many outputs there are beside the one that moves.
        is_image: Whether labels and predictions are an image of one pixel.
    """

    kind: str
    group: Group
    label: Literal["class", "amount", "positive"]
    has_classes: bool = False
    fewest: int = 2
    others: int = 0
    is_image: bool = False


def scene_of(entry: Entry) -> Scene:
    """Return what a loss is drawn over.

    Raises:
        NoCurveError: Its value doesn't follow from one prediction and its label.
    """
    spec, labels, outputs = entry.spec, entry.spec.labels, OUTPUTS[entry.spec.y_pred]
    if entry.signature.memory.inputs or entry.signature.memory.fields:
        raise NoCurveError("it needs more than a label and a prediction")
    if spec.couples and spec.per == "batch":
        raise NoCurveError("it has one value for a whole batch")
    if spec.couples:
        raise NoCurveError("a value depends on the other samples")
    words = {spec.y_pred, *spec.forms}
    if words & {"unspecified", "unknown", "free", "none", "time_event", "distance_map"}:
        which = "labels" if spec.y_pred != "unspecified" else "predictions"
        raise NoCurveError(f"its {which} have a form of their own")
    if labels.per == "series":
        raise NoCurveError("its labels are a series")
    is_image = "segmentation" in spec.task and spec.per == "sample"
    match spec.y_pred:
        case "distances" if labels.is_class:
            return Scene(kind="distance", group="distance", label="class")
        case "cosines" if labels.is_exclusive:
            return Scene(kind="cosine", group="cosine", label="class", has_classes=True)
        case "cumulative_logits":
            return Scene(kind="ordinal", group="ordinal", label="class", has_classes=True, fewest=3)
        case "quantiles":
            return Scene(kind="error", group="error", label="amount")
        case "distribution":
            return _of_distribution(entry)
        case "probabilities" | "logits" if labels.is_class:
            gap, kind = labels.is_exclusive, "gap" if labels.is_exclusive else "logit"
            return Scene(
                kind=kind, group="class", label="class", has_classes=gap, is_image=is_image
            )
        case "real" if "metric_learning" in spec.task:
            raise NoCurveError("it compares vectors")
        case "real" if labels.is_class:
            gap = labels.is_exclusive
            kind = "score gap" if gap else "score"
            return Scene(kind=kind, group="class", label="class", has_classes=gap)
        case "real" if labels.is_amount:
            return Scene(
                kind="error", group="error", label="amount" if labels.low is None else "positive"
            )
        case "positive" if labels.is_amount:
            return Scene(kind="prediction", group="prediction", label="positive")
    raise NoCurveError(f"it takes {outputs.noun}")


def _of_distribution(entry: Entry) -> Scene:
    example = example_of(entry.spec)
    if example is None:
        raise NoCurveError("nothing says how many outputs it takes")
    labels, predictions = (each.shape[-1] for each in example.ordinary)
    count = predictions // labels if labels else predictions
    if count > _MOST_OUTPUTS:
        raise NoCurveError(f"it takes {count} outputs for each label")
    amount: Any = "amount" if entry.spec.labels.low is None else "positive"
    return Scene(kind="outputs", group="outputs", label=amount, others=count - 1)


def arrays(
    scene: Scene, loss: BoundLoss, x: Any, y: Any, classes: int, others: Sequence[Any] = ()
) -> tuple[Any, Any]:
    """Return labels and predictions for Keras. It imports Keras.

    Args:
        scene: What the loss is drawn over.
        loss: The loss with its parameters.
        x: What moves, one number for each sample.
        y: The label, in the same shape. For classes it is the share of the class that moves.
        classes: How many classes there are.
        others: The outputs beside the one that moves.
    """
    x_column, y_column = ops.expand_dims(x, -1), ops.expand_dims(y, -1)
    first = ops.equal(ops.arange(classes, dtype="int32"), 0)
    second = ops.equal(ops.arange(classes, dtype="int32"), 1)
    is_logits = loss.y_pred == "logits"
    y_true, y_pred = y_column, x_column
    match scene.kind:
        case "logit":
            y_pred = x_column if is_logits else ops.sigmoid(x_column)
        case "score":
            y_true = 2 * y_column - 1
        case "gap" | "score gap" | "cosine":
            y_pred = ops.where(first, x_column, ops.zeros_like(x_column))
            if scene.kind == "gap" and not is_logits:
                y_pred = ops.softmax(y_pred, axis=-1)
            if loss.spec.labels.is_number:
                y_true = ops.cast(y < 0.5, "int32")
            else:
                rest = ops.where(second, 1 - y_column, ops.zeros_like(y_column))
                y_true = ops.where(first, y_column, rest)
        case "ordinal":
            borders = ops.cast(ops.arange(classes - 1, dtype="int32"), x.dtype)
            y_pred = x_column - (borders - (classes - 2) / 2)
            y_true = ops.cast(ops.round(y * (classes - 1)), "int32")
        case "error":
            y_pred = y_column + x_column
        case "outputs":
            y_pred = ops.stack([x, *(other + 0 * x for other in others)], axis=-1)
    if scene.is_image:
        y_pred = ops.reshape(y_pred, (y_pred.shape[0], 1, 1, -1))
        y_true = ops.reshape(y_true, (y_true.shape[0], 1, 1, *y_true.shape[1:]))
    return y_true, y_pred
