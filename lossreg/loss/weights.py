"""Weights and masks against the values of a loss: which entry each of them is for."""

from typing import Any

from ..errors import WeightError
from ..lazy import ops
from .bound import BoundLoss
from .shapes import same_shape


def values_shape(loss: BoundLoss, y_pred: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the shape of a loss's values for predictions of a shape, if its spec tells."""
    spec = loss.spec
    if not spec.labels.is_known or spec.couples:
        return None
    return spec.shape_of_values(loss.params, y_pred) or None


def weight_fault(
    loss: str, values: tuple[Any, ...], weights: tuple[Any, ...]
) -> WeightError | None:
    """Return what is wrong with the shape of weights for values of a shape, if anything is."""
    if not weights or _samples(values, weights) is not None:
        return None
    return WeightError(
        f"Loss {loss!r}: sample_weight must have the shape of the values, {values}, or be one "
        f"number for each sample, got {weights}. Reshape the weights."
    )


def _samples(values: tuple[Any, ...], weights: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return the shape of weights without the last axes of size 1 that values lack."""
    kept = weights
    while len(kept) > 1 and kept[-1] == 1 and len(kept) != len(values):
        kept = kept[:-1]
    # One for each sample.
    aligned = (*kept, *(1,) * (len(values) - 1)) if len(kept) == 1 else kept
    fits = len(aligned) == len(values) and all(
        one == 1 or same_shape((one,), (other,)) for one, other in zip(aligned, values, strict=True)
    )
    return kept if fits else None


def align_weights(loss: str, values: Any, weights: Any) -> Any:
    """Return weights with the rank of the values that they multiply.

    Weights `(N,)` or `(N, 1)` are one for each sample, whatever the rank of the values is.
    Otherwise weights have the shape of the values, or 1 where they are alike along an axis.

    Args:
        loss: The loss, for the message.
        values: The values of the loss.
        weights: The weights.

    Raises:
        WeightError: The shapes don't belong together; it has both.
    """
    wanted, given = tuple(values.shape), tuple(weights.shape)
    fault = weight_fault(loss, wanted, given)
    if fault is not None:
        raise fault
    kept = _samples(wanted, given) or ()
    if len(kept) < len(given):
        weights = ops.squeeze(weights, axis=tuple(range(len(kept), len(given))))
    for _ in range(len(wanted) - len(kept) if kept else 0):
        weights = ops.expand_dims(weights, axis=-1)
    return weights


def align_mask(loss: str, values: Any, mask: Any) -> Any:
    """Return a mask with the rank of the values that it leaves in or out.

    A value counts where any of its masked steps does, as in Keras 3.16.

    Raises:
        WeightError: The shapes don't belong together; it has both.
    """
    wanted, given = tuple(values.shape), tuple(mask.shape)
    shared = min(len(wanted), len(given))
    if not same_shape(wanted[:shared], given[:shared]):
        raise WeightError(
            f"Loss {loss!r}: the mask of the predictions has the shape {given}, and the values "
            f"have {wanted}. Remove the mask with a layer that returns none, or change the layer."
        )
    if len(given) > shared:
        return ops.any(mask, axis=tuple(range(shared, len(given))))
    for _ in range(len(wanted) - shared):
        mask = ops.expand_dims(mask, axis=-1)
    return mask
