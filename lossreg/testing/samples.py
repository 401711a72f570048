"""Labels and predictions of the kinds that a spec names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..loss import OUTPUTS, LossSpec
from .results import NotApplicableError

Situation = Literal["ordinary", "perfect", "extreme"]
Array = np.ndarray[Any, Any]

BATCH = 6

# For each sample of a batch: how large its logits are, or how far its probabilities stay away
# from 0 and 1. In float32 a sigmoid is exactly 1 from 17 on, and exp overflows at 89.
_SIZES = (8.0, 17.0, 30.0, 100.0, 1e3, 1e4)
_ROOM = (0.0, 1e-8, 6e-8, 1e-7, 1e-6, 1e-4)

# Predictions that must be above 0 are at least this.
_ABOVE_ZERO = 1e-7


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One batch, in float64 and int32."""

    y_true: Array
    y_pred: Array


def shape_of(spec: LossSpec) -> tuple[int, ...]:
    """Return the shape of the predictions that are drawn; no two axes have the same size."""
    if spec.labels.per == "series":
        return (BATCH, 7, 5)
    if "segmentation" in spec.task:
        return (BATCH, 2, 3, 5)
    return (BATCH, 5)


def draw(
    spec: LossSpec,
    params: Mapping[str, Any],
    situation: Situation = "ordinary",
    *,
    largest: float = 1e4,
) -> Sample:
    """Return a batch, always the same one.

    Args:
        spec: Names the kinds of labels and predictions.
        params: The loss's parameters.
        situation: Whether the predictions are ordinary, perfect, or as wrong as they can be.
        largest: The largest logit or error.

    Raises:
        NotApplicableError: The spec says "unspecified".
    """
    y_pred = spec.outputs(params)
    if "unspecified" in (spec.y_true, y_pred):
        raise NotApplicableError(
            f"its spec says y_true={spec.y_true!r} and y_pred={y_pred!r}, so no input can be drawn"
        )
    rng = np.random.default_rng(20240817)
    sizes = np.minimum(_SIZES, largest)
    if spec.labels.per == "series":
        return _draw_series(spec, situation, sizes, rng)
    if spec.labels.is_class:
        return _draw_classes(spec, params, situation, sizes, rng)
    return _draw_amounts(spec, y_pred, situation, sizes, rng)


def truth(spec: LossSpec, rng: np.random.Generator, axis: int = -1) -> Array:
    """Return labels as 0 and 1, shaped as the predictions."""
    shape = shape_of(spec)
    if not spec.labels.is_exclusive:
        return rng.integers(2, size=shape).astype("float64")
    count = shape[axis]
    places = np.delete(shape, axis)
    # Every class occurs more than once, as losses that compare samples need it.
    kinds = count if OUTPUTS[spec.y_pred].has_classes else 3
    classes = rng.permutation(np.arange(np.prod(places)) % kinds).reshape(places)
    return np.moveaxis(np.eye(count)[classes], -1, axis)


def wrong_labels(spec: LossSpec, hot: Array, axis: int) -> Array:
    """Return labels of 0 and 1 of which none is right."""
    return np.roll(hot, 1, axis=axis) if spec.labels.is_exclusive else 1 - hot


def encode(spec: LossSpec, hot: Array, axis: int) -> Array:
    """Return labels of 0 and 1 in the form that the loss takes."""
    if spec.labels.is_number:
        return np.asarray(hot.argmax(axis).astype("int32"))
    return 2 * hot - 1 if spec.labels.low == -1 else hot


def activate(scores: Array, axis: int, *, exclusive: bool) -> Array:
    """Return the softmax of scores, or their sigmoid where classes don't exclude each other."""
    if not exclusive:
        sigmoid: Array = 0.5 + 0.5 * np.tanh(scores / 2)
        return sigmoid
    powers: Array = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def rows(numbers: Any, like: Array) -> Array:
    """Return one number for each sample, with as many axes as an array has."""
    return np.asarray(numbers).reshape((-1,) + (1,) * (like.ndim - 1))


def _draw_classes(
    spec: LossSpec,
    params: Mapping[str, Any],
    situation: Situation,
    sizes: Array,
    rng: np.random.Generator,
) -> Sample:
    axis, exclusive = spec.class_axis(params), spec.labels.is_exclusive
    hot = truth(spec, rng, axis)
    scores: Array = 2 * np.asarray(rng.normal(size=hot.shape))
    aim = hot if situation == "perfect" else wrong_labels(spec, hot, axis)
    match spec.outputs(params):
        case "embeddings":
            ordinary = _unit(scores)
            # At worst, one class points both ways and all classes point alike.
            worst = np.eye(hot.shape[-1])[[0] * BATCH] * rows((-1.0) ** np.arange(BATCH), hot)
            certain = hot if situation == "perfect" else worst
        case "probabilities":
            ordinary = activate(scores, axis, exclusive=exclusive)
            room = rows(_ROOM, hot)
            certain = aim * (1 - room) + (1 - aim) * room / (
                hot.shape[axis] - 1 if exclusive else 1
            )
        case "positive":
            ordinary = np.asarray(rng.gamma(2.0, size=hot.shape))
            certain = np.maximum(aim, _ABOVE_ZERO)
        case _:
            ordinary, certain = scores, (2 * aim - 1) * rows(sizes, hot)
    y_pred = ordinary if situation == "ordinary" else certain
    return Sample(y_true=encode(spec, hot, axis), y_pred=y_pred)


def _draw_amounts(
    spec: LossSpec, outputs: str, situation: Situation, sizes: Array, rng: np.random.Generator
) -> Sample:
    shape = shape_of(spec)
    if spec.labels.low is None:
        y_true = np.asarray(rng.normal(size=shape))
    elif spec.y_true == "count":
        y_true = rng.poisson(3.0, size=shape).astype("float64")
    else:
        y_true = np.asarray(rng.gamma(2.0, size=shape) + 0.1)
    signs = rng.choice([-1.0, 1.0], size=shape)
    ordinary, perfect = np.asarray(rng.normal(size=shape)), y_true
    # The last sample of the batch is predicted as zero, which has no direction and no logarithm.
    extreme = np.concatenate([(y_true + signs * rows(sizes, y_true))[:-1], 0 * y_true[-1:]])
    match outputs:
        case "probabilities":
            ordinary = activate(ordinary, -1, exclusive=False)
            perfect, extreme = np.clip(y_true, 0, 1), (signs + 1) / 2
        case "embeddings":
            y_true = perfect = _unit(y_true)
            ordinary, extreme = _unit(ordinary), -y_true
        case "positive":
            ordinary = np.asarray(rng.gamma(2.0, size=shape))
            perfect, extreme = (np.maximum(each, _ABOVE_ZERO) for each in (perfect, extreme))
    choices = {"ordinary": ordinary, "perfect": perfect, "extreme": extreme}
    return Sample(y_true=y_true, y_pred=choices[situation])


def _draw_series(
    spec: LossSpec, situation: Situation, sizes: Array, rng: np.random.Generator
) -> Sample:
    """Return labels of two classes, padded with 0, and logits for each step."""
    shape = shape_of(spec)
    y_true = rng.integers(1, shape[-1], size=(shape[0], 2)).astype("int32")
    y_true[-1, -1] = 0
    path = np.zeros(shape[:-1], "int32")
    # A blank between the two, since neighbours may be equal.
    path[:, 0], path[:, 2] = y_true.T
    aim = np.eye(shape[-1])[path if situation == "perfect" else (path + 1) % shape[-1]]
    ordinary = 2 * rng.normal(size=shape)
    y_pred = ordinary if situation == "ordinary" else (2 * aim - 1) * rows(sizes, aim)
    return Sample(y_true=y_true, y_pred=y_pred)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
