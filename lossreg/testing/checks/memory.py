"""What a loss with memory promises in training."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ParameterError
from ...lazy import keras
from ...loss import OUTPUTS, BoundLoss
from .. import backend, choices, limits
from ..results import ConformanceError, NotApplicableError
from ..samples import Array, draw, example_of
from ..subject import Params, Subject

_EPOCHS = (13, 12)
"""The epochs before and after an interruption; of two steps each, they make 50."""


def memory(subject: Subject) -> None:
    """Memory goes on in training, is left alone by validation, and survives an interruption."""
    bound = _with_memory(subject)
    if bound is None:
        raise NotApplicableError("it has no memory")
    run = _Run(subject, bound)
    whole, first = run.start(), run.start()
    initial = _states(whole)
    run.train(whole, sum(_EPOCHS))
    after = _states(whole)
    if after and all(np.array_equal(*pair) for pair in zip(initial, after, strict=True)):
        raise ConformanceError.at(
            f"{bound.label} and 50 steps of training",
            expected="another state than at first",
            got="the same",
            advice="Return the new value of each state after the values.",
        )
    run.check_validation(whole, after)
    run.train(first, _EPOCHS[0])
    with tempfile.TemporaryDirectory() as folder:
        first.save(Path(folder) / "model.keras")
        resumed = keras.models.load_model(Path(folder) / "model.keras")
    run.train(resumed, _EPOCHS[1])
    _check_same(bound, after, _states(resumed), "states")
    predicted = [np.asarray(m.predict(run.x, verbose=0)) for m in (whole, resumed)]
    _check_same(bound, predicted[:1], predicted[1:], "predictions")


def _with_memory(subject: Subject) -> BoundLoss | None:
    """Return the loss with parameters that give it memory, or None."""
    for params in _settings(subject):
        try:
            bound = subject.bind(params)
        except ParameterError:
            continue
        if not bound.is_plain:
            return bound
    return None


def _settings(subject: Subject) -> Iterator[Params]:
    defaults = subject.defaults
    yield defaults
    for each in subject.entry.signature.memory.inputs.values():
        if each.when is not None:
            annotation = subject.entry.signature.annotations[each.when]
            for value in choices.other_values(annotation, defaults.get(each.when), 2):
                yield {**defaults, each.when: value}


class _Run:
    """The training of a small model with a loss, on an ordinary input."""

    def __init__(self, subject: Subject, bound: BoundLoss) -> None:
        self._bound = bound
        example = example_of(subject.spec)
        sample = draw(subject.spec, bound.params, "ordinary", largest=8.0)
        self.x: Array = np.asarray(sample.y_pred, "float32")
        self._needed = {} if example is None else example.params
        labels = sample.y_true
        self._y: Any = labels if labels.dtype.kind == "i" else labels.astype("float32")
        if bound.memory.fields:
            main, *others = bound.memory.fields
            # The number of each sample is a label that any loss takes.
            numbers = np.arange(len(self.x), dtype="int32")
            self._y = {main: self._y, **dict.fromkeys(others, numbers)}

    def start(self) -> Any:
        """Return a new model, compiled; each one has the same weights."""
        # Only training needs Keras.
        from ...keras_loss import compile as compile_model

        teacher = self._model() if "teacher" in self._bound.memory.needs else None
        return compile_model(
            self._model(), keras.optimizers.Adam(0.01), loss=self._bound, teacher=teacher
        )

    def _model(self) -> Any:
        kind, spec = self._bound.y_pred, self._bound.spec
        activation = "linear"
        if kind == "probabilities":
            activation = "softmax" if spec.labels.is_exclusive else "sigmoid"
        elif OUTPUTS[kind].low == 0:
            activation = "softplus"
        keras.utils.set_random_seed(3)
        inputs = keras.Input(self.x.shape[1:])
        return keras.Model(inputs, keras.layers.Dense(self.x.shape[-1], activation)(inputs))

    def train(self, model: Any, epochs: int) -> None:
        """Train a model, two steps an epoch, with validation after the last one.

        So an interruption is one validation more, which may change nothing.
        """
        model.fit(
            self.x,
            self._y,
            batch_size=-(-len(self.x) // 2),
            epochs=epochs,
            shuffle=False,
            validation_data=(self.x, self._y),
            validation_freq=epochs,
            verbose=0,
        )

    def check_validation(self, model: Any, states: list[Array]) -> None:
        """Raise if validation changes the states of a model."""
        model.evaluate(self.x, self._y, verbose=0)
        _check_same(self._bound, states, _states(model), "states after validation")


def _states(model: Any) -> list[Array]:
    """Return the states of the losses of a model."""
    return [
        backend.numbers(state)
        for term in model.all_terms
        for each in term.every()
        for state in each.states.values()
    ]


def _check_same(bound: BoundLoss, expected: list[Array], got: list[Array], what: str) -> None:
    for one, other in zip(expected, got, strict=True):
        if not np.allclose(other, one, rtol=limits.RESUMED, atol=limits.RESUMED):
            raise ConformanceError.at(
                f"{bound.label}, trained for 50 steps at once, and saved between",
                expected=f"the same {what}, such as {one.reshape(-1)[0]:.7g}",
                got=f"{other.reshape(-1)[0]:.7g}",
                advice="Keep all that the loss remembers in its states, and change nothing else.",
            )
