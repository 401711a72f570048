"""Every way to run a loss on the backend at hand."""

import functools
import os

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

from lossreg.testing import value_and_gradient

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")


def eager(step, *arrays):
    return step(*arrays)


def compiled(step, *arrays):
    if BACKEND == "jax":
        import jax

        return jax.jit(step)(*arrays)
    import tensorflow as tf

    # An unknown batch size: what a loss sees in `fit`.
    signature = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in arrays]
    return tf.function(step, input_signature=signature)(*map(tf.constant, arrays))


def xla(step, *arrays):
    import tensorflow as tf

    return tf.function(step, jit_compile=True)(*map(tf.constant, arrays))


WAYS = {"jax": [eager, compiled], "torch": [eager]}.get(BACKEND, [eager, compiled, xla])


def run_in(way, loss, y_true, y_pred, **params):
    """Return the values of a loss, and the gradient of their sum, as float64 arrays."""
    step = functools.partial(value_and_gradient, functools.partial(loss, **params))
    found = way(step, np.asarray(y_true), np.asarray(y_pred))
    return [np.asarray(tensor, "float64") for tensor in found]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def run(request):
    """`run(loss, y_true, y_pred, **params)`: values and gradient, in one of the ways."""
    return lambda *args, **params: run_in(request.param, *args, **params)


@pytest.fixture
def run_eagerly():
    return lambda *args, **params: run_in(eager, *args, **params)


@pytest.fixture
def check_formula(run):
    """`check_formula(loss, formula, y_true, y_pred, **params)`: values and slopes agree."""

    def check(loss, formula, y_true, y_pred, **params):
        values, gradient = run(loss, y_true.astype("float32"), y_pred.astype("float32"), **params)
        np.testing.assert_allclose(values, formula(y_true, y_pred, **params), rtol=FLOAT32)
        step = 1e-6
        for index in [*np.ndindex(y_pred.shape)][:: max(y_pred.size // 12, 1)]:
            ahead, behind = y_pred.copy(), y_pred.copy()
            ahead[index] += step
            behind[index] -= step
            difference = formula(y_true, ahead, **params) - formula(y_true, behind, **params)
            slope = np.sum(difference) / (2 * step)
            assert gradient[index] == pytest.approx(
                slope, rel=FLOAT32, abs=CANCELLATION * np.abs(gradient).max()
            )

    return check
