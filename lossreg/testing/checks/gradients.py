"""What a loss's gradients promise, and what it promises when it is compiled."""

import functools
from typing import Any

import numpy as np

from ...lazy import keras
from ...loss import OUTPUTS
from .. import backend, limits
from ..results import ConformanceError, NotApplicableError, error_of
from ..samples import Array, encode, truth, wrong_labels
from ..subject import Params, Subject, first_row, tensors


def finite_gradients(subject: Subject) -> None:
    """The gradient is finite, for perfect and the worst predictions too."""
    for case in subject.cases():
        _, gradient = subject.value_and_gradient(case)
        wrong = ~np.isfinite(gradient)
        if wrong.any():
            raise ConformanceError.at(
                case.row(first_row(gradient, wrong)),
                expected="a finite gradient",
                got=f"{gradient[wrong][0]} in it",
                advice="A root, a power below 1 and a logarithm are infinitely steep at 0: keep "
                "their argument away from it, also in the branch that ops.where doesn't take.",
            )


def saturated_model_learns(subject: Subject) -> None:
    """A model that is sure of a wrong answer still gets a gradient that corrects it."""
    spec = subject.spec
    if spec.bounded:
        raise NotApplicableError("its spec says that it is bounded")
    if not (spec.labels.is_class and OUTPUTS[spec.outputs(subject.defaults)].is_class):
        raise NotApplicableError("it takes neither logits nor probabilities of classes")
    # On TensorFlow Keras leaves the logits on the output of a sigmoid, and nowhere else.
    kept = keras.backend.backend() == "tensorflow"
    bases = [p for p in subject.bases if kept or spec.outputs(p) == "logits"]
    if not bases:
        raise NotApplicableError("it takes no logits, and Keras keeps them on TensorFlow only")
    for params in bases:
        usual = np.abs(_pull(subject, params, 3.0)).max()
        for gap in (30.0, 100.0):
            pull = _pull(subject, params, gap)
            # Not the same for each sample: classes may be weighted.
            weak = ~(pull > limits.PULL * usual)
            if weak.any():
                by_logits = spec.outputs(params) == "logits"
                behind = "logits" if by_logits else "logits behind the probabilities"
                raise ConformanceError.at(
                    f"{subject.entry.call(params)} and {behind} that are wrong by {gap:g}",
                    expected=f"a pull towards the truth, as the {usual:.3g} "
                    "where they are wrong by 3",
                    got=f"{pull[weak][0] + 0.0:.3g}",
                    advice="Compute from logits and clip nothing; where y_pred is probabilities, "
                    "lossreg.numerics.logits_of returns the logits behind them.",
                )


def numerical_gradient(subject: Subject) -> None:
    """The gradient is the derivative of the value, as measured in float64."""
    if subject.spec.surrogate_gradient:
        raise NotApplicableError("its spec says that its gradient isn't the derivative")
    rng, step = np.random.default_rng(3), 1e-6
    for params in subject.settings:
        case = subject.case(params)
        y_true, y_pred = tensors(case.sample, "float64")
        function = subject.function(params, "float64")
        values, gradient = backend.value_and_gradient(function, y_true, y_pred)
        dtype = keras.backend.standardize_dtype(values.dtype)
        if dtype != "float64":
            raise ConformanceError.at(
                f"{case} in float64",
                expected="values in float64",
                got=f"values in {dtype}",
                advice="Cast to y_pred's dtype, or to float32 only where that is narrower.",
            )
        gradient = backend.numbers(gradient)
        near = np.minimum(np.abs(case.sample.y_pred), 1.0)
        for _ in range(4):
            # A probability near 0 moves by a share of itself.
            direction = rng.choice([-1.0, 1.0], size=gradient.shape) * near
            ahead, behind = (
                _total(function, y_true, case.sample.y_pred + sign * step * direction)
                for sign in (1, -1)
            )
            measured, claimed = (ahead - behind) / (2 * step), float((gradient * direction).sum())
            steepest = np.abs(gradient * near).sum()
            near_enough = limits.SLOPE * steepest + limits.SLOPE_NEAR_ZERO
            if not abs(measured - claimed) <= near_enough:
                raise ConformanceError.at(
                    f"{case}, each number moved by {step:g} of its size",
                    expected=f"a slope of {measured:.8g}, as measured",
                    got=f"{claimed:.8g} from the gradient",
                    advice="Look for ops.stop_gradient, rounding, argmax, or a custom gradient "
                    "that isn't the derivative.",
                )


def custom_gradient(subject: Subject) -> None:
    """A gradient that the loss brings for itself is used on every backend."""
    uses = 0
    for params in subject.both:
        case = subject.case(params)
        with backend.own_gradients() as found:
            # Whatever it raises, another check tells.
            error_of(functools.partial(subject.value_and_gradient, case))
        uses += len(found)
        if fault := next(filter(None, found), None):
            raise ConformanceError.at(
                f"{case}, in ops.custom_gradient",
                expected="a function that returns (value, gradient) for tensors",
                got=fault,
                advice="On torch Keras then calls the function again and makes the gradient NaN. "
                "Keep checks out of the function, and return its value with "
                "def gradient(*args, upstream=None).",
            )
    if not uses:
        raise NotApplicableError("it doesn't call ops.custom_gradient")


def compiled(subject: Subject) -> None:
    """Compiled, a loss has the values and gradients that it has uncompiled."""
    ways = backend.compiled()
    for params in subject.both:
        case = subject.case(params)
        function = subject.function(params)
        arrays = tensors(case.sample)
        eager = [backend.numbers(each) for each in backend.value_and_gradient(function, *arrays)]
        for name, way in ways.items():
            for what, expected, tensor in zip(
                ("values", "gradients"), eager, way(function, *arrays), strict=True
            ):
                got = backend.numbers(tensor)
                scale = max(1.0, float(np.abs(expected).max()))
                if not np.allclose(got, expected, rtol=limits.VALUE, atol=limits.LARGEST * scale):
                    raise ConformanceError.at(
                        f"{case}, under {name}",
                        expected=f"the {what} of the eager loss",
                        got=f"{what} that differ by up to {np.abs(got - expected).max():.3g}",
                        advice="Use keras.ops only: no numpy, no Python `if` or state that "
                        "depends on tensors or on the call.",
                    )


def unknown_classes(subject: Subject) -> None:
    """In a graph that doesn't know the number of classes, a loss has the values that it has."""
    spec = subject.spec
    if not (spec.labels.is_class and spec.labels.is_exclusive and OUTPUTS[spec.y_pred].has_classes):
        raise NotApplicableError("it takes no classes on an axis")
    for params in subject.bases:
        case = subject.case(params)
        function = subject.function(params)
        arrays = tensors(case.sample)
        expected = backend.numbers(function(*arrays))
        got = backend.numbers(backend.without_shapes(function)(*arrays))
        if not np.allclose(got, expected, rtol=limits.VALUE, atol=limits.NEAR_ZERO):
            raise ConformanceError.at(
                f"{case}, in a graph without the number of classes",
                expected="the values of the eager loss",
                got=f"values that differ by up to {np.abs(got - expected).max():.3g}",
                advice="Take ops.shape(y_pred)[axis] where y_pred.shape[axis] is None.",
            )


def _pull(subject: Subject, params: Params, gap: float) -> Array:
    """Return for each sample how steeply the loss falls from a wrong answer to the right one."""
    spec, axis = subject.spec, subject.spec.class_axis(params)
    exclusive = spec.labels.is_exclusive
    hot = truth(spec, np.random.default_rng(5), axis)
    wrong = wrong_labels(spec, hot, axis)
    # One logit carries the gap between two answers, or two classes share it.
    scores = gap * wrong if exclusive else gap * (2 * wrong - 1)
    towards = hot - wrong if exclusive else 2 * hot - 1
    function = subject.function(params)

    def values(y_true: Any, logits: Any) -> Any:
        if spec.outputs(params) == "logits":
            return function(y_true, logits)
        if exclusive:
            return function(y_true, keras.activations.softmax(logits, axis=axis))
        return function(y_true, keras.activations.sigmoid(logits))

    y_true = backend.tensor(encode(spec, hot, axis), "float32")
    y_pred = backend.tensor(scores, "float32")
    _, gradient = backend.value_and_gradient(values, y_true, y_pred)
    slopes = backend.numbers(gradient) * towards
    return np.asarray(-slopes.sum(axis=tuple(range(1, slopes.ndim))))


def _total(function: backend.Values, y_true: Any, y_pred: Array) -> float:
    return float(backend.numbers(function(y_true, backend.tensor(y_pred, "float64"))).sum())
