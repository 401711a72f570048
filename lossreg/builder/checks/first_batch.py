"""The first batch of a training, and the same batches again for the step that takes them."""

import itertools
from collections.abc import Iterator
from typing import Any

from ...lazy import keras


def first_batch(model: Any, batches: Any) -> tuple[Any, Any]:
    """Return the first batch, and all batches of the first step, none lost and none twice.

    Args:
        model: The model that is trained.
        batches: What its `train_function` gets.
    """
    if isinstance(batches, list):
        # PyTorch's trainer reads the batches of a step before it.
        return batches[0], batches
    if keras.backend.backend() == "tensorflow":
        return _of_tensorflow(model, batches)
    first = next(batches)
    return first, itertools.chain([first], batches)


def _of_tensorflow(model: Any, batches: Any) -> tuple[Any, Any]:
    # Only tf.data makes an iterator that the compiled step takes without being compiled again.
    import tensorflow as tf

    if not isinstance(batches, tf.data.Iterator):
        # Of a distribution strategy. Its replicas get a part of the batch each.
        parts = model.distribute_strategy.experimental_local_results
        first = next(batches)
        part = keras.tree.map_structure(lambda value: parts(value)[0], first)
        return part, itertools.chain([first], batches)
    signature = batches.element_spec
    if not model.built and not model.run_eagerly:
        _build(model, signature)
    first = next(batches)
    # One execution's batches: tf.data may read ahead, and what it read would be lost.
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
    """Build a model as its first compiled step would: for batches of any size."""
    x, _, _ = keras.utils.unpack_x_y_sample_weight(signature)
    specs = keras.tree.flatten(x)
    # Ragged, sparse or absent inputs, and those of any rank, wait for the first call.
    if all(type(spec).__name__ == "TensorSpec" and spec.shape.rank is not None for spec in specs):
        model(
            keras.tree.map_structure(
                lambda spec: keras.KerasTensor(spec.shape.as_list(), spec.dtype.name), x
            )
        )
