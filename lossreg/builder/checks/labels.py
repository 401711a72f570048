"""Labels that a loss gives no meaning."""

from collections.abc import Iterator

import numpy as np

from ...entry import BoundLoss
from ...errors import ShapeError
from ...shapes import fitting, label_faults
from .predictions import SUM_SLACK, Array

# Specs say "positive", and these losses take a little more: log(1 + y) has a 0, |y| a sign.
_TAKES_ZERO = "keras/mean_squared_logarithmic_error"
_TAKES_NEGATIVE = "keras/mean_absolute_percentage_error"


def of_loss(loss: BoundLoss, y_true: Array, classes: int) -> Iterator[ShapeError]:
    """Yield what is wrong with labels whose classes, if any, are on the last axis.

    Args:
        loss: Says the kind of the labels.
        y_true: The labels; what isn't finite is left to others.
        classes: How many outputs there are.
    """
    kind, name = loss.spec.y_true, loss.name
    finite = y_true[np.isfinite(y_true)]
    if finite.size == 0:
        return
    low, high = finite.min(), finite.max()
    out_of_range = list(label_faults(loss, finite, classes))
    yield from out_of_range
    if kind == "one_hot" and not out_of_range and classes > 1:
        yield from _of_rows(loss, y_true)
    elif kind == "sign":
        yield from _of_signs(loss, finite)
    elif kind in ("positive", "count"):
        allowed, wrong = "above 0", finite <= 0
        if kind == "count" or loss.qualified_name == _TAKES_ZERO:
            allowed, wrong = "0 or more", finite < 0
        elif loss.qualified_name == _TAKES_NEGATIVE:
            # Keras divides by this at least.
            allowed, wrong = "away from 0", np.abs(finite) < 1e-7
        if wrong.any():
            fits = fitting(loss, "real") or "mean_squared_error"
            yield ShapeError(
                f"Loss {name!r}: y_true must be {allowed}, and {wrong.sum()} of {finite.size} "
                f"entries aren't; they go from {low:g} to {high:g}. Shift or drop them, or take "
                f"{fits!r}, which takes any numbers.",
                fits=fits,
            )


def _of_rows(loss: BoundLoss, y_true: Array) -> Iterator[ShapeError]:
    sums = y_true.sum(axis=-1, dtype="float64")
    sums = sums[np.isfinite(sums)]
    wrong = np.abs(sums - 1) > SUM_SLACK
    if not wrong.any():
        return
    fits = None
    advice = "Divide each row by its sum."
    if np.isin(y_true, (0, 1)).all():
        if sums.max() > 1:
            fits = fitting(loss, "binary")
            advice = "Several classes at once need a loss for yes-or-no labels"
            advice += f": take {fits!r}, and a sigmoid." if fits else "."
        else:
            advice = "A row of zeros has no class: leave it out, or give it a weight of 0."
    yield ShapeError(
        f"Loss {loss.name!r}: each row of y_true must sum to 1, and {wrong.sum()} of {sums.size} "
        f"don't; their sums go from {sums.min():g} to {sums.max():g}. {advice}",
        fits=fits,
    )


def _of_signs(loss: BoundLoss, values: Array) -> Iterator[ShapeError]:
    # Where a whole batch is 0 and 1, Keras turns 0 into -1.
    if np.isin(values, (-1, 1)).all():
        return
    of_keras = loss.provider.is_builtin
    if of_keras and np.isin(values, (0, 1)).all():
        return
    fits = None
    advice = "Take a loss for labels of that kind: 'lossreg list' names them."
    if np.isin(values, (-1, 0, 1)).all():
        advice = "0 is neither class, and costs the same whatever is predicted: give -1 or 1."
    elif 0 <= values.min() <= values.max() <= 1:
        fits = "binary_crossentropy(from_logits=True)"
        advice = f"Soft labels are for {fits!r}."
    elif not (values % 1).any() and values.min() >= 0:
        advice = "Class indices are for 'sparse_categorical_crossentropy'; it needs an output each."
    zeros = ", or 0 and 1" if of_keras else ""
    yield ShapeError(
        f"Loss {loss.name!r}: y_true must be -1 and 1{zeros}, got {values.min():g} to "
        f"{values.max():g}. {advice}",
        fits=fits,
    )


def of_sequences(loss: BoundLoss, y_true: Array, y_pred: Array) -> Iterator[ShapeError]:
    """Yield what is wrong with classes over time: 0 is the blank, and pads them at the end."""
    said = f"Loss {loss.name!r}:"
    if (y_true.ndim, y_pred.ndim) != (2, 3):
        yield ShapeError(
            f"{said} it takes y_true (samples, entries) and y_pred (samples, steps, classes), got "
            f"{y_true.shape} and {y_pred.shape}."
        )
        return
    steps, classes = y_pred.shape[1:]
    y_true = np.where(np.isfinite(y_true), y_true, 0)
    if (y_true % 1).any():
        yield ShapeError(f"{said} y_true must hold whole numbers. Number the classes from 1.")
    elif y_true.size and not 0 <= y_true.min() <= y_true.max() < classes:
        yield ShapeError(
            f"{said} y_true must hold classes from 1 to {classes - 1}, since y_pred has {classes} "
            f"with the blank, and 0 as padding, got {y_true.min():g} to {y_true.max():g}. Pad with "
            "0, and give the model an output for each class and the blank."
        )
    elif ((y_true[:, :-1] == 0) & (y_true[:, 1:] != 0)).any():
        yield ShapeError(
            f"{said} y_true holds 0 before other classes, and 0 is the blank, which only pads the "
            "end. Number the classes from 1."
        )
    else:
        # Between two equal neighbours there must be a blank.
        twice = (y_true[:, 1:] == y_true[:, :-1]) & (y_true[:, 1:] != 0)
        needed = (y_true != 0).sum(axis=1) + twice.sum(axis=1)
        if needed.size and needed.max() > steps:
            yield ShapeError(
                f"{said} a label of y_true needs {needed.max()} steps, one for each entry and one "
                f"between equal neighbours, and y_pred has {steps}. Give the model more steps, or "
                "drop the longest labels."
            )
