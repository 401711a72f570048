"""`DataCheck`: the first batch of a training, checked before it changes a weight.

Keras gives no data to callbacks. So for one call the callback takes the place of the model's
`train_function`, which `fit` calls (Keras 3.12 to 3.15, on every backend), checks the first
batch, and hands it on unchanged. This module imports Keras.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from ..errors import DataError, LossregError
from ..loss import BoundLoss
from .compiled import compiled_outputs, losses_of, single_losses
from .findings import Finding, check_output, check_single, known_losses


class DataCheck(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """A callback that stops `fit` before its first step if the data don't fit the loss.

    It runs `check_data` on the first batch, with the predictions that the first step will see,
    and leaves no trace: the weights, the random numbers and the history are those of a training
    without it. It costs one forward pass for each `fit`, which isn't compiled. The losses are
    those of `compile`; for a loss of your own it finds only predictions that are NaN. Several
    losses for one output are a mistake too, since Keras ignores all but the first.

    >>> checks = [lossreg.DataCheck()]
    >>> history = model.fit(x, y, callbacks=checks, verbose=0)  # doctest: +SKIP

    Raises:
        DataError: The data don't fit; the error has all `findings`.
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Take the place of the first step."""
        # An earlier fit may have ended before its first step.
        self.on_train_end(logs)
        self.model.train_function = _FirstStep(self.model, self.model.train_function)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Leave the model as it was if there was no step."""
        del logs
        if isinstance(self.model.train_function, _FirstStep):
            self.model.train_function = self.model.train_function.step


class _FirstStep:
    """A model's `train_function` for one call: it checks the batch that it passes on."""

    def __init__(self, model: Any, step: Callable[..., Any]) -> None:
        self.model = model
        self.step = step

    def __call__(self, *arguments: Any) -> Any:
        self.model.train_function = self.step
        # On JAX the state comes before the batches.
        *state, batches = arguments
        values = list(_variables(self.model, *state))
        batch, batches = _split_first(self.model, batches)
        try:
            _check_batch(self.model, batch, values)
        except BaseException:
            # Keras takes the values out of the variables before a step on JAX.
            for variable, value in values:
                variable.assign(value)
            raise
        return self.step(*state, batches)


def _variables(model: Any, state: Any = ()) -> Iterator[tuple[Any, Any]]:
    """Yield each variable with its value, if a step gets the values as arguments."""
    groups = [model.trainable_variables, model.non_trainable_variables]
    groups += [model.optimizer.variables if model.optimizer else [], model.metrics_variables]
    for variables, values in zip(groups, state, strict=False):
        yield from zip(variables, values, strict=True)


def _split_first(model: Any, batches: Any) -> tuple[Any, Any]:
    """Return the first batch, and every batch of the first step exactly once."""
    if isinstance(batches, list):
        # PyTorch's trainer reads the batches of a step before it.
        return batches[0], batches
    if keras.backend.backend() == "tensorflow":
        return _split_tensorflow(model, batches)
    first = next(batches)
    return first, itertools.chain([first], batches)


def _split_tensorflow(model: Any, batches: Any) -> tuple[Any, Any]:
    # The compiled step is compiled again for any iterator that isn't from tf.data.
    import tensorflow as tf

    if not isinstance(batches, tf.data.Iterator):
        # An iterator of a distribution strategy, each of whose replicas gets a part of the batch.
        parts = model.distribute_strategy.experimental_local_results
        first = next(batches)
        part = keras.tree.map_structure(lambda value: parts(value)[0], first)
        return part, itertools.chain([first], batches)
    signature = batches.element_spec
    if not model.built and not model.run_eagerly:
        _build(model, signature)
    first = next(batches)
    # No more than one execution takes: tf.data may read ahead, and those batches would be lost.
    rest = itertools.islice(batches, model.steps_per_execution - 1)

    def again() -> Iterator[Any]:
        yield first
        yield from rest

    # Keras has an Optional where a generator has None.
    shown = keras.tree.map_structure(
        lambda value: None if isinstance(value, tf.experimental.Optional) else value, first
    )
    return shown, iter(tf.data.Dataset.from_generator(again, output_signature=signature))


def _build(model: Any, signature: Any) -> None:
    """Build a model for batches of any size, as its first compiled step would."""
    x, _, _ = keras.utils.unpack_x_y_sample_weight(signature)
    specs = keras.tree.flatten(x)
    # The first call builds a model with ragged, sparse or absent inputs, or of an unknown rank.
    if all(type(spec).__name__ == "TensorSpec" and spec.shape.rank is not None for spec in specs):
        inputs = keras.tree.map_structure(
            lambda spec: keras.KerasTensor(spec.shape.as_list(), spec.dtype.name), x
        )
        model(inputs)


def _check_batch(model: Any, batch: Any, values: list[tuple[Any, Any]]) -> None:
    x, y_true, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if losses_of(model) is None or y_true is None:
        return
    # The scope discards every change, of a moving mean as of a random seed.
    with keras.StatelessScope(values):
        # A model whose loss takes no predictions makes none in training.
        y_pred = model(x, training=not getattr(model, "is_blind", False))
    findings: list[Finding] = []
    if not keras.tree.is_nested(y_pred):
        losses = single_losses(model)
        findings += check_single(losses, [_known_losses(loss) for loss in losses])
    for loss, output in compiled_outputs(model, y_true, y_pred, sample_weight):
        findings += check_output(loss, _known_losses(loss), output)
    if findings:
        reasons = f". {findings[0]}"
        if len(findings) > 1:
            reasons = f", for {len(findings)} reasons:" + "".join(f"\n- {f}" for f in findings)
        raise DataError.of(f"The first batch doesn't fit the loss{reasons}", findings)


def _known_losses(loss: Any) -> list[BoundLoss]:
    """Return the registered losses of a loss that Keras has accepted."""
    try:
        return known_losses(keras.losses.get(loss) if isinstance(loss, str | Mapping) else loss)
    except (LossregError, ValueError):
        # For "crossentropy" Keras itself chooses a loss by the data.
        return []
