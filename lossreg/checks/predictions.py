"""Predictions of another kind than a loss takes, mostly logits in place of probabilities."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ..errors import ShapeError
from ..loss import SUM_SLACK, BoundLoss, figure

Array = np.ndarray[Any, Any]

Activation = Literal["linear", "sigmoid", "softmax", "other"] | None
"""The activation of a model's last layer; None if the model isn't known."""

_SLACK = 1e-3

# Fewer numbers don't show whether they are probabilities.
_ENOUGH = 30


def find_prediction_mistakes(
    loss: BoundLoss, meant: BoundLoss, y_pred: Array, activation: Activation
) -> Iterator[ShapeError]:
    """Yield the mistakes of predictions whose classes, if any, are on the last axis.

    `loss` is the user's loss, and `meant` the one that the labels fit, mostly the same.
    """
    kind = meant.y_pred
    exclusive = meant.spec.labels.is_exclusive and y_pred.shape[-1] > 1
    finite = np.isfinite(y_pred)
    values = y_pred[finite]
    if values.size == 0:
        return
    low, high = values.min(), values.max()
    sums = np.ones(1)
    if exclusive:
        sums = y_pred[finite.all(axis=-1)].sum(axis=-1, dtype="float64")
    rule = f"Loss {loss.name!r}: y_pred must hold"
    if kind == "probabilities":
        fault = _probability_mistake(values, sums, activation)
        if fault is not None:
            fits = _loss_for_logits(meant, True, new=meant is not loss)
            layer = "softmax" if exclusive else "sigmoid"
            take = f"Take {fits!r}, or end" if fits else "End"
            yield ShapeError.of(f"{rule} {fault}. {take} the model with a {layer}.", fits=fits)
        elif activation == "softmax" and y_pred.shape[-1] == 1:
            yield ShapeError(
                f"{rule} probabilities, and a softmax over one output always gives 1. "
                "End the model with a sigmoid."
            )
    elif kind == "logits":
        if _look_like_probabilities(values, sums, activation, exclusive):
            fits = _loss_for_logits(meant, False, new=meant is not loss)
            take = f"Take {fits!r}, or leave" if fits else "Leave"
            yield ShapeError.of(
                f"{rule} logits, and these look like probabilities: "
                f"{figure(low, 3)} to {figure(high, 3)}. "
                f"{take} out the activation of the last layer.",
                fits=fits,
            )
    elif kind == "positive" and low < 0:
        yield ShapeError(
            f"{rule} numbers above 0, got {figure(low, 3)} to {figure(high, 3)}. End the model "
            "with a softplus or exponential."
        )
    elif meant.qualified_name == "keras/circle":
        lengths = np.linalg.norm(y_pred[finite.all(axis=-1)], axis=-1)
        if lengths.size and np.abs(lengths - 1).max() > SUM_SLACK:
            yield ShapeError(
                f"{rule} embeddings of length 1, got {figure(lengths.min(), 3)} to "
                f"{figure(lengths.max(), 3)}. End the model with keras.layers.UnitNormalization()."
            )


def _probability_mistake(values: Array, sums: Array, activation: Activation) -> str | None:
    """Return what shows that predictions aren't probabilities, or None."""
    low, high = values.min(), values.max()
    if low < -_SLACK or high > 1 + _SLACK:
        found = f"{figure(low, 3)} to {figure(high, 3)}"
        return f"probabilities in [0, 1], got {found}: these look like logits"
    if activation == "linear":
        return "probabilities, and the last layer has no activation, so these are logits"
    if sums.size and np.abs(sums - 1).max() > SUM_SLACK:
        return (
            "probabilities that sum to 1 over the classes, got sums of "
            f"{figure(sums.min(), 3)} to {figure(sums.max(), 3)}: these look like logits, or like "
            "what a sigmoid returns"
        )
    return None


def _look_like_probabilities(
    values: Array, sums: Array, activation: Activation, exclusive: bool
) -> bool:
    """Return whether logits look like probabilities, which for one class numbers can't prove."""
    if activation in ("sigmoid", "softmax", "linear"):
        return activation != "linear"
    if values.min() < 0 or values.max() > 1:
        return False
    if exclusive:
        return bool(sums.size) and bool(np.abs(sums - 1).max() <= _SLACK)
    # The logits of an untrained model may all be small and positive, but are hardly on both
    # sides of 0.5 then.
    both_sides = values.min() < 0.5 < values.max()
    return activation is None and values.size >= _ENOUGH and bool(both_sides)


def _loss_for_logits(loss: BoundLoss, from_logits: bool, *, new: bool) -> str | None:
    """Return the call of the loss for logits, or for probabilities, if there is one."""
    if "from_logits" in loss.params:
        return loss.entry.call({**loss.params, "from_logits": from_logits})
    return loss.label if new and loss.spec.y_pred == "real" else None
