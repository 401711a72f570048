"""What is wrong with arrays of labels and predictions for one loss."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...api import bind
from ...entry import BoundLoss
from ...errors import ShapeError
from ...shapes import align, class_axis
from . import labels, predictions
from .predictions import Activation, Array


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Labels and predictions, as arrays.

    Args:
        y_true: The labels; None where they are no numbers.
        y_pred: The predictions.
        counted: Which samples, or entries, have a weight and no mask; None for all.
        activation: That of the model's last layer.
    """

    y_true: Array | None
    y_pred: Array
    counted: Array | None = None
    activation: Activation = None


def numpy(values: Any) -> Array:
    """Return a tensor or anything like an array as one of numpy."""
    if hasattr(values, "detach"):
        # PyTorch's own conversion refuses a tensor that has a gradient or is on a device.
        values = values.detach().cpu()
    return np.asarray(values)


def as_array(loss: str, name: str, values: Any) -> Array:
    """Return labels or predictions as numbers.

    Raises:
        ShapeError: They are none.
    """
    said = f"Loss {loss!r}: {name} must hold numbers"
    try:
        array = numpy(values)
    # TensorFlow's and JAX's own way to say that a graph's tensor has no values yet.
    except (NotImplementedError, TypeError) as error:
        raise ShapeError(f"{said} that are known now: {error}") from error
    # numpy's, of lists of several lengths.
    except ValueError as error:
        raise ShapeError(f"{said}, each row as many: {error}") from error
    if array.dtype.kind in "SU":
        advice = "Number the classes first." if name == "y_true" else "Give what the model returns."
        raise ShapeError(f"{said}, got {array.dtype} labels. {advice}")
    if array.dtype.kind in "OMmc":
        kinds = {type(entry).__name__ for entry in array.flat[:1000]} or {"nothing"}
        raise ShapeError(
            f"{said}, got {array.dtype} ({', '.join(sorted(kinds))}). Number texts, fill in what "
            "is missing, and convert the rest: values.astype('float32')."
        )
    if array.dtype.kind == "b":
        return array.astype("uint8")
    # bfloat16, which numpy doesn't know, and float16, in which sums would be rounded.
    return array.astype("float32") if array.dtype.kind == "V" or array.itemsize == 2 else array


def of_arrays(loss: str, y_true: Array, y_pred: Array, *, known: bool) -> Iterator[ShapeError]:
    """Yield what no loss takes.

    Args:
        loss: To name it.
        y_true: The labels.
        y_pred: The predictions.
        known: Whether the loss's labels are known; somebody's own loss may mean NaN as absent.
    """
    if 0 in (y_true.size, y_pred.size):
        yield ShapeError(
            f"Loss {loss!r} needs at least one sample, got y_true {y_true.shape} and y_pred "
            f"{y_pred.shape}. Look at what reads the data."
        )
    elif known and () in (y_true.shape, y_pred.shape):
        yield ShapeError(
            f"Loss {loss!r} takes arrays of samples, got y_true {y_true.shape} and y_pred "
            f"{y_pred.shape}. Give a list, even of one sample."
        )
    elif known and len(y_true) != len(y_pred):
        yield ShapeError(
            f"Loss {loss!r} takes a label for each prediction, got {len(y_true)} samples in "
            f"y_true and {len(y_pred)} in y_pred. Give both for the same samples."
        )
    for name, values, advice in (
        ("y_true", y_true, "Drop those samples or fill them in"),
        ("y_pred", y_pred, "Look for them in the model's inputs and weights"),
    ):
        if values.dtype.kind != "f" or (name == "y_true" and not known):
            continue
        # Logits of classes that a model rules out may be minus infinity.
        infinite = np.isinf(values) if name == "y_true" else np.isposinf(values)
        for what, wrong in (("NaN", np.isnan(values)), ("infinity", infinite & known)):
            if wrong.any():
                yield ShapeError(
                    f"Loss {loss!r}: {name} must be finite, got {what} in {wrong.sum()} of "
                    f"{values.size} entries. {advice}; a weight of 0 doesn't leave them out."
                )


def of_term(loss: BoundLoss, batch: Batch) -> Iterator[ShapeError]:
    """Yield what is wrong for one loss: shapes, then labels, then predictions."""
    y_true, y_pred = batch.y_true, batch.y_pred
    arrays = [y_pred] if y_true is None else [y_true, y_pred]
    if loss.spec.y_true == "unspecified" or any(a.size == 0 or a.ndim == 0 for a in arrays):
        return
    found: list[ShapeError] = []
    if y_true is None:
        y_pred = _classes_last(loss, y_pred)
    else:
        found, y_pred = _of_labels(loss, y_true, y_pred, batch.counted)
    fits = next((fault.fits for fault in found if fault.fits), None)
    # The predictions may be right for the loss that the labels fit.
    meant = bind(fits) if fits else loss
    of_predictions = list(predictions.of_loss(loss, meant, y_pred, batch.activation))
    both = next((fault.fits for fault in of_predictions if fault.fits), None)
    for fault in found:
        fault.fits = fault.fits and (both or fault.fits)
    yield from found
    yield from of_predictions


def _of_labels(
    loss: BoundLoss, y_true: Array, y_pred: Array, counted: Array | None
) -> tuple[list[ShapeError], Array]:
    """Return what is wrong with labels, and the predictions that count, their classes last."""
    kind = loss.spec.y_true
    found: list[ShapeError] = []
    aligned = len(y_true) == len(y_pred)
    if aligned:
        try:
            y_true, y_pred = align(loss, y_true, y_pred, np)
        except ShapeError as error:
            found.append(error)
            aligned = False
    y_pred = _classes_last(loss, y_pred)
    classes = y_pred.shape[-1]
    if kind == "sequence" and counted is not None:
        # A mask is of the steps, which labels don't have.
        counted = np.asarray(counted.reshape(len(counted), -1).any(axis=1))
    if aligned:
        y_true = _select(_classes_last(loss, y_true) if kind == "one_hot" else y_true, counted)
        y_pred = _select(y_pred, counted)
    if kind == "sequence":
        found += labels.of_sequences(loss, y_true, y_pred)
    elif aligned or kind not in ("binary", "one_hot", "integer"):
        # Labels of another form than the loss's are one mistake, not two.
        found += labels.of_loss(loss, y_true, classes)
    return found, y_pred


def _classes_last(loss: BoundLoss, values: Array) -> Array:
    axis = class_axis(loss)
    has_classes = loss.spec.y_true in ("one_hot", "integer")
    return (
        np.moveaxis(values, axis, -1)
        if has_classes and -values.ndim <= axis < values.ndim
        else values
    )


def _select(values: Array, counted: Array | None) -> Array:
    if counted is None or counted.shape != values.shape[: counted.ndim]:
        return values
    return np.asarray(values[counted])
