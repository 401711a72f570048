"""The terms that depend on the data: a pass over the batches, as `evaluate` makes one.

It imports Keras.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from ...errors import LossregError, ParameterError, ShapeError
from ...names import shown
from .batch_losses import AddedLosses, OutputLosses, Values, as_float, predicted
from .penalties import Layers
from .terms import Source, Term

# Whatever a later batch adds that the first didn't.
_UNLISTED = Source(name="what the first batch lacks", kind="other")


def batch_terms(model: Any, data: Any, batch_size: int | None, layers: Layers) -> list[Term]:
    """Return the mean of each loss, activity penalty and added penalty.

    Each batch counts by its number of samples, as in `evaluate`.

    Args:
        model: Compiled and built; it stays as it is.
        data: What `predict` takes, with `(x, y)` or `(x, y, sample_weight)` for its inputs.
        batch_size: None where the data come in batches.
        layers: Those of the model.

    Raises:
        LossregError: The data don't fit the model or its loss.
    """
    kept = _passes.get(model)
    if kept is None or not kept.fits(model):
        if len(_passes) >= _MOST_KEPT:
            _passes.clear()
        kept = _passes[model] = _Pass(model)
    return kept.means(data, batch_size, layers)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Data as `batch_terms` takes them, and whether they are arrays."""

    batches: Any
    in_arrays: bool


def as_inputs(x: Any, y: Any) -> Inputs:
    """Return data as `predict` takes them, the labels among the inputs.

    Raises:
        ParameterError: They are of a kind that isn't taken.
        ShapeError: There are no samples, or another number of labels.
    """
    is_dataset = hasattr(x, "element_spec") and hasattr(x, "cardinality")
    if is_dataset or isinstance(x, keras.utils.PyDataset):
        if y is not None:
            raise ParameterError("A data set has its labels within: leave y out.")
        # tf.data calls an endless one -1.
        if int(x.cardinality()) == -1 if is_dataset else x.num_batches is None:
            raise ParameterError("The data set never ends. Give one that does: dataset.take(100).")
        batches = x.map(lambda *batch: (batch,)) if is_dataset else _Labelled(x)
        return Inputs(batches=batches, in_arrays=False)
    sizes = {"x": _samples("x", x), **({} if y is None else {"y": _samples("y", y)})}
    if len(set(sizes.values())) > 1:
        said = " and ".join(f"{name} {count}" for name, count in sizes.items())
        raise ShapeError(f"The data have different numbers of samples: {said}.")
    if 0 in sizes.values():
        raise ShapeError("The data have no samples. Give at least one.")
    return Inputs(batches=(x,) if y is None else (x, y), in_arrays=True)


def _samples(name: str, data: Any) -> int:
    """Return how many samples arrays have."""
    sizes = []
    for leaf in keras.tree.flatten(data):
        if not getattr(leaf, "shape", ()):
            raise ParameterError(
                f"{name!r} must be an array with samples, or a list or dictionary of arrays, got "
                f"{shown(data)} ({type(data).__name__}). Make an array of it by np.asarray."
            )
        sizes.append(int(leaf.shape[0]))
    if len(set(sizes)) != 1:
        said = ", ".join(map(str, sizes))
        raise ShapeError(f"The arrays of {name!r} have different numbers of samples: {said}.")
    return sizes[0]


class _Labelled(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """A data set whose batches are all inputs."""

    def __init__(self, batches: Any) -> None:
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self._batches = batches

    def __len__(self) -> int:
        return int(self._batches.num_batches)

    def __getitem__(self, index: int) -> Any:
        return (tuple(self._batches[index]),)


class _Pass:
    """A model's terms of a batch, as a function that Keras compiles once."""

    def __init__(self, model: Any) -> None:
        # It is kept as long as the model, and must not keep the model.
        self._model = weakref.ref(model)
        # Keras 3.12 to 3.15.1 have no public word on which output has which loss and weight.
        self._compiled = model._compile_loss
        self._options = model.run_eagerly, model.jit_compile
        self._losses = OutputLosses(self._compiled) if self._compiled is not None else None
        self._layers: Layers | None = None
        self._sources: list[Source] | None = None
        self._first: Values | LossregError = {}
        self._batches = _Batches()

    def fits(self, model: Any) -> bool:
        """Return whether the model is compiled as it was for this pass."""
        options = model.run_eagerly, model.jit_compile
        return self._compiled is model._compile_loss and self._options == options

    def means(self, data: Any, batch_size: int | None, layers: Layers) -> list[Term]:
        """Return the terms over all batches."""
        self._layers = layers
        if self._sources is None:
            self._begin(data, batch_size)
        rows = self._batches.predict(data, batch_size=batch_size, verbose=0).astype(np.float64)
        *columns, unlisted, samples = rows.T
        sources = self._sources or []
        terms = [
            Term(**vars(source), value=float(np.average(column, weights=samples)))
            for source, column in zip(sources, columns, strict=True)
        ]
        if np.any(unlisted):
            value = float(np.average(unlisted, weights=samples))
            terms.append(Term(**vars(_UNLISTED), value=value))
        return terms

    def _begin(self, data: Any, batch_size: int | None) -> None:
        """Learn from the first batch which terms there are, and have the function compiled."""
        self._batches.set_row(self._first_row, run_eagerly=True, jit_compile=False)
        self._batches.predict(data, batch_size=batch_size, verbose=0, steps=1)
        first, self._first = self._first, {}
        if isinstance(first, LossregError):
            raise first
        eager, jit = self._options
        if keras.backend.backend() != "jax":
            self._batches.set_row(self._row, run_eagerly=eager, jit_compile=jit)
        else:
            # Keras' own predict gives a model's buffers away to the compiled function until it
            # is done: whatever interrupts it leaves the model without weights.
            import jax

            compiled = jax.jit(self._row_of) if jit and not eager else self._row_of
            self._batches.set_row(
                lambda batch: compiled(self._weights(), batch), run_eagerly=True, jit_compile=False
            )
        self._sources = [*first]

    def _first_row(self, batch: Any) -> Any:
        try:
            self._first = self._values(self._weights(), batch)
        except LossregError as error:
            # Keras would wrap what is raised within a layer in explanations of its own.
            self._first = error
        return ops.zeros((1, 1))

    def _row(self, batch: Any) -> Any:
        # TensorFlow's and PyTorch's functions read the variables as they are.
        return self._row_of([], batch)

    def _row_of(self, weights: list[Any], batch: Any) -> Any:
        values = self._values(weights, batch)
        listed = self._sources or []
        unlisted = sum((value for source, value in values.items() if source not in listed), 0.0)
        samples = ops.shape(next(leaf for leaf in keras.tree.flatten(batch[0]) if leaf is not None))
        columns = [*(values.get(source, 0.0) for source in listed), unlisted, samples[0]]
        return ops.stack([as_float(column) for column in columns])[None, :]

    def _weights(self) -> list[Any]:
        return [variable.value for variable in self._model_now().variables]

    def _model_now(self) -> Any:
        model = self._model()
        assert model is not None, "the caller of means() has it"
        return model

    def _values(self, weights: list[Any], batch: Any) -> Values:
        """Return the terms of a batch, and change nothing."""
        x, y, sample_weight = (*batch, None, None)[:3]
        model, layers = self._model_now(), self._layers
        assert layers is not None, "means() set it"
        with AddedLosses(model, weights) as added:
            y_pred = predicted(model, x)
            values = {} if self._losses is None else self._losses.values(y, y_pred, sample_weight)
            return {**values, **added.values(layers)}


# A pass goes with its model, except where the model's own loss refers to the model.
_passes: weakref.WeakKeyDictionary[Any, _Pass] = weakref.WeakKeyDictionary()
_MOST_KEPT = 8


class _Batches(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Keras' loop over batches around a function that has a row of numbers for each."""

    def __init__(self) -> None:
        # Labels and inputs come as `evaluate` has them: the model does its own casting.
        super().__init__(name="lossreg_objective", autocast=False, dtype="float32")
        self.built = True

    def set_row(self, row: Callable[[Any], Any], *, run_eagerly: bool, jit_compile: bool) -> None:
        """Run another function from now on."""
        self._row = row
        self.run_eagerly = run_eagerly
        self.jit_compile = jit_compile
        self.make_predict_function(force=True)

    def call(self, batch: Any) -> Any:
        """Return the row of a batch."""
        return self._row(batch)
