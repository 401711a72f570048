"""Labels that fit the predictions: ranks aligned, broadcasting refused."""

from typing import Any

import numpy as np

from . import discovery
from .entry import BoundLoss
from .errors import ShapeError
from .lazy import ops
from .spec import Labels

# Labels with one entry for each entry of y_pred.
_ELEMENTWISE: tuple[Labels, ...] = ("real", "positive", "count", "binary", "sign", "one_hot")


def align(loss: BoundLoss, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return labels and predictions with the ranks that the loss expects.

    Like Keras' own losses, `(N,)` meets `(N, 1)` in either order. Integer labels
    may have a trailing axis of one.

    Raises:
        ShapeError: The shapes would broadcast, as far as they are known.
    """
    kind = loss.spec.y_true
    if kind == "sequence":
        return y_true, y_pred
    if kind == "integer":
        return _align_integer(loss, y_true, y_pred)
    true_rank, pred_rank = len(y_true.shape), len(y_pred.shape)
    if true_rank == pred_rank + 1 and y_true.shape[-1] == 1:
        if pred_rank == 1:
            y_pred = ops.expand_dims(y_pred, axis=-1)
        else:
            y_true = ops.squeeze(y_true, axis=-1)
    elif pred_rank == true_rank + 1 and y_pred.shape[-1] == 1:
        if true_rank == 1:
            y_true = ops.expand_dims(y_true, axis=-1)
        else:
            y_pred = ops.squeeze(y_pred, axis=-1)
    if kind == "one_hot":
        _need_classes(loss, y_pred)
    if kind in _ELEMENTWISE and not _same(y_true.shape, y_pred.shape):
        raise _misfit(loss, "y_true and y_pred of one shape", y_true, y_pred)
    return y_true, y_pred


def _align_integer(loss: BoundLoss, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    axis = loss.params.get("axis", -1)
    rank = len(y_pred.shape)
    if rank == 0 or not -rank <= axis < rank:
        raise _misfit(loss, f"y_pred with an axis {axis} of classes", y_true, y_pred)
    if loss.spec.y_pred != "embeddings":
        _need_classes(loss, y_pred)
    expected = [size for index, size in enumerate(y_pred.shape) if index != axis % rank]
    if len(y_true.shape) == rank:
        # Where the classes are, or last.
        for squeezed in (axis, -1):
            if y_true.shape[squeezed] == 1 and _same(_without(y_true.shape, squeezed), expected):
                y_true = ops.squeeze(y_true, axis=squeezed)
                break
    if not _same(y_true.shape, expected):
        raise _misfit(loss, "integer y_true, shaped as y_pred without classes", y_true, y_pred)
    return y_true, y_pred


def _need_classes(loss: BoundLoss, y_pred: Any) -> None:
    """Raise for one output where one of several classes is to be chosen."""
    axis = loss.params.get("axis", -1)
    if len(y_pred.shape) > 1 and y_pred.shape[axis] == 1:
        binary = discovery.installed().sibling(loss.entry, "binary")
        said = f", or take {binary!r}, which needs one output" if binary else ""
        raise ShapeError(
            f"Loss {loss.name!r} chooses among classes, and y_pred {tuple(y_pred.shape)} has one. "
            f"Give the model an output for each class{said}."
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
        return ShapeError(said)
    fitting = discovery.installed().sibling(loss.entry, form)
    takes = f": {fitting!r} takes them" if fitting else ""
    return ShapeError(f"{said} The labels look {look}{takes}.")


def check_labels(loss: BoundLoss, y_true: Any, y_pred: Any) -> None:
    """Raise for labels that the loss gives no meaning, where they are known now.

    Raises:
        ShapeError: A class that `y_pred` lacks, or a label outside [0, 1].
    """
    kind = loss.spec.y_true
    classes = kind == "integer" and loss.spec.y_pred != "embeddings"
    if not classes and kind not in ("binary", "one_hot"):
        return
    values = _known(y_true)
    if values is None or values.size == 0:
        return
    # Not "among the numbers": NumPy counts bfloat16 with the void types.
    if values.dtype.kind in "OSU":
        raise ShapeError(
            f"Loss {loss.name!r}: y_true must hold numbers, got {values.dtype} labels. "
            "Number the classes first."
        )
    if classes:
        count = y_pred.shape[loss.params.get("axis", -1)]
        values = values[values != loss.params.get("ignore_class")]
        if count is not None and values.size and not 0 <= values.min() <= values.max() < count:
            raise ShapeError(
                f"Loss {loss.name!r}: y_true must hold classes from 0 to {count - 1}, since y_pred "
                f"has {count}, got {values.min():g} to {values.max():g}. "
                "Give the model one output for each class, or renumber the labels."
            )
        between = values[values % 1 > 0]
        if between.size:
            raise ShapeError(
                f"Loss {loss.name!r}: y_true must hold whole numbers, got {between[0]:g}. "
                "Give classes, or take a loss for labels of that kind: 'lossreg list' names them."
            )
    elif np.isnan(values).any():
        raise ShapeError(f"Loss {loss.name!r}: y_true holds NaN. Drop or fill those samples.")
    elif not 0 <= values.min() <= values.max() <= 1:
        raise ShapeError(
            f"Loss {loss.name!r}: y_true must be in [0, 1], got {values.min():g} to "
            f"{values.max():g}. Rescale the labels, or take a loss for labels of that kind: "
            "'lossreg list' names them."
        )


def _known(values: Any) -> "np.ndarray[Any, Any] | None":
    """Return a tensor's values, or None while a graph is traced."""
    try:
        return np.asarray(values)
    except (NotImplementedError, TypeError, ValueError):
        # TensorFlow's, JAX's and Keras' own way to say that there are none yet.
        return None
