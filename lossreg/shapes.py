"""Labels that fit the predictions: ranks aligned, broadcasting and wrong values refused."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from . import discovery
from .entry import BoundLoss
from .errors import ShapeError
from .lazy import ops
from .spec import Labels

# Labels with one entry for each entry of y_pred.
_ELEMENTWISE: tuple[Labels, ...] = ("real", "positive", "count", "binary", "sign", "one_hot")


def align(loss: BoundLoss, y_true: Any, y_pred: Any, library: Any = ops) -> tuple[Any, Any]:
    """Return labels and predictions with the ranks that the loss expects.

    Like Keras' own losses, `(N,)` meets `(N, 1)` in either order. Integer labels
    may have a trailing axis of one.

    Args:
        loss: Says the kind of the labels.
        y_true: Labels, with a shape.
        y_pred: Predictions, with a shape.
        library: `keras.ops`, or `numpy` for arrays that shall stay arrays.

    Raises:
        ShapeError: The shapes would broadcast, as far as they are known.
    """
    kind = loss.spec.y_true
    if kind == "sequence":
        return y_true, y_pred
    if kind == "integer":
        return _align_integer(loss, y_true, y_pred, library)
    true_rank, pred_rank = len(y_true.shape), len(y_pred.shape)
    if true_rank == pred_rank + 1 and y_true.shape[-1] == 1:
        if pred_rank == 1:
            y_pred = library.expand_dims(y_pred, axis=-1)
        else:
            y_true = library.squeeze(y_true, axis=-1)
    elif pred_rank == true_rank + 1 and y_pred.shape[-1] == 1:
        if true_rank == 1:
            y_true = library.expand_dims(y_true, axis=-1)
        else:
            y_pred = library.squeeze(y_pred, axis=-1)
    if kind == "one_hot":
        _class_axis_of(loss, y_true, y_pred)
        _need_classes(loss, y_pred)
    if kind in _ELEMENTWISE and not _same(y_true.shape, y_pred.shape):
        raise _misfit(loss, "y_true and y_pred of one shape", y_true, y_pred)
    return y_true, y_pred


def _align_integer(loss: BoundLoss, y_true: Any, y_pred: Any, library: Any) -> tuple[Any, Any]:
    axis = _class_axis_of(loss, y_true, y_pred)
    rank = len(y_pred.shape)
    if loss.spec.y_pred != "embeddings":
        _need_classes(loss, y_pred)
    expected = [size for index, size in enumerate(y_pred.shape) if index != axis % rank]
    if len(y_true.shape) == rank:
        # Where the classes are, or last.
        for squeezed in (axis, -1):
            if y_true.shape[squeezed] == 1 and _same(_without(y_true.shape, squeezed), expected):
                y_true = library.squeeze(y_true, axis=squeezed)
                break
    if not _same(y_true.shape, expected):
        raise _misfit(loss, "integer y_true, shaped as y_pred without classes", y_true, y_pred)
    return y_true, y_pred


def class_axis(loss: BoundLoss) -> int:
    """Return the axis of the classes: the last one, unless a parameter says another."""
    axis = loss.params.get("axis", -1)
    return axis if isinstance(axis, int) else -1


def _class_axis_of(loss: BoundLoss, y_true: Any, y_pred: Any) -> int:
    """Return the axis of the classes, which the predictions must have."""
    axis, rank = class_axis(loss), len(y_pred.shape)
    if not -rank <= axis < rank:
        raise _misfit(loss, f"y_pred with an axis {axis} of classes", y_true, y_pred)
    return axis


def _need_classes(loss: BoundLoss, y_pred: Any) -> None:
    """Raise for one output where one of several classes is to be chosen."""
    if len(y_pred.shape) > 1 and y_pred.shape[class_axis(loss)] == 1:
        binary = fitting(loss, "binary")
        said = f", or take {binary!r}, which needs one output" if binary else ""
        raise ShapeError(
            f"Loss {loss.name!r} chooses among classes, and y_pred {tuple(y_pred.shape)} has one. "
            f"Give the model an output for each class{said}.",
            fits=binary,
        )


def _without(shape: Any, axis: int) -> list[int | None]:
    return [size for index, size in enumerate(shape) if index != axis % len(shape)]


def _same(first: Any, second: Any) -> bool:
    """Return whether two shapes are equal, as far as they are known."""
    return len(first) == len(second) and all(
        a == b or a is None or b is None for a, b in zip(first, second, strict=True)
    )


def _misfit(loss: BoundLoss, takes: str, y_true: Any, y_pred: Any) -> ShapeError:
    shape_true, shape_pred = tuple(y_true.shape), tuple(y_pred.shape)
    said = f"Loss {loss.name!r} takes {takes}, got y_true {shape_true} and y_pred {shape_pred}."
    looks_integer = _same(shape_true, shape_pred[:-1]) or (
        len(shape_true) > 1 and _same(shape_true, (*shape_pred[:-1], 1))
    )
    form: Labels
    if looks_integer and loss.spec.y_true in ("binary", "one_hot"):
        look, form = "like class indices", "integer"
    elif _same(shape_true, shape_pred) and loss.spec.y_true == "integer":
        look, form = "one-hot", "one_hot"
    else:
        return ShapeError(f"{said} Reshape the labels, or change the model's last layer.")
    fits = fitting(loss, form)
    takes = f": {fits!r} takes them" if fits else ""
    return ShapeError(f"{said} The labels look {look}{takes}.", fits=fits)


def fitting(loss: BoundLoss, form: Labels) -> str | None:
    """Return the loss most like another for labels of another form, with its parameters."""
    registry = discovery.installed()
    name = registry.sibling(loss.entry, form)
    if name is None:
        return None
    entry = registry.lookup(f"{loss.provider.distribution}/{name}")
    theirs = {parameter.name: parameter for parameter in entry.signature.parameters}
    # A parameter of the same name may mean something else: alpha is a weight of label 1 in one
    # loss, and of each class in the other.
    kept = {
        parameter.name: loss.params[parameter.name]
        for parameter in loss.entry.signature.parameters
        if parameter.name in theirs and theirs[parameter.name].allowed == parameter.allowed
    }
    return entry.called(kept)


def check_labels(loss: BoundLoss, y_true: Any, y_pred: Any) -> None:
    """Raise for labels that the loss gives no meaning, where they are known now.

    Raises:
        ShapeError: A class that `y_pred` lacks, or a label outside [0, 1].
    """
    if not (_of_classes(loss) or loss.spec.y_true in ("binary", "one_hot")):
        return
    values = _known(y_true)
    if values is None or values.size == 0:
        return
    classes = y_pred.shape[class_axis(loss)] if _of_classes(loss) else None
    for fault in label_faults(loss, values, classes):
        raise fault


def label_faults(
    loss: BoundLoss, values: "np.ndarray[Any, Any]", classes: int | None
) -> Iterator[ShapeError]:
    """Yield what is wrong with labels that shall be classes, or lie in [0, 1].

    Args:
        loss: Says the kind of the labels.
        values: The labels; at least one.
        classes: How many classes the predictions have, if that is known.
    """
    # Not "among the numbers": NumPy counts bfloat16 with the void types.
    if values.dtype.kind in "OSU":
        yield ShapeError(
            f"Loss {loss.name!r}: y_true must hold numbers, got {values.dtype} labels. "
            "Number the classes first."
        )
        return
    absent = np.isnan(values)
    if absent.any():
        yield ShapeError(f"Loss {loss.name!r}: y_true holds NaN. Drop or fill those samples.")
        values = values[~absent]
    if _of_classes(loss):
        yield from _class_faults(loss, values, classes)
    elif loss.spec.y_true not in ("binary", "one_hot"):
        return
    elif values.size and not 0 <= values.min() <= values.max() <= 1:
        yield _beyond_one(loss, values)


def _of_classes(loss: BoundLoss) -> bool:
    """Return whether labels number the outputs."""
    return loss.spec.y_true == "integer" and loss.spec.y_pred != "embeddings"


def _class_faults(
    loss: BoundLoss, values: "np.ndarray[Any, Any]", count: int | None
) -> Iterator[ShapeError]:
    values = values[values != loss.params.get("ignore_class")]
    if count is not None and values.size and not 0 <= values.min() <= values.max() < count:
        advice, fits = "Give the model one output for each class, or renumber the labels.", None
        beyond = np.unique(values[(values < 0) | (values >= count)])
        if (values.min(), values.max()) == (1, count):
            advice = "They seem to be counted from 1: subtract 1."
        elif beyond.size == 1 and "ignore_class" in loss.params and beyond[0] % 1 == 0:
            mark = int(beyond[0])
            fits = loss.entry.called({**loss.params, "ignore_class": mark})
            advice += f" If {mark} marks what has no label, take {fits!r}."
        yield ShapeError(
            f"Loss {loss.name!r}: y_true must hold classes from 0 to {count - 1}, since y_pred "
            f"has {count}, got {values.min():g} to {values.max():g}. {advice}",
            fits=fits,
        )
    between = values[values % 1 > 0]
    if between.size:
        yield ShapeError(
            f"Loss {loss.name!r}: y_true must hold whole numbers, got {between[0]:g}. "
            "Give classes, or take a loss for labels of that kind: 'lossreg list' names them."
        )


def _beyond_one(loss: BoundLoss, values: "np.ndarray[Any, Any]") -> ShapeError:
    low, high, fits = values.min(), values.max(), None
    advice = (
        "Rescale the labels, or take a loss for labels of that kind: 'lossreg list' names them."
    )
    if np.isin(values, (-1, 1)).all():
        advice = "They look like the signs -1 and 1: rescale them by (y_true + 1) / 2"
        if loss.spec.y_true == "binary":
            fits = "hinge"
            advice += ", or take 'hinge' and a last layer without an activation"
        advice += "."
    elif low >= 0 and high == 255:
        advice = "They look like 8-bit pixels: divide them by 255."
    elif np.isin(values, (1, 2)).all():
        advice = "They seem to be counted from 1: subtract 1."
    elif low >= 0 and not (values % 1).any():
        advice = "They look like class indices"
        classes = fitting(loss, "integer")
        if classes:
            advice += f", which {classes!r} takes, with an output for each class"
        advice += ". For this loss, one-hot encode them: keras.ops.one_hot(y_true, classes)."
    return ShapeError(
        f"Loss {loss.name!r}: y_true must be in [0, 1], got {low:g} to {high:g}. {advice}",
        fits=fits,
    )


def _known(values: Any) -> "np.ndarray[Any, Any] | None":
    """Return a tensor's values, or None while a graph is traced."""
    try:
        return np.asarray(values)
    except (NotImplementedError, TypeError, ValueError):
        # TensorFlow's, JAX's and Keras' own way to say that there are none yet.
        return None
