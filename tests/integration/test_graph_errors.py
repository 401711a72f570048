"""An error in a `tf.function` has the class and the message that it has outside."""

import keras
import numpy as np
import pytest
from core_losses import core_entries
from tolerances import FLOAT32

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
NAMES = [entry.qualified_name for entry in core_entries()]
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
        ("mse", np.float32(1), np.float32(1)),
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
    expected = "at least one entry each|Give a list, even for one sample|steps, classes"
    with pytest.raises(errors.ShapeError, match=expected):
        form(name)(nothing, nothing)


@pytest.mark.parametrize("form", [lossreg.get_loss, lossreg.get_loss_fn])
def test_an_axis_beyond_the_rank_names_the_parameter(form):
    for loss in ("dice(axis=7)", "tversky(axis=(1, -3))", "bce(axis=2)", "cosine(axis=-3)"):
        with pytest.raises(errors.ShapeError, match="Change the parameter 'axis'") as caught:
            form(loss)(ONES, ONES)
        assert "(3, 5)" in str(caught.value)


def test_an_axis_is_one_of_the_aligned_predictions():
    # Of the two rows one is right, and the other has nothing to find: 1 - 0 / epsilon.
    labels, predictions = np.array([[1.0], [0.0]]), np.array([1.0, 0.0])
    assert float(lossreg.get_loss("dice(axis=1)")(labels, predictions)) == pytest.approx(
        0.5, rel=FLOAT32
    )
    # Minus the cosine over the batch: 1 * 1 / (1 * 1).
    assert float(lossreg.get_loss("cosine(axis=-2)")(labels, predictions)) == pytest.approx(
        -1, rel=FLOAT32
    )


@pytest.mark.parametrize("form", [lossreg.get_loss, lossreg.get_loss_fn])
def test_data_may_be_lists(form):
    # max(0.2 - 0.3 + 1, 0), from lists and from a list of arrays.
    for as_row in (list, np.array):
        value = form("categorical_hinge")([as_row([0.0, 1.0])], [as_row([0.2, 0.3])])
        assert float(np.sum(value)) == pytest.approx(0.9, rel=FLOAT32)
    # Two steps of probability 1/2 for class 1: 1 1, 0 1 and 1 0 give the label, 3/4 of all.
    value = form("ctc")([[1.0]], [[[0.0, 0.0], [0.0, 0.0]]])
    assert float(np.sum(value)) == pytest.approx(np.log(4 / 3), rel=FLOAT32)


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
    assert np.array_equal(loss(tf.Variable(y_true), y_pred), loss(y_true, y_pred))
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
