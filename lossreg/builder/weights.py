"""How many weights a model would have, counted before there are any."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..lazy import keras

T = TypeVar("T")

# 8 GiB in float32, and three times that with the slots of Adam. A config is a hand-written
# list of layers, and one digit too many there must not take all of a machine's memory.
MOST = 2**31


def without_weights(make: Callable[[], T]) -> T:
    """Return what a function makes, its weights with shapes and without values.

    Args:
        make: Makes layers or a model, and calls layers on symbolic tensors only.
    """

    def made() -> T:
        with keras.StatelessScope(initialize_variables=False):
            return make()

    # Keras would give these weights values at the end of its next scope of this kind. It keeps
    # them for each thread apart, so that they are forgotten with this one.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(made).result()


def count(layer: Any) -> int:
    """Return the number of weights of a layer or model."""
    # Python's integers have no end, and those of numpy and TensorFlow have.
    return sum(math.prod(map(int, weight.shape)) for weight in layer.weights)


def refused(layer: Any, title: str, before: int = 0) -> str:
    """Return what is wrong where a layer has more weights than a model can, or nothing.

    Args:
        layer: A layer or model.
        title: What it is called in the message.
        before: The number of weights of the layers before it.
    """
    own = count(layer)
    if own + before <= MOST:
        return ""
    more = f", with those before it {own + before:,}" if before else ""
    said = f"{title} would have {own:,} weights{more}; a model of a config can have {MOST:,}."
    return f"{said} Make it smaller, or build that model in Python."
