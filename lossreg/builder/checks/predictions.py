"""Predictions of another kind than a loss takes: mostly logits against probabilities."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from ...entry import BoundLoss
from ...errors import ShapeError

Array = np.ndarray[Any, Any]

Activation = Literal["linear", "sigmoid", "softmax", "other"] | None
"""That of a model's last layer; None where there is no model to ask."""

# Half precision rounds each probability by up to 0.004, and people round labels to two digits.
SUM_SLACK = 0.02
_SLACK = 1e-3

# From fewer numbers it can't be told whether they are probabilities.
_ENOUGH = 30


def of_loss(
    loss: BoundLoss, meant: BoundLoss, y_pred: Array, activation: Activation
) -> Iterator[ShapeError]:
    """Yield what is wrong with predictions whose classes, if any, are on the last axis.

    Args:
        loss: The loss that was asked about, to name it.
        meant: The loss that the labels fit; mostly the same.
        y_pred: The predictions; what isn't finite is left to others.
        activation: That of the last layer.
    """
    kind = _kind(meant)
    exclusive = meant.spec.y_true in ("one_hot", "integer", "sequence") and y_pred.shape[-1] > 1
    finite = np.isfinite(y_pred)
    values = y_pred[finite]
    if values.size == 0:
        return
    low, high = values.min(), values.max()
    sums = np.ones(1)
    if exclusive:
        sums = y_pred[finite.all(axis=-1)].sum(axis=-1, dtype="float64")
    said = f"Loss {loss.name!r}: y_pred must hold"
    if kind == "probabilities":
        fault = _no_probabilities(values, sums, activation)
        if fault is not None:
            fits = _with_logits(meant, True, new=meant is not loss)
            layer = "softmax" if exclusive else "sigmoid"
            take = f"Take {fits!r}, or end" if fits else "End"
            yield ShapeError(f"{said} {fault}. {take} the model with a {layer}.", fits=fits)
        elif activation == "softmax" and y_pred.shape[-1] == 1:
            yield ShapeError(
                f"{said} probabilities, and a softmax over one output always gives 1. "
                "End the model with a sigmoid."
            )
    elif kind == "logits":
        if _look_like_probabilities(values, sums, activation, exclusive):
            fits = _with_logits(meant, False, new=meant is not loss)
            take = f"Take {fits!r}, or leave" if fits else "Leave"
            yield ShapeError(
                f"{said} logits, and these look like probabilities: {low:.3g} to {high:.3g}. "
                f"{take} out the activation of the last layer.",
                fits=fits,
            )
    elif kind == "positive" and low < 0:
        yield ShapeError(
            f"{said} numbers above 0, got {low:.3g} to {high:.3g}. End the model with a softplus "
            "or exponential."
        )
    elif meant.qualified_name == "keras/circle":
        lengths = np.linalg.norm(y_pred[finite.all(axis=-1)], axis=-1)
        if lengths.size and np.abs(lengths - 1).max() > SUM_SLACK:
            yield ShapeError(
                f"{said} embeddings of length 1, got {lengths.min():.3g} to {lengths.max():.3g}. "
                "End the model with keras.layers.UnitNormalization()."
            )


def _kind(loss: BoundLoss) -> str:
    if "from_logits" in loss.params:
        return "logits" if loss.params["from_logits"] else "probabilities"
    return loss.spec.y_pred


def _no_probabilities(values: Array, sums: Array, activation: Activation) -> str | None:
    """Return what is wrong with probabilities, or None."""
    low, high = values.min(), values.max()
    if low < -_SLACK or high > 1 + _SLACK:
        return f"probabilities in [0, 1], got {low:.3g} to {high:.3g}: these look like logits"
    if activation == "linear":
        return "probabilities, and the last layer has no activation, so these are logits"
    if sums.size and np.abs(sums - 1).max() > SUM_SLACK:
        return (
            f"probabilities that sum to 1 over the classes, got sums of {sums.min():.3g} to "
            f"{sums.max():.3g}: these look like logits, or like what a sigmoid returns"
        )
    return None


def _look_like_probabilities(
    values: Array, sums: Array, activation: Activation, exclusive: bool
) -> bool:
    """Return whether logits are none; for yes-or-no labels numbers alone can't prove it."""
    if activation in ("sigmoid", "softmax", "linear"):
        return activation != "linear"
    if values.min() < 0 or values.max() > 1:
        return False
    if exclusive:
        return bool(sums.size) and bool(np.abs(sums - 1).max() <= _SLACK)
    # Logits of a model that isn't trained may all be small and positive, but then they are
    # hardly on both sides of a half.
    both_sides = values.min() < 0.5 < values.max()
    return activation is None and values.size >= _ENOUGH and bool(both_sides)


def _with_logits(loss: BoundLoss, from_logits: bool, *, new: bool) -> str | None:
    """Return the loss for the other kind of predictions, if it has one."""
    if "from_logits" in loss.params:
        return loss.entry.called({**loss.params, "from_logits": from_logits})
    return loss.label if new and loss.spec.y_pred == "real" else None
