"""The losses of one batch: those of the outputs, and those that layers add in a call.

This module imports Keras, and holds the private names of Keras' losses.
"""

import contextlib
import inspect
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import keras
from keras import ops

from ..errors import LossregError, ParameterError, ShapeError, keras_reason
from ..keras_loss import RegisteredLoss
from .penalties import Layers, write_call
from .terms import Source

Values = dict[Source, Any]


class AddedLosses(keras.StatelessScope):  # type: ignore[misc]  # Keras has no types
    """A scope that collects the losses of layers, and in which no variable changes."""

    def __init__(self, model: Any, weights: list[Any], layers: Layers) -> None:
        known = zip(model.variables, weights, strict=True) if weights else []
        super().__init__(state_mapping=list(known), collect_losses=True)
        self._layers = layers
        self._added: list[tuple[Source, Any]] = []

    def add_loss(self, loss: Any) -> None:
        """Keep a loss, with the layer that adds it and whether it is an activity penalty."""
        super().add_loss(loss)
        # Keras 3.12 to 3.15.1 pass neither. Layer.add_loss calls this method, for an activity
        # penalty from Layer.__call__, for other losses from a layer's `call`.
        here = inspect.currentframe()
        frame = here and here.f_back
        assert frame is not None, "a method of a layer calls this"
        layer = frame.f_locals["self"]
        # The layer may wrap Keras' add_loss in its own.
        while frame.f_code.co_name == "add_loss" and frame.f_back is not None:
            frame = frame.f_back
        path, penalty = self._layers.path(layer), layer.activity_regularizer
        called = frame.f_code.co_name == "__call__" and frame.f_locals.get("self") is layer
        if called and penalty is not None:
            name = f"{path}/activity: {write_call(penalty)}"
            source = Source(name=name, kind="activity penalty", layer=path)
        else:
            source = Source(name=f"{path}: add_loss", kind="added penalty", layer=path)
        self._added.append((source, loss))

    def values(self) -> Values:
        """Return the sum of the losses of each layer, over all its calls."""
        # On JAX Keras forgets all but the last call of a layer that the model calls twice.
        counted = set(map(id, self.losses))
        values: Values = {}
        for source, loss in self._added:
            if id(loss) in counted:
                # Keras sums the value of a regularizer or a layer.
                value = to_float(ops.sum(loss))
                values[source] = values[source] + value if source in values else value
        return values


def predict(model: Any, x: Any) -> Any:
    """Return a model's predictions in inference mode, as `evaluate` gets them.

    Raises:
        ShapeError: The inputs don't fit.
    """
    with _raise_shape_errors("The model can't take x"):
        if keras.backend.backend() != "jax":
            return model(x, training=False)
        # On JAX Keras 3.12 to 3.15.1 train and evaluate by `call`, which leaves out the activity
        # penalty of the model itself.
        takes_training = "training" in inspect.signature(model.call).parameters
        return model.call(x, training=False) if takes_training else model.call(x)


class OutputLosses:
    """The losses of a model's outputs, each with its value."""

    def __init__(self, compiled: Any) -> None:
        # Keras' object finds the loss of each output at its first call. A copy does so too, and
        # doesn't change the model's own object and its metrics.
        self._losses = type(compiled)(
            compiled._user_loss, compiled._user_loss_weights, output_names=compiled.output_names
        )
        self._recorders: list[_Recorder] = []

    def values(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Values:
        """Return the value of each loss, with its weight.

        Raises:
            LossregError: The labels don't fit.
        """
        del x
        _check_labels(y)
        with _raise_shape_errors("The loss can't be computed from y and the predictions"):
            if not self._recorders:
                # In this call Keras assigns the losses to the outputs.
                self._losses(y, y_pred, sample_weight)
                self._record(y_pred)
            self._losses(y, y_pred, sample_weight)
        values: Values = {}
        for recorder in self._recorders:
            values.update(recorder.values)
            # The tensors of a graph are useless outside the graph.
            recorder.values = {}
        return values

    def _record(self, y_pred: Any) -> None:
        """Replace each of Keras' losses by one that keeps its value."""
        single = not keras.tree.is_nested(y_pred)
        replaced = []
        for found in self._losses._flat_losses:
            output = None
            if not single:
                # If the model doesn't name its outputs, `name` is the name of the loss.
                named = self._losses.output_names or not found.path
                output = found.name if named else "/".join(map(str, found.path))
            self._recorders.append(_Recorder(found.loss, found.loss_weights, output))
            replaced.append(found._replace(loss=self._recorders[-1]))
        self._losses._flat_losses = replaced
        if single:
            # Keras 3.12 to 3.15.1 count only the first of several losses for one output.
            del self._recorders[1:]


class RememberedLosses:
    """The losses of a model that `lossreg.compile` returned, each term with its value."""

    def __init__(self, model: Any) -> None:
        self._model: Callable[[], Any] = weakref.ref(model)

    def values(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Values:
        """Return the value of each term, with its weights.

        Raises:
            LossregError: The labels don't fit.
        """
        _check_labels(y)
        model, values = self._model(), dict[Source, Any]()
        with _raise_shape_errors("The loss can't be computed from y and the predictions"):
            terms = model.term_values(x, y, y_pred, sample_weight, training=False)
        for term in terms:
            weight = "" if term.loss_weight == 1 else f"{term.loss_weight:g} * "
            output = term.output if len(model.output_names) > 1 else None
            name = f"{weight}{term.label}" if output is None else f"{output}: {weight}{term.label}"
            source = Source(name=name, kind="loss", output=output)
            value = term.loss_weight * ops.mean(to_float(term.value))
            values[source] = values[source] + value if source in values else value
        return values


def _check_labels(y: Any) -> None:
    if y is None:
        raise ParameterError(
            "The model is compiled with a loss, which needs labels. Give y, or a data set of "
            "pairs (x, y)."
        )


class _Recorder:
    """A loss that keeps the value of its last call, term by term."""

    def __init__(self, loss: Any, weight: float | None, output: str | None) -> None:
        self._loss = loss
        self._weight = weight
        self._output = output
        self.values: Values = {}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss as Keras adds it."""
        # The `terms` of a user's own loss may be something else.
        if isinstance(self._loss, RegisteredLoss):
            terms = self._loss.terms(y_true, y_pred, sample_weight)
        else:
            terms = {self._loss.name: self._loss(y_true, y_pred, sample_weight)}
        # Keras averages an unreduced loss when it adds the losses up.
        weight = 1.0 if self._weight is None else self._weight
        self.values = {
            self._source(name): weight * ops.mean(to_float(value)) for name, value in terms.items()
        }
        return sum(terms.values())

    def _source(self, term: str) -> Source:
        name = term if self._weight is None else f"{self._weight:g} * {term}"
        name = name if self._output is None else f"{self._output}: {name}"
        return Source(name=name, kind="loss", output=self._output)


def to_float(value: Any) -> Any:
    """Return a number or tensor as a tensor of float32, or of float64 if that is Keras' default."""
    dtype = "float64" if keras.config.floatx() == "float64" else "float32"
    return ops.cast(ops.convert_to_tensor(value), dtype)


@contextlib.contextmanager
def _raise_shape_errors(message: str) -> Iterator[None]:
    """Raise a `ShapeError` in place of any error of Keras or the backend."""
    try:
        yield
    except LossregError:
        raise
    # For data that don't fit, TensorFlow, JAX and PyTorch raise classes of their own, and a layer
    # or a loss of the user's own may raise anything.
    except Exception as error:
        raise ShapeError(f"{message}: {keras_reason(error)}") from error
