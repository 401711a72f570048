"""What a loss's gradients promise, and compiling with them."""

from typing import Any

import numpy as np

from lossreg.lazy import keras

from .. import backend
from ..results import NotApplicableError, broken
from ..samples import Array, away, class_axis, labels_of, outputs, truth
from ..subject import Params, Subject, tensors, worst


def finite_gradients(subject: Subject) -> None:
    """The gradient is finite, for perfect and the worst predictions too."""
    for case in subject.cases("ordinary", "perfect", "extreme"):
        _, gradient = subject.value_and_gradient(case)
        if not np.isfinite(gradient).all():
            index = worst(gradient, ~np.isfinite(gradient))
            found = gradient[index][~np.isfinite(gradient[index])]
            raise broken(
                at=case.row(index),
                expected="a finite gradient",
                got=f"{found[0]} in it",
                advice="A root, a power below 1 and a logarithm are infinitely steep at 0: keep "
                "their argument away from it, also in the branch that ops.where doesn't take.",
            )


def saturated_model_learns(subject: Subject) -> None:
    """A model that is sure of a wrong answer still gets a gradient that corrects it."""
    params = subject.defaults
    if subject.spec.y_true not in ("binary", "sign", "one_hot", "integer") or outputs(
        subject.spec, params
    ) not in ("logits", "probabilities"):
        raise NotApplicableError("it takes no logits and no probabilities of classes")
    # On TensorFlow Keras leaves the logits on the output of a sigmoid, and nowhere else.
    kept = keras.backend.backend() == "tensorflow"
    bases = [p for p in subject.bases if kept or outputs(subject.spec, p) == "logits"]
    if not bases:
        raise NotApplicableError("it takes no logits, and only on TensorFlow Keras keeps them")
    for params in bases:
        by_logits = outputs(subject.spec, params) == "logits"
        usual = _pull(subject, params, 3.0)
        for gap in (30.0, 100.0):
            pull = _pull(subject, params, gap)
            # Not for each sample the same: classes may be weighted.
            weak = ~(pull > 1e-3 * np.abs(usual).max())
            if weak.any():
                behind = "logits" if by_logits else "logits behind the probabilities"
                raise broken(
                    at=f"{behind} that are wrong by {gap:g} and {subject.said(params)}",
                    expected=f"a pull towards the truth, as the {np.abs(usual).max():.3g} "
                    "where they are wrong by 3",
                    got=f"{pull[weak][0] + 0.0:.3g}",
                    advice="Compute from logits and clip nothing; where y_pred is probabilities, "
                    "Keras' own cross-entropies use the logits behind them.",
                )


def numerical_gradient(subject: Subject) -> None:
    """The gradient is the derivative of the value, as measured in float64."""
    rng, step = np.random.default_rng(3), 1e-6
    for params in subject.settings:
        case = subject.case(params)
        y_true, y_pred = tensors(case.sample, "float64")
        function = subject.function(params, "float64")
        values, gradient = backend.eager()(function, y_true, y_pred)
        dtype = keras.backend.standardize_dtype(values.dtype)
        if dtype != "float64":
            raise broken(
                at=f"predictions in float64, {case}",
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
            if not abs(measured - claimed) <= 1e-5 * (1e-2 + np.abs(gradient * near).sum()):
                raise broken(
                    at=f"{case}, each number moved by {step:g} of its size",
                    expected=f"a slope of {measured:.8g}, as measured",
                    got=f"{claimed:.8g} from the gradient",
                    advice="Look for ops.stop_gradient, rounding, argmax, or a custom gradient "
                    "that isn't the derivative.",
                )


def compiled(subject: Subject) -> None:
    """Compiled, a loss has the values and gradients that it has uncompiled."""
    ways = backend.compiled()
    for params in subject.both:
        case = subject.case(params)
        function = subject.function(params)
        y_true, y_pred = tensors(case.sample, "float32")
        values, gradient = map(backend.numbers, backend.eager()(function, y_true, y_pred))
        for called, way in ways.items():
            again = dict(
                zip(
                    ("values", "gradients"),
                    map(backend.numbers, way(function, y_true, y_pred)),
                    strict=True,
                )
            )
            for what, expected in (("values", values), ("gradients", gradient)):
                scale = max(1.0, float(np.abs(expected).max()))
                if not np.allclose(again[what], expected, rtol=1e-4, atol=1e-5 * scale):
                    difference = float(np.abs(again[what] - expected).max())
                    raise broken(
                        at=f"{case}, under {called}",
                        expected=f"the {what} of the eager loss",
                        got=f"{what} that differ by up to {difference:.3g}",
                        advice="Use keras.ops only: no numpy, no Python `if` or state that "
                        "depends on tensors or on the call.",
                    )


def _pull(subject: Subject, params: Params, gap: float) -> Array:
    """Return for each sample how steeply the loss falls from a wrong answer to the right one."""
    spec, axis = subject.spec, class_axis(params)
    exclusive = spec.y_true in ("one_hot", "integer")
    hot = truth(spec, np.random.default_rng(5), axis)
    wrong = away(hot, axis, exclusive=exclusive)
    # One logit carries the gap between two answers, or two classes share it.
    scores = gap * wrong if exclusive else gap * (2 * wrong - 1)
    towards = hot - wrong if exclusive else 2 * hot - 1
    function = subject.function(params)

    def values(y_true: Any, logits: Any) -> Any:
        if outputs(spec, params) == "logits":
            return function(y_true, logits)
        if exclusive:
            return function(y_true, keras.activations.softmax(logits, axis=axis))
        return function(y_true, keras.activations.sigmoid(logits))

    y_true = backend.tensor(labels_of(spec, hot, axis), "float32")
    _, gradient = backend.eager()(values, y_true, backend.tensor(scores, "float32"))
    slopes = backend.numbers(gradient) * towards
    return np.asarray(-slopes.sum(axis=tuple(range(1, slopes.ndim))))


def _total(function: backend.Values, y_true: Any, y_pred: Array) -> float:
    return float(backend.numbers(function(y_true, backend.tensor(y_pred, "float64"))).sum())
