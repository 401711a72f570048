"""Wrong labels: values, classes and rows that have no meaning for a loss.

Predictions aren't examined here, and no shape is changed.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError
from ..lazy import numpy as np
from .arrays import as_array
from .bound import BoundLoss
from .kinds import OUTPUTS

if TYPE_CHECKING:
    from numpy import ndarray

    Array = ndarray[Any, Any]

SUM_SLACK = 0.02
"""How far the sum of shares may be from 1.

Half precision rounds each probability by up to 0.004, and people round labels to two digits.
"""

ROUNDING = 1e-4
"""How far computed labels may be from what they stand for.

In float32 they are mostly sums of many roundings: TensorFlow's resize(method="area") of a mask of
0 and 1 goes up to 1.00003.
"""

# Their kind is "positive", and they take a little more: log(1 + y) has a 0, |y| a sign.
_TAKES_ZERO = "keras/mean_squared_logarithmic_error"
_TAKES_NEGATIVE = "keras/mean_absolute_percentage_error"

_FROM_ONE = "They seem to be counted from 1: subtract 1."
_OTHER_LOSS = "use a loss for labels of that kind: 'lossreg list' shows the kinds."


def check_labels(loss: BoundLoss, y_true: Any, y_pred: Any) -> None:
    """Raise for labels that have no meaning for the loss. Unknown labels are ignored.

    Raises:
        ShapeError: A class isn't among those of `y_pred`, or a label isn't in [0, 1].
    """
    if not (loss.spec.numbers_outputs or loss.spec.labels.is_share):
        return
    try:
        values = as_array(y_true)
    except (NotImplementedError, TypeError, ValueError):
        # TensorFlow, JAX and Keras raise these for a tensor of a traced graph.
        return
    if values.size:
        outputs = y_pred.shape[loss.class_axis] if loss.spec.numbers_outputs else None
        classes = outputs and number_of_classes(loss, outputs)
        for fault in label_faults(loss, values, classes):
            raise fault


def number_of_classes(loss: BoundLoss, outputs: int) -> int:
    """Return how many classes a number of outputs stands for."""
    return outputs + OUTPUTS[loss.y_pred].lacking


def label_faults(loss: BoundLoss, values: "Array", classes: int | None) -> Iterator[ShapeError]:
    """Yield the faults of labels that must be class numbers, or lie in [0, 1].

    Args:
        loss: Its spec has the kind of the labels.
        values: The labels; at least one.
        classes: The number of classes in the predictions, if it is known.
    """
    # Not "if they aren't numbers": NumPy counts bfloat16 with the void types.
    if values.dtype.kind in "OSU":
        dtype = values.dtype
        yield _fault(loss, f"y_true must hold numbers, got {dtype} labels. Number the classes.")
        return
    absent = np.isnan(values)
    if absent.any():
        yield _fault(loss, "y_true holds NaN. Drop or fill those samples.")
        values = values[~absent]
    if loss.spec.numbers_outputs:
        yield from _class_faults(loss, values, classes)
    elif loss.spec.labels.is_share:
        # In rows an ignored class is a row of zeros.
        values = values[values != _ignored(loss)] if loss.spec.labels.classes == "each" else values
        if not _within(values, 0, 1):
            yield _share_fault(loss, values)


def rounding(values: "Array") -> float:
    """Return how far labels may be from what they stand for: `ROUNDING`, or two roundings of 1.

    Keras casts labels to the dtype of the loss, so that their digits tell in which dtype they
    were computed, and not their own dtype.
    """
    wide = values.astype("float32")
    # bfloat16 is the upper half of float32.
    if not (wide.view("uint32") & 0xFFFF).any():
        return 2.0**-6
    with np.errstate(over="ignore"):
        return 2.0**-9 if (wide.astype("float16") == wide).all() else ROUNDING


def figure(value: Any, digits: int = 6) -> str:
    """Return a number with some digits, and with more where these hide a difference."""
    short = f"{float(value):.{digits}g}"
    hides = float(short) != value and float(short) % 1 == 0 and abs(value) < 10**digits
    return f"{float(value):.9g}" if hides else short


def _within(values: "Array", low: float, high: float) -> bool:
    if not values.size or low <= values.min() <= values.max() <= high:
        return True
    slack = rounding(values)
    return bool(low - slack <= values.min() and values.max() <= high + slack)


def _near(values: "Array", *allowed: int) -> "Array":
    """Return which values are one of those allowed, up to rounding."""
    distances = [np.abs(values.astype("float64") - each) for each in allowed]
    near: Array = np.min(distances, axis=0) <= rounding(values)
    return near


def _fault(loss: BoundLoss, message: str, fits: str | None = None) -> ShapeError:
    return ShapeError.of(f"Loss {loss.name!r}: {message}", fits=fits)


def _ignored(loss: BoundLoss) -> Any:
    """Return the class whose labels don't count, or None."""
    return loss.params.get(loss.spec.ignore_class or "")


def _class_faults(loss: BoundLoss, values: "Array", count: int | None) -> Iterator[ShapeError]:
    values = values[values != _ignored(loss)]
    lacking = OUTPUTS[loss.y_pred].lacking
    outputs = f"{count - lacking} outputs" if count and lacking else count
    if count is not None and not (_within(values, 0, count) and (values < count).all()):
        advice, fits = "Give the model one output for each class, or renumber the labels.", None
        beyond = np.unique(values[(values < 0) | (values >= count)])
        if (values.min(), values.max()) == (1, count):
            advice = _FROM_ONE
        elif beyond.size == 1 and loss.spec.ignore_class in loss.params and beyond[0] % 1 == 0:
            mark = int(beyond[0])
            fits = loss.entry.call({**loss.params, str(loss.spec.ignore_class): mark})
            advice += f" If {mark} means that a label is missing, use {fits!r}."
        yield _fault(
            loss,
            f"y_true must hold classes from 0 to {count - 1}, since y_pred has {outputs}, got "
            f"{figure(values.min())} to {figure(values.max())}. {advice}",
            fits,
        )
    # Losses cut what is after the point: 3.0000001 is class 3, and 2.9999999 would become 2.
    between = values[values % 1 > 0]
    between = between[between % 1 > rounding(between)]
    if between.size:
        rounded = _near(between - np.round(between), 0).all()
        advice = (
            "Round them: keras.ops.round(y_true)."
            if rounded
            else (f"Give class numbers, or {_OTHER_LOSS}")
        )
        yield _fault(loss, f"y_true must hold whole numbers, got {figure(between[0])}. {advice}")


def _share_fault(loss: BoundLoss, values: "Array") -> ShapeError:
    """Return the fault of labels that aren't all in [0, 1]."""
    low, high, fits = values.min(), values.max(), None
    advice = f"Rescale the labels, or {_OTHER_LOSS}"
    if np.isin(values, (-1, 1)).all():
        advice = "They look like the signs -1 and 1: rescale them by (y_true + 1) / 2"
        if loss.spec.forms[0] == "binary":
            fits = "hinge"
            advice += ", or use 'hinge' and a last layer without an activation"
        advice += "."
    elif low >= 0 and high == 255:
        advice = "They look like 8-bit pixels: divide them by 255."
    elif np.isin(values, (1, 2)).all():
        advice = _FROM_ONE
    elif low >= 0 and not (values % 1).any():
        sparse = loss.relative("integer")
        takes = f", which {sparse!r} takes, with an output for each class" if sparse else ""
        advice = (
            f"They look like class indices{takes}. For this loss, one-hot encode them: "
            "keras.ops.one_hot(y_true, classes)."
        )
    return _fault(
        loss, f"y_true must be in [0, 1], got {figure(low)} to {figure(high)}. {advice}", fits
    )


def find_mistakes(loss: BoundLoss, y_true: "Array", classes: int) -> Iterator[ShapeError]:
    """Yield the faults of labels whose classes, if any, are on the last axis.

    Args:
        loss: Its spec has the kind of the labels.
        y_true: The labels. NaN and infinity are ignored.
        classes: The number of outputs.
    """
    kind = loss.spec.labels
    finite = y_true[np.isfinite(y_true)]
    if finite.size == 0:
        return
    faults = list(label_faults(loss, finite, classes))
    yield from faults
    if kind.classes == "row" and not faults and classes > 1:
        yield from _row_mistakes(loss, y_true)
    elif loss.spec.forms[0] == "sign":
        yield from _sign_mistakes(loss, finite)
    elif kind.per == "event":
        yield from _event_mistakes(loss, y_true)
    elif kind.is_amount and kind.low == 0:
        finite = finite[finite != kind.pad]
        allowed, wrong = "above 0", finite <= 0
        if loss.spec.forms[0] != "positive" or loss.qualified_name == _TAKES_ZERO:
            allowed, wrong = "0 or more", finite < -rounding(finite)
        elif loss.qualified_name == _TAKES_NEGATIVE:
            # Keras divides by this at least.
            allowed, wrong = "away from 0", np.abs(finite) < 1e-7
        if wrong.any():
            fits = loss.relative("real") or "mean_squared_error"
            yield _fault(
                loss,
                f"y_true must be {allowed}, and {wrong.sum()} of {finite.size} entries aren't; "
                f"they go from {figure(finite.min())} to {figure(finite.max())}. Shift or drop "
                "them, or use "
                f"{fits!r}, which takes any numbers.",
                fits,
            )


def _row_mistakes(loss: BoundLoss, y_true: "Array") -> Iterator[ShapeError]:
    sums = y_true.sum(axis=-1, dtype="float64")
    sums = sums[np.isfinite(sums)]
    wrong = np.abs(sums - 1) > SUM_SLACK
    if not wrong.any():
        return
    advice, fits = "Divide each row by its sum.", None
    if np.isin(y_true, (0, 1)).all():
        advice = "A row of zeros has no class: leave it out, or give it a weight of 0."
        if sums.max() > 1:
            fits = loss.relative("binary")
            advice = "Several classes at once need a loss for yes-or-no labels"
            advice += f": use {fits!r}, and a sigmoid." if fits else "."
    yield _fault(
        loss,
        f"each row of y_true must sum to 1, and {wrong.sum()} of {sums.size} don't; their sums go "
        f"from {figure(sums.min())} to {figure(sums.max())}. {advice}",
        fits,
    )


def _sign_mistakes(loss: BoundLoss, values: "Array") -> Iterator[ShapeError]:
    # In a batch of 0 and 1 alone, Keras turns 0 into -1.
    zeros_too = loss.provider.is_builtin or "binary" in loss.spec.forms
    takes_zeros = zeros_too and np.isin(values, (0, 1)).all()
    if takes_zeros or _near(values, -1, 1).all():
        return
    advice, fits = _OTHER_LOSS.capitalize(), None
    if np.isin(values, (-1, 0, 1)).all():
        advice = "0 is neither class, and has the same loss for any prediction: give -1 or 1."
    elif 0 <= values.min() <= values.max() <= 1:
        fits = "binary_crossentropy(from_logits=True)"
        advice = f"Soft labels are for {fits!r}."
    elif not (values % 1).any() and values.min() >= 0:
        advice = (
            "Class indices are for 'sparse_categorical_crossentropy', which needs an output for "
            "each class."
        )
    zeros = ", or 0 and 1" if zeros_too else ""
    yield _fault(
        loss,
        f"y_true must be -1 and 1{zeros}, got {figure(values.min())} to {figure(values.max())}. "
        f"{advice}",
        fits,
    )


def _event_mistakes(loss: BoundLoss, y_true: "Array") -> Iterator[ShapeError]:
    times, events = y_true[..., 0], y_true[..., -1]
    if (times < 0).any():
        yield _fault(loss, f"the times in y_true must be >= 0, got {figure(times.min())}.")
    if not _near(events, 0, 1).all():
        yield _fault(
            loss,
            "the second number of each row of y_true must be 1 for an event that was seen, or 0, "
            f"got {figure(events.min())} to {figure(events.max())}. Put the times first.",
        )


def find_series_mistakes(loss: BoundLoss, y_true: "Array", y_pred: "Array") -> Iterator[ShapeError]:
    """Yield the faults of classes over time, in which 0 is the blank and pads the end."""
    steps, classes = y_pred.shape[1:]
    y_true = np.where(np.isfinite(y_true), y_true, 0)
    # Equal neighbours need a blank between them.
    twice = (y_true[:, 1:] == y_true[:, :-1]) & (y_true[:, 1:] != 0)
    needed = max((y_true != 0).sum(axis=1) + twice.sum(axis=1), default=0)
    if (y_true % 1).any():
        yield _fault(loss, "y_true must hold whole numbers. Number the classes from 1.")
    elif y_true.size and not 0 <= y_true.min() <= y_true.max() < classes:
        yield _fault(
            loss,
            f"y_true must hold classes from 1 to {classes - 1}, since y_pred has {classes} with "
            f"the blank, and 0 as padding, got {y_true.min():g} to {y_true.max():g}. Pad with 0, "
            "and give the model an output for each class and the blank.",
        )
    elif ((y_true[:, :-1] == 0) & (y_true[:, 1:] != 0)).any():
        yield _fault(
            loss,
            "y_true holds 0 before other classes, and 0 is the blank, which may only pad the end. "
            "Number the classes from 1.",
        )
    elif needed > steps:
        yield _fault(
            loss,
            f"a label of y_true needs {needed} steps, one for each entry and one between equal "
            f"neighbours, and y_pred has {steps}. Give the model more steps, or drop the longest "
            "labels.",
        )
