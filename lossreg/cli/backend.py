"""Keras and its backend for a command: quiet, and one sentence if they are missing."""

import contextlib
import os
from collections.abc import Iterator

from .output import Unusable


def quiet_backend() -> None:
    """Keep TensorFlow's own messages off stderr. Call it before anything imports TensorFlow."""
    # Commands without Keras import this module too, and don't need logging.
    import logging

    # Messages about the CPU and the GPU.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Messages about how often a function was compiled.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def keras_needed() -> Iterator[None]:
    """Say what to install if Keras or its backend can't be imported."""
    try:
        yield
    except ImportError as error:
        raise Unusable(
            f"This needs Keras and its backend, which can't be imported ({error}). "
            "Install them: pip install 'lossreg[tensorflow]'"
        ) from error
