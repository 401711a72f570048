"""The model that carries what a loss can't: memory, several label tensors, other inputs.

`lossreg.compile` makes one where a loss declares any of these. This module imports Keras.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import ops

from ..config import bind_in, to_config
from ..errors import ConfigError
from ..loss import Bound, BoundLoss, BoundOutputs, BoundSum, WeightedLoss, main_field
from ..registry import installed
from .forms import get_loss
from .last_layer import ends, find_last_layer
from .remembering import Clock, Given, Remembering


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
        # The loss of each output, and whether training computes no predictions.
        self.bound_losses = self._by_output(bound)
        self.is_blind = False
        self.loss_terms = self._make_terms()
        # As a string: Keras would wrap a mapping.
        self._loss_config = json.dumps(to_config(bound))
        self.teacher = teacher
        if teacher is not None:
            # Decay of weights would change it, even where it has no gradient.
            teacher.trainable = False
        # Keras 3.12 saves no lists in a mapping. This name comes before `loss_terms`, so that all
        # versions save it.
        self.all_terms = [term for terms in self.loss_terms.values() for term in terms]
        self._needs = set[str]().union(*(term.needs for term in self.all_terms))
        self.clock = Clock() if self._needs & {"steps", "epochs"} else None
        for layer in [*self.all_terms, *([self.clock] if self.clock else [])]:
            # Keras 3.12 sees no layers that a functional model gets after it is built.
            if all(layer is not other for other in self._layers):
                self._layers.append(layer)
        self._last = self._hidden = None
        if self._needs & {"hidden", "kernel", "bias"}:
            inputs, outputs = ends(self)
            self._last = find_last_layer(self)
            self._before_last = keras.Model(inputs, self._last.input)
            self._with_hidden = keras.Model(inputs, [outputs, self._last.input])
            self.is_blind = not metrics and not weighted_metrics
            self.is_blind &= all(term.is_blind for term in self.all_terms)
        self._loss_weights = _by_output(loss_weights, self.output_names, 1.0)
        # What `history` shows beside the loss: each term of a sum, and each trained weight.
        shown = _names(self.all_terms) if len(self.all_terms) > 1 else []
        self.term_metrics = [keras.metrics.Mean(name) for name in shown]
        self._trained = [
            (f"{name}_{index}" if len(state.shape) else name, state, index)
            for term in self.all_terms
            for inner in term.every()
            for name, state in inner.states.items()
            if state.trainable
            for index in range(math.prod(state.shape))
        ]
        self.weight_metrics = [keras.metrics.Mean(name) for name, _, _ in self._trained]
        super().compile(optimizer, metrics=metrics, weighted_metrics=weighted_metrics, **options)

    def _by_output(self, bound: Bound) -> dict[str, BoundLoss | BoundSum]:
        if not isinstance(bound, BoundOutputs):
            return dict.fromkeys(self.output_names, bound)
        unknown = [name for name in bound if name not in self.output_names]
        if unknown:
            raise ConfigError(
                f"The model has no output {unknown[0]!r}; its outputs are "
                f"{', '.join(self.output_names)}. Name the losses after them."
            )
        return {name: loss for name, loss in bound.items() if loss is not None}

    def _make_terms(self) -> dict[str, list[Remembering]]:
        shapes = dict(zip(self.output_names, (t.shape for t in self.outputs), strict=True))
        return {
            name: [Remembering(_with_options(term, loss), shapes[name]) for term in loss.terms]
            for name, loss in self.bound_losses.items()
        }

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        *args: Any,
        **options: Any,
    ) -> Any:
        """Train the model as `Model.fit` does, and count the epochs."""
        if self.clock is not None:
            counting = keras.callbacks.LambdaCallback(on_epoch_end=self._count_epoch)
            # Before the callbacks that save the model.
            if isinstance(callbacks, keras.callbacks.CallbackList):
                callbacks.callbacks.insert(0, counting)
            else:
                others = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
                callbacks = [counting, *others] if callbacks else [counting]
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, *args, **options)

    def _count_epoch(self, epoch: int, logs: Any) -> None:
        del epoch, logs
        clock: Any = self.clock
        clock.epochs.assign(clock.epochs + 1)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the predictions, and keep what the last layer got for a loss that needs it."""
        # A model is called before it is compiled.
        last = getattr(self, "_last", None)
        if last is None:
            return super().call(inputs, training=training, mask=mask)
        if training and self.is_blind:
            # What nothing looks at isn't computed: logits of a vocabulary take gigabytes.
            self._hidden = self._before_last(inputs, training=training)
            return self._hidden
        y_pred, self._hidden = self._with_hidden(inputs, training=training)
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
        values = self.term_values(x, y, y_pred, sample_weight, training=training)
        total = ops.zeros(())
        for value in values:
            total = total + self._loss_weights[value.output] * value.value
        for metric, value in zip(self.term_metrics, values, strict=False):
            metric.update_state(value.value)
        for metric, (_, state, index) in zip(self.weight_metrics, self._trained, strict=True):
            metric.update_state(ops.reshape(state, (-1,))[index])
        for loss in self.losses:
            # The public compute_loss adds these too, and raises where there is no loss of Keras'.
            total = total + self._aggregate_additional_loss(loss)
        if training and self.clock is not None:
            self.clock.steps.assign(self.clock.steps + 1)
        return total

    def term_values(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, *, training: bool
    ) -> "list[TermValue]":
        """Return each term of the loss of one batch, with its weight in its sum."""
        names = self.output_names
        labels = {names[0]: y} if len(names) == 1 else _by_output(y, names, None)
        predictions = _by_output(y_pred, names, None)
        weights = _by_output(sample_weight, names, None)
        inputs, found = self._find_inputs(x), []
        for name, terms in self.loss_terms.items():
            given = Given(
                training=training,
                inputs=inputs,
                arrays=(labels[name], predictions[name], weights[name]),
                main=main_field([each.term for each in terms], labels[name]),
            )
            found += [
                TermValue(
                    output=name,
                    loss_weight=self._loss_weights[name],
                    label=term.term.label,
                    value=term.weighted_value(given),
                )
                for term in terms
            ]
        return found

    def _find_inputs(self, x: Any) -> dict[str, Any]:
        """Return what losses may need, by name."""
        found: dict[str, Any] = {"x": x}
        if self.clock is not None:
            found.update(
                steps=ops.convert_to_tensor(self.clock.steps),
                epochs=ops.convert_to_tensor(self.clock.epochs),
            )
        if self._last is not None:
            bias = self._last.bias
            found.update(
                hidden=self._hidden,
                kernel=ops.convert_to_tensor(self._last.kernel),
                bias=None if bias is None else ops.convert_to_tensor(bias),
            )
        if "teacher" in self._needs:
            if self.teacher is None:
                raise ConfigError(
                    "A loss needs a teacher. Give the model: lossreg.compile(..., teacher=model)."
                )
            found["teacher"] = ops.stop_gradient(self.teacher(x, training=False))
        return found

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the metrics, which take the main label."""
        if len(self.outputs) == 1 and isinstance(y, Mapping):
            terms = self.loss_terms.get(self.output_names[0], ())
            main = main_field([each.term for each in terms], y)
            y = y if main is None else y[main]
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


@dataclass(frozen=True, kw_only=True)
class TermValue:
    """The value of one term in one batch.

    Args:
        output: The name of the output.
        loss_weight: What the loss of the output is multiplied by.
        label: The term.
        value: Its value, with its weight in its sum.
    """

    output: str
    loss_weight: float
    label: str
    value: Any


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
    if isinstance(loss, list | tuple) and len(names) == 1 and any(map(_is_term, loss)):
        # Keras has no such list, so that it can only be meant as a sum.
        loss = {"sum": list(loss)}
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
    if all(each.is_plain for each in bound.values()):
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
        model = RememberingModel(*ends(model), name=model.name)
    whole = bound[""] if "" in bound else BoundOutputs(bound)  # type: ignore[arg-type]  # one each
    model.compile(optimizer, loss=whole, teacher=teacher, **options)
    return model


def _is_term(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "name" in entry


def _with_options(term: WeightedLoss, loss: BoundLoss | BoundSum) -> WeightedLoss:
    options = {name: value for name, value in loss.options.items() if name != "name"}
    return replace(term, loss=term.loss.with_options(options))


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
