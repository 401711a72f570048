"""The built-in losses where Keras' own give NaN: half precision, logits of minus infinity."""

import math

import keras
import numpy as np
import pytest
from tolerances import BY_DTYPE, CANCELLATION, EACH_OTHER, FLOAT32

import lossreg
from lossreg.builtin.plugin import lossreg_losses
from lossreg.testing import value_and_gradient

INFINITY = float("inf")
HALF = ["float16", "bfloat16"]
# What Keras clips probabilities to, in float32.
LOW, HIGH = 1e-7, float(np.float32(1) - np.float32(1e-7))
SURE = -math.log(HIGH)
# A 1 and a 0 that are wrong.
WRONG_1, WRONG_0 = -math.log(1 - HIGH), -math.log(LOW)
RAW = [[1.0, -INFINITY, 0.0]]
# ln(1 + 1/e): the softmax of 1 and 0.
RULED_OUT = math.log1p(math.exp(-1))
P = math.exp(1) / (1 + math.exp(1))


def array(values):
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(values, "float32")), "float64")


def value_of(form, name, dtype, y_true, y_pred, **params):
    """Return the values in the class form, or in the function form on predictions of a dtype."""
    y_true = np.array(y_true)
    if form == "class":
        loss = lossreg.get_loss(name, **params, dtype=dtype, reduction=None)
        return array(loss(y_true, np.array(y_pred, "float32")))
    loss = lossreg.get_loss_fn(name, **params)
    return array(loss(keras.ops.convert_to_tensor(y_true), keras.ops.cast(y_pred, dtype)))


def run(name, y_true, y_pred, **params):
    """Return values and gradient in float32."""
    loss = lossreg.get_loss_fn(name, **params)
    return [array(t) for t in value_and_gradient(loss, np.array(y_true), np.float32(y_pred))]


HALF_CASES = [
    pytest.param("bce", [[1.0, 0.0]], [[1.0, 0.0]], [SURE], id="bce, right"),
    pytest.param("bce", [[0.0, 0.0]], [[1.0, 0.0]], [(WRONG_1 + SURE) / 2], id="bce, wrong"),
    pytest.param("binary_focal_crossentropy", [[1.0, 0.0]], [[1.0, 0.0]], [0], id="focal, right"),
    pytest.param("binary_focal_crossentropy", [[0.0]], [[1.0]], [WRONG_1], id="focal, wrong"),
    pytest.param("cce", [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0]] * 2, [SURE, WRONG_0], id="cce"),
    pytest.param("scce", [0, 1], [[1.0, 0.0]] * 2, [SURE, WRONG_0], id="scce"),
    pytest.param(
        "categorical_focal_crossentropy",
        [[1.0, 0.0], [0.0, 1.0]],
        [[1.0, 0.0]] * 2,
        [0, WRONG_0 / 4],
        id="categorical focal",
    ),
    pytest.param("gce", [0, 1], [[1.0, 0.0]] * 2, [0, 2], id="gce"),
    pytest.param("kl_divergence", [[1.0, 0.0]], [[0.0, 1.0]], [WRONG_0], id="kl"),
    pytest.param("kl_divergence", [[1.0, 0.0]], [[1.0, 0.0]], [0], id="kl, right"),
    pytest.param("poisson", [[1.0]], [[0.0]], [WRONG_0], id="poisson, no rate"),
    pytest.param("mse", [[0.0, 0.0]], [[300.0, 0.0]], [45000], id="the square overflows float16"),
    pytest.param("squared_hinge", [[-1.0, 1.0]], [[299.0, 1.0]], [45000], id="squared hinge"),
    pytest.param("msle", [[0.0]], [[2047.0]], [math.log(2048) ** 2], id="msle"),
    pytest.param("log_cosh", [[0.0]], [[300.0]], [300 - math.log(2)], id="log_cosh"),
    pytest.param("cosine", [[300.0, 0.0]], [[300.0, 300.0]], [-math.sqrt(0.5)], id="cosine"),
]


@pytest.mark.parametrize("form", ["class", "function"])
@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize(("name", "y_true", "y_pred", "expected"), HALF_CASES)
def test_sure_and_large_predictions_have_their_value_in_half_precision(
    form, dtype, name, y_true, y_pred, expected
):
    got = value_of(form, name, dtype, y_true, y_pred)
    # The dtype rounds the prediction, which a square counts twice, and the value.
    near = {"rtol": 3 * BY_DTYPE[dtype], "atol": CANCELLATION}
    np.testing.assert_allclose(got, expected, **near)


@pytest.mark.parametrize("spec", lossreg_losses(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("dtype", HALF)
def test_every_builtin_computes_in_float32_at_least(spec, dtype, draw):
    y_true, y_pred = draw(spec)
    wide = keras.ops.cast(keras.ops.cast(y_pred, dtype), "float32")
    function = lossreg.get_loss_fn(spec.name)
    y_true = keras.ops.convert_to_tensor(y_true)
    values = function(y_true, keras.ops.cast(y_pred, dtype))
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
    # The same operations on the same numbers: not a bit differs.
    np.testing.assert_array_equal(array(values), array(function(y_true, wide)))
    # The class form returns what Keras' class does.
    reduced = lossreg.get_loss(spec.name, dtype=dtype)(y_true, y_pred)
    assert keras.backend.standardize_dtype(reduced.dtype) == dtype
    assert np.isfinite(array(reduced))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others keep none")
@pytest.mark.parametrize(("name", "activation"), [("bce", "sigmoid"), ("cce", "softmax")])
def test_half_precision_predictions_keep_their_logits(name, activation):
    logits = keras.ops.cast([[30.0, -30.0]], "float16")
    y_pred = getattr(keras.ops, activation)(logits)
    value = array(lossreg.get_loss_fn(name)(keras.ops.convert_to_tensor([[0.0, 1.0]]), y_pred))
    # Wrong by 30, twice; by 60 in the softmax.
    assert value == pytest.approx([30.0 if name == "bce" else 60.0], rel=FLOAT32)


@pytest.mark.parametrize(
    ("name", "params", "y_true", "y_pred", "value", "gradient"),
    [
        pytest.param(
            "cce", {}, [[1.0, 0, 0]], RAW, RULED_OUT, [[P - 1, 0, 1 - P]], id="one-hot labels"
        ),
        pytest.param(
            "cce",
            {},
            [[0.5, 0, 0.5]],
            RAW,
            RULED_OUT / 2 + math.log1p(math.e) / 2,
            [[P - 0.5, 0, 0.5 - P]],
            id="soft labels",
        ),
        pytest.param("scce", {}, [0], RAW, RULED_OUT, [[P - 1, 0, 1 - P]], id="class numbers"),
        pytest.param(
            "scce",
            {"ignore_class": -1},
            [0],
            RAW,
            RULED_OUT,
            [[P - 1, 0, 1 - P]],
            id="class numbers, some ignored",
        ),
        pytest.param(
            "bce",
            {},
            [[0.0, 1.0, 1.0]],
            [[-INFINITY, INFINITY, 0.0]],
            math.log(2) / 3,
            [[0, 0, -1 / 6]],
            id="yes or no",
        ),
        pytest.param(
            "binary_focal_crossentropy",
            {"gamma": 2.0},
            [[0.0, 1.0, 1.0]],
            [[-INFINITY, INFINITY, 0.0]],
            0.25 * math.log(2) / 3,
            # The derivative of (1 - p)**2 * -log(p) by the logit, at p = 1/2.
            [[0, 0, (-0.25 * math.log(2) - 0.125) / 3]],
            id="yes or no, focal",
        ),
        pytest.param(
            "categorical_focal_crossentropy",
            {"gamma": 1.0, "alpha": 1.0},
            [[1.0, 0, 0]],
            RAW,
            (1 - P) * RULED_OUT,
            [
                [
                    -P * (1 - P) * RULED_OUT - (1 - P) ** 2,
                    0,
                    P * (1 - P) * RULED_OUT + (1 - P) ** 2,
                ]
            ],
            id="one-hot labels, focal",
        ),
    ],
)
def test_a_class_ruled_out_by_minus_infinity_costs_nothing(
    name, params, y_true, y_pred, value, gradient
):
    got = run(name, y_true, y_pred, from_logits=True, **params)
    np.testing.assert_allclose(got[0], [value], rtol=FLOAT32)
    np.testing.assert_allclose(got[1], gradient, rtol=FLOAT32, atol=CANCELLATION)


def test_categorical_hinge_takes_minus_infinity_for_a_class_ruled_out():
    # The best other score is 0.5, so max(1 + 0.5 - 1, 0).
    values, gradient = run("categorical_hinge", [[1.0, 0, 0]], [[1.0, -INFINITY, 0.5]])
    assert values == pytest.approx([0.5], rel=FLOAT32)
    np.testing.assert_array_equal(gradient, [[-1, 0, 1]])


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_hinges_take_minus_infinity_for_label_minus_1(name):
    values, gradient = run(name, [[-1.0, 1.0]], [[-INFINITY, 2.0]])
    np.testing.assert_array_equal(values, [0.0])
    np.testing.assert_array_equal(np.abs(gradient), [[0, 0]])


def test_ctc_takes_minus_infinity_for_a_class_ruled_out():
    # Two steps, blank and class 1 equally likely, class 2 impossible: "1" has the paths 01, 10, 11.
    values, gradient = run("ctc", [[1, 0]], [[[0.0, 0.0, -INFINITY]] * 2])
    assert values == pytest.approx([-math.log(3 / 4)], rel=FLOAT32)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["bce", "cce", "scce"])
def test_a_right_class_that_is_ruled_out_costs_infinity_with_a_finite_gradient(name):
    y_true, y_pred = ([1], RAW) if name == "scce" else ([[0.0, 1, 0]], RAW)
    values, gradient = run(name, y_true, y_pred, from_logits=True)
    assert values == INFINITY
    expected = {"bce": [[P, -1, 0.5]], "cce": [[P, -1, 1 - P]], "scce": [[P, -1, 1 - P]]}[name]
    np.testing.assert_allclose(
        gradient, np.divide(expected, 3 if name == "bce" else 1), rtol=FLOAT32
    )


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others keep none")
@pytest.mark.parametrize(
    ("name", "activation"),
    [("bce", "sigmoid"), ("binary_focal_crossentropy", "sigmoid"), ("cce", "softmax")],
)
def test_minus_infinity_behind_an_activation_is_no_nan(name, activation):
    logits = keras.ops.convert_to_tensor([[1.0, -INFINITY, 0.0]])
    y_true = keras.ops.convert_to_tensor([[1.0, 0.0, 0.0]])
    function = lossreg.get_loss_fn(name)
    got = function(y_true, getattr(keras.ops, activation)(logits))
    expected = lossreg.get_loss_fn(name, from_logits=True)(y_true, logits)
    np.testing.assert_allclose(array(got), array(expected), rtol=EACH_OTHER)
    assert np.isfinite(array(got)).all()


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("bad", [float("nan"), INFINITY, -INFINITY, 0.0])
def test_an_ignored_prediction_reaches_neither_value_nor_gradient(bad, from_logits):
    values, gradient = run(
        "scce",
        [0, 255],
        [[0.7, 0.3], [bad, bad]],
        ignore_class=255,
        from_logits=from_logits,
    )
    kept = run("scce", [0], [[0.7, 0.3]], from_logits=from_logits)
    # A processor may compute an array of another size by other instructions.
    near = {"rtol": EACH_OTHER, "atol": 2 * CANCELLATION}
    np.testing.assert_allclose(values, [kept[0][0], 0], **near)
    np.testing.assert_allclose(gradient, [kept[1][0], [0, 0]], **near)
    assert (gradient[1] == 0).all()
