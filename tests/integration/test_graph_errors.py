"""An error in a `tf.function` has the class and the message that it has outside."""

import keras
import numpy as np
import pytest

import lossreg
from lossreg import errors

if keras.backend.backend() != "tensorflow":
    pytest.skip("tf.function is TensorFlow's", allow_module_level=True)

import tensorflow as tf

ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, errors.LossregError)
]
NAMES = [spec.name for spec in lossreg.list_losses()]
ONES = np.ones((3, 5), "float32")


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_keeps_its_class(kind):
    @tf.function
    def step():
        raise kind("The reason.")

    with pytest.raises(kind, match=r"The reason\.") as caught:
        step()
    assert caught.type is kind


@pytest.mark.parametrize("form", [lossreg.get_loss, lossreg.get_loss_fn])
@pytest.mark.parametrize(
    ("loss", "labels", "predictions"),
    [
        ("mse", ONES[:, :2], ONES),
        ("dice(axis=7)", ONES, ONES),
        ("cce", ONES[:, :1], ONES[:, :1]),
        ("mse + huber", ONES[:, :2], ONES),
    ],
)
def test_a_misfit_is_a_shape_error(form, loss, labels, predictions):
    made = form(loss)

    @tf.function
    def step(y_true, y_pred):
        return made(y_true, y_pred)

    with pytest.raises(errors.ShapeError) as outside:
        made(labels, predictions)
    with pytest.raises(errors.ShapeError) as inside:
        step(labels, predictions)
    assert str(outside.value) in str(inside.value)


@pytest.mark.parametrize("form", [lossreg.get_loss, lossreg.get_loss_fn])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (3, 0)])
def test_data_without_entries_are_a_shape_error(form, name, shape):
    nothing = np.zeros(shape, "float32")
    with pytest.raises(errors.ShapeError, match="at least one entry each|steps, classes"):
        form(name)(nothing, nothing)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_has_no_values(name, draw):
    y_true, y_pred = draw(lossreg.bind(name).spec)
    loss = lossreg.get_loss(name, reduction="none")
    if len(np.shape(loss(y_true, y_pred))):  # Others have one value for the batch.
        assert loss(y_true[:0], y_pred[:0]).shape[0] == 0


@pytest.mark.parametrize("form", [lossreg.get_loss, lossreg.get_loss_fn])
@pytest.mark.parametrize("name", NAMES)
def test_predictions_may_be_a_variable(form, name, draw):
    y_true, y_pred = draw(lossreg.bind(name).spec)
    loss, variable = form(name), tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        value = loss(y_true, variable)
    assert np.array_equal(value, loss(y_true, tf.constant(y_pred)))
    assert tape.gradient(value, variable) is not None


def test_weights_that_fit_nothing_are_a_lossreg_error():
    made = lossreg.get_loss("mse")

    @tf.function
    def step(weights):
        return made(ONES, ONES, sample_weight=weights)

    with pytest.raises(lossreg.LossregError, match="sample_weight must have the shape"):
        step(np.ones((3, 4), "float32"))


def test_what_an_error_carries_is_kept_by_a_copy():
    import copy
    import pickle

    with pytest.raises(lossreg.ParameterError) as caught:
        lossreg.bind("huber", delta=-1)
    assert set(caught.value.faults) == {"delta"}
    for again in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert (str(again), dict(again.faults)) == (str(caught.value), caught.value.faults)
