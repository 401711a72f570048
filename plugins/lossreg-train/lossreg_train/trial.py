"""A config with its model and its data, checked against each other and ready to train."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lossreg.checks import check_output, compiled_outputs, known_losses, output_names
from lossreg.config import Data, Experiment
from lossreg.errors import ConfigError, Fault, LossregError
from lossreg.errors import Path as KeyPath
from lossreg.lazy import keras
from lossreg.loss import BoundLoss, did_you_mean
from lossreg.model import build, collected, metric, refused_by_keras

from .classes import class_number
from .data import Dataset, Rows, read_rows
from .samples import Samples

# Enough samples to see what the model predicts.
_PREDICTED = 256

# What Keras 3.15.1 raises for weights of another shape. It prints the values behind it.
_SHAPES = re.compile(
    r"variable\.shape=(?P<here>\(.*?\)), Received: value\.shape=(?P<there>\(.*?\))"
)

_NAME = re.compile(r"^Loss '[^']*'")  # how a finding about a term begins


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A model and the data that it can be trained on.

    Args:
        experiment: The config.
        model: Compiled, and not trained.
        data: In the form that the model takes.
    """

    experiment: Experiment
    model: Any
    data: Dataset

    @property
    def has_untrained(self) -> bool:
        """Whether the config gives some output no loss."""
        return any(loss is None for loss in keras.tree.flatten(self.model.loss))


def read_data(experiment: Experiment) -> Dataset:
    """Return the data of a config, without Keras.

    Raises:
        ConfigError: The config has no data, or data that can't be used.
    """
    return read_samples(experiment).split()


def read_samples(experiment: Experiment) -> Rows:
    """Return all samples of a config, without Keras, and the columns that `compare` names.

    Raises:
        ConfigError: As `read_data` raises it.
    """
    if experiment.data is None:
        fault = Fault(message="'data' is missing. Name a file and its target.", path=("data",))
        raise experiment.error([fault])
    losses = experiment.compile.loss.bound.losses()
    is_class = any(loss.spec.labels.is_class for loss in losses)
    of_amounts = (loss.name for loss in losses if loss.spec.labels.is_amount)
    numbers_for = None if is_class else next(of_amounts, None)
    try:
        return read_rows(
            experiment.data,
            experiment.folder,
            stratify=is_class,
            numbers_for=numbers_for,
            slices=experiment.compare.slices,
        )
    except ConfigError as error:
        raise experiment.error(error.faults) from None


def prepare(
    experiment: Experiment, dataset: Dataset, weights: Path | None = None, *, check: bool = True
) -> Trial:
    """Return the trial of a config.

    The data's seed decides the initial weights, and Normalization layers are adapted to the
    samples that are trained on. With `weights`, neither happens.

    Args:
        experiment: The config.
        dataset: Its data, as `read_data` returns them.
        weights: The file of a saved model with the same layers.
        check: Whether to check the values of the data, which a comparison does once for many
            trials.

    Raises:
        ConfigError: The model can't be built, or the data don't fit the model or the loss.
    """
    keras.utils.set_random_seed(dataset.config.seed)
    model = build(experiment)
    fitting = _Fitting(experiment, model)
    train, validation = fitting.samples(dataset.train), fitting.samples(dataset.validation)
    if not fitting.faults and experiment.fit.class_weight is not None:
        train = fitting.weigh_classes(experiment.fit.class_weight, dataset, train, validation)
    if not fitting.faults:
        fitted = Dataset(train=train, validation=validation, config=dataset.config)
        if weights is None:
            _adapt(model, train)
        else:
            _load(experiment, model, weights)
        if check:
            fitting.check_values(fitted)
        if not fitting.faults:
            packed = replace(
                fitted, train=_packed(model, train), validation=_packed(model, validation)
            )
            return Trial(experiment=experiment, model=model, data=packed)
    raise experiment.error(fitting.faults)


class _Fitting:
    """Data in the form that a model takes, and what doesn't fit."""

    def __init__(self, experiment: Experiment, model: Any) -> None:
        self.model = model
        self.data = experiment.data
        self.loss = experiment.compile.loss.bound
        self.has_class_weight = experiment.fit.class_weight is not None
        self.outputs = output_names(model)
        self.metrics = self._by_output(experiment.compile.metrics)
        self.faults: list[Fault] = []
        losses = self._by_output(self.loss)
        # The outputs that need a target.
        self.learned = [n for n in self.outputs if losses.get(n) or self.metrics.get(n)]
        if not any(losses.values()):
            which = f"{'one of ' * (len(self.outputs) > 1)}{', '.join(map(repr, self.outputs))}"
            message = f"No output has a loss, and training needs one. Give {which} a loss."
            self._fault(message, ("compile", "loss"))

    def samples(self, found: Samples) -> Samples:
        """Return samples with a mapping only where the model has several inputs or outputs."""
        if self.faults:
            # Both parts of the data have the same faults.
            return found
        inputs = {tensor.name: tensor for tensor in self.model.inputs}
        x = self._by_name(found.x, list(inputs), list(inputs), "input", "features")
        y = self._by_name(found.y, self.outputs, self.learned, "output", "target")
        # Keras 3.15.1 needs labels for an output without a loss too, and ignores them.
        unused = np.zeros((len(found), 1), dtype="float32")
        y = {name: y.get(name, unused) for name in self.outputs}
        for name, values in x.items():
            self._check_shape(inputs[name], values)
        truth = None
        if found.truth is not None:
            true = self._by_name(found.truth, self.outputs, self.learned, "output", "truth")
            truth = _only({name: true.get(name, unused) for name in self.outputs})
        return Samples(x=_only(x), y=_only(y), weight=found.weight, truth=truth)

    def weigh_classes(
        self,
        class_weight: Mapping[str, float],
        dataset: Dataset,
        train: Samples,
        validation: Samples,
    ) -> Samples:
        """Return the samples to train on, each label weighed by its class.

        Keras' own class_weight takes labels of one class for each sample only.
        """
        at: KeyPath = ("fit", "class_weight")
        loss = next((each for each in self.loss.losses() if each.spec.labels.is_class), None)
        numbers = None
        if len(self.outputs) > 1:
            self._fault("class_weight is for a model with one output. Use 'data.weight'.", at)
        elif loss is None:
            self._fault(
                f"class_weight weighs labels that are classes, and those of {self.loss.label!r} "
                "aren't. Use 'data.weight'.",
                at,
            )
        else:
            labels: Any = train.y
            numbers = self._class_numbers(loss, labels)
            if numbers is None:
                self._fault(
                    "class_weight needs one class for each sample, pixel or step, and the target "
                    f"is of shape {list(labels.shape[1:])}: each of its columns is a class of "
                    "its own. Use 'data.weight'.",
                    at,
                )
        if loss is None or numbers is None:
            return train
        present = np.unique(np.concatenate([numbers, self._class_numbers(loss, validation.y)]))
        weights = np.ones(numbers.shape, dtype="float32")
        for name, value in class_weight.items():
            number = class_number(name, dataset.config.classes)
            if number not in present:
                names = _class_names(present, dataset.config)
                near = did_you_mean(name, names) or f" It has {', '.join(names)}."
                self._fault(f"The target has no class {name!r}.{near}", (*at, name), at_key=True)
            weights[numbers == number] = value
        if train.weight is not None:
            shape = train.weight.shape
            if shape != numbers.shape[: len(shape)]:
                self._fault(
                    f"A weight for each {list(shape[1:])} doesn't fit labels of shape "
                    f"{list(numbers.shape[1:])}. Give one for each sample.",
                    ("data", "weight"),
                )
                return train
            weights *= train.weight.reshape(shape + (1,) * (numbers.ndim - len(shape)))
        return replace(train, weight=weights)

    def _class_numbers(self, loss: BoundLoss, labels: Any) -> Any:
        """Return the class of each value of the loss, or None if entries have their own."""
        if loss.spec.labels.classes == "row":
            return labels.argmax(axis=loss.class_axis)
        if labels.ndim < len(self.model.outputs[0].shape):
            return labels
        # The last axis is that of the predictions, over which the loss is a mean.
        return labels[..., 0] if labels.shape[-1] == 1 else None

    def check_values(self, found: Dataset) -> None:
        """Find targets, and predictions of the untrained model, that don't fit the loss."""
        sample = found.train.rows(slice(_PREDICTED))
        predicted = self.model.predict(sample.x, batch_size=_PREDICTED, verbose=0)
        rows = len(found.train) + len(found.validation)
        # Every label is checked; for the predictions a sample is enough.
        y_pred = keras.tree.map_structure(
            lambda values: np.resize(values, (rows, *values.shape[1:])), predicted
        )
        self._check_labels(found, "target", (found.train.y, found.validation.y), y_pred)
        if not self.faults and found.train.truth is not None:
            truths = (found.train.truth, found.validation.truth)
            self._check_labels(found, "truth", truths, y_pred)
        if not self.faults:
            self._check_weights(sample, predicted)
            self._check_metrics(sample, predicted)

    def _check_labels(self, found: Dataset, key: str, parts: Any, y_pred: Any) -> None:
        """Find labels, under one of the keys of `data`, and predictions that don't fit the loss."""
        y_true = keras.tree.map_structure(lambda *each: np.concatenate(each), *parts)
        for loss, output in compiled_outputs(self.model, y_true, y_pred):
            reported = set()
            for finding in check_output(loss, known_losses(loss), output):
                # All terms of a sum may have the same finding.
                what = _NAME.sub("", finding.message)
                if what not in reported:
                    reported.add(what)
                    advice = _class_advice(found.config, output)
                    self._fault(f"{finding}{advice}", ("data", key))

    def _check_weights(self, sample: Samples, predicted: Any) -> None:
        """Find weights that a loss refuses, by computing it."""
        at: KeyPath = ("fit", "class_weight") if self.has_class_weight else ("data", "weight")
        if sample.weight is None:
            return
        for loss, output in compiled_outputs(self.model, sample.y, predicted, sample.weight):
            try:
                loss(output.y_true, output.y_pred, sample_weight=output.sample_weight)
            except LossregError as error:
                self._fault(str(error), at)

    def _check_metrics(self, sample: Samples, predicted: Any) -> None:
        """Find metrics that don't fit the targets, by computing each."""
        predictions = predicted
        # Keras flattens a mapping in the order of the alphabet.
        if not isinstance(predicted, Mapping):
            predictions = dict(zip(self.outputs, keras.tree.flatten(predicted), strict=True))
        for name, parts in self.metrics.items():
            y_true = sample.y[name] if isinstance(sample.y, dict) else sample.y
            for part in parts:
                made = metric(part)
                title = f"Metric {part.name!r} can't be computed of the target and the predictions"
                # For a string, Keras chooses an accuracy that fits.
                if not isinstance(made, str):
                    with collected(self.faults), refused_by_keras(title, part.path):
                        made.update_state(y_true, predictions[name])

    def _by_output(self, given: Any) -> Mapping[str, Any]:
        """Return what a config gives each output, where it may give the same to all."""
        return given if isinstance(given, Mapping) else dict.fromkeys(self.outputs, given)

    def _by_name(
        self, arrays: Any, names: list[str], needed: list[str], what: str, key: str
    ) -> dict[str, Any]:
        at = self._at(key)
        if not isinstance(arrays, dict):
            if len(needed) == 1:
                return {needed[0]: arrays}
            listed = ", ".join(map(repr, needed))
            self._fault(f"The model has {len(names)} {what}s: map {listed} to columns each.", at)
            return {}
        for name in arrays:
            if name not in names:
                near = did_you_mean(name, names) or f" It has {', '.join(map(repr, names))}."
                self._fault(f"The model has no {what} {name!r}.{near}", (*at, name), at_key=True)
        for name in needed:
            if name not in arrays:
                self._fault(f"The model's {what} {name!r} has no columns. Name them.", at)
        return {name: arrays[name] for name in names if name in arrays}

    def _check_shape(self, tensor: Any, values: Any) -> None:
        takes, got = tuple(tensor.shape[1:]), values.shape[1:]
        if len(takes) == len(got) and all(
            size in (None, given) for size, given in zip(takes, got, strict=True)
        ):
            return
        if None not in takes and np.prod(takes) == np.prod(got):
            advice = f"Begin it with Input: {{shape: {list(got)}}} and Reshape."
        else:
            advice = f"Write Input: {{shape: {list(got)}}}, or choose other features."
        self._fault(
            f"The model takes samples of shape {list(takes)}, and the data are of shape "
            f"{list(got)}. {advice}",
            self._at("features"),
        )

    def _at(self, key: str) -> KeyPath:
        return ("data", key) if getattr(self.data, key) is not None else ("data",)

    def _fault(self, message: str, path: KeyPath, *, at_key: bool = False) -> None:
        self.faults.append(Fault(message=message, path=path, at_key=at_key))


def _class_names(numbers: Any, data: Data) -> Sequence[str]:
    """Return the classes of numbers as a config names them."""
    names = data.classes or range(int(numbers.max()) + 1)
    return [str(names[int(n)]) if 0 <= n < len(names) else f"{n:g}" for n in numbers]


def _class_advice(data: Data, output: Any) -> str:
    """Return advice for labels that number classes, but don't begin at 0."""
    labels = output.y_true
    if data.classes is not None or isinstance(data.target, dict) or labels.dtype.kind != "i":
        return ""
    classes, count = np.unique(labels), output.y_pred.shape[-1]
    if labels.size != len(labels) or not 1 < len(classes) <= count or classes[-1] < count:
        return ""
    return f" Or list them in the config: classes: {classes.tolist()}."


def _packed(model: Any, samples: Samples) -> Samples:
    """Return samples with weights in the form in which the model returns its outputs.

    Keras 3.15.1 finds the weights of an output by its place, even if the labels are a mapping.
    """
    labels: Any = samples.y
    if samples.weight is None or not isinstance(labels, dict) or isinstance(model.output, Mapping):
        return samples
    labels = list(labels.values())
    return replace(samples, y=labels)


def _only(arrays: dict[str, Any]) -> Any:
    """Return the one array of a mapping, or the mapping if there are several."""
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _load(experiment: Experiment, model: Any, weights: Path) -> None:
    """Give a model the weights of a file."""
    title = f"It can't take the weights of {str(weights)!r}"
    try:
        with refused_by_keras(title, ("model",)), warnings.catch_warnings():
            # The file may hold an optimizer, which isn't needed here.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            model.load_weights(weights)
    except ConfigError as error:
        reason, faults = str(error.__cause__), error.faults
        shapes = _SHAPES.search(reason)
        if shapes or "could not be loaded" in reason:
            what = "its layers have other weights there"
            if shapes:
                what = f"a weight of shape {shapes['here']} has shape {shapes['there']} there"
            message = f"{title}: {what}. Give the file of a model that this config trained."
            faults = (Fault(message=message, path=("model",)),)
        raise experiment.error(faults) from error


def _adapt(model: Any, samples: Samples) -> None:
    """Adapt each Normalization layer that was given no mean, from the first to the last."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            before = keras.Model(model.inputs, layer.input)
            values = before.predict(samples.x, verbose=0)
            layer.adapt(np.asarray(values))
