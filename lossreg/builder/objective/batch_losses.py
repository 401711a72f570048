"""The losses of one batch: of each output, and what layers add while they are called.

It imports Keras.
"""

import contextlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ...errors import LossregError, ParameterError, ShapeError
from ...keras_loss import RegisteredLoss
from ...keras_sum import RegisteredSum
from ..keras_errors import reason
from .penalties import Layers, described
from .terms import Source

Values = dict[Source, Any]


@dataclass(frozen=True, kw_only=True)
class _AddedLoss:
    """A loss that a layer added while it was called."""

    layer: Any
    is_activity: bool
    value: Any

    def source(self, layers: Layers) -> Source:
        """Return what the loss is of."""
        path = layers.path(self.layer)
        if self.is_activity:
            said = described(self.layer.activity_regularizer)
            return Source(name=f"{path}/activity: {said}", kind="activity penalty", layer=path)
        return Source(name=f"{path}: add_loss", kind="added penalty", layer=path)


class AddedLosses(keras.StatelessScope):  # type: ignore[misc]  # Keras has no types
    """Keeps what layers add, and every variable from being changed."""

    def __init__(self, model: Any, weights: list[Any]) -> None:
        known = zip(model.variables, weights, strict=True) if weights else []
        super().__init__(state_mapping=list(known), collect_losses=True)
        self._added: list[_AddedLoss] = []

    def add_loss(self, loss: Any) -> None:
        """Keep a loss with the layer that adds it, and whether Keras adds it by itself."""
        super().add_loss(loss)
        # Keras 3.12 to 3.15.1 keep no word of either, and Layer.add_loss calls this method. An
        # activity penalty comes from Layer.__call__, other losses from within a layer's `call`.
        here = inspect.currentframe()
        frame = here and here.f_back
        assert frame is not None, "a method of a layer calls this"
        layer = frame.f_locals["self"]
        # The layer may have an add_loss of its own around Keras'.
        while frame.f_code.co_name == "add_loss" and frame.f_back is not None:
            frame = frame.f_back
        is_activity = (
            layer.activity_regularizer is not None
            and frame.f_code.co_name == "__call__"
            and frame.f_locals.get("self") is layer
        )
        self._added.append(_AddedLoss(layer=layer, is_activity=is_activity, value=loss))

    def values(self, layers: Layers) -> Values:
        """Return the value of what each layer adds, over all its calls."""
        # On JAX Keras forgets all but the last call of a layer that the model calls twice.
        counted = set(map(id, self.losses))
        values: Values = {}
        for added in self._added:
            if id(added.value) in counted:
                # Keras sums what a regularizer or a layer gives.
                value = as_float(ops.sum(added.value))
                source = added.source(layers)
                values[source] = values[source] + value if source in values else value
        return values


def predicted(model: Any, x: Any) -> Any:
    """Return what a model predicts in inference mode, as `evaluate` has it.

    Raises:
        ShapeError: The inputs don't fit.
    """
    with as_misfit("The model can't take x"):
        if keras.backend.backend() != "jax":
            return model(x, training=False)
        # There Keras 3.12 to 3.15.1 train and evaluate by `call`: that leaves out the activity
        # penalty of the model itself.
        takes_training = "training" in inspect.signature(model.call).parameters
        return model.call(x, training=False) if takes_training else model.call(x)


class OutputLosses:
    """The losses of a model's outputs, each with its value."""

    def __init__(self, compiled: Any) -> None:
        # What compile() made finds the loss of each output when it is first called. One like it
        # does the same and leaves the model's, with its metrics, alone.
        self._losses = type(compiled)(
            compiled._user_loss, compiled._user_loss_weights, output_names=compiled.output_names
        )
        self._recorders: list[_Recorder] = []

    def values(self, y: Any, y_pred: Any, sample_weight: Any) -> Values:
        """Return the value of each loss, with its weight.

        Raises:
            LossregError: The labels don't fit.
        """
        if y is None:
            raise ParameterError(
                "The model is compiled with a loss, which needs y: give labels, or a data set of "
                "pairs (x, y)."
            )
        with as_misfit("The loss can't be computed from y and what the model predicts"):
            if not self._recorders:
                # Keras finds out which output has which loss.
                self._losses(y, y_pred, sample_weight)
                self._record(y_pred)
            self._losses(y, y_pred, sample_weight)
        values: Values = {}
        for recorder in self._recorders:
            values.update(recorder.values)
            # A graph's tensors are of no use outside it.
            recorder.values = {}
        return values

    def _record(self, y_pred: Any) -> None:
        """Replace each of Keras' losses by one that keeps its value."""
        single = not keras.tree.is_nested(y_pred)
        replaced = []
        for found in self._losses._flat_losses:
            output = None
            if not single:
                # Where the model doesn't name its outputs, Keras has the loss's name there.
                named = self._losses.output_names or not found.path
                output = found.name if named else "/".join(map(str, found.path))
            self._recorders.append(_Recorder(found.loss, found.loss_weights, output))
            replaced.append(found._replace(loss=self._recorders[-1]))
        self._losses._flat_losses = replaced
        if single:
            # Of several losses for one output Keras 3.12 to 3.15.1 count the first.
            del self._recorders[1:]


class _Recorder:
    """A loss that keeps the value of its last call, term by term."""

    def __init__(self, loss: Any, weight: float | None, output: str | None) -> None:
        self._loss = loss
        self._weight = weight
        self._output = output
        self.values: Values = {}

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss as Keras adds it."""
        if isinstance(self._loss, RegisteredSum):
            terms = self._loss.terms(y_true, y_pred, sample_weight)
        else:
            # A loss of the user's own may have a `bound` that is something else.
            is_ours = isinstance(self._loss, RegisteredLoss)
            name = self._loss.bound.label if is_ours else self._loss.name
            terms = {name: self._loss(y_true, y_pred, sample_weight)}
        # An unreduced loss is averaged by whoever adds it up.
        weight = 1.0 if self._weight is None else self._weight
        self.values = {
            self._source(name): weight * ops.mean(as_float(value)) for name, value in terms.items()
        }
        return sum(terms.values())

    def _source(self, term: str) -> Source:
        weighted = term if self._weight is None else f"{self._weight:g} * {term}"
        said = weighted if self._output is None else f"{self._output}: {weighted}"
        return Source(name=said, kind="loss", output=self._output)


def as_float(value: Any) -> Any:
    """Return a number or tensor as a tensor that adds up well."""
    dtype = "float64" if keras.config.floatx() == "float64" else "float32"
    return ops.cast(ops.convert_to_tensor(value), dtype)


@contextlib.contextmanager
def as_misfit(said: str) -> Iterator[None]:
    """Raise what Keras and the backend raise as a `ShapeError`."""
    try:
        yield
    except LossregError:
        raise
    # Data that don't fit are noticed by their use: TensorFlow, JAX and PyTorch raise classes of
    # their own there, and a layer or a loss of the user's whatever it likes.
    except Exception as error:
        raise ShapeError(f"{said}: {reason(error)}") from error
