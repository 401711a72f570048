"""Keras and its backend for a command: quiet, and told in one line where they are missing."""

import contextlib
import os
from collections.abc import Iterator

import click


class Unusable(click.ClickException):
    """What a command needs and can't have, as a sentence."""

    exit_code = 2


def quiet_backend() -> None:
    """Keep TensorFlow from telling what nobody asked; before anything imports it."""
    # Commands that need no Keras import this module too, and no logging.
    import logging

    # Which CPU and GPU it found.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # How often it compiled a function.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def keras_needed() -> Iterator[None]:
    """Say what to install where Keras or its backend can't be imported."""
    try:
        yield
    except ImportError as error:
        raise Unusable(
            f"This needs Keras and its backend, which can't be imported ({error}). "
            "Install them: pip install 'lossreg[tensorflow]'"
        ) from error
