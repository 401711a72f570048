"""Where the formula as it stands gives NaN: infinite logits, ignored rows, second derivatives."""

import os

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32, FOCAL, SECOND_DERIVATIVE

from lossreg.lazy import ops
from lossreg_focal.losses import categorical_focal, focal, sparse_focal

INFINITY = float("inf")
# The softmax of the logits 1 and 0.
P = np.e / (1 + np.e)
NATS = np.log1p(np.exp(-1))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(
    ("loss", "y_true"),
    [
        pytest.param(categorical_focal, np.array([[1.0, 0, 0]], "float32"), id="categorical_focal"),
        pytest.param(sparse_focal, np.array([0]), id="sparse_focal"),
    ],
)
def test_a_class_ruled_out_by_minus_infinity_costs_nothing(run, loss, y_true, gamma):
    y_pred = np.array([[1.0, -INFINITY, 0.0]], "float32")
    values, gradient = run(loss, y_true, y_pred, gamma=gamma, from_logits=True)
    assert values == pytest.approx([(1 - P) ** gamma * NATS], rel=FLOAT32, abs=CANCELLATION)
    slope = -((1 - P) ** (gamma + 1)) - gamma * (1 - P) ** gamma * P * NATS
    expected = [[slope, 0, -slope]]
    np.testing.assert_allclose(gradient, expected, rtol=FLOAT32, atol=CANCELLATION)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_an_infinite_logit_that_is_right_costs_nothing(run, gamma):
    y_true = np.array([[0.0, 1.0, 1.0]], "float32")
    y_pred = np.array([[-INFINITY, INFINITY, 0.0]], "float32")
    values, gradient = run(focal, y_true, y_pred, gamma=gamma, alpha=None, from_logits=True)
    assert values == pytest.approx([0.5**gamma * np.log(2) / 3], rel=FLOAT32)
    slope = -(0.5**gamma) * (0.5 + gamma * 0.5 * np.log(2))
    np.testing.assert_allclose(gradient, [[0, 0, slope / 3]], rtol=FLOAT32, atol=FOCAL)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "gradient"),
    [
        (focal, [[1.0]], [[-INFINITY]], [[-1]]),
        (categorical_focal, [[1.0, 0]], [[-INFINITY, 0]], [[-1, 1]]),
        (sparse_focal, [0], [[-INFINITY, 0]], [[-1, 1]]),
    ],
)
def test_a_right_class_that_is_ruled_out_costs_1e30_and_has_the_steepest_gradient(
    run, loss, y_true, y_pred, gradient, gamma
):
    y_true = np.array(y_true, "int32" if loss is sparse_focal else "float32")
    y_pred = np.array(y_pred, "float32")
    got = run(loss, y_true, y_pred, gamma=gamma, alpha=None, from_logits=True)
    assert got[0] == pytest.approx([1e30], rel=FLOAT32)
    np.testing.assert_allclose(got[1], gradient, rtol=FLOAT32)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("bad", [float("nan"), INFINITY, -INFINITY, 0.0])
def test_an_ignored_prediction_reaches_neither_value_nor_gradient(run, bad, from_logits, gamma):
    params = {"gamma": gamma, "from_logits": from_logits}
    y_pred = np.array([[0.7, 0.3], [bad, bad]], "float32")
    values, gradient = run(sparse_focal, np.array([0, 255]), y_pred, ignore_class=255, **params)
    kept = run(sparse_focal, np.array([0]), y_pred[:1], **params)
    # A processor may compute an array of another size by other instructions.
    near = {"rtol": EACH_OTHER, "atol": 2 * CANCELLATION}
    np.testing.assert_allclose(values, [kept[0][0], 0], **near)
    np.testing.assert_allclose(gradient, [kept[1][0], [0, 0]], **near)
    assert (gradient[1] == 0).all()


def hessian(loss, y_true, x, **params):
    """Return the second derivatives of one row's loss by its logits, as the backend finds them."""
    y_true, x = np.asarray([y_true]), np.asarray(x, "float32")

    def value(x):
        return loss(y_true, ops.expand_dims(x, 0), from_logits=True, **params)[0]

    if os.environ.get("KERAS_BACKEND", "tensorflow") == "jax":
        import jax

        return np.asarray(jax.hessian(value)(x), "float64")
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            nats = value(x)
        gradient = inner.gradient(nats, x)
    return np.asarray(outer.jacobian(gradient, x, experimental_use_pfor=False), "float64")


def second_derivatives(function, point):
    """Return a function's second derivatives in 100 digits."""
    with mpmath.workdps(100):
        point = tuple(mpf(float(each)) for each in point)
        orders = np.eye(len(point), dtype=int)
        return np.array(
            [[float(mpmath.diff(function, point, tuple(i + j))) for j in orders] for i in orders]
        )


SECOND = {"rtol": SECOND_DERIVATIVE, "atol": FLOAT32}


@pytest.mark.parametrize("gamma", [0.0, 0.3, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("x", [0.0, 3.0, -3.0, 20.0, -45.0, 105.0, -105.0, 1000.0, -1000.0])
def test_second_derivatives_of_focal_are_right(gamma, y, x):
    def value(x):
        p, q = 1 / (1 + mpmath.exp(-x)), 1 / (1 + mpmath.exp(x))
        return (y * q + (1 - y) * p) ** gamma * -(y * mpmath.log(p) + (1 - y) * mpmath.log(q))

    expected = second_derivatives(value, [x])
    got = hessian(focal, np.array([y], "float32"), [x], gamma=gamma, alpha=None)
    np.testing.assert_allclose(got, expected, **SECOND)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(
    "logits", [(0.0, 0.0, 0.0), (1.0, 0.0, -1.0), (20.0, 0.0, 0.0), (100.0, 0.0, 0.0), (0, 100, 0)]
)
def test_second_derivatives_over_several_classes_are_right(gamma, logits):
    def value(*x):
        first, *others = (mpmath.exp(each) for each in x)
        total = first + mpmath.fsum(others)
        return (mpmath.fsum(others) / total) ** gamma * mpmath.log(total / first)

    expected = second_derivatives(value, logits)
    one_hot = np.array([1, 0, 0], "float32")
    for loss, y_true in ((categorical_focal, one_hot), (sparse_focal, np.int32(0))):
        np.testing.assert_allclose(hessian(loss, y_true, logits, gamma=gamma), expected, **SECOND)
