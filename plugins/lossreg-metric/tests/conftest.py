"""Every way to run a loss on the backend at hand, for the tests of this plugin."""

import functools
import pathlib
import runpy

import numpy as np
import pytest

from lossreg.lazy import keras, ops
from lossreg.testing import value_and_gradient


def eager(step, *arrays):
    return step(*arrays)


def compiled(step, *arrays):
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(step)(*arrays)
    import tensorflow as tf

    # As in fit, where the last batch may be smaller: the size of the batch isn't known.
    signature = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in arrays]
    return tf.function(step, signature)(*map(tf.constant, arrays))


def xla(step, *arrays):
    import tensorflow as tf

    return tf.function(step, jit_compile=True)(*map(tf.constant, arrays))


WAYS = {"jax": [eager, compiled], "tensorflow": [eager, compiled, xla], "torch": [eager]}


def run_in(way, loss, y_true, y_pred, **params):
    """Return what a loss gives, and the gradient of its sum, as float64 arrays."""
    step = functools.partial(value_and_gradient, functools.partial(loss, **params))
    found = way(step, np.asarray(y_true), np.asarray(y_pred))
    return [np.asarray(ops.convert_to_numpy(tensor), "float64") for tensor in found]


@pytest.fixture(params=["eager", "compiled", "xla"])
def run(request):
    """`run(loss, y_true, y_pred, **params)`: values and gradient, in one of the ways."""
    ways = {way.__name__: way for way in WAYS[keras.backend.backend()]}
    if request.param not in ways:
        pytest.skip("this backend has no such way")
    return functools.partial(run_in, ways[request.param])


@pytest.fixture
def run_eagerly():
    """As `run`, uncompiled."""
    return functools.partial(run_in, eager)


@pytest.fixture(scope="session")
def references():
    """The functions of references.py by their names."""
    return runpy.run_path(str(pathlib.Path(__file__).with_name("references.py")))
