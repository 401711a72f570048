"""A config with its model and its data, checked against each other: ready to train."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ConfigError
from ...experiment import Data, Experiment
from ...fault import Fault
from ...fault import Path as KeyPath
from ...lazy import LazyModule, keras
from ...names import did_you_mean
from .. import keras_parts
from ..checks.findings import of_output, terms_of
from ..keras_errors import collected, refused_by_keras
from ..model import build
from ..outputs import Outputs
from . import data
from .data import Dataset
from .samples import Samples
from .versions import losses

# It imports Keras, which data that can't be used shall not have to wait for.
_compiled: Any = LazyModule("lossreg.builder.checks.compiled")

# Labels that are classes, each of which shall be in both parts of the data.
_CLASSES = ("binary", "sign", "one_hot", "integer")

# Labels that a class's index isn't.
_NUMBERS = ("real", "positive", "count")

# Enough to see what the model predicts, whatever the number of samples.
_PREDICTED = 256

# Keras 3.15.1, which goes on with the values of the weights.
_SHAPES = re.compile(
    r"variable\.shape=(?P<here>\(.*?\)), Received: value\.shape=(?P<there>\(.*?\))"
)

_NAME = re.compile(r"^Loss '[^']*'")  # how a finding on a term begins


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A model and the data that it can be trained on.

    Args:
        said: The config.
        model: Compiled, and not trained.
        data: In the form that the model takes.
    """

    said: Experiment
    model: Any
    data: Dataset

    @property
    def untrained(self) -> list[str]:
        """The outputs that the config gives no loss."""
        bound = self.said.compile.loss.bound
        losses = bound if isinstance(bound, Mapping) else {}
        return [name for name, loss in losses.items() if loss is None]


def read_data(said: Experiment) -> Dataset:
    """Return the data of a config, without Keras.

    Raises:
        ConfigError: The config names no data, or none that can be used.
    """
    if said.data is None:
        fault = Fault(message="'data' is missing. Name a file and its target.", path=("data",))
        raise said.error([fault])
    bound = said.compile.loss.bound
    several = isinstance(bound, Mapping) and len(bound) > 1
    is_class = not several and any(one.spec.y_true in _CLASSES for one in losses(bound))
    takes_numbers = (one.name for one in losses(bound) if one.spec.y_true in _NUMBERS)
    numbers_for = None if is_class else next(takes_numbers, None)
    try:
        return data.read(said.data, said.folder, stratify=is_class, numbers_for=numbers_for)
    except ConfigError as error:
        raise said.error(list(error.faults)) from None


def prepare(said: Experiment, found: Dataset, weights: Path | None = None) -> Trial:
    """Return the trial of a config.

    The data's seed decides the weights, and Normalization layers are adapted to the
    samples to train on, unless the weights are given.

    Args:
        said: The config.
        found: Its data, as `read_data` returns them.
        weights: A model that was saved, with the layers of this one.

    Raises:
        ConfigError: The model can't be built, or the data fit neither it nor the loss.
    """
    keras.utils.set_random_seed(found.said.seed)
    model = build(said)
    fitting = _Fitting(said, model)
    train, validation = fitting.samples(found.train), fitting.samples(found.validation)
    if not fitting.faults:
        fitted = Dataset(train=train, validation=validation, said=found.said)
        if weights is None:
            _adapt(model, train)
        else:
            _load(said, model, weights)
        fitting.check_values(fitted)
        if not fitting.faults:
            return Trial(said=said, model=model, data=fitted)
    raise said.error(fitting.faults)


class _Fitting:
    """Data in the form that a model takes, and what doesn't fit."""

    def __init__(self, said: Experiment, model: Any) -> None:
        self.said = said
        self.model = model
        self.outputs = Outputs.of(model).names
        self.faults: list[Fault] = []
        said_losses, metrics = said.compile.loss.bound, said.compile.metrics
        by_output = said_losses if isinstance(said_losses, dict) else dict.fromkeys(self.outputs, 1)
        measured = metrics if isinstance(metrics, dict) else {}
        # Those that need a target.
        self.learned = [n for n in self.outputs if by_output.get(n) or measured.get(n)]
        if not any(by_output.values()):
            which = f"{'one of ' * (len(self.outputs) > 1)}{', '.join(map(repr, self.outputs))}"
            message = f"No output has a loss, and training needs one. Give {which} a loss."
            self._fault(message, ("compile", "loss"))

    def samples(self, found: Samples) -> Samples:
        """Return samples with a mapping only where the model has several inputs or outputs."""
        if self.faults:
            # Those of the first part are those of the second.
            return found
        inputs = {tensor.name: tensor for tensor in self.model.inputs}
        x = self._by_name(found.x, list(inputs), list(inputs), "input", "features")
        y = self._by_name(found.y, list(self.outputs), self.learned, "output", "target")
        # Keras 3.15.1 looks for labels where there is no loss too, and leaves them unused.
        unused = np.zeros((len(found), 1), dtype="float32")
        y = {name: y.get(name, unused) for name in self.outputs}
        for name, values in x.items():
            self._check_shape(inputs[name], values)
        return Samples(x=_single(x), y=_single(y))

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
        taken = f"The model takes samples of shape {list(takes)}"
        if None not in takes and np.prod(takes) == np.prod(got):
            advice = f"Begin it with Input: {{shape: {list(got)}}} and Reshape."
        else:
            advice = f"Write Input: {{shape: {list(got)}}}, or choose other features."
        self._fault(
            f"{taken}, and the data are of shape {list(got)}. {advice}", self._at("features")
        )

    def check_values(self, found: Dataset) -> None:
        """Find targets, and predictions of the untrained model, that don't fit the loss."""
        sample = found.train.rows(slice(_PREDICTED))
        predicted = self.model.predict(sample.x, batch_size=_PREDICTED, verbose=0)
        y_true = _whole(found.train.y, found.validation.y)
        rows = len(found.train) + len(found.validation)

        def repeated(values: Any) -> Any:
            return np.resize(values, (rows, *values.shape[1:]))

        # Every label has to fit, and what the model predicts shows in a sample.
        y_pred = keras.tree.map_structure(repeated, predicted)
        for loss, output in _compiled.compiled_outputs(self.model, y_true, y_pred):
            told = set()
            for finding in of_output(loss, terms_of(loss), output):
                # The terms of a sum may all miss the same.
                what = _NAME.sub("", finding.message)
                if what not in told:
                    told.add(what)
                    self._fault(f"{finding}{_as_classes(found.said, output)}", ("data", "target"))
        if not self.faults:
            self._check_metrics(sample, predicted)

    def _check_metrics(self, sample: Samples, predicted: Any) -> None:
        """Find metrics that the targets don't fit, which show when they are used."""
        metrics = self.said.compile.metrics
        by_output = metrics if isinstance(metrics, dict) else {self.outputs[0]: metrics}
        predictions = predicted
        # Keras flattens a mapping in the order of the alphabet.
        if not isinstance(predicted, Mapping):
            predictions = dict(zip(self.outputs, keras.tree.flatten(predicted), strict=True))
        for name, parts in by_output.items():
            y_true = sample.y[name] if isinstance(sample.y, dict) else sample.y
            for part in parts:
                metric = keras_parts.metric(part)
                said = f"Metric {part.name!r} can't be computed of the target and the predictions"
                # Keras chooses an accuracy that fits.
                if not isinstance(metric, str):
                    with collected(self.faults), refused_by_keras(said, part.path):
                        metric.update_state(y_true, predictions[name])

    def _at(self, key: str) -> KeyPath:
        return ("data", key) if getattr(self.said.data, key) is not None else ("data",)

    def _fault(self, message: str, path: KeyPath, *, at_key: bool = False) -> None:
        self.faults.append(Fault(message=message, path=path, at_key=at_key))


def _as_classes(said: Data, output: Any) -> str:
    """Return advice for labels that are numbers of classes, but not from 0 on."""
    labels = output.y_true
    if said.classes is not None or isinstance(said.target, dict) or labels.dtype.kind != "i":
        return ""
    classes, count = np.unique(labels), output.y_pred.shape[-1]
    if labels.size != len(labels) or not 1 < len(classes) <= count or classes[-1] < count:
        return ""
    return f" Or list them in the config: classes: {classes.tolist()}."


def _single(arrays: dict[str, Any]) -> Any:
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def _whole(first: Any, second: Any) -> Any:
    if isinstance(first, dict):
        return {name: np.concatenate([first[name], second[name]]) for name in first}
    return np.concatenate([first, second])


def _load(config: Experiment, model: Any, weights: Path) -> None:
    said = f"It can't take the weights of {str(weights)!r}"
    try:
        with refused_by_keras(said, ("model",)), warnings.catch_warnings():
            # The optimizer that the file holds is of no use here.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            model.load_weights(weights)
    except ConfigError as error:
        why, faults = str(error.__cause__), list(error.faults)
        shapes = _SHAPES.search(why)
        if shapes or "could not be loaded" in why:
            what = "its layers have other weights there"
            if shapes:
                what = f"a weight of shape {shapes['here']} has shape {shapes['there']} there"
            message = f"{said}: {what}. Give the file of a model that this config trained."
            faults = [Fault(message=message, path=("model",))]
        raise config.error(faults) from error


def _adapt(model: Any, samples: Samples) -> None:
    """Adapt each Normalization layer that was given no mean, the first ones first."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.input_mean is None:
            before = keras.Model(model.inputs, layer.input)
            values = before.predict(samples.x, verbose=0)
            layer.adapt(np.asarray(values))
