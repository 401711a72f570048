"""The number of weights that a model would have, counted before there are any."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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


def created() -> int:
    """Return the number of weights that were made so far within `without_weights`.

    Those of a layer that Keras then refuses count too: it would have made them by then.
    """
    # Keras has no public name for them.
    from keras.src.backend.common.global_state import get_global_attribute

    # Integers of numpy and TensorFlow overflow, and Python's don't.
    weights = get_global_attribute("uninitialized_variables") or ()
    return sum(math.prod(map(int, weight.shape)) for weight in weights)


def refused(weights: int, title: str, before: int = 0) -> str:
    """Return what is wrong with too many weights, or an empty string.

    Args:
        weights: The number of weights of a layer or model.
        title: Its name in the message.
        before: The number of weights of the layers before it.
    """
    if weights + before <= MOST:
        return ""
    more = f", with those before it {weights + before:,}" if before else ""
    return (
        f"{title} would have {weights:,} weights{more}; a model in a config can have {MOST:,}. "
        "Make it smaller, or build that model in Python."
    )
