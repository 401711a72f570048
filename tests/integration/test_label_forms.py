"""One loss for several forms of labels."""

import functools
import math
import warnings

import keras
import numpy as np
import pytest
from fakes import ACME, spec
from keras import ops
from tolerances import FLOAT32

from lossreg import ParameterError, check_data, get_loss
from lossreg.errors import ShapeError
from lossreg.keras_loss import RegisteredLoss, Registry
from lossreg.numerics import log_softmax
from lossreg.testing import value_and_gradient

P = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], "float32")
ROWS = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
NUMBERS = np.array([1, 1])
NATS = [math.log(4), -math.log(0.8)]


def of_rows(y_true, y_pred, *, from_logits: bool = False):
    """Cross-entropy of one-hot rows."""
    return -ops.sum(ops.cast(y_true, "float32") * log_softmax(y_pred, from_logits=from_logits), -1)


def of_rows_on(y_true, y_pred, *, axis: int = -1):
    """Cross-entropy of one-hot rows, on an axis."""
    return -ops.sum(y_true * log_softmax(y_pred, from_logits=False, axis=axis), axis=axis)


def of_numbers(y_true, y_pred):
    """Cross-entropy of class numbers."""
    return -ops.log(ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), -1), -1))


def of_ordered(y_true, y_pred):
    """Squared earth mover's distance, to which the order of the classes matters."""
    return ops.sum(ops.square(ops.cumsum(y_true - y_pred, axis=-1)), axis=-1)


def margin(y_true, y_pred):
    """Hinge loss of signs."""
    return ops.mean(ops.relu(1 - y_true * y_pred), axis=-1)


def loss_of(target, *forms, params=None, y_pred="probabilities", **options):
    registry = Registry()
    described = spec("made_up", target, y_true=forms, y_pred=y_pred, task=("multiclass",))
    registry.add(described, ACME, functools.partial(lambda made: made, target))
    return RegisteredLoss(registry.bind("made_up", **(params or {})), **options)


def numbers(values):
    return np.asarray(ops.convert_to_numpy(values))


@pytest.mark.parametrize(
    ("target", "forms"),
    [(of_rows, ("one_hot", "integer")), (of_numbers, ("integer", "one_hot"))],
    ids=["the function takes rows", "the function takes numbers"],
)
@pytest.mark.parametrize(
    "y_true",
    [ROWS, ROWS.astype("int32"), NUMBERS, NUMBERS[:, None], NUMBERS.astype("uint8"), [1, 1]],
    ids=["rows", "whole rows", "numbers", "a column", "bytes", "a list"],
)
def test_rows_and_class_numbers_have_one_loss(target, forms, y_true):
    loss = loss_of(target, *forms, reduction=None)
    assert numbers(loss(y_true, P)) == pytest.approx(NATS, rel=FLOAT32)


def test_pixels_with_the_classes_on_another_axis_have_one_loss():
    y_pred = np.moveaxis(np.stack([P, P[::-1]]), -1, 1)
    labels = np.array([[0, 1], [2, 0]])
    loss = loss_of(of_rows_on, "one_hot", "integer", params={"axis": 1}, reduction=None)
    expected = [[math.log(2), -math.log(0.8)], [math.log(10), math.log(2)]]
    assert numbers(loss(labels, y_pred)) == pytest.approx(np.array(expected), rel=FLOAT32)
    rows = np.moveaxis(np.eye(3)[labels], -1, 1)
    assert numbers(loss(rows, y_pred)) == pytest.approx(np.array(expected), rel=FLOAT32)


def test_zeros_and_ones_become_signs():
    loss = loss_of(margin, "sign", "binary", y_pred="real", reduction=None)
    y_pred = np.array([[0.5], [0.5]], "float32")
    for y_true in ([[0], [1]], [[-1], [1]]):
        assert numbers(loss(np.array(y_true), y_pred)) == pytest.approx([1.5, 0.5], rel=FLOAT32)


@pytest.mark.parametrize(
    "y_true",
    [[[0, 0, 1], [0, 1, 0]], [2, 1], [[2], [1]], [2.0, 1.0]],
    ids=["rows", "numbers", "a column", "whole floats"],
)
def test_class_numbers_with_an_order_become_rows(y_true):
    loss = loss_of(of_ordered, "one_hot", "ordered", reduction=None)
    # P adds up to 0.5, 0.75, 1 and 0.1, 0.9, 1; class 2 to 0, 0, 1 and class 1 to 0, 1, 1.
    expected = [0.5**2 + 0.75**2, 0.1**2 + 0.1**2]
    assert numbers(loss(np.array(y_true), P)) == pytest.approx(expected, rel=FLOAT32)


def test_pixels_of_ordered_classes_become_rows():
    loss = loss_of(of_ordered, "one_hot", "ordered", reduction=None)
    labels, y_pred = np.array([[0, 1], [2, 0]]), np.stack([P, P[::-1]])
    expected = [[0.5**2 + 0.25**2, 0.02], [0.1**2 + 0.9**2, 0.5**2 + 0.25**2]]
    assert numbers(loss(labels, y_pred)) == pytest.approx(np.array(expected), rel=FLOAT32)


@pytest.mark.parametrize(
    ("y_true", "message"),
    [
        (np.array([1, 3]), "classes from 0 to 2, since y_pred has 3, got 1 to 3"),
        (np.array([1, -1]), r"classes from 0 to 2.*made_up\(ignore_class=-1\)"),
        (np.array([1.0, 0.5]), "whole numbers, got 0.5"),
        (2 * ROWS, r"must be in \[0, 1\], got 0 to 2"),
        (np.ones((2, 2), "int32"), "of the same shape"),
    ],
)
def test_ordered_labels_are_checked_as_what_they_are(y_true, message):
    loss = loss_of(of_ordered, "one_hot", "ordered")
    with pytest.raises(ShapeError, match=message):
        loss(y_true, P)


def test_an_ignored_class_among_ordered_ones_counts_nowhere():
    loss = loss_of(of_ordered, "one_hot", "ordered", params={"ignore_class": 255})
    y_pred = np.array([P[0], [np.nan] * 3], "float32")
    labels = np.array([2, 255])
    assert float(loss(labels, y_pred)) == pytest.approx(0.8125, rel=FLOAT32)
    values, gradient = value_and_gradient(loss.call, labels, y_pred)
    assert numbers(values).tolist() == [pytest.approx(0.8125, rel=FLOAT32), 0]
    # Twice the distance from 0.5, 0.75, 1 to 0, 0, 1, added up from the last class.
    expected = [[2 * (0.5 + 0.75), 2 * 0.75, 0], [0, 0, 0]]
    assert numbers(gradient) == pytest.approx(np.array(expected), rel=FLOAT32)


def test_data_with_an_order_are_checked_in_either_form():
    loss = loss_of(of_ordered, "one_hot", "ordered", params={"ignore_class": 255})
    assert check_data(loss, ROWS, P) == []
    assert check_data(loss, np.array([2, 255]), P) == []
    (finding,) = check_data(loss, NUMBERS + 2, P)
    assert "classes from 0 to 2" in finding.message


@pytest.mark.parametrize(
    ("y_true", "message"),
    [
        (np.array([1, 3]), "classes from 0 to 2, since y_pred has 3, got 1 to 3"),
        (np.array([1.0, 0.5]), "whole numbers, got 0.5"),
        (2 * ROWS, r"must be in \[0, 1\], got 0 to 2"),
        (np.ones((3, 3)), "of the same shape"),
        (np.ones((2, 2), "int32"), "of the same shape"),
    ],
)
def test_labels_are_checked_as_what_they_are(y_true, message):
    with pytest.raises(ShapeError, match=message):
        loss_of(of_rows, "one_hot", "integer")(y_true, P)


def test_a_missing_class_is_nan_where_it_can_not_be_refused():
    loss = loss_of(of_rows, "one_hot", "integer", reduction=None)
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow's graphs keep the labels from being read here")
    import tensorflow as tf

    values = numbers(tf.function(loss)(tf.constant([1, 3]), tf.constant(P)))
    assert values[0] == pytest.approx(NATS[0], rel=FLOAT32)
    assert math.isnan(values[1])


def test_an_ignored_class_counts_neither_in_the_sum_nor_in_the_mean_nor_in_the_gradient():
    loss = loss_of(of_rows, "one_hot", "integer", params={"ignore_class": -1})
    y_pred = np.array([P[0], [np.nan] * 3], "float32")
    assert float(loss(np.array([1, -1]), y_pred)) == pytest.approx(math.log(4), rel=FLOAT32)
    values, gradient = value_and_gradient(loss.call, np.array([1, -1]), y_pred)
    assert numbers(values)[1] == 0
    assert numbers(gradient)[1].tolist() == [0, 0, 0]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras keeps logits on TensorFlow only"
)
def test_an_ignored_class_leaves_the_logits_that_keras_kept():
    loss = loss_of(of_rows, "one_hot", "integer", params={"ignore_class": -1}, reduction=None)
    y_pred = ops.softmax(ops.convert_to_tensor([[200.0, 0.0], [0.0, 200.0]]))
    assert numbers(loss(np.array([1, -1]), y_pred)) == pytest.approx([200, 0], rel=FLOAT32)


def test_ignore_class_is_a_parameter_like_any_other_and_is_saved():
    loss = loss_of(of_rows, "one_hot", "integer", params={"ignore_class": 255})
    assert loss.params == {"from_logits": False, "ignore_class": 255}
    assert loss.get_config()["params"]["ignore_class"] == 255
    with pytest.raises(ParameterError, match="'ignore_class' must be None or an integer"):
        loss_of(of_rows, "one_hot", "integer", params={"ignore_class": "x"})


def test_data_are_checked_in_either_form():
    loss = loss_of(of_rows, "one_hot", "integer")
    assert check_data(loss, ROWS, P) == []
    assert check_data(loss, NUMBERS, P) == []
    (finding,) = check_data(loss, NUMBERS + 2, P)
    assert "classes from 0 to 2" in finding.message
    (finding,) = check_data(loss, ROWS + ROWS, P)
    assert "must be in [0, 1]" in finding.message


@pytest.mark.parametrize("labels", [NUMBERS, NUMBERS[:, None], ops.convert_to_tensor(NUMBERS)])
def test_no_call_is_deprecated(labels):
    loss = get_loss("sparse_categorical_crossentropy")
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        assert float(loss(labels, P)) == pytest.approx(np.mean(NATS), rel=FLOAT32)
