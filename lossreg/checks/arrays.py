"""Mistakes in arrays of labels and predictions; nothing here knows a model or Keras."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..config import bind
from ..errors import LossLookupError, ShapeError
from ..loss import (
    BoundLoss,
    align,
    find_mistakes,
    find_series_mistakes,
    form_of,
    number_of_classes,
)
from .predictions import Activation, Array, find_prediction_mistakes


def to_numpy(values: Any) -> Array:
    """Return a tensor or anything like an array as a NumPy array."""
    if hasattr(values, "detach"):
        # PyTorch's own conversion refuses a tensor that has a gradient or is on a device.
        values = values.detach().cpu()
    return np.asarray(values)


def to_numbers(loss: str, name: str, values: Any) -> Array:
    """Return labels or predictions as an array of numbers.

    Raises:
        ShapeError: They aren't numbers.
    """
    rule = f"Loss {loss!r}: {name} must hold numbers"
    try:
        array = to_numpy(values)
    # TensorFlow and JAX raise these for a graph's tensor, which has no values yet.
    except (NotImplementedError, TypeError) as error:
        raise ShapeError(f"{rule} that are known now: {error}") from error
    # NumPy raises this for lists of several lengths.
    except ValueError as error:
        raise ShapeError(f"{rule}, in rows of equal length: {error}") from error
    if array.dtype.kind in "SU":
        advice = "Number the classes first." if name == "y_true" else "Give what the model returns."
        raise ShapeError(f"{rule}, got {array.dtype} labels. {advice}")
    if array.dtype.kind in "OMmc":
        kinds = {type(entry).__name__ for entry in array.flat[:1000]} or {"nothing"}
        raise ShapeError(
            f"{rule}, got {array.dtype} ({', '.join(sorted(kinds))}). Number strings, fill in "
            "missing values, and convert the rest: values.astype('float32')."
        )
    if array.dtype.kind == "b":
        return array.astype("uint8")
    # NumPy doesn't know bfloat16, and would round sums in float16.
    return array.astype("float32") if array.dtype.kind == "V" or array.itemsize == 2 else array


def find_array_mistakes(
    loss: str, y_true: Array, y_pred: Array, *, known: bool
) -> Iterator[ShapeError]:
    """Yield the mistakes that no loss accepts.

    In a user's own loss, whose labels aren't known, NaN may mark an absent label.
    """
    if 0 in (y_true.size, y_pred.size):
        yield ShapeError(
            f"Loss {loss!r} needs at least one sample, got y_true {y_true.shape} and y_pred "
            f"{y_pred.shape}. Check the code that reads the data."
        )
    elif known and () in (y_true.shape, y_pred.shape):
        yield ShapeError(
            f"Loss {loss!r} takes arrays of samples, got y_true {y_true.shape} and y_pred "
            f"{y_pred.shape}. Give a list, even for one sample."
        )
    elif known and len(y_true) != len(y_pred):
        yield ShapeError(
            f"Loss {loss!r} takes a label for each prediction, got {len(y_true)} samples in "
            f"y_true and {len(y_pred)} in y_pred. Give both for the same samples."
        )
    for name, values, advice in (
        ("y_true", y_true, "Drop those samples or fill them in"),
        ("y_pred", y_pred, "Check the model's inputs and weights"),
    ):
        if values.dtype.kind != "f" or (name == "y_true" and not known):
            continue
        # Logits of classes that a model rules out may be minus infinity; see _find_ruled_out.
        infinite = np.isinf(values) if name == "y_true" else np.isposinf(values)
        for what, wrong in (("NaN", np.isnan(values)), ("infinity", infinite & known)):
            if wrong.any():
                yield ShapeError(
                    f"Loss {loss!r}: {name} must be finite, got {what} in {wrong.sum()} of "
                    f"{values.size} entries. {advice}. A weight of 0 doesn't help."
                )


def find_term_mistakes(
    loss: BoundLoss,
    y_true: Array | None,
    y_pred: Array,
    counted: Array | None,
    activation: Activation,
) -> Iterator[ShapeError]:
    """Yield the mistakes for one loss: of shapes, then of labels, then of predictions.

    `y_true` is None if the labels aren't numbers. `counted` marks the samples, or entries, with
    a weight and no mask; None stands for all.
    """
    arrays = [y_pred] if y_true is None else [y_true, y_pred]
    if not loss.spec.labels.is_known or any(a.size == 0 or a.ndim == 0 for a in arrays):
        return
    found: list[ShapeError] = []
    loss = loss.taking(loss.spec.forms[0] if y_true is None else form_of(loss, y_true, y_pred))
    if y_true is None:
        y_pred = _move_classes_last(loss, y_pred)
    else:
        found, y_pred = _find_label_mistakes(loss, y_true, y_pred, counted)
    fits = next((fault.fits for fault in found if fault.fits), None)
    # The predictions may be right for the loss that the labels fit.
    meant = loss
    if fits:
        # A loss of a registry of one's own isn't found by its name.
        with contextlib.suppress(LossLookupError):
            meant = bind(fits).losses()[0]
    prediction_faults = list(find_prediction_mistakes(loss, meant, y_pred, activation))
    both = next((fault.fits for fault in prediction_faults if fault.fits), None)
    for fault in found:
        fault.fits = fault.fits and (both or fault.fits)
    yield from found
    yield from prediction_faults


def _find_label_mistakes(
    loss: BoundLoss, y_true: Array, y_pred: Array, counted: Array | None
) -> tuple[list[ShapeError], Array]:
    """Return the mistakes of labels, and the predictions that count, with their classes last."""
    kind = loss.spec.labels
    found: list[ShapeError] = []
    aligned = len(y_true) == len(y_pred)
    if aligned:
        try:
            y_true, y_pred = align(loss, y_true, y_pred, np)
        except ShapeError as error:
            found.append(error)
            aligned = False
    y_pred = _move_classes_last(loss, y_pred)
    classes = number_of_classes(loss, y_pred.shape[-1])
    if kind.per == "series" and counted is not None:
        # A mask marks steps, and labels don't have them.
        counted = np.asarray(counted.reshape(len(counted), -1).any(axis=1))
    if aligned:
        if kind.classes == "row":
            y_true = _move_classes_last(loss, y_true)
        y_true, y_pred = _select(y_true, counted), _select(y_pred, counted)
    if kind.per == "series":
        if aligned:
            found += find_series_mistakes(loss, y_true, y_pred)
    elif kind.is_compared and (aligned or not (kind.is_share or kind.per == "place")):
        # Labels in another form than the loss takes are one mistake, not two.
        found += find_mistakes(loss, y_true, classes)
    if aligned and not found:
        found += _find_ruled_out(loss, y_true, y_pred)
    return found, y_pred


def _find_ruled_out(loss: BoundLoss, y_true: Array, y_pred: Array) -> Iterator[ShapeError]:
    """Yield the mistake of predictions that are minus infinity where the loss is infinite then."""
    wrong, kind = np.isneginf(y_pred), loss.spec.labels
    if not wrong.any():
        return
    rule = "y_pred must be finite"
    advice = "Check the model's inputs and weights."
    if kind.classes is not None and loss.y_pred in ("logits", "real"):
        if loss.params.get("label_smoothing"):
            rule += ", since label_smoothing gives every class a share"
            advice = "Leave out label_smoothing, or rule no class out."
        else:
            wrong = wrong & _right_classes(loss, y_true, y_pred)
            rule = "y_pred may be minus infinity only for classes that y_true says are wrong"
            advice = "Rule out none of the classes that the labels have, or correct those labels."
    if wrong.any():
        yield ShapeError(
            f"Loss {loss.name!r}: {rule}, got minus infinity in {wrong.sum()} of {wrong.size} "
            f"entries, which makes the loss infinite. {advice}"
        )


def _right_classes(loss: BoundLoss, y_true: Array, y_pred: Array) -> Array:
    """Return which entries of the predictions belong to a class that the labels say is right."""
    kind = loss.spec.labels
    if kind.classes != "number":
        return np.asarray(y_true > 0)
    numbers = np.arange(y_pred.shape[-1])
    if kind.per == "place":
        counts = y_true != loss.params.get(loss.spec.ignore_class or "")
        return np.asarray((y_true[..., None] == numbers) & counts[..., None])
    # A class of a series needs one step, whichever it is.
    present = (y_true[..., None] == numbers).any(axis=1) & (numbers > 0)
    return np.asarray(present[:, None] & np.isneginf(y_pred).all(axis=1, keepdims=True))


def _move_classes_last(loss: BoundLoss, values: Array) -> Array:
    axis, kind = loss.class_axis, loss.spec.labels
    if kind.is_class and kind.is_exclusive and -values.ndim <= axis < values.ndim:
        return np.moveaxis(values, axis, -1)
    return values


def _select(values: Array, counted: Array | None) -> Array:
    if counted is None or counted.shape != values.shape[: counted.ndim]:
        return values
    return np.asarray(values[counted])
