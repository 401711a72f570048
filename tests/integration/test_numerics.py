"""What lossreg offers to authors of losses for exact numbers, on the backend at hand."""

import inspect
import math
import re
import textwrap

import keras
import ml_dtypes
import numpy as np
import pytest
from keras import ops
from tolerances import BY_DTYPE, FLOAT32

from lossreg import numerics
from lossreg.numerics import (
    at_least_float32,
    clip,
    divide,
    finite,
    leave_out,
    log_sigmoid,
    log_softmax,
    logits_of,
    masked_mean,
    power,
    root,
    smallest,
    spacing,
    total,
)

DTYPES = ["float16", "bfloat16", "float32", "float64"]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
only_on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras keeps logits on TensorFlow only"
)


def tensor(values, dtype="float32"):
    if dtype == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX makes float32 of float64")
    return ops.convert_to_tensor(values, dtype=dtype)


def array(values):
    return np.asarray(ops.convert_to_numpy(values)).astype("float64")


def run_example(documented, **names):
    """Run the example in a docstring with some names, and return all names after it."""
    # The first lines that are indented, and what is blank between them.
    example = re.search(r"^ {4}.*\n?(?:(?: {4}.*)?\n)*", inspect.getdoc(documented), re.MULTILINE)
    names = {**vars(numerics), **names}
    exec(textwrap.dedent(example[0]), names)
    return names


def test_every_public_function_is_listed_and_has_an_example():
    public = [name for name in vars(numerics) if name in numerics.__all__]
    assert sorted(public) == numerics.__all__
    for name in public:
        assert re.search(rf"^    .*\b{name}\(", inspect.getdoc(getattr(numerics, name)), re.M)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
        ("int32", "float32"),
    ],
)
def test_a_narrow_tensor_becomes_float32_and_keeps_its_values(dtype, expected):
    values = run_example(at_least_float32, y_pred=tensor([0, 3], dtype))["y_pred"]
    assert keras.backend.standardize_dtype(values.dtype) == expected
    assert array(values).tolist() == [0, 3]


@every_dtype
def test_the_limits_of_a_dtype_are_those_of_its_definition(dtype):
    values, limits = tensor([1.0], dtype), ml_dtypes.finfo(dtype)
    assert smallest(values) == float(limits.smallest_normal)
    assert spacing(values) == float(limits.epsneg)


def test_the_smallest_number_keeps_the_gradient_of_a_root_finite():
    miss = tensor([0.0, 0.25])
    root = array(run_example(smallest, miss=miss)["root"])
    assert root == pytest.approx([2.0**-63, 0.5], rel=FLOAT32, abs=0)


@every_dtype
def test_one_less_the_spacing_is_below_one_and_less_than_the_spacing_is_lost(dtype):
    p = run_example(spacing, p=tensor([1.0, 0.5], dtype))["p"]
    assert array(ops.cast(p, dtype) < 1).all()
    assert array(p)[1] == 0.5
    one = tensor([1.0], dtype)
    assert array(ops.equal(one - spacing(one) / 4, one)).all()


@pytest.mark.parametrize(
    ("dtype", "epsilon"),
    # Keras' epsilon is 1e-7; float16 has 11 binary digits and bfloat16 has 8.
    [("float16", 2**-11), ("bfloat16", 2**-8), ("float32", 1e-7), ("float64", 1e-7)],
)
def test_clipped_probabilities_have_finite_logarithms_on_both_sides(dtype, epsilon):
    p = tensor([0.0, 0.25, 1.0], dtype)
    nats = run_example(clip, p=p)["nats"]
    expected = [-math.log(epsilon), math.log(4)]
    assert array(nats)[:2] == pytest.approx(expected, rel=BY_DTYPE[dtype])
    # Below 1 the dtype has a number every `spacing`, and rounds to the next of them.
    misses = [1 - epsilon, 0.75, epsilon]
    assert array(1 - clip(p)) == pytest.approx(misses, abs=spacing(p) / 2)
    assert np.isfinite(array(ops.log(1 - clip(p)))).all()


def test_an_epsilon_that_float32_would_lose_is_raised():
    before = keras.config.epsilon()
    keras.config.set_epsilon(1e-12)
    try:
        assert array(1 - clip(tensor([1.0]))) == [2.0**-24]
    finally:
        keras.config.set_epsilon(before)


def test_probabilities_divided_by_their_total_sum_to_one_and_zeros_stay_zeros():
    names = run_example(total, probabilities=tensor([[0.2, 0.6], [0.0, 0.0]]))
    assert array(names["p"]) == pytest.approx(np.array([[0.25, 0.75], [0.0, 0.0]]), rel=FLOAT32)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_logits_are_returned_in_float32_at_least(dtype):
    logits = logits_of(tensor([[3.0, -200.0]], dtype), "sigmoid", from_logits=True)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert array(logits).tolist() == [[3, -200]]


def test_plain_probabilities_have_no_logits():
    assert logits_of(tensor([[0.2, 0.8]]), "softmax", from_logits=False) is None


@only_on_tensorflow
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_the_logits_before_the_activation_of_the_loss_are_found(activation):
    logits = tensor([[200.0, -1.0]])
    y_pred = getattr(ops, activation)(logits)
    names = {"y_pred": y_pred, "axis": -1, "from_logits": False}
    if activation == "softmax":
        assert array(run_example(logits_of, **names)["x"]).tolist() == [[200, -1]]
    assert array(logits_of(y_pred, activation, from_logits=False)).tolist() == [[200, -1]]
    other = {"sigmoid": "softmax", "softmax": "sigmoid"}[activation]
    assert logits_of(y_pred, other, from_logits=False) is None
    assert logits_of(y_pred, activation, from_logits=False, axis=0) is None


@only_on_tensorflow
def test_logits_that_are_probabilities_are_reported():
    y_pred = ops.sigmoid(tensor([[2.0]]))
    with pytest.warns(UserWarning, match="comes from a sigmoid, so it holds probabilities"):
        logits = logits_of(y_pred, "sigmoid", from_logits=True)
    assert array(logits).tolist() == [[2]]


def test_values_that_are_left_out_count_neither_in_the_sum_nor_in_the_mean():
    class Absolute(keras.losses.Loss):
        def call(self, y_true, y_pred):
            values = ops.abs(y_true - y_pred)
            run_example(leave_out, values=values, y_true=y_true, ignore_class=-1)
            return values

    y_true, y_pred = tensor([1.0, -1.0, 4.0]), tensor([2.0, 9.0, 1.0])
    assert float(Absolute()(y_true, y_pred)) == (1 + 3) / 2
    assert float(Absolute(reduction="sum")(y_true, y_pred)) == 1 + 3


@pytest.mark.parametrize("from_logits", [True, False])
def test_the_loss_in_the_documentation_is_the_cross_entropy(from_logits):
    bernoulli = run_example(numerics)["bernoulli"]
    # exp(log(3)) is 3 to 1, a probability of 3 / 4.
    y_pred = [[math.log(3), 0.0]] if from_logits else [[0.75, 0.5]]
    values = bernoulli(tensor([[0.0, 1.0]]), tensor(y_pred), from_logits=from_logits)
    assert array(values) == pytest.approx([(math.log(4) + math.log(2)) / 2], rel=FLOAT32)


@only_on_tensorflow
def test_a_narrow_tensor_keeps_the_logits_that_keras_left_on_it():
    wide = at_least_float32(ops.sigmoid(tensor([[30.0, -30.0]], "float16")))
    assert float(array(wide)[0, 0]) == 1.0
    np.testing.assert_array_equal(array(wide._keras_logits), [[30, -30]])


@every_dtype
def test_infinite_logits_become_large_and_all_others_keep_their_bits(dtype):
    if dtype == "float16":
        pytest.skip("float16 has no 1e30: at_least_float32 comes first")
    logits = tensor([-math.inf, math.inf, -3e38, -0.0, 2.5, math.nan], dtype)
    expected = [-1e30, 1e30, -3e38, -0.0, 2.5, math.nan]
    np.testing.assert_allclose(array(finite(logits)), expected, rtol=BY_DTYPE[dtype])
    assert np.signbit(array(finite(logits)))[3]
    kept = finite(logits, where=tensor([False, True, True, True, True, True], "bool"))
    np.testing.assert_array_equal(array(kept)[:2], [-math.inf, array(finite(logits))[1]])


def test_a_class_that_is_ruled_out_adds_nothing_in_the_example_of_finite():
    names = run_example(finite, x=tensor([[1.0, -math.inf, 0.0]]), y_true=tensor([[1.0, 0.0, 0.0]]))
    assert array(names["nats"]) == pytest.approx([math.log1p(math.exp(-1))], rel=FLOAT32)


@pytest.mark.parametrize("from_logits", [True, False])
def test_log_softmax_takes_either_form(from_logits):
    # The probabilities 3/4 and 1/4.
    y_pred = tensor([[math.log(3), 0.0]] if from_logits else [[1.5, 0.5]])
    names = {"y_pred": y_pred, "y_true": tensor([[0.0, 1.0]]), "from_logits": from_logits}
    assert array(run_example(log_softmax, **names)["nats"]) == pytest.approx(
        [math.log(4)], rel=FLOAT32
    )


def test_log_softmax_is_finite_for_any_logit_and_over_any_axis():
    logs = array(log_softmax(tensor([[0.0, 1e4], [-math.inf, 0.0]]), from_logits=True, axis=0))
    assert logs[:, 0] == pytest.approx([0, -1e30], rel=FLOAT32)
    assert logs[:, 1] == pytest.approx([0, -1e4], rel=FLOAT32)


@pytest.mark.parametrize("from_logits", [True, False])
def test_log_sigmoid_takes_either_form(from_logits):
    y_pred = tensor([math.log(3) if from_logits else 0.75])
    names = {"y_pred": y_pred, "y_true": tensor([1.0]), "from_logits": from_logits}
    names = run_example(log_sigmoid, **names)
    assert array(names["nats"]) == pytest.approx([math.log(4 / 3)], rel=FLOAT32)
    assert array(names["log_q"]) == pytest.approx([-math.log(4)], rel=FLOAT32)


@pytest.mark.parametrize("from_logits", [True, False])
def test_logarithms_of_probabilities_are_finite_at_the_ends(from_logits):
    ends = [-math.inf, -1e4, 1e4, math.inf] if from_logits else [0.0, 1.0]
    for logs in log_sigmoid(tensor(ends), from_logits=from_logits):
        assert np.isfinite(array(logs)).all()


def slope(function, x):
    """Return the gradient of the sum of a function."""
    from lossreg.testing import value_and_gradient

    return array(value_and_gradient(lambda _, y_pred: function(y_pred), x, x)[1])


def test_a_root_has_a_gradient_of_zero_at_zero():
    names = run_example(
        root, a=tensor([[3.0, 4.0], [1.0, 1.0]]), b=tensor([[0.0, 0.0], [1.0, 1.0]])
    )
    assert array(names["distances"]) == pytest.approx([5, 0], rel=FLOAT32)
    assert slope(root, tensor([0.0, 4.0])) == pytest.approx([0, 1 / 4], rel=FLOAT32)


@pytest.mark.parametrize(
    ("gamma", "values", "slopes"),
    [
        pytest.param(0.0, [1, 1], [0, 0], id="1 everywhere"),
        pytest.param(0.5, [0, 2], [0, 1 / 4], id="a root"),
        pytest.param(1.0, [0, 4], [1, 1], id="the number itself"),
        pytest.param(2.0, [0, 16], [0, 8], id="a square"),
    ],
)
def test_a_power_has_a_finite_gradient_at_zero(gamma, values, slopes):
    names = run_example(power, p=tensor([1.0, -3.0]), gamma=gamma)
    assert array(names["factor"]) == pytest.approx(values, rel=FLOAT32)
    assert slope(lambda x: power(x, gamma), tensor([0.0, 4.0])) == pytest.approx(
        slopes, rel=FLOAT32
    )


def test_a_quotient_by_zero_is_zero_with_a_gradient_of_zero():
    names = run_example(divide, hits=tensor([1.0, 2.0]), positives=tensor([4.0, 0.0]))
    assert array(names["recall"]) == pytest.approx([0.25, 0], rel=FLOAT32)
    assert slope(lambda x: divide(tensor([1.0, 2.0]), x), tensor([4.0, 0.0])) == pytest.approx(
        [-1 / 16, 0], rel=FLOAT32
    )


def test_a_masked_mean_ignores_what_does_not_count_and_is_zero_where_nothing_does():
    values = tensor([[[1.0], [3.0], [math.nan]], [[math.inf]] * 3])
    y_true = tensor([[[0.0], [1.0], [-1.0]], [[-1.0]] * 3])
    names = run_example(masked_mean, values=values, y_true=y_true)
    assert array(names["per_image"]) == pytest.approx([2, 0], rel=FLOAT32)
    gradient = slope(lambda x: masked_mean(x, y_true >= 0), values)
    assert gradient[..., 0] == pytest.approx(np.array([[1 / 2, 1 / 2, 0], [0, 0, 0]]), rel=FLOAT32)
