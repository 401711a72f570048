"""Every way to run a loss on the backend at hand, for the tests of this plugin."""

import os

import numpy as np
import pytest

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")

# What these test exists on TensorFlow only; `make test-jax` runs all other files.
collect_ignore = [] if BACKEND == "tensorflow" else ["test_tensorflow.py"]


def eager(step, *arrays):
    if BACKEND == "jax":
        return step(*arrays)
    import tensorflow as tf

    return step(*map(tf.constant, arrays))


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


def value_and_gradient(way, loss, y_true, y_pred, **params):
    """Return what a loss gives each sample, and the gradient of its sum, as float64 arrays."""

    def step(y_true, y_pred):
        if BACKEND == "jax":
            import jax

            def total(y_pred):
                values = loss(y_true, y_pred, **params)
                return values.sum(), values

            (_, values), gradient = jax.value_and_grad(total, has_aux=True)(y_pred)
            return values, gradient
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            values = loss(y_true, y_pred, **params)
            total = tf.reduce_sum(values)
        return values, tape.gradient(total, y_pred)

    values, gradient = way(step, np.asarray(y_true), np.asarray(y_pred))
    return np.asarray(values, "float64"), np.asarray(gradient, "float64")


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def run(request):
    """`run(loss, y_true, y_pred, **params)`: values and gradient, in one of the ways."""
    return lambda *args, **params: value_and_gradient(request.param, *args, **params)


@pytest.fixture
def run_all():
    """As `run`, in every way: a list of values and gradients."""
    return lambda *args, **params: [value_and_gradient(way, *args, **params) for way in WAYS]


@pytest.fixture
def run_eagerly():
    return lambda *args, **params: value_and_gradient(eager, *args, **params)
