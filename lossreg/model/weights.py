"""The number of weights that a model would have, counted before there are any."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..lazy import keras

T = TypeVar("T")

# 8 GiB in float32, and three times that with Adam's slots. A config is written by hand, and
# one digit too many must not take all of a machine's memory.
MOST = 2**31


def without_weights(make: Callable[[], T]) -> T:
    """Return what a function makes; its weights have shapes and no values.

    Args:
        make: Makes layers or a model, and calls layers on symbolic tensors only.
    """

    def made() -> T:
        with keras.StatelessScope(initialize_variables=False):
            return make()

    # Keras would give these weights values at the end of its next scope of this kind in the
    # same thread. So the thread ends here.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(made).result()


def count(layer: Any) -> int:
    """Return the number of weights of a layer or model."""
    # Integers of numpy and TensorFlow overflow, and Python's don't.
    return sum(math.prod(map(int, weight.shape)) for weight in layer.weights)


def refused(layer: Any, title: str, before: int = 0) -> str:
    """Return what is wrong where a layer has too many weights, or an empty string.

    Args:
        layer: A layer or model.
        title: Its name in the message.
        before: The number of weights of the layers before it.
    """
    own = count(layer)
    if own + before <= MOST:
        return ""
    more = f", with those before it {own + before:,}" if before else ""
    return (
        f"{title} would have {own:,} weights{more}; a model in a config can have {MOST:,}. "
        "Make it smaller, or build that model in Python."
    )
