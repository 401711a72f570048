"""Every way to run a loss on the backend at hand, for the tests of this plugin."""

import functools
import os

import numpy as np
import pytest

from lossreg.testing import value_and_gradient

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")

# What these test exists on TensorFlow only; `make test-jax` runs all other files.
collect_ignore = [] if BACKEND == "tensorflow" else ["test_tensorflow.py"]


def eager(step, *arrays):
    return step(*arrays)


def compiled(step, *arrays):
    if BACKEND == "jax":
        import jax

        return jax.jit(step)(*arrays)
    import tensorflow as tf

    return tf.function(step)(*map(tf.constant, arrays))


def xla(step, *arrays):
    import tensorflow as tf

    return tf.function(step, jit_compile=True)(*map(tf.constant, arrays))


WAYS = [eager, compiled] if BACKEND == "jax" else [eager, compiled, xla]


def run_in(way, loss, y_true, y_pred, **params):
    """Return what a loss gives each sample, and the gradient of its sum, as float64 arrays."""
    step = functools.partial(value_and_gradient, functools.partial(loss, **params))
    found = way(step, np.asarray(y_true), np.asarray(y_pred))
    return [np.asarray(tensor, "float64") for tensor in found]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def run(request):
    """`run(loss, y_true, y_pred, **params)`: values and gradient, in one of the ways."""
    return lambda *args, **params: run_in(request.param, *args, **params)


@pytest.fixture
def run_all():
    """As `run`, in every way: a list of values and gradients."""
    return lambda *args, **params: [run_in(way, *args, **params) for way in WAYS]


@pytest.fixture
def run_eagerly():
    return lambda *args, **params: run_in(eager, *args, **params)
