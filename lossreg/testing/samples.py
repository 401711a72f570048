"""Labels and predictions of the kinds that a spec says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lossreg.spec import LossSpec

from .results import NotApplicableError

Situation = Literal["ordinary", "perfect", "extreme"]
Array = np.ndarray[Any, Any]

BATCH = 6

# For each sample of a batch: how large its logits are, or how far its probabilities stay away
# from 0 and 1. In float32 a sigmoid is exactly 1 from 17 on, and exp overflows at 89.
_SIZES = (8.0, 17.0, 30.0, 100.0, 1e3, 1e4)
_ROOM = (0.0, 1e-8, 6e-8, 1e-7, 1e-6, 1e-4)

_CLASSES = ("binary", "sign", "one_hot", "integer")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One batch, in float64 and int32."""

    y_true: Array
    y_pred: Array


def outputs(spec: LossSpec, params: Mapping[str, Any]) -> str:
    """Return what predictions are with some parameters: `from_logits` may change it."""
    if "from_logits" in params:
        return "logits" if params["from_logits"] else "probabilities"
    return spec.y_pred


def class_axis(params: Mapping[str, Any]) -> int:
    """Return the axis of the classes: the last one, unless a parameter `axis` says another."""
    axis = params.get("axis", -1)
    return axis if isinstance(axis, int) else -1


def shape_of(spec: LossSpec) -> tuple[int, ...]:
    """Return the shape of the predictions that are drawn: no two axes are of one size."""
    if spec.y_true == "sequence":
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
        spec: Says the kinds of labels and predictions.
        params: The loss's parameters.
        situation: Whether the predictions are ordinary, perfect, or as wrong as they can be.
        largest: The largest logit or error.

    Raises:
        NotApplicableError: The spec says "unspecified".
    """
    kind = outputs(spec, params)
    if "unspecified" in (spec.y_true, kind):
        raise NotApplicableError(
            f"its spec says y_true={spec.y_true!r} and y_pred={kind!r}, so no input can be drawn"
        )
    rng = np.random.default_rng(20240817)
    sizes = np.minimum(_SIZES, largest)
    if spec.y_true == "sequence":
        return _sequences(shape_of(spec), situation, sizes, rng)
    if spec.y_true in _CLASSES:
        return _classes(spec, kind, class_axis(params), situation, sizes, rng)
    return _numbers(spec, kind, situation, sizes, rng)


def away(y_true: Array, axis: int, *, exclusive: bool) -> Array:
    """Return labels of 0 and 1 that are all wrong."""
    return np.roll(y_true, 1, axis=axis) if exclusive else 1 - y_true


def truth(spec: LossSpec, rng: np.random.Generator, axis: int = -1) -> Array:
    """Return labels as 0 and 1, shaped as the predictions."""
    shape = shape_of(spec)
    if spec.y_true in ("binary", "sign"):
        return rng.integers(2, size=shape).astype("float64")
    count = shape[axis]
    places = np.delete(shape, axis)
    # Every class occurs more than once, as losses that compare samples need it.
    kinds = 3 if spec.y_pred == "embeddings" else count
    classes = rng.permutation(np.arange(np.prod(places)) % kinds).reshape(places)
    return np.moveaxis(np.eye(count)[classes], -1, axis)


def labels_of(spec: LossSpec, hot: Array, axis: int) -> Array:
    """Return labels as a loss takes them, from labels as 0 and 1."""
    if spec.y_true == "sign":
        return 2 * hot - 1
    return hot.argmax(axis).astype("int32") if spec.y_true == "integer" else hot


def _classes(
    spec: LossSpec,
    kind: str,
    axis: int,
    situation: Situation,
    sizes: Array,
    rng: np.random.Generator,
) -> Sample:
    exclusive = spec.y_true in ("one_hot", "integer")
    hot = truth(spec, rng, axis)
    y_true = labels_of(spec, hot, axis)
    scores: Array = 2 * np.asarray(rng.normal(size=hot.shape))
    aim = hot if situation == "perfect" else away(hot, axis, exclusive=exclusive)
    if kind == "embeddings":
        # At worst, one class points both ways and all classes point alike.
        worst = np.eye(hot.shape[-1])[[0] * BATCH] * (-1.0) ** np.arange(BATCH)[:, None]
        y_pred = _choose(situation, _unit(scores), hot, worst)
        return Sample(y_true=y_true, y_pred=y_pred)
    if kind == "probabilities":
        if situation == "ordinary":
            return Sample(y_true=y_true, y_pred=activate(scores, axis, exclusive=exclusive))
        room = _rows(_ROOM, hot)
        rest = hot.shape[axis] - 1 if exclusive else 1
        return Sample(y_true=y_true, y_pred=aim * (1 - room) + (1 - aim) * room / rest)
    if kind == "positive":
        amounts = np.asarray(rng.gamma(2.0, size=hot.shape))
        y_pred = np.maximum(_choose(situation, amounts, aim, aim), 1e-7)
        return Sample(y_true=y_true, y_pred=y_pred)
    y_pred = scores if situation == "ordinary" else (2 * aim - 1) * _rows(sizes, hot)
    return Sample(y_true=y_true, y_pred=y_pred)


def _numbers(
    spec: LossSpec, kind: str, situation: Situation, sizes: Array, rng: np.random.Generator
) -> Sample:
    shape = shape_of(spec)
    draws = {
        "real": rng.normal(size=shape),
        "positive": rng.gamma(2.0, size=shape) + 0.1,
        "count": rng.poisson(3.0, size=shape).astype("float64"),
    }
    y_true = draws[spec.y_true]
    signs = rng.choice([-1.0, 1.0], size=shape)
    # The last sample of the batch is predicted as zero, which has no direction and no logarithm.
    wrong = np.concatenate([(y_true + signs * _rows(sizes, y_true))[:-1], 0 * y_true[-1:]])
    guess = np.asarray(rng.normal(size=shape))
    if kind == "probabilities":
        guess = activate(guess, -1, exclusive=False)
        y_pred = _choose(situation, guess, np.clip(y_true, 0, 1), (signs + 1) / 2)
        return Sample(y_true=y_true, y_pred=y_pred)
    if kind == "embeddings":
        y_true, guess = _unit(y_true), _unit(guess)
        return Sample(y_true=y_true, y_pred=_choose(situation, guess, y_true, -y_true))
    if kind == "positive":
        guess = np.asarray(rng.gamma(2.0, size=shape))
    y_pred = _choose(situation, guess, np.asarray(y_true), wrong)
    if kind == "positive":
        y_pred = np.maximum(y_pred, 1e-7)
    return Sample(y_true=y_true, y_pred=y_pred)


def _choose(situation: Situation, ordinary: Array, perfect: Array, extreme: Array) -> Array:
    choices: dict[Situation, Array] = {
        "ordinary": ordinary,
        "perfect": perfect,
        "extreme": extreme,
    }
    return choices[situation]


def _sequences(
    shape: tuple[int, ...], situation: Situation, sizes: Array, rng: np.random.Generator
) -> Sample:
    """Return labels of two classes, padded with 0, and logits for each step."""
    y_true = rng.integers(1, shape[-1], size=(shape[0], 2)).astype("int32")
    y_true[-1, -1] = 0
    path = np.zeros(shape[:-1], "int32")
    # A blank between the two, since neighbours may be equal.
    path[:, 0], path[:, 2] = y_true.T
    aim = np.eye(shape[-1])[path if situation == "perfect" else (path + 1) % shape[-1]]
    ordinary = 2 * rng.normal(size=shape)
    y_pred = ordinary if situation == "ordinary" else (2 * aim - 1) * _rows(sizes, aim)
    return Sample(y_true=y_true, y_pred=y_pred)


def activate(scores: Array, axis: int, *, exclusive: bool) -> Array:
    """Return the softmax of scores, or their sigmoid where classes don't exclude each other."""
    if not exclusive:
        sigmoid: Array = 0.5 + 0.5 * np.tanh(scores / 2)
        return sigmoid
    powers: Array = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def _rows(sizes: Any, like: Array) -> Array:
    """Return one number for each sample, to multiply an array with."""
    return np.asarray(sizes).reshape((-1,) + (1,) * (like.ndim - 1))


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
