"""One term of a loss with its memory, as a layer; and the count of steps and epochs.

This module imports Keras. It knows no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ..errors import ConfigError, DataError, LossregError, SpecError, error_line
from ..loss import Needs, Schedule, State, WeightedLoss, align, checked, make
from ..numerics import leave_out
from .loss import RegisteredLoss, number_of_replicas

# A sum of values would add the old value once for each replica.
_AGGREGATIONS = {"mean": "mean", "sum": "mean", "first": "only_first_replica"}


class Clock(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """How many steps and epochs of training a model has behind it."""

    def __init__(self) -> None:
        super().__init__(name="clock")
        self.steps, self.epochs = (
            self.add_weight(
                name=name,
                shape=(),
                dtype="int32",
                initializer="zeros",
                trainable=False,
                aggregation="only_first_replica",
            )
            for name in ("steps", "epochs")
        )
        self.built = True


@dataclass(frozen=True, kw_only=True)
class Given:
    """What one step gives to the losses of an output.

    Args:
        training: Whether the step trains the model.
        inputs: The inputs that losses may need, by name.
        arrays: Labels, predictions and weights.
        main: The main one of several label tensors, which plain losses take.
    """

    training: bool
    inputs: Mapping[str, Any]
    arrays: tuple[Any, Any, Any]
    main: str | None


class Remembering(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """One term of a loss, with its memory as weights.

    Args:
        term: The loss, which may be a plain one, without memory.
        y_pred: The shape of the predictions.
    """

    def __init__(self, term: WeightedLoss, y_pred: tuple[Any, ...]) -> None:
        bound = term.loss
        super().__init__(name=bound.name, dtype="float32")
        self.term = term
        self.bound = bound
        self.memory = bound.memory
        self.loss = RegisteredLoss(bound.without_options(), **bound.options)
        losses = bound.params[self.memory.of_losses] if self.memory.of_losses else ()
        # A loss in the list may be a sum, whose terms are one term here.
        self.parts = [[Remembering(each, y_pred) for each in part.terms] for part in losses]
        self.states = {
            name: self.add_weight(
                name=name,
                shape=self._shape(state, y_pred),
                initializer=keras.initializers.Constant(state.initial),
                trainable=state.trainable,
                aggregation=_AGGREGATIONS[state.combine],
            )
            for name, state in self.memory.states.items()
        }
        self.built = True

    def every(self) -> list["Remembering"]:
        """Return the term and the terms in it."""
        # Not a property: Keras looks for layers in these, without end.
        return [self, *(each for part in self.parts for term in part for each in term.every())]

    @property
    def needs(self) -> set[str]:
        """The other inputs that the term needs."""
        weight = self.term.weight
        own = {weight.unit} if isinstance(weight, Schedule) else set[str]()
        return own.union(self.memory.needs, *(each.needs for each in self.every()[1:]))

    @property
    def is_blind(self) -> bool:
        """Whether the term takes no predictions."""
        inner = all(each.is_blind for part in self.parts for each in part)
        return self.memory.takes_hidden or bool(self.parts and inner)

    def _shape(self, state: State, y_pred: tuple[Any, ...]) -> tuple[int, ...]:
        known = {
            "classes": y_pred[self.bound.class_axis],
            "dimensions": y_pred[-1],
            "terms": len(self.parts),
            **self.bound.params,
        }
        try:
            return state.sizes(known)
        except SpecError as error:
            raise ConfigError(f"Loss {self.bound.name!r}: {error}") from None

    def weighted_value(self, given: Given) -> Any:
        """Return the reduced value of the loss times its weight, and remember."""
        weight = self.term.weight
        factor = weight.at(given.inputs[weight.unit]) if isinstance(weight, Schedule) else weight
        value = self._value(given)
        return value if isinstance(factor, float) and factor == 1 else factor * value

    def _value(self, given: Given) -> Any:
        y_true, y_pred, sample_weight = given.arrays
        y_true, memory = self._labels(y_true, given), self.memory
        if not memory:
            return self.loss(y_true, y_pred, sample_weight)
        if memory.takes_hidden:
            y_pred = given.inputs["hidden"]
        inputs = {
            # As a tensor: JAX takes no variable of Keras' everywhere.
            name: ops.convert_to_tensor(self.states[name])
            if isinstance(each, State)
            else self._input(each, given)
            for name, each in memory.inputs.items()
        }
        if not memory.reduces:
            remembered: list[Any] = []

            def call(labels: Any, predictions: Any) -> Any:
                values, new = self._call(labels, predictions, inputs, given)
                remembered.extend(new)
                return values

            total = self.loss.apply(call, y_true, y_pred, sample_weight)
        else:
            y_true = keras.tree.map_structure(ops.convert_to_tensor, y_true)
            for name, need in memory.inputs.items():
                if isinstance(need, Needs) and need.what == "weights":
                    y_true, y_pred = align(self.bound, y_true, y_pred)
                    inputs[name] = self._shares(y_true, y_pred, sample_weight)
            total, remembered = self._call(y_true, y_pred, inputs, given)
            if memory.of_losses:
                # The values of replicas are added.
                total = total / number_of_replicas()
        if given.training:
            # An empty batch changes nothing.
            for name, new in zip(memory.kept, remembered, strict=bool(remembered)):
                state, value = self.states[name], ops.stop_gradient(ops.cast(new, "float32"))
                replicas = number_of_replicas()
                if replicas > 1 and memory.states[name].combine == "sum":
                    value = state + replicas * (value - state)
                state.assign(value)
        return total

    def _call(
        self, y_true: Any, y_pred: Any, inputs: Mapping[str, Any], given: Given
    ) -> tuple[Any, list[Any]]:
        """Return the values, and the new memory."""
        fields, new = self.memory.fields, list[Any]()
        others = {name: y_true[name] for name in fields[1:]}
        changing = {name: s.at(given.inputs[s.unit]) for name, s in self.memory.schedules.items()}

        def made(main: Any, predictions: Any) -> Any:
            labels = {fields[0]: main, **others} if fields else main
            try:
                found = make(self.bound)(labels, predictions, **inputs, **changing)
            except (KeyboardInterrupt, LossregError):
                raise
            except Exception as error:
                if not changing:
                    raise
                raise ConfigError(
                    f"Loss {self.bound.name!r}: {', '.join(changing)} can't change during "
                    f"training, since its code takes plain numbers ({error_line(error)}). Give a "
                    "number."
                ) from error
            if not self.memory.kept:
                return found
            values, *rest = found
            new.extend(rest)
            return values

        function = made if self.memory.reduces else checked(self.bound, made)
        return function(y_true[fields[0]] if fields else y_true, y_pred), new

    def _shares(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return how much each position counts in the reduced loss."""
        places = ops.ones(ops.shape(y_pred)[:-1], "float32")
        ignored = self.bound.params.get(self.bound.spec.ignore_class or "")
        if ignored is not None:
            leave_out(places, ops.not_equal(y_true, ignored))
        return self.loss.shares(places, y_pred, sample_weight)

    def _labels(self, y_true: Any, given: Given) -> Any:
        fields = self.memory.fields
        if not fields:
            return self._single_label(y_true, given.main)
        missing = [name for name in fields if not isinstance(y_true, Mapping) or name not in y_true]
        if missing:
            got = ", ".join(y_true) if isinstance(y_true, Mapping) else "one tensor"
            raise DataError(
                f"Loss {self.bound.name!r} takes the labels {', '.join(fields)}, got {got}. Give a "
                f"mapping: fit(x, {{{', '.join(f'{name!r}: ...' for name in fields)}}})."
            )
        return {name: y_true[name] for name in fields}

    def _single_label(self, y_true: Any, main: str | None) -> Any:
        """Return the label tensor of a term that takes one."""
        field = self.term.label_field or main
        if not isinstance(y_true, Mapping) or self.parts:
            if self.term.field is None:
                return y_true
            raise DataError(
                f"The term {self.term.label!r} takes the label {field!r}, got one tensor. Give a "
                f"mapping: fit(x, {{{field!r}: ...}})."
            )
        if field is None:
            raise DataError(
                f"The labels are {', '.join(y_true)}, and nothing says which of them the term "
                f"{self.term.label!r} takes. Give the term its label: {{'name': "
                f"{self.bound.name!r}, 'field': {next(iter(y_true), '...')!r}}}."
            )
        if field not in y_true:
            raise DataError(
                f"The term {self.term.label!r} takes the label {field!r}, got "
                f"{', '.join(y_true)}. Give a mapping that has it."
            )
        return y_true[field]

    def _input(self, need: Needs, given: Given) -> Any:
        if need.what == "terms":
            parts = [[term.weighted_value(given) for term in part] for part in self.parts]
            return [sum(part[1:], part[0]) * float(number_of_replicas()) for part in parts]
        return given.inputs.get(need.what)
