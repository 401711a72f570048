"""Shapes of labels and predictions: ranks are aligned, and broadcasting is an error.

Values aren't examined here.
"""

from typing import Any

from ..errors import ShapeError
from ..lazy import ops
from .bound import BoundLoss
from .kinds import OUTPUTS, Labels


def form_of(loss: BoundLoss, y_true: Any, y_pred: Any) -> Labels:
    """Return which of the kinds of labels that a loss takes these labels are."""
    forms, number = loss.spec.forms, loss.spec.number_form
    rank, axis = len(y_pred.shape), loss.class_axis
    if forms[0] != "one_hot" and number is None:
        # Of the others the values decide.
        return forms[0]
    if rank == 0 or not -rank <= axis < rank:
        return forms[0]
    several = y_pred.shape[axis] != 1
    if "binary" in forms and rank > 1 and not several:
        return "binary"
    if number is None:
        return forms[0]
    squeezed = len(y_true.shape) == rank and 1 in (y_true.shape[axis], y_true.shape[-1])
    is_number = len(y_true.shape) == rank - 1 or (squeezed and several)
    return number if is_number else "one_hot"


def align(loss: BoundLoss, y_true: Any, y_pred: Any, library: Any = ops) -> tuple[Any, Any]:
    """Return labels and predictions with the ranks that the loss takes.

    As in Keras' own losses, `(N,)` fits `(N, 1)` in either order. Labels that lack the last axis
    of size 1 of the predictions get it. Integer labels may have a last axis of size 1.

    Args:
        loss: Its spec has the kind of the labels.
        y_true: Labels, with a shape.
        y_pred: Predictions, with a shape.
        library: `keras.ops`, or `numpy` for arrays that must remain arrays.

    Raises:
        ShapeError: The shapes would broadcast, as far as they are known.
    """
    kind, fit = loss.spec.labels, loss.spec.fit
    if kind.is_known:
        _check_samples(loss, y_true, y_pred)
        _check_predictions(loss, y_true, y_pred)
    match fit:
        case "series" | "free" | "event" | "sample":
            return _check_own_shape(loss, y_true, y_pred)
        case "place":
            return _align_integer(loss, y_true, y_pred, library)
        case "target":
            return _align_targets(loss, y_true, y_pred, library)
    true_rank, pred_rank = len(y_true.shape), len(y_pred.shape)
    if true_rank == pred_rank + 1 and y_true.shape[-1] == 1:
        if pred_rank == 1:
            y_pred = library.expand_dims(y_pred, axis=-1)
        else:
            y_true = library.squeeze(y_true, axis=-1)
    elif pred_rank == true_rank + 1 and y_pred.shape[-1] == 1:
        # Keras squeezes predictions of more axes instead, and so loses the weights of steps and
        # pixels, masks, and the logits that a sigmoid layer left on them.
        y_true = library.expand_dims(y_true, axis=-1)
    if kind.classes == "row":
        _class_axis(loss, y_true, y_pred)
    if fit == "entry":
        _check_axes(loss, y_pred)
        if not same_shape(y_true.shape, y_pred.shape):
            raise _misfit(loss, "y_true and y_pred of the same shape", y_true, y_pred)
    return y_true, y_pred


def _check_samples(loss: BoundLoss, y_true: Any, y_pred: Any) -> None:
    """Raise if the data aren't samples with something in each."""
    true_rank, rank = len(y_true.shape), len(y_pred.shape)
    if loss.spec.fit == "series" and (true_rank, rank) != (2, 3):
        takes, advice = "y_true (samples, entries) and y_pred (samples, steps, classes)", _RESHAPE
    elif rank == 0:
        takes, advice = "arrays of samples", "Give a list, even for one sample."
    elif 0 in y_pred.shape[1:]:
        takes, advice = "samples of at least one entry each", _RESHAPE
    else:
        return
    raise ShapeError(f"{_got(loss, takes, y_true, y_pred)} {advice}")


def _check_predictions(loss: BoundLoss, y_true: Any, y_pred: Any) -> None:
    """Raise if the predictions lack the axes that their kind has."""
    kind, shape = OUTPUTS[loss.y_pred], tuple(y_pred.shape)
    wrong = (kind.axes is not None and len(shape) != kind.axes) or (
        kind.size is not None and shape[-1] not in (kind.size, None)
    )
    if loss.y_pred == "similarities" and len(shape) == 2:
        wrong = not same_shape(shape[:1], shape[1:])
    if loss.y_pred == "views" and len(shape) == 3:
        wrong = shape[1] not in (2, None)
    if wrong:
        last = f" with a last axis of {kind.size}" if kind.size else ""
        takes = f"y_pred{last}: {kind.values}"
        raise ShapeError(f"{_got(loss, takes, y_true, y_pred)} {_RESHAPE}")


def _check_own_shape(loss: BoundLoss, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return labels whose shape the predictions don't decide. Raise if it is wrong."""
    shape = tuple(y_true.shape)
    if loss.spec.fit == "event":
        fits, takes = shape[-1:] in ((2,), (None,)), "a time and an event in each row of y_true"
    elif loss.spec.fit == "sample":
        fits, takes = True, "one label for each sample"
        if loss.spec.labels.is_number:
            fits = len(shape) == 1 or shape[1:] in ((1,), (None,))
            y_true = y_true if len(shape) == 1 or not fits else y_true[:, 0]
    else:
        return y_true, y_pred
    if not fits or not same_shape(shape[:1], y_pred.shape[:1]):
        raise ShapeError(f"{_got(loss, takes, y_true, y_pred)} {_RESHAPE}")
    return y_true, y_pred


def _align_targets(loss: BoundLoss, y_true: Any, y_pred: Any, library: Any) -> tuple[Any, Any]:
    """Return labels with as many axes as the predictions, which have several for each target."""
    if len(y_true.shape) == len(y_pred.shape) - 1:
        y_true = library.expand_dims(y_true, axis=-1)
    targets, numbers = y_true.shape[-1:], y_pred.shape[-1]
    fits = same_shape(y_true.shape[:-1], y_pred.shape[:-1]) and len(targets) == 1
    if loss.y_pred == "quantiles":
        fits, takes = (
            fits and targets[0] in (1, None),
            "one target, and an output for each quantile",
        )
    else:
        fits = fits and (None in (*targets, numbers) or _divides(targets[0], numbers))
        takes = "targets, and an output for each parameter of each target"
    if not fits:
        raise ShapeError(f"{_got(loss, takes, y_true, y_pred)} {_RESHAPE}")
    return y_true, y_pred


def _check_axes(loss: BoundLoss, y_pred: Any) -> None:
    """Raise if the predictions lack an axis that the parameter `axis` names."""
    rank, name = len(y_pred.shape), loss.spec.axis
    if name is None or name not in loss.params:
        return
    if any(not -rank <= one < rank for one in loss.spec.axes(loss.params) or ()):
        raise ShapeError(
            f"Loss {loss.name!r}: y_pred {tuple(y_pred.shape)} has the axes {-rank} to {rank - 1}, "
            f"and not {name}={loss.params[name]!r}. Change the parameter {name!r}."
        )


def _align_integer(loss: BoundLoss, y_true: Any, y_pred: Any, library: Any) -> tuple[Any, Any]:
    axis = _class_axis(loss, y_true, y_pred)
    expected = _without(y_pred.shape, axis)
    if len(y_true.shape) == len(y_pred.shape):
        # The axis of size 1 has the place of the classes, or is the last one.
        for squeezed in (axis, -1):
            if y_true.shape[squeezed] == 1 and same_shape(
                _without(y_true.shape, squeezed), expected
            ):
                y_true = library.squeeze(y_true, axis=squeezed)
                break
    if not same_shape(y_true.shape, expected):
        raise _misfit(loss, "integer y_true, shaped as y_pred without classes", y_true, y_pred)
    return y_true, y_pred


def _class_axis(loss: BoundLoss, y_true: Any, y_pred: Any) -> int:
    """Return the axis of the classes. Raise if the predictions don't have it, or one class."""
    axis, rank = loss.class_axis, len(y_pred.shape)
    if not -rank <= axis < rank:
        raise _misfit(loss, f"y_pred with an axis {axis} of classes", y_true, y_pred)
    needs_several = loss.spec.numbers_outputs or loss.spec.labels.classes == "row"
    if needs_several and rank > 1 and y_pred.shape[axis] == 1:
        binary = loss.relative("binary")
        other = f", or use {binary!r}, which needs one output" if binary else ""
        raise ShapeError.of(
            f"Loss {loss.name!r} needs several classes, and y_pred {tuple(y_pred.shape)} has one. "
            f"Give the model an output for each class{other}.",
            fits=binary,
        )
    return axis


def _without(shape: Any, axis: int) -> list[int | None]:
    return [size for index, size in enumerate(shape) if index != axis % len(shape)]


def same_shape(first: Any, second: Any) -> bool:
    """Return whether two shapes are equal, as far as they are known."""
    return len(first) == len(second) and all(
        a == b or a is None or b is None for a, b in zip(first, second, strict=True)
    )


_RESHAPE = "Reshape the labels, or change the model's last layer."


def _got(loss: BoundLoss, takes: str, y_true: Any, y_pred: Any) -> str:
    shapes = f"y_true {tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}"
    return f"Loss {loss.name!r} takes {takes}, got {shapes}."


def _misfit(loss: BoundLoss, takes: str, y_true: Any, y_pred: Any) -> ShapeError:
    misfit = _got(loss, takes, y_true, y_pred)
    shape_true, shape_pred = tuple(y_true.shape), tuple(y_pred.shape)
    looks_integer = same_shape(shape_true, shape_pred[:-1]) or (
        len(shape_true) > 1 and same_shape(shape_true, (*shape_pred[:-1], 1))
    )
    form: Labels
    if looks_integer and loss.spec.labels.is_share:
        look, form = "like class indices", "integer"
    elif same_shape(shape_true, shape_pred) and loss.spec.fit == "place":
        look, form = "one-hot", "one_hot"
    else:
        return ShapeError(f"{misfit} {_RESHAPE}")
    fits = loss.relative(form)
    takes = f": {fits!r} takes them" if fits else ""
    return ShapeError.of(f"{misfit} The labels look {look}{takes}.", fits=fits)


def _divides(size: int, numbers: int) -> bool:
    return numbers % size == 0 if size else numbers == 0
