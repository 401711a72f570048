"""The model that carries what a loss can't: memory, several label tensors, other inputs.

`lossreg.compile` makes one where a loss declares any of these. This module imports Keras.
"""

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ..config import bind_in, to_config
from ..errors import ConfigError, DataError
from ..loss import (
    Bound,
    BoundLoss,
    BoundOutputs,
    BoundSum,
    Needs,
    State,
    align,
    check_labels,
    checked,
    make,
)
from ..registry import installed
from .forms import get_loss
from .loss import RegisteredLoss


class Remembering(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """One term of a loss, with its memory as weights.

    Args:
        bound: The loss, or a plain one, which has no memory.
        weight: What its value is multiplied by.
        y_pred: The shape of the predictions.
    """

    def __init__(self, bound: BoundLoss, weight: float, y_pred: tuple[Any, ...]) -> None:
        super().__init__(name=bound.name, dtype="float32")
        self.bound = bound
        self.weight = weight
        self.loss = RegisteredLoss(bound.without_options(), **bound.options)
        losses = bound.params.get("losses", ())
        self.parts = [Remembering(each, 1.0, y_pred) for part in losses for each in part.losses()]
        self.states = {
            name: self.add_weight(
                name=name,
                shape=self._shape(state, y_pred),
                initializer=keras.initializers.Constant(state.initial),
                trainable=state.trainable,
                aggregation=_AGGREGATIONS[state.combine],
            )
            for name, state in bound.memory.states.items()
        }
        self.built = True

    def _shape(self, state: State, y_pred: tuple[Any, ...]) -> tuple[int, ...]:
        known = {
            "classes": y_pred[self.bound.class_axis],
            "dimensions": y_pred[-1],
            "terms": len(self.parts),
            **self.bound.params,
        }
        sizes = []
        for size in state.shape:
            value = known.get(size) if isinstance(size, str) else size
            if not isinstance(value, int):
                raise ConfigError(
                    f"Loss {self.bound.name!r}: its memory has the size {size!r}, which is neither "
                    "a parameter nor known from the model's output. Give the output a fixed shape."
                )
            sizes.append(value)
        return tuple(sizes)

    def value(self, given: "Given", y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the reduced value of the loss, and remember what it returns."""
        memory = self.bound.memory
        if not memory:
            return self.loss(main_label(y_true, given.field), y_pred, sample_weight)
        inputs = {
            name: self.states[name] if isinstance(each, State) else self._input(each, given)
            for name, each in memory.inputs.items()
        }
        remembered: list[Any] = []

        def values(labels: Any, predictions: Any) -> Any:
            made = functools.partial(self._result, inputs, remembered)
            if not memory.fields:
                return checked(self.bound, made)(labels, predictions)
            return made(self._fields(labels, predictions), predictions)

        total = self.loss.apply(values, self._labels(y_true, given), y_pred, sample_weight)
        if given.training:
            kept = [name for name, state in memory.states.items() if not state.trainable]
            for name, new in zip(kept, remembered, strict=True):
                self.states[name].assign(ops.stop_gradient(ops.cast(new, "float32")))
        return total

    def _result(self, inputs: Mapping[str, Any], remembered: list[Any], *arrays: Any) -> Any:
        """Return the values, and put the new memory into a list."""
        found = make(self.bound)(*arrays, **inputs)
        if all(state.trainable for state in self.bound.memory.states.values()):
            return found
        values, *new = found
        remembered.extend(new)
        return values

    def _labels(self, y_true: Any, given: "Given") -> Any:
        fields = self.bound.memory.fields
        if not fields:
            return main_label(y_true, given.field)
        missing = [name for name in fields if not isinstance(y_true, Mapping) or name not in y_true]
        if missing:
            got = ", ".join(y_true) if isinstance(y_true, Mapping) else "one tensor"
            raise DataError(
                f"Loss {self.bound.name!r} takes the labels {', '.join(fields)}, got {got}. Give a "
                f"mapping: fit(x, {{{', '.join(f'{name!r}: ...' for name in fields)}}})."
            )
        return {name: y_true[name] for name in fields}

    def _fields(self, labels: Mapping[str, Any], y_pred: Any) -> dict[str, Any]:
        """Return label tensors of which the main one fits the predictions."""
        main, *others = self.bound.memory.fields
        fitted, _ = align(self.bound, labels[main], y_pred)
        check_labels(self.bound, fitted, y_pred)
        return {main: fitted, **{name: labels[name] for name in others}}

    def _input(self, need: Needs, given: "Given") -> Any:
        if need.what == "terms":
            return [part.value(given, *given.arrays) for part in self.parts]
        return given.inputs[need.what]


_AGGREGATIONS = {"mean": "mean", "sum": "sum", "first": "only_first_replica"}


@dataclass(frozen=True, kw_only=True)
class Given:
    """What one step gives to the losses of an output.

    Args:
        training: Whether the step trains the model.
        inputs: The inputs that losses may need, by name.
        arrays: Labels, predictions and weights.
        field: The main one of several label tensors, which plain losses take.
    """

    training: bool
    inputs: Mapping[str, Any]
    arrays: tuple[Any, Any, Any]
    field: str | None


def main_label(y_true: Any, field: str | None) -> Any:
    """Return the main one of several label tensors, or the only one."""
    return y_true[field] if field is not None and isinstance(y_true, Mapping) else y_true


@keras.saving.register_keras_serializable(package="lossreg")
class RememberingModel(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A functional model whose losses may have memory, several label tensors and other inputs.

    `lossreg.compile` makes it of the inputs and outputs of a model, with the layers of that model.
    """

    # Saved models name the room, whatever files it has.
    __module__ = "lossreg.keras_loss"

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        teacher: Any = None,
        **options: Any,
    ) -> None:
        """Compile the model with any loss of lossreg, as `Model.compile` does with Keras' own."""
        bound = bind_in(installed(), loss, {})
        self.loss_terms = self._make_terms(bound)
        # As a string: Keras would wrap a mapping.
        self._loss_config = json.dumps(to_config(bound))
        self.teacher = teacher
        every = [term for terms in self.loss_terms.values() for term in terms]
        self._needs = set[str]().union(*map(_needs, every))
        self._with_hidden = self._hidden = None
        if self._needs & _OF_LAST_LAYER:
            inputs, outputs = _ends(self)
            self._with_hidden = keras.Model(inputs, [outputs, self._last_layer().input])
        self._loss_weights = _by_output(loss_weights, self.output_names, 1.0)
        # What `history` shows beside the loss: each term of a sum, and each trained weight.
        shown = _names(every) if len(every) > 1 else []
        self.term_metrics = [keras.metrics.Mean(name) for name in shown]
        self._trained = [
            (f"{name}_{index}" if len(state.shape) else name, state, index)
            for term in every
            for name, state in term.states.items()
            if state.trainable
            for index in range(math.prod(state.shape))
        ]
        self.weight_metrics = [keras.metrics.Mean(name) for name, _, _ in self._trained]
        super().compile(optimizer, metrics=metrics, weighted_metrics=weighted_metrics, **options)

    def _make_terms(self, bound: Bound) -> dict[str, list[Remembering]]:
        shapes = dict(zip(self.output_names, (t.shape for t in self.outputs), strict=True))
        if isinstance(bound, BoundOutputs):
            unknown = [name for name in bound if name not in shapes]
            if unknown:
                raise ConfigError(
                    f"The model has no output {unknown[0]!r}; its outputs are "
                    f"{', '.join(shapes)}. Name the losses after them."
                )
            each = {name: loss for name, loss in bound.items() if loss is not None}
        else:
            each = dict.fromkeys(self.output_names, bound)
        return {
            name: [
                Remembering(_with_options(term.loss, loss), term.weight, shapes[name])
                for term in loss.terms
            ]
            for name, loss in each.items()
        }

    def _main_field(self, output: str) -> str | None:
        """Return the first field that a loss of an output names, or None."""
        # A mapping of Keras' has no order: its trees sort the keys.
        fields = [term.bound.memory.fields for term in self.loss_terms.get(output, ())]
        return next((names[0] for names in fields if names), None)

    def _last_layer(self) -> Any:
        last = self.layers[-1]
        if len(self.outputs) > 1 or not isinstance(last, keras.layers.Dense):
            raise ConfigError(
                "The loss needs what the last layer got, and for that the model must end in one "
                f"Dense layer, got {type(last).__name__} and {len(self.outputs)} outputs."
            )
        return last

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the predictions, and keep what the last layer got for a loss that needs it."""
        # A model is called before it is compiled.
        both = getattr(self, "_with_hidden", None)
        if both is None:
            return super().call(inputs, training=training, mask=mask)
        y_pred, self._hidden = both(inputs, training=training)
        return y_pred

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of one batch, and remember what its terms return while training."""
        names = self.output_names
        labels = {names[0]: y} if len(names) == 1 else _by_output(y, names, None)
        predictions = _by_output(y_pred, names, None)
        weights = _by_output(sample_weight, names, None)
        inputs = self._find_inputs(x)
        total, values = ops.zeros(()), []
        for name, terms in self.loss_terms.items():
            arrays = (labels[name], predictions[name], weights[name])
            field = self._main_field(name)
            given = Given(training=training, inputs=inputs, arrays=arrays, field=field)
            for term in terms:
                values.append(term.weight * term.value(given, *arrays))
                total = total + self._loss_weights[name] * values[-1]
        for metric, value in zip(self.term_metrics, values, strict=False):
            metric.update_state(value)
        for metric, (_, state, index) in zip(self.weight_metrics, self._trained, strict=True):
            metric.update_state(ops.reshape(state, (-1,))[index])
        for loss in self.losses:
            # The public compute_loss adds these too, and raises where there is no loss of Keras'.
            total = total + self._aggregate_additional_loss(loss)
        return total

    def _find_inputs(self, x: Any) -> dict[str, Any]:
        """Return what losses may need, by name."""
        found: dict[str, Any] = {"x": x}
        if self._needs & _OF_LAST_LAYER:
            last = self._last_layer()
            found.update(hidden=self._hidden, kernel=last.kernel, bias=last.bias)
        if "teacher" in self._needs:
            if self.teacher is None:
                raise ConfigError(
                    "A loss needs a teacher. Give the model: lossreg.compile(..., teacher=model)."
                )
            found["teacher"] = ops.stop_gradient(self.teacher(x, training=False))
        return found

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the metrics, which take the main label."""
        if len(self.outputs) == 1:
            y = main_label(y, self._main_field(self.output_names[0]))
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_compile_config(self) -> dict[str, Any]:
        """Return what `compile_from_config` takes."""
        if not self.compiled:
            return {}
        teacher = self.teacher and keras.saving.serialize_keras_object(self.teacher)
        config: dict[str, Any] = super().get_compile_config()
        return {
            **config,
            "loss": json.loads(self._loss_config),
            "loss_weights": self._loss_weights,
            "teacher": teacher,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile the model as it was when it was saved."""
        loss = config["loss"]
        others = {key: value for key, value in config.items() if key != "loss"}
        self.compile(loss=loss, **keras.saving.deserialize_keras_object(others))
        if self.built:
            self.optimizer.build(self.trainable_variables)


_OF_LAST_LAYER = {"hidden", "kernel", "bias"}


def compile(  # noqa: A001 - the name of Keras' own method
    model: Any, optimizer: Any = "rmsprop", loss: Any = None, *, teacher: Any = None, **options: Any
) -> Any:
    """Compile a model with any loss of lossreg, and return the model to train.

    It takes what `Model.compile` takes. Where no loss declares memory, several label tensors or
    other inputs, the model itself is compiled and returned. Otherwise the result is another model
    with the same layers and weights, which carries the memory: train, save and load that one.

    >>> model = lossreg.compile(model, "adam", loss="ghm_c(bins=10) + mse")
    >>> history = model.fit(x, y, verbose=0)

    Args:
        model: A functional or sequential model with fixed inputs.
        optimizer: As `Model.compile` takes it.
        loss: As `get_loss` takes it, or a mapping of outputs to such losses.
        teacher: The model whose predictions a loss of distillation takes.
        options: Everything else that `Model.compile` takes.

    Raises:
        ConfigError: One output has several losses, or the model has no fixed inputs and a loss
            needs another one.
        LossregError: As `get_loss` raises it.
    """
    names = getattr(model, "output_names", None) or [""]
    if isinstance(loss, list | tuple):
        if len(names) == 1 and len(loss) > 1:
            both = " + ".join(each if isinstance(each, str) else str(each) for each in loss)
            raise ConfigError(
                f"One output has one loss, got {len(loss)}: Keras would train on the first of them "
                f"alone. Give the sum: loss={both!r}."
            )
        loss = dict(zip(names, loss, strict=False)) if len(names) > 1 else loss[0]
    by_output = loss if isinstance(loss, Mapping) and set(loss) <= set(names) else {"": loss}
    bound = {
        name: bind_in(installed(), each, {})
        for name, each in by_output.items()
        if each is not None and not isinstance(each, keras.losses.Loss)
    }
    if not any(part.memory for each in bound.values() for part in each.losses()):
        made = {name: get_loss(each) for name, each in by_output.items()}
        model.compile(optimizer, loss=made.get("", made), **options)
        return model
    if not isinstance(model, RememberingModel):
        if not getattr(model, "inputs", None):
            raise ConfigError(
                "The loss has memory or takes other inputs, and the model has no fixed inputs that "
                "it could be carried with. Build it of layers with keras.Input, as a functional or "
                "sequential model."
            )
        model = RememberingModel(*_ends(model), name=model.name)
    configs = {name: to_config(each) for name, each in bound.items()}
    whole = configs.get("", {"outputs": configs})
    model.compile(optimizer, loss=whole, teacher=teacher, **options)
    return model


def _ends(model: Any) -> tuple[Any, Any]:
    """Return the inputs and outputs of a model, in their structure."""
    if isinstance(model, keras.Sequential):
        # It has no `input` before it is called.
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def _with_options(term: BoundLoss, loss: BoundLoss | BoundSum) -> BoundLoss:
    options = {name: value for name, value in loss.options.items() if name != "name"}
    return term.with_options(options)


def _needs(term: Remembering) -> set[str]:
    return term.bound.memory.needs.union(*(_needs(part) for part in term.parts))


def _by_output(values: Any, names: Sequence[str], default: Any) -> dict[str, Any]:
    """Return a value for each output, from a mapping, a list or a single one."""
    if isinstance(values, Mapping):
        return {name: values.get(name, default) for name in names}
    if isinstance(values, list | tuple):
        return dict(zip(names, values, strict=True))
    return dict.fromkeys(names, default if values is None else values)


def _names(terms: Sequence[Remembering]) -> list[str]:
    """Return a different name for each term."""
    found: list[str] = []
    for term in terms:
        count = sum(name.split(" (")[0] == term.bound.label for name in found)
        found.append(f"{term.bound.label} ({count + 1})" if count else term.bound.label)
    return found
