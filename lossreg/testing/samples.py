"""Labels and predictions for a loss: of the kinds that its spec names, or from its example."""

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..loss import OUTPUTS, LossSpec
from .results import ConformanceError, NotApplicableError

Array = np.ndarray[Any, Any]
Pair = tuple[Any, Any]

BATCH = 6
SITUATIONS = ("ordinary", "perfect", "extreme")
"""The kinds of predictions that are drawn for every loss; `edges` are kinds of batches."""

# For each sample of a batch: how large its logits are, or how far its probabilities stay away
# from 0 and 1. In float32 a sigmoid is exactly 1 from 17 on, and exp overflows at 89.
_SIZES = (8.0, 17.0, 30.0, 100.0, 1e3, 1e4)
_ROOM = (0.0, 1e-8, 6e-8, 1e-7, 1e-6, 1e-4)

# Predictions that must be above 0 are at least this.
_ABOVE_ZERO = 1e-7

# What no word can say: how many numbers describe one target, and where quantiles come from.
_NEED_EXAMPLE = ("distribution", "quantiles")


@dataclass(frozen=True, kw_only=True)
class Example:
    """Inputs for a loss whose labels and predictions no word can describe.

    A function of a random generator of numpy returns it, and the loss's spec names the function:
    `example="acme_losses.examples:pairs"`. Each input is a pair `(y_true, y_pred)` of arrays.

    >>> example = Example(ordinary=([[0.0], [1.0]], [[0.2], [0.9]]), params={"scale": 2.0})
    >>> [name for name, _ in example.pairs()]
    ['ordinary']

    Args:
        ordinary: Predictions as a half-trained model gives them, for six samples or so.
        perfect: Predictions that can't be better.
        extreme: Predictions that can't be worse, or the largest there are.
        edges: Batches at the edge by their names: one sample, a class that occurs once, an empty
            mask, nothing but padding.
        params: The values of parameters that the inputs need.
        samples: The axes of `y_pred` that are samples: both of a matrix of pairs.
    """

    ordinary: Pair
    perfect: Pair | None = None
    extreme: Pair | None = None
    edges: Mapping[str, Pair] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    samples: tuple[int, ...] = (0,)

    def pairs(self) -> Iterator[tuple[str, Pair]]:
        """Yield each input with its name, the ordinary one first."""
        for name in SITUATIONS:
            pair = getattr(self, name)
            if pair is not None:
                yield name, pair
        yield from self.edges.items()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One batch, in float64 and int32."""

    y_true: Array
    y_pred: Array
    axes: tuple[int, ...] = (0,)

    def take(self, order: Any) -> "Sample":
        """Return the batch with some of its samples, in some order."""
        y_pred = self.y_pred
        for axis in self.axes:
            y_pred = np.take(y_pred, order, axis=axis)
        return Sample(y_true=self.y_true[order], y_pred=y_pred, axes=self.axes)


@functools.cache
def example_of(spec: LossSpec) -> Example | None:
    """Return the example of a spec, or None.

    Raises:
        ConformanceError: Its function can't be imported, fails, or returns something else.
    """
    if spec.example is None:
        return None
    module, _, attribute = spec.example.partition(":")
    try:
        loaded: Any = importlib.import_module(module)
        draw_example: Callable[[Any], Any] = functools.reduce(getattr, attribute.split("."), loaded)
        found = draw_example(np.random.default_rng(20240817))
    except Exception as error:
        raise ConformanceError(
            f"Its example, {spec.example!r}, fails: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Example):
        raise ConformanceError(
            f"Its example, {spec.example!r}, returned {type(found).__name__}. Return "
            "lossreg.testing.Example(ordinary=(y_true, y_pred), ...)."
        )
    return found


def situations(spec: LossSpec) -> list[str]:
    """Return the names of the inputs that there are for a loss: predictions, then batches."""
    example = example_of(spec)
    if example is not None:
        return [name for name, _ in example.pairs()]
    return [*SITUATIONS, *_edges(spec)]


def _edges(spec: LossSpec) -> list[str]:
    found = ["one sample"]
    if spec.labels.is_class:
        found.append("a lone class" if spec.labels.is_exclusive else "no positives")
    if spec.labels.pad is not None:
        found.append("all padding")
    return found


def shape_of(spec: LossSpec) -> tuple[int, ...]:
    """Return the shape of the predictions that are drawn; no two axes have the same size."""
    example = example_of(spec)
    if example is not None:
        return np.shape(example.ordinary[1])
    match spec.fit, spec.y_pred:
        case "series", _:
            return (BATCH, 7, 5)
        case "event", _:
            return (BATCH, 1)
        case _, "similarities":
            return (BATCH, BATCH)
        case _, "views":
            return (BATCH, 2, 5)
        case _, "boxes":
            return (BATCH, 4)
    if "segmentation" in spec.task:
        return (BATCH, 2, 3, 5)
    return (BATCH, 5)


def draw(
    spec: LossSpec,
    params: Mapping[str, Any],
    situation: str = "ordinary",
    *,
    largest: float = 1e4,
) -> Sample:
    """Return a batch, always the same one.

    Args:
        spec: Names the kinds of labels and predictions, or an example.
        params: The loss's parameters.
        situation: One of `situations`.
        largest: The largest logit or error.

    Raises:
        NotApplicableError: The spec says neither what to draw nor where to find an example.
    """
    example, y_pred = example_of(spec), spec.outputs(params)
    if example is not None:
        return _drawn(spec, example, y_pred, situation)
    unknown = {"unspecified", "unknown"}.intersection((*spec.forms, y_pred))
    if unknown or y_pred in _NEED_EXAMPLE:
        raise NotApplicableError(
            f"its spec says y_true={spec.y_true!r} and y_pred={y_pred!r}, so no input can be "
            "drawn; name an example in the spec"
        )
    if situation == "one sample":
        return draw(spec, params).take([0])
    rng = np.random.default_rng(20240817)
    sizes = np.minimum(_SIZES, largest)
    if spec.fit == "series":
        return _draw_series(spec, situation, sizes, rng)
    if y_pred in ("views", "similarities"):
        return _draw_pairs(spec, situation, rng)
    if y_pred == "cumulative_logits":
        return _draw_ordered(spec, situation, sizes, rng)
    if spec.labels.is_class:
        return _draw_classes(spec, params, situation, sizes, rng)
    return _draw_amounts(spec, y_pred, situation, sizes, rng)


def _drawn(spec: LossSpec, example: Example, outputs: str, situation: str) -> Sample:
    """Return an input of an example, whose predictions are those of the default parameters."""
    pairs = dict(example.pairs())
    if situation not in pairs:
        raise NotApplicableError(f"its example has no {situation} predictions")
    y_true, y_pred = (np.asarray(values) for values in pairs[situation])
    y_true = y_true.astype("int32" if y_true.dtype.kind in "iu" else "float64")
    y_pred = y_pred.astype("float64")
    if outputs == "logits" and spec.y_pred == "probabilities":
        p = np.clip(y_pred, 1e-12, 1 - 1e-12)
        y_pred = np.log(p) - (0 if spec.labels.is_exclusive else np.log1p(-p))
    return Sample(y_true=y_true, y_pred=y_pred, axes=example.samples)


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
    situation: str,
    sizes: Array,
    rng: np.random.Generator,
) -> Sample:
    axis, exclusive = spec.class_axis(params), spec.labels.is_exclusive
    hot = truth(spec, rng, axis)
    if situation in ("a lone class", "no positives"):
        hot = np.zeros_like(hot)
        if exclusive:
            np.moveaxis(hot, axis, -1)[..., 0] = 1
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
        case "distances":
            # A yes is near and a no is far.
            ordinary, certain = np.asarray(rng.gamma(2.0, size=hot.shape)), 4 * (1 - aim)
        case "cosines":
            ordinary, certain = np.tanh(scores / 2), 2 * aim - 1
        case _:
            ordinary, certain = scores, (2 * aim - 1) * rows(sizes, hot)
    y_pred = certain if situation in ("perfect", "extreme") else ordinary
    return Sample(y_true=encode(spec, hot, axis), y_pred=y_pred)


def _draw_ordered(spec: LossSpec, situation: str, sizes: Array, rng: np.random.Generator) -> Sample:
    """Return class numbers, and a logit for each border between two classes."""
    shape = shape_of(spec)
    classes = shape[-1] + 1
    y_true = rng.permutation(np.arange(np.prod(shape[:-1])) % classes).reshape(shape[:-1])
    if situation == "a lone class":
        y_true = np.zeros_like(y_true)
    higher = 2.0 * (y_true[..., None] > np.arange(shape[-1])) - 1
    certain = higher * rows(sizes, higher) * (1 if situation == "perfect" else -1)
    # Logits of borders fall from one to the next.
    ordinary = -np.sort(-2 * rng.normal(size=shape), axis=-1)
    y_pred = certain if situation in ("perfect", "extreme") else ordinary
    return Sample(y_true=y_true.astype("int32"), y_pred=y_pred)


def _draw_pairs(spec: LossSpec, situation: str, rng: np.random.Generator) -> Sample:
    """Return two views of each sample, or the similarities of two views of all samples."""
    y_true = np.arange(BATCH) % 3 if spec.labels.is_number else np.zeros(BATCH)
    if situation == "a lone class":
        y_true = 0 * y_true
    first = _unit(rng.normal(size=(BATCH, 5)))
    second = first if situation == "perfect" else _unit(first + rng.normal(size=first.shape))
    if situation == "extreme":
        # All samples look alike, and the views of each are opposites.
        first = np.tile(np.eye(5)[0], (BATCH, 1))
        second = -first
    if spec.y_pred == "views":
        return Sample(y_true=_numbers(y_true), y_pred=np.stack([first, second], axis=1))
    return Sample(y_true=_numbers(y_true), y_pred=first @ second.T, axes=(0, 1))


def _numbers(values: Array) -> Array:
    return values.astype("int32") if values.dtype.kind == "i" else values


def _draw_amounts(
    spec: LossSpec, outputs: str, situation: str, sizes: Array, rng: np.random.Generator
) -> Sample:
    shape = shape_of(spec)
    y_true = _draw_labels(spec, shape, rng)
    if situation == "all padding":
        y_true = np.full(shape, spec.labels.pad or 0.0)
    signs = rng.choice([-1.0, 1.0], size=shape)
    aim = (
        y_true
        if y_true.shape == shape
        else y_true.reshape(len(y_true), -1)[:, :1] + np.zeros(shape)
    )
    ordinary, perfect = np.asarray(rng.normal(size=shape)), aim
    # The last sample of the batch is predicted as zero, which has no direction and no logarithm.
    extreme = np.concatenate([(aim + signs * rows(sizes, aim))[:-1], 0 * aim[-1:]])
    match outputs:
        case "probabilities":
            ordinary = activate(ordinary, -1, exclusive=False)
            perfect, extreme = np.clip(aim, 0, 1), (signs + 1) / 2
        case "embeddings":
            y_true = perfect = _unit(aim)
            ordinary, extreme = _unit(ordinary), -y_true
        case "boxes":
            ordinary = _draw_boxes(rng, shape)
            # Far away, the last one without an area.
            extreme = np.concatenate([(aim + 10)[:-1], aim[-1:, [0, 1, 0, 1]]])
        case "positive" | "distances":
            ordinary = np.asarray(rng.gamma(2.0, size=shape))
            perfect, extreme = (np.maximum(each, _ABOVE_ZERO) for each in (perfect, extreme))
    choices = {"perfect": perfect, "extreme": extreme}
    return Sample(y_true=y_true, y_pred=choices.get(situation, ordinary))


def _draw_labels(spec: LossSpec, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return labels that aren't classes."""
    match spec.forms[0]:
        case "none":
            return np.zeros(shape[0])
        case "time_event":
            times = rng.gamma(2.0, size=shape[0])
            return np.stack([times, np.arange(shape[0]) % 2], axis=1)
        case "relevance":
            found = rng.integers(4, size=shape).astype("float64")
            found[:, -1] = -1
            return found
        case "boxes":
            return _draw_boxes(rng, shape)
        case "count":
            return rng.poisson(3.0, size=shape).astype("float64")
        case "positive":
            return np.asarray(rng.gamma(2.0, size=shape) + 0.1)
    return np.asarray(rng.normal(size=shape))


def _draw_boxes(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return boxes that are boxes as corners, and as a centre and a size."""
    corner = rng.uniform(0, 0.4, size=(*shape[:-1], 2))
    return np.concatenate([corner, corner + rng.uniform(0.1, 0.5, size=corner.shape)], axis=-1)


def _draw_series(spec: LossSpec, situation: str, sizes: Array, rng: np.random.Generator) -> Sample:
    """Return labels of two classes, padded with 0, and logits for each step."""
    shape = shape_of(spec)
    y_true = rng.integers(1, shape[-1], size=(shape[0], 2)).astype("int32")
    y_true[-1, -1] = 0
    path = np.zeros(shape[:-1], "int32")
    # A blank between the two, since neighbours may be equal.
    path[:, 0], path[:, 2] = y_true.T
    aim = np.eye(shape[-1])[path if situation == "perfect" else (path + 1) % shape[-1]]
    ordinary = 2 * rng.normal(size=shape)
    certain = (2 * aim - 1) * rows(sizes, aim)
    y_pred = certain if situation in ("perfect", "extreme") else ordinary
    return Sample(y_true=y_true, y_pred=y_pred)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
