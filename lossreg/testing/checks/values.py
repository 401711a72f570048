"""What a loss's values promise."""

import dataclasses
import functools
from typing import Any

import numpy as np

from ...lazy import keras
from ...loss import OUTPUTS
from .. import backend, choices, limits
from ..results import ConformanceError, NotApplicableError, error_of
from ..samples import Array, Sample, activate, draw, rows, situations
from ..subject import Params, Subject, first_row, tensors, values_of


def finite_values(subject: Subject) -> None:
    """Every sample has one finite value, whatever is predicted."""
    for case in subject.cases():
        values = subject.values(case)
        expected = subject.spec.shape_of_values(case.params, case.sample.y_pred.shape)
        if values.shape != expected:
            raise ConformanceError.at(
                case,
                expected=f"one value per {subject.spec.per}, shape {expected}",
                got=f"shape {values.shape} for y_pred of shape {case.sample.y_pred.shape}",
                advice="Take the mean or sum over the last axis only, since Keras reduces the "
                "rest; or say in the spec what one value stands for: per='sample', 'entry' or "
                "'batch'.",
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
    """The order of the samples in a batch changes no sample's value, nor the sum of all."""
    couples = subject.spec.couples
    count = len(subject.case(subject.defaults).sample.y_pred)
    order = np.random.default_rng(1).permutation(count)
    for params in subject.settings:
        case = subject.case(params)
        moved = dataclasses.replace(case, sample=case.sample.take(order))
        values, after = subject.values(case), subject.values(moved)
        if couples:
            values, after = values.sum(), after.sum()
        expected = values[order] if values.ndim else values
        different = ~np.isclose(after, expected, rtol=limits.VALUE, atol=limits.NEAR_ZERO)
        if different.any():
            index = first_row(after, different)
            what = "sum" if couples else "value"
            advice = "Let a value depend on its own sample only, or say couples_batch=True in the "
            raise ConformanceError.at(
                f"{moved} in another order" if couples else f"{moved.row(index)} elsewhere",
                expected=f"the same {what}, {_at(expected, index)}",
                got=f"{_at(after, index)}",
                advice="Let no place in the batch count more than another."
                if couples
                else f"{advice}spec.",
            )


def repeated(subject: Subject) -> None:
    """The same input has the same values again, whatever came between."""
    for params in subject.both:
        case = subject.case(params)
        loss = subject.loss(params, dtype="float32")
        first = values_of(loss, case)
        for situation in situations(subject.spec)[1:]:
            values_of(loss, subject.case(params, situation))
        again = values_of(loss, case)
        # A NaN is the business of another check.
        if not np.array_equal(first, again, equal_nan=True):
            raise ConformanceError.at(
                f"{case}, after other inputs",
                expected=f"the values of the first call, {_few(first)}",
                got=_few(again),
                advice="Keep nothing from one call to the next, and draw no random numbers.",
            )


def zero_weight(subject: Subject) -> None:
    """A sample with a sample_weight of 0 doesn't count, however badly it is predicted."""
    cases = [] if subject.spec.couples else [subject.case(p) for p in subject.both]
    each = [(case, values) for case in cases if (values := subject.values(case)).ndim]
    if not each:
        # lossreg itself refuses weights then.
        raise NotApplicableError("it has no value per sample that a weight could multiply")
    for case, values in each:
        sample = case.sample
        other = sample.take(np.arange(len(sample.y_pred))[::-1])
        if "extreme" in situations(subject.spec):
            other = subject.case(case.params, "extreme").sample
        weights = np.arange(len(values)) < len(values) // 2
        mixed = Sample(
            y_true=sample.y_true,
            y_pred=np.where(rows(weights, sample.y_pred), sample.y_pred, other.y_pred),
        )
        expected = float(values[weights].sum())
        loss = subject.loss(case.params, reduction="sum")
        sample_weight = rows(weights, values).astype("float32")
        got = float(loss(*tensors(mixed), sample_weight=sample_weight))
        if not np.isclose(got, expected, rtol=limits.VALUE, atol=limits.NEAR_ZERO):
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
            if not np.allclose(got, value, rtol=limits.VALUE, atol=limits.NEAR_ZERO):
                raise ConformanceError.at(
                    f"{case}, reduction={reduction!r}",
                    expected=f"{_few(value)}, from the values {_few(values)}",
                    got=_few(got),
                    advice="Return the same values for the same input, one per sample, and leave "
                    "weights, masks and reduction to Keras.",
                )


def label_dtypes(subject: Subject) -> None:
    """Labels of one value have one loss, whatever number type they have."""
    spec = subject.spec
    for params in subject.bases:
        case = subject.case(params)
        y_true, y_pred = case.sample.y_true, tensors(case.sample)[1]
        whole = y_true.size > 0 and bool((y_true % 1 == 0).all())
        kinds = ["int64", "int32", "float32"] if whole else ["float64", "float32"]
        # Signs and padding need a sign.
        kinds += ["uint8"] if whole and y_true.min() >= 0 and spec.labels.low != -1 else []
        loss = subject.loss(params, reduction=None, dtype="float32")
        found = {}
        for kind in kinds:
            labels = keras.ops.convert_to_tensor(y_true.astype(kind), dtype=kind)
            found[kind] = backend.numbers(loss(labels, y_pred))
        first, *others = found
        for kind in others:
            if not np.allclose(
                found[kind], found[first], rtol=limits.SAME, atol=limits.NEAR_ZERO, equal_nan=True
            ):
                raise ConformanceError.at(
                    f"{case}, labels of {kind}",
                    expected=f"the values with labels of {first}, {_few(found[first])}",
                    got=_few(found[kind]),
                    advice="Cast y_true to the dtype of y_pred, or class numbers to int32.",
                )


def ignored_class(subject: Subject) -> None:
    """What is predicted for a label that is ignored changes nothing, not even if it is NaN."""
    name = subject.spec.ignore_class
    if name is None or name not in subject.defaults:
        raise NotApplicableError("it has no parameter for a class that is ignored")
    number = subject.spec.number_form or subject.spec.forms[0]
    spec = dataclasses.replace(subject.spec, y_true=number)
    for base in subject.bases:
        params = subject.bind({**base, name: -1}).params
        sample = draw(spec, params)
        sample.y_true[0] = -1
        axis = spec.class_axis(params)
        for wrong in (np.nan, np.inf):
            y_pred = sample.y_pred.copy()
            y_pred[0] = wrong
            case = subject.case(params)
            case = dataclasses.replace(case, sample=dataclasses.replace(sample, y_pred=y_pred))
            values, gradient = subject.value_and_gradient(case)
            for what, array in (("value", values[0]), ("gradient", gradient[0])):
                if array.any() or np.isnan(array).any():
                    raise ConformanceError.at(
                        f"{case}, an ignored label and predictions of {wrong} on axis {axis}",
                        expected=f"a {what} of 0",
                        got=_few(array),
                        advice="Replace predictions by ops.where before the formula, and values "
                        "after it; then call lossreg.numerics.leave_out.",
                    )


def padding(subject: Subject) -> None:
    """Padding changes nothing, however much of it there is and whatever is predicted there."""
    spec, pad = subject.spec, subject.spec.labels.pad
    if pad is None:
        raise NotApplicableError("its labels have no padding")
    for params in subject.both:
        case = subject.case(params)
        sample = case.sample
        wider = Sample(
            y_true=_widen(sample.y_true, pad),
            # A series of predictions isn't as long as its labels.
            y_pred=sample.y_pred if spec.fit == "series" else _widen(sample.y_pred, 9.0),
        )
        values = subject.values(case)
        after = subject.values(dataclasses.replace(case, sample=wider))
        if values.ndim > 1:
            after = after[:, : values.shape[1]]
        if not np.allclose(after, values, rtol=limits.VALUE, atol=limits.NEAR_ZERO):
            raise ConformanceError.at(
                f"{case}, with two more entries of padding ({pad}) in each sample",
                expected=f"the values without them, {_few(values)}",
                got=_few(after),
                advice="Replace what is predicted for padding by ops.where, and take means over "
                "the other entries: lossreg.numerics.masked_mean.",
            )


def axis(subject: Subject) -> None:
    """The axis of the classes may be another than the last."""
    name = subject.spec.axis
    if name is None or "number" not in _kinds(subject, name):
        raise NotApplicableError("it has no parameter for an axis")
    for base in subject.bases:
        last = subject.case({**base, name: -1})
        y_true, y_pred = (
            array.reshape(3, 2, *array.shape[1:])
            for array in (last.sample.y_true, last.sample.y_pred)
        )
        moved = Sample(
            y_true=np.moveaxis(y_true, -1, 1) if y_true.ndim == y_pred.ndim else y_true,
            y_pred=np.moveaxis(y_pred, -1, 1),
        )
        inner = dataclasses.replace(last, sample=Sample(y_true=y_true, y_pred=y_pred))
        params = subject.bind({**base, name: 1}).params
        values = subject.values(inner)
        after = subject.values(dataclasses.replace(subject.case(params), sample=moved))
        if after.shape != values.shape or not np.allclose(
            after, values, rtol=limits.VALUE, atol=limits.NEAR_ZERO
        ):
            raise ConformanceError.at(
                f"{subject.entry.call(params)} and predictions of shape {moved.y_pred.shape}",
                expected=f"the values for {name}=-1 and shape {y_pred.shape}, {_few(values)}",
                got=_few(after),
                advice=f"Hand {name!r} on to every operation, or leave the parameter out.",
            )


def integer_labels(subject: Subject) -> None:
    """Class numbers above 256, which bfloat16 can't tell apart, keep their meaning."""
    spec = subject.spec
    if not spec.labels.is_number or spec.y_pred in ("views", "similarities", "cumulative_logits"):
        raise NotApplicableError("it takes no class numbers above 256")
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
            same = bool(np.isclose(high, low, rtol=limits.BFLOAT16))
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
    for case in subject.cases(largest=100):
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
    fit = subject.spec.fit
    if fit == "free":
        raise NotApplicableError("its labels have a shape of their own")
    wrong = [(y_true[:1], y_pred), (y_true[:4], y_pred)]
    if fit in ("entry", None):
        wrong = [(y_true[:1], y_pred), (y_true, y_pred[..., :1])]
        # A column may be class numbers.
        wrong += [] if subject.spec.takes_numbers else [(y_true[..., :1], y_pred)]
    right = error_of(
        functools.partial(subject.loss(params), *tensors(Sample(y_true=y_true, y_pred=y_pred)))
    )
    if right is not None:
        raise ConformanceError.at(
            f"y_true of shape {y_true.shape} and y_pred of shape {y_pred.shape}, which fit",
            expected="a value",
            got=f"{type(right).__name__}: {right}",
            advice="Say in the spec what y_true and y_pred are.",
        )
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


def _loss_of_class(subject: Subject, params: Params, classes: tuple[int, int]) -> float:
    """Return the value in bfloat16 for labels of these classes and predictions for class 257."""
    sure = np.full((2, 300), -8.0)
    sure[:, 257] = 8.0
    y_true, y_pred = np.full(2, classes[0], "int32"), sure
    if subject.spec.fit == "series":
        # A blank, the class, a blank.
        y_true, y_pred = y_true[:, None], np.full((2, 3, 300), -8.0)
        y_pred[:, :, 0], y_pred[:, 1] = 8.0, sure
    elif not OUTPUTS[subject.spec.y_pred].has_classes:
        y_true = np.array(classes * 3, "int32")
        y_pred = np.eye(6) + 0.5
        y_pred /= np.linalg.norm(y_pred, axis=-1, keepdims=True)
    elif subject.spec.outputs(params) == "probabilities":
        y_pred = activate(sure, -1, exclusive=True)
    elif subject.spec.y_pred == "cosines":
        y_pred = sure / 8
    loss = subject.loss(params, dtype="bfloat16", reduction="sum")
    value = loss(keras.ops.convert_to_tensor(y_true), keras.ops.convert_to_tensor(y_pred))
    return float(backend.numbers(value))


def _widen(values: Array, value: float) -> Array:
    """Return an array whose second axis has two entries more."""
    shape = (values.shape[0], 2, *values.shape[2:])
    return np.concatenate([values, np.full(shape, value, values.dtype)], axis=1)


def _kinds(subject: Subject, name: str) -> set[str]:
    annotation = subject.entry.signature.annotations.get(name)
    return set() if annotation is None else choices.kinds(annotation) or set()


def _at(values: Array, index: int) -> str:
    return _few(values[index] if values.ndim else values)


def _few(values: Any) -> str:
    flat = np.asarray(values).reshape(-1)
    shown = ", ".join(f"{value:.6g}" for value in flat[:4].tolist())
    return f"[{shown}{', ...' if flat.size > 4 else ''}]" if flat.size > 1 else shown
