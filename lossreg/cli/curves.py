"""The numbers of a plot: a loss and its gradient over one quantity."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from .. import api
from ..entry import BoundLoss, Entry
from ..errors import ParameterError
from .docstring import unit

if TYPE_CHECKING:
    import numpy as np

Over = Literal["logit", "probability"]

_POINTS = 601
_CLASSIFIED = ("binary", "one_hot", "integer")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a loss is drawn over.

    Args:
        kind: What is varied, and so how labels and predictions are made.
        over: Whether x is the logit or the probability that belongs to it.
        variable: What the gradient is taken with respect to, in a word.
        label: Of the x axis.
        sample: The sample that is drawn, for the title.
    """

    kind: Literal["logit", "gap", "score", "score gap", "error", "relative", "prediction"]
    over: Over
    variable: str
    label: str
    sample: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A loss along x, and its gradient if it was asked for."""

    loss: BoundLoss
    unit: str
    x: "np.ndarray[Any, Any]"
    value: "np.ndarray[Any, Any]"
    gradient: "np.ndarray[Any, Any] | None"


def setting(entry: Entry, over: Over) -> Setting:
    """Return what a loss can be drawn over.

    Raises:
        ParameterError: It can't be drawn, or not over this.
    """
    spec = entry.spec
    classified = spec.y_true in _CLASSIFIED and spec.y_pred in ("probabilities", "logits")
    if over == "probability" and not classified:
        raise ParameterError(
            f"Loss {spec.name!r} takes no probability of a class, so it can't be drawn over one. "
            "Leave out --over."
        )
    match spec.y_true, spec.y_pred:
        case _ if spec.couples_batch or {"metric_learning", "sequence"} & {*spec.task}:
            raise _undrawable(entry)
        case "binary", "probabilities" | "logits":
            return _setting("logit", over, "logit", "label 1")
        case "one_hot" | "integer", "probabilities" | "logits":
            return _setting("gap", over, "logit", "one of two classes")
        case "sign", "real":
            return _setting("score", over, "prediction", "label 1")
        case "one_hot", "real":
            return _setting("score gap", over, "prediction of the true class", "one of two classes")
        case "real", "real":
            return _setting("error", over, "prediction", "one output")
        case "positive", "real":
            return _setting("relative", over, "prediction", "label 1")
        case "positive" | "count", "positive":
            return _setting("prediction", over, "prediction", "label 1")
    raise _undrawable(entry)


_LABELS = {
    "logit": "logit",
    "gap": "logit of the true class, the other's being 0",
    "score": "prediction",
    "score gap": "prediction for the true class, the other's being 0",
    "error": "error: prediction - label",
    "relative": "error: prediction - label",
    "prediction": "prediction",
}


def _setting(kind: Any, over: Over, variable: str, sample: str) -> Setting:
    label = "probability of the true class" if over == "probability" else _LABELS[kind]
    return Setting(kind=kind, over=over, variable=variable, label=label, sample=sample)


def _undrawable(entry: Entry) -> ParameterError:
    spec = entry.spec
    return ParameterError(
        f"Loss {spec.name!r} can't be drawn: a curve needs a loss whose value follows from one "
        "prediction and its label, for regression, yes-or-no, or classes, "
        f"and this one takes {spec.y_true} labels and {spec.y_pred} predictions "
        f"for {', '.join(spec.task)}. 'lossreg show {spec.name}' says more."
    )


def curve(loss: BoundLoss, arrangement: Setting, with_gradient: bool) -> Curve:
    """Return a loss's values along x. It imports Keras.

    Raises:
        ParameterError: The loss has one value for all samples together.
    """
    import numpy as np

    if arrangement.over == "probability":
        x = np.linspace(0.002, 0.998, _POINTS)
        points = np.log(x / (1 - x))
    else:
        low, high = {"error": (-3, 3), "relative": (-3, 3), "prediction": (0.01, 4)}.get(
            arrangement.kind, (-6, 6)
        )
        x = points = np.linspace(low, high, _POINTS)
    function = api.get_loss_fn(loss)
    logits = loss.params.get("from_logits", loss.spec.y_pred == "logits")
    y_true = _labels(loss, arrangement)

    def values(points: Any) -> Any:
        return function(y_true, _predictions(points, arrangement, logits))

    points = points.astype("float32")
    value = np.asarray(_to_numpy(values(points)))
    if value.shape != points.shape:
        raise ParameterError(
            f"{loss} has one value for a whole batch, and a curve needs one for each sample. "
            f"'lossreg show {loss.name}' says whether a parameter changes that."
        )
    return Curve(
        loss=loss,
        unit=unit(loss.entry.doc),
        x=x,
        value=value,
        gradient=_gradient(values, points) if with_gradient else None,
    )


def _labels(loss: BoundLoss, arrangement: Setting) -> "np.ndarray[Any, Any]":
    import numpy as np

    if loss.spec.y_true == "integer":
        return np.ones(_POINTS, "int32")
    if loss.spec.y_true == "one_hot":
        return np.tile(np.asarray([[0.0, 1.0]], "float32"), (_POINTS, 1))
    label = 0.0 if arrangement.kind == "error" else 1.0
    return np.full((_POINTS, 1), label, "float32")


def _predictions(points: Any, arrangement: Setting, logits: bool) -> Any:
    from keras import ops

    match arrangement.kind:
        case "logit":
            one = points if logits else ops.sigmoid(points)
        case "gap" | "score gap":
            two = ops.stack([ops.zeros_like(points), points], axis=-1)
            return two if logits or arrangement.kind == "score gap" else ops.softmax(two)
        case "relative":
            one = points + 1
        case _:
            one = points
    return ops.expand_dims(one, -1)


def _to_numpy(tensor: Any) -> Any:
    from keras import ops

    return ops.convert_to_numpy(tensor)


def _gradient(values: Callable[[Any], Any], points: Any) -> "np.ndarray[Any, Any]":
    """Return the slope at each point, by the backend's own differentiation.

    Differences would smear the kinks of a hinge. Each value depends on its own point
    only, so the gradient of the sum is the slope of each.
    """
    import keras
    import numpy as np

    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return np.asarray(jax.grad(lambda points: values(points).sum())(points))
    if backend == "torch":
        import torch

        tensor = torch.tensor(points, requires_grad=True)
        values(tensor).sum().backward()
        return np.asarray(tensor.grad)
    if backend == "tensorflow":
        import tensorflow as tf

        tensor = tf.constant(points)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            total = tf.reduce_sum(values(tensor))
        return np.asarray(tape.gradient(total, tensor))
    raise ParameterError(f"Keras' backend {backend!r} has no gradients. Leave out --grad.")
