"""A model that learns from the training part of a fold, and stops on a part of it."""

import gc
import math
import statistics
import time
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.lazy import keras
from lossreg.loss import Bound

from .answers import Answers, Scale
from .cells import fingerprint
from .folds import Fold, draw_seed
from .metrics import Metric
from .recipes import Prepared
from .work import Work

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_PREDICTED = 512  # samples predicted at once
_KEPT_BYTES = 1 << 28  # of the variables of models that are kept for the next cells
_made_bytes = 0
_kept: "OrderedDict[str, Learner]" = OrderedDict()


@dataclass(kw_only=True)
class Training:
    """One training of a model.

    Args:
        rate: The learning rate.
        best: The value of the metric on the samples to stop on in the epoch that is kept: the best
            one, or the last where nothing stops a training early. NaN before the first epoch.
        epoch: That epoch, counted from 1.
        values: The metric on the samples to stop on, after each epoch.
        losses: The loss on the samples that are trained on, in each epoch.
        step: The seconds of a step, the median of the epochs without the first.
        weights: The values of the variables in that epoch.
    """

    rate: float
    best: float = math.nan
    epoch: int = 0
    values: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    step: float = math.nan
    weights: "list[Array]" = field(default_factory=list)

    @property
    def diverged(self) -> bool:
        """Whether the loss was infinite or NaN before any epoch had ended well."""
        return math.isnan(self.best)


class Learner:
    """A model that is trained several times from the same weights.

    Args:
        work: What is trained on, and how.
        prepared: The model with its samples.
        seed: Decides the order of the samples.
    """

    def __init__(self, work: Work, prepared: Prepared, seed: int) -> None:
        self.work, self.prepared, self.seed = work, prepared, seed
        self.model = prepared.model
        self._variables = _variables(self.model)
        self._initial = [_array(variable) for variable in self._variables]
        #: The learning rate of the optimizer; None where it is a schedule.
        rate = self.model.optimizer.get_config().get("learning_rate")
        self.rate = float(rate) if isinstance(rate, int | float) else None

    def take(self, prepared: Prepared, seed: int) -> None:
        """Begin with the weights of another model of the same layers, and its samples.

        What the backend compiled for this model is used again.
        """
        self._initial = [_array(variable) for variable in _variables(prepared.model)]
        assert [value.shape for value in self._initial] == [
            tuple(variable.shape) for variable in self._variables
        ], "the layers are the same"
        self.prepared, self.seed = replace(prepared, model=self.model), seed

    @property
    def bytes(self) -> int:
        """The memory of the variables."""
        return sum(value.nbytes for value in self._initial)

    def reset(self) -> None:
        """Give every variable of the model and its optimizer its initial value."""
        for variable, value in zip(self._variables, self._initial, strict=True):
            variable.assign(value)

    def step_size(self, steps: int) -> float:
        """Return how far the first steps move the weights, or NaN where they lead nowhere."""
        self.reset()
        keras.utils.set_random_seed(self.seed)
        size, train = self.work.settings.batch_size, self.prepared.train
        before = [_array(variable) for variable in self.model.trainable_variables]
        for step in range(steps):
            # Around the samples, if they are fewer than the steps need.
            rows = np.arange(step * size, (step + 1) * size) % len(train)
            batch = train.rows(rows)
            self.model.train_on_batch(batch.x, batch.y, sample_weight=batch.weight)
        moved = [
            np.sum((_array(variable).astype(float) - value) ** 2)
            for variable, value in zip(self.model.trainable_variables, before, strict=True)
        ]
        return float(np.sqrt(np.sum(moved))) or math.nan

    def train(self, factor: float) -> Training:
        """Return a training at the optimizer's rate times a factor, with the best weights."""
        self.reset()
        if self.rate is not None and factor != 1:
            self.model.optimizer.learning_rate = self.rate * factor
        training = Training(rate=math.nan if self.rate is None else self.rate * factor)
        settings, train = self.work.settings, self.prepared.train
        seconds: list[float] = []
        started = time.perf_counter()

        def begin(epoch: int, logs: Any = None) -> None:
            del logs
            nonlocal started
            # The order of the samples is drawn next. Compiling may have drawn numbers before.
            keras.utils.set_random_seed(draw_seed(self.seed, epoch))
            started = time.perf_counter()

        def end(epoch: int, logs: Mapping[str, float]) -> None:
            seconds.append(time.perf_counter() - started)
            value = math.nan
            if math.isfinite(logs["loss"]):
                value = self._value(self.work.metric)
            if math.isnan(value):
                self.model.stop_training = True
                return
            training.losses.append(float(logs["loss"]))
            training.values.append(value)
            sign = self.work.metric.sign
            # A later epoch with the same value has learned more than the metric shows.
            is_best = training.diverged or sign * value >= sign * training.best
            if is_best or not settings.patience:
                training.best, training.epoch = value, epoch + 1
                training.weights = [_array(variable) for variable in self._variables]
            elif epoch + 1 - training.epoch >= settings.patience:
                self.model.stop_training = True

        keras.utils.set_random_seed(self.seed)
        watch = keras.callbacks.LambdaCallback(on_epoch_begin=begin, on_epoch_end=end)
        with warnings.catch_warnings():
            # A config may give an output no loss.
            warnings.filterwarnings("ignore", "Gradients do not exist for variables")
            self.model.fit(
                train.x,
                train.y,
                sample_weight=train.weight,
                batch_size=settings.batch_size,
                epochs=settings.epochs,
                callbacks=[watch],
                verbose=0,
            )
        # The first epoch compiles the step.
        steps = -(-len(train) // settings.batch_size)
        training.step = statistics.median(seconds[1:] or seconds) / steps
        return training

    def restore(self, training: Training) -> None:
        """Give the model the weights of a training's best epoch."""
        for variable, value in zip(self._variables, training.weights, strict=True):
            variable.assign(value)

    def predict(self, x: Any) -> dict[str | None, "Array"]:
        """Return the predictions of each output; the one output is named None."""
        rows = len(next(iter(x.values())) if isinstance(x, dict) else x)
        parts = []
        for start in range(0, rows, _PREDICTED):
            # Batches of one size, or each size would be compiled.
            chosen = np.arange(start, start + _PREDICTED) % rows
            batch = keras.tree.map_structure(lambda array, at=chosen: array[at], x)
            parts.append(self.model.predict_on_batch(batch))
        predicted = keras.tree.map_structure(
            lambda *arrays: np.concatenate([_array(array) for array in arrays])[:rows], *parts
        )
        if not keras.tree.is_nested(predicted):
            return {None: predicted}
        names = self.prepared.outputs
        if isinstance(predicted, dict):
            return {name: predicted[name] for name in names}
        return dict(zip(names, keras.tree.flatten(predicted), strict=True))

    def answers(self, part: Any) -> dict[str | None, Answers]:
        """Return the labels of samples with the predictions, by output."""
        found: dict[str | None, Answers] = {}
        for index, (name, y_pred) in enumerate(self.predict(part.x).items()):
            if name not in self.work.references:
                continue
            labels = part.y
            if isinstance(labels, dict):
                labels = labels[name]
            elif isinstance(labels, list):
                labels = labels[index]
            y_true = np.asarray(labels)
            scale = Scale.of(self.work.references[name], y_true, y_pred)
            found[name] = Answers(y_true, y_pred, scale)
        return found

    def _value(self, metric: Metric) -> float:
        """Return a metric on the samples to stop on, NaN where the predictions aren't finite."""
        answers = self.answers(self.prepared.stop)[metric.output]
        if not np.isfinite(answers.y_pred).all():
            return math.nan
        return metric.value(answers)


def learner(work: Work, loss: Bound, fold: Fold, seed: int) -> Learner:
    """Return a learner of a loss on a fold, with new weights.

    Compiling takes longer than the training of a small model. So the models of a process are kept
    with what was compiled for them, and begin anew with each cell. They are those whose layers keep
    everything in variables, which can be replaced.
    """
    prepared = work.recipe.prepare(loss, work.samples, fold, seed)
    _collect(prepared.model)
    key = fingerprint([work.key, loss.config()])
    if key in _kept:
        _kept.move_to_end(key)
        _kept[key].take(prepared, seed)
        return _kept[key]
    made = Learner(work, prepared, seed)
    if _is_in_variables(made.model):
        _kept[key] = made
        while len(_kept) > 1 and sum(each.bytes for each in _kept.values()) > _KEPT_BYTES:
            _kept.popitem(last=False)
    return made


def _collect(made: Any) -> None:
    """Free the models that are used no more, once those made since the last time are large.

    A model is a circle of references, and Python doesn't know how large its arrays are. To look for
    such circles takes as long as the training of a small model.
    """
    global _made_bytes
    _made_bytes += sum(4 * math.prod(variable.shape) for variable in made.variables)
    if _made_bytes > _KEPT_BYTES:
        _made_bytes = 0
        gc.collect()


def _is_in_variables(model: Any) -> bool:
    """Return whether everything that a model computes with is in its variables.

    What a layer learns by `adapt` isn't: the compiled functions hold it. A class of the user's own
    may keep anything anywhere.
    """
    layers = [model, *model._flatten_layers(include_self=False)]
    return all(
        type(layer).__module__.partition(".")[0] == "keras" and not hasattr(layer, "adapt")
        for layer in layers
    )


def _variables(model: Any) -> list[Any]:
    """Return the variables of a model that isn't trained yet, and those of its optimizer."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _array(tensor: Any) -> "Array":
    return np.array(keras.ops.convert_to_numpy(tensor))
