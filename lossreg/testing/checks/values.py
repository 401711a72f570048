"""What a loss's values promise."""

import dataclasses
import functools
from typing import Any

import numpy as np

from ...lazy import keras
from ...loss import OUTPUTS
from .. import backend
from ..results import ConformanceError, NotApplicableError, error_of
from ..samples import Array, Sample, activate, rows
from ..subject import Case, Params, Subject, first_row, tensors


def finite_values(subject: Subject) -> None:
    """Every sample has one finite value, whatever is predicted."""
    for case in subject.cases("ordinary", "perfect", "extreme"):
        values = subject.values(case)
        expected = _shape(subject, case)
        if values.shape not in expected:
            raise ConformanceError.at(
                case,
                expected=f"one value per sample, shape {expected[0]}",
                got=f"shape {values.shape} for y_pred of shape {case.sample.y_pred.shape}",
                advice="Take the mean or sum over the last axis only; Keras reduces the rest.",
            )
        if not np.isfinite(values).all():
            index = first_row(values, ~np.isfinite(values))
            raise ConformanceError.at(
                case.row(index),
                expected="a finite value",
                got=f"{values[index] if values.ndim else values}",
                advice="Clip probabilities before a logarithm or a division, and compute from "
                "logits with ops.log_sigmoid, log_softmax or logsumexp.",
            )


def permuted_batch(subject: Subject) -> None:
    """The order of the samples in a batch changes no sample's value."""
    if subject.spec.couples_batch:
        raise NotApplicableError("its spec says that it couples the samples of a batch")
    order = np.random.default_rng(1).permutation(len(subject.case(subject.defaults).sample.y_pred))
    for params in subject.settings:
        case = subject.case(params)
        sample = case.sample
        permuted = Sample(y_true=sample.y_true[order], y_pred=sample.y_pred[order])
        moved = dataclasses.replace(case, sample=permuted)
        values, after = subject.values(case), subject.values(moved)
        expected = values[order] if values.ndim else values
        different = ~np.isclose(after, expected, rtol=1e-4, atol=1e-6)
        if different.any():
            index = first_row(after, different)
            raise ConformanceError.at(
                f"{moved.row(index)} in another place of the batch",
                expected=f"the same value, {_at(expected, index)}",
                got=f"{_at(after, index)}",
                advice="Let a value depend on its own sample only, or say couples_batch=True in "
                "the spec.",
            )


def zero_weight(subject: Subject) -> None:
    """A sample with a sample_weight of 0 doesn't count, however badly it is predicted."""
    cases = [] if subject.spec.couples_batch else [subject.case(p) for p in subject.both]
    each = [(case, values) for case in cases if (values := subject.values(case)).ndim]
    if not each:
        # lossreg itself refuses weights then.
        raise NotApplicableError("it has no value per sample that a weight could multiply")
    for case, values in each:
        sample, other = case.sample, subject.case(case.params, "extreme").sample
        weights = np.arange(len(values)) < len(values) // 2
        mixed = Sample(
            y_true=sample.y_true,
            y_pred=np.where(rows(weights, sample.y_pred), sample.y_pred, other.y_pred),
        )
        expected = float(values[weights].sum())
        loss = subject.loss(case.params, reduction="sum")
        sample_weight = rows(weights, values).astype("float32")
        got = float(loss(*tensors(mixed), sample_weight=sample_weight))
        if not np.isclose(got, expected, rtol=1e-4, atol=1e-6):
            raise ConformanceError.at(
                f"{case}, half of the samples with weight 0 and predicted badly",
                expected=f"the sum of the others' values, {expected:.6g}",
                got=f"{got:.6g}",
                advice="Let a value depend on its own sample only and be finite, or say "
                "couples_batch=True in the spec.",
            )


def reductions(subject: Subject) -> None:
    """The sum and the mean of a batch are those of its samples' values."""
    for params in subject.both:
        case = subject.case(params)
        y_true, y_pred = tensors(case.sample)
        values = subject.function(params)(y_true, y_pred)
        mask = getattr(values, "_keras_mask", None)
        values = backend.numbers(values)
        # A loss can leave out samples by a mask, as Keras' ignore_class does.
        counts = np.ones_like(values) if mask is None else backend.numbers(mask)
        total = float((values * counts).sum())
        expected = {
            None: values * counts,
            "sum": total,
            "sum_over_batch_size": total / max(counts.sum(), 1),
            "mean_with_sample_weight": total / max(counts.sum(), 1),
        }
        for reduction, value in expected.items():
            got = backend.numbers(subject.loss(params, reduction=reduction)(y_true, y_pred))
            if not np.allclose(got, value, rtol=1e-4, atol=1e-6):
                raise ConformanceError.at(
                    f"{case}, reduction={reduction!r}",
                    expected=f"{_few(value)}, from the values {_few(values)}",
                    got=_few(got),
                    advice="Return the same values for the same input, one per sample, and leave "
                    "weights, masks and reduction to Keras.",
                )


def integer_labels(subject: Subject) -> None:
    """Class numbers above 256, which bfloat16 can't tell apart, keep their meaning."""
    spec = subject.spec
    if not spec.labels.is_number:
        raise NotApplicableError("its labels aren't class numbers")
    for params in subject.bases:
        # A parameter `axis` keeps its default here: the classes are last.
        high, low = (
            _loss_of_class(subject, params, classes) for classes in ((257, 258), (256, 259))
        )
        if OUTPUTS[spec.y_pred].has_classes:
            # The predictions are for class 257: any other class is a mistake.
            same = high < 0.5 * low
            expected = f"less than half the value for class 256, {low:.4g}"
        else:
            # Which numbers two classes have doesn't matter, as long as they differ.
            same = bool(np.isclose(high, low, rtol=0.05))
            expected = f"the value for classes 256 and 259, {low:.4g}"
        if not same:
            raise ConformanceError.at(
                f"{subject.entry.call(params)} in bfloat16 and class 257 of 300",
                expected=expected,
                got=f"{high:.4g}",
                advice="Leave integer labels integers: cast y_pred, never y_true.",
            )


def float16(subject: Subject) -> None:
    """Predictions in float16 give no NaN, neither as a value nor as a gradient."""
    for case in subject.cases("ordinary", "perfect", "extreme", largest=100):
        values, gradient = subject.value_and_gradient(case, "float16")
        for what, array in (("value", values), ("gradient", gradient)):
            if np.isnan(array).any():
                raise ConformanceError.at(
                    f"float16, {case.row(first_row(array, np.isnan(array)))}",
                    expected=f"a {what} that is a number",
                    got="nan",
                    advice="Compute in float32 at least: ops.cast(y_pred, 'float32') for any "
                    "narrower dtype; an epsilon of 1e-7 is lost in float16.",
                )


def shape_mismatch(subject: Subject) -> None:
    """Labels whose shape doesn't fit the predictions are refused, not broadcast."""
    params = subject.defaults
    try:
        sample = subject.case(params).sample
    except NotApplicableError:
        sample = Sample(y_true=np.ones((6, 5)), y_pred=np.full((6, 5), 0.5))
    y_true, y_pred = sample.y_true, sample.y_pred
    if subject.spec.labels.is_number:
        wrong = [(y_true[:4], y_pred), (y_true[:1], y_pred)]
    else:
        wrong = [(y_true[:1], y_pred), (y_true[..., :1], y_pred), (y_true, y_pred[..., :1])]
    for labels, predictions in wrong:
        sample = Sample(y_true=labels, y_pred=predictions)
        use = functools.partial(subject.loss(params), *tensors(sample))
        if error_of(use) is None:
            raise ConformanceError.at(
                f"y_true of shape {labels.shape} and y_pred of shape {predictions.shape}",
                expected="an error",
                got="a value, from labels that were broadcast",
                advice="Say in the spec what y_true is, and lossreg refuses such shapes; or "
                "compare the shapes in the loss.",
            )


def _shape(subject: Subject, case: Case) -> list[tuple[int, ...]]:
    """Return the shapes that values may have: that of `y_pred` without the reduced axis."""
    shape = case.sample.y_pred.shape
    if subject.spec.labels.per == "series":
        return [shape[:1]]
    axis = case.params.get("axis", -1)
    if axis is None:
        return [()]
    axes = axis if isinstance(axis, tuple) else (axis,)
    reduced = {one % len(shape) for one in axes if isinstance(one, int)}
    kept = tuple(size for index, size in enumerate(shape) if index not in reduced)
    # Where samples are compared with each other there may be one value for all of them.
    return [kept, ()] if subject.spec.couples_batch else [kept]


def _loss_of_class(subject: Subject, params: Params, classes: tuple[int, int]) -> float:
    """Return the value in bfloat16 for labels of these classes and predictions for class 257."""
    sure = np.full((2, 300), -8.0)
    sure[:, 257] = 8.0
    y_true, y_pred = np.full(2, classes[0], "int32"), sure
    if subject.spec.labels.per == "series":
        # A blank, the class, a blank.
        y_true, y_pred = y_true[:, None], np.full((2, 3, 300), -8.0)
        y_pred[:, :, 0], y_pred[:, 1] = 8.0, sure
    elif not OUTPUTS[subject.spec.y_pred].has_classes:
        y_true = np.array(classes * 3, "int32")
        y_pred = np.eye(6) + 0.5
        y_pred /= np.linalg.norm(y_pred, axis=-1, keepdims=True)
    elif subject.spec.outputs(params) == "probabilities":
        y_pred = activate(sure, -1, exclusive=True)
    loss = subject.loss(params, dtype="bfloat16", reduction="sum")
    value = loss(keras.ops.convert_to_tensor(y_true), keras.ops.convert_to_tensor(y_pred))
    return float(backend.numbers(value))


def _at(values: Array, index: int) -> str:
    return _few(values[index] if values.ndim else values)


def _few(values: Any) -> str:
    flat = np.asarray(values).reshape(-1)
    shown = ", ".join(f"{value:.6g}" for value in flat[:4].tolist())
    return f"[{shown}{', ...' if flat.size > 4 else ''}]" if flat.size > 1 else shown
