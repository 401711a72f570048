"""The terms that depend on the data: a pass over the batches, as `evaluate` makes one.

This module imports Keras.
"""

import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from ..errors import LossregError, ParameterError, ShapeError
from ..keras_loss import RememberingModel
from ..loss import shown
from .batch_losses import (
    AddedLosses,
    OutputLosses,
    RememberedLosses,
    Values,
    predict,
    to_float,
)
from .penalties import Layers
from .terms import Source, Term

# What a later batch adds and the first batch lacks.
_UNLISTED = Source(name="what the first batch lacks", kind="other")


def compute_batch_terms(
    model: Any, data: Any, batch_size: int | None, layers: Layers
) -> list[Term]:
    """Return the mean of each loss, activity penalty and added penalty.

    Each batch counts by its number of samples, as in `evaluate`. The inputs in the data are
    `(x, y)` or `(x, y, sample_weight)`; `batch_size` is None if the data come in batches.

    Raises:
        LossregError: The data don't fit the model or its loss.
    """
    kept = _passes.get(model)
    if kept is None or not kept.fits(model):
        if len(_passes) >= _MOST_KEPT:
            _passes.clear()
        kept = _passes[model] = _Pass(model)
    kept.layers = layers
    return kept.means(data, batch_size)


def read_inputs(x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, bool]:
    """Return data as `predict` takes them, labels among the inputs, and whether they are arrays.

    Raises:
        ParameterError: `objective` doesn't take data of this kind.
        ShapeError: There are no samples, or `x` and `y` have different numbers of them.
    """
    is_dataset = hasattr(x, "element_spec") and hasattr(x, "cardinality")
    if is_dataset or isinstance(x, keras.utils.PyDataset):
        if y is not None or sample_weight is not None:
            raise ParameterError("A data set contains its labels. Leave y and sample_weight out.")
        # The cardinality of an endless tf.data.Dataset is -1.
        if int(x.cardinality()) == -1 if is_dataset else x.num_batches is None:
            raise ParameterError("The data set never ends. Give one that does: dataset.take(100).")
        return x.map(lambda *batch: (batch,)) if is_dataset else _Labelled(x), False
    sizes = {"x": _count_samples("x", x)} | ({} if y is None else {"y": _count_samples("y", y)})
    if len(set(sizes.values())) > 1:
        counts = " and ".join(f"{name} {count}" for name, count in sizes.items())
        raise ShapeError(f"The data have different numbers of samples: {counts}.")
    if 0 in sizes.values():
        raise ShapeError("The data have no samples. Give at least one.")
    if sample_weight is not None:
        return (x, y, sample_weight), True
    return (x,) if y is None else (x, y), True


def _count_samples(name: str, data: Any) -> int:
    sizes = []
    for leaf in keras.tree.flatten(data):
        if not getattr(leaf, "shape", ()):
            raise ParameterError(
                f"{name!r} must be an array with samples, or a list or dictionary of arrays, got "
                f"{shown(data)} ({type(data).__name__}). Convert it with np.asarray."
            )
        sizes.append(int(leaf.shape[0]))
    if len(set(sizes)) != 1:
        counts = ", ".join(map(str, sizes))
        raise ShapeError(f"The arrays of {name!r} have different numbers of samples: {counts}.")
    return sizes[0]


class _Labelled(keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types
    """A data set whose labels are among the inputs."""

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


def _compiled_loss(model: Any) -> Any:
    """Return the object that is another one once the model is compiled again."""
    return model.loss_terms if isinstance(model, RememberingModel) else model._compile_loss


class _Pass:
    """The terms of a model, from a function of a batch that Keras compiles once."""

    def __init__(self, model: Any) -> None:
        # A pass is kept as long as its model, so it must not keep the model itself.
        self._model: Callable[[], Any] = weakref.ref(model)
        # Keras 3.12 to 3.15.1 have no public API for the loss and the weight of each output.
        self._compiled = _compiled_loss(model)
        self._options = model.run_eagerly, model.jit_compile
        self._losses: Any = None
        if isinstance(model, RememberingModel):
            self._losses = RememberedLosses(model)
        elif self._compiled is not None:
            self._losses = OutputLosses(self._compiled)
        self._sources: list[Source] = []
        self._batches = _Batches()
        self.layers = Layers(paths={}, owners={})

    def fits(self, model: Any) -> bool:
        """Return whether the model is still compiled as it was for this pass."""
        options = model.run_eagerly, model.jit_compile
        return self._compiled is _compiled_loss(model) and self._options == options

    def means(self, data: Any, batch_size: int | None) -> list[Term]:
        """Return the mean of each term over all batches."""
        if not self._sources:
            self._begin(data, batch_size)
        rows = self._batches.predict(data, batch_size=batch_size, verbose=0).astype(np.float64)
        *columns, samples = rows.T
        terms = [
            Term(**vars(source), value=float(np.average(column, weights=samples)))
            for source, column in zip([*self._sources, _UNLISTED], columns, strict=True)
        ]
        return terms if np.any(columns[-1]) else terms[:-1]

    def _begin(self, data: Any, batch_size: int | None) -> None:
        """Find the terms in the first batch, and set the function that is compiled."""
        found: list[Values | LossregError] = []

        def first_row(batch: Any) -> Any:
            try:
                found.append(self._values(self._weights(), batch))
            except LossregError as error:
                # Keras would wrap an error from within a layer in explanations of its own.
                found.append(error)
            return ops.zeros((1, 1))

        self._batches.set_row(first_row, run_eagerly=True, jit_compile=False)
        self._batches.predict(data, batch_size=batch_size, verbose=0, steps=1)
        first = found.pop()
        if isinstance(first, LossregError):
            raise first
        eager, jit = self._options
        if keras.backend.backend() != "jax":
            self._batches.set_row(self._row, run_eagerly=eager, jit_compile=jit)
        else:
            # Keras' own predict gives a model's buffers to the compiled function. An interrupt
            # would leave the model without weights.
            import jax

            compiled = jax.jit(self._compute_row) if jit and not eager else self._compute_row
            self._batches.set_row(
                lambda batch: compiled(self._weights(), batch), run_eagerly=True, jit_compile=False
            )
        self._sources = [*first]

    def _row(self, batch: Any) -> Any:
        # On TensorFlow and PyTorch a function reads the variables themselves.
        return self._compute_row([], batch)

    def _compute_row(self, weights: list[Any], batch: Any) -> Any:
        values = self._values(weights, batch)
        listed = self._sources
        unlisted = sum((value for source, value in values.items() if source not in listed), 0.0)
        samples = ops.shape(next(leaf for leaf in keras.tree.flatten(batch[0]) if leaf is not None))
        columns = [*(values.get(source, 0.0) for source in listed), unlisted, samples[0]]
        return ops.stack([to_float(column) for column in columns])[None, :]

    def _weights(self) -> list[Any]:
        return [variable.value for variable in self._model().variables]

    def _values(self, weights: list[Any], batch: Any) -> Values:
        """Return the terms of a batch; the model doesn't change."""
        x, y, sample_weight = (*batch, None, None)[:3]
        model = self._model()
        with AddedLosses(model, weights, self.layers) as added:
            y_pred = predict(model, x)
            values = self._losses.values(x, y, y_pred, sample_weight) if self._losses else {}
            return {**values, **added.values()}


# A pass is deleted with its model, unless the model's own loss refers to the model.
_passes: weakref.WeakKeyDictionary[Any, _Pass] = weakref.WeakKeyDictionary()
_MOST_KEPT = 8


class _Batches(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Keras' loop over batches, around a function that returns a row of numbers for each."""

    def __init__(self) -> None:
        # Nothing is cast here: the model casts its inputs itself, as in `evaluate`.
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
