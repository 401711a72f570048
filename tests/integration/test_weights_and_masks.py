"""Weights and masks of another rank than the values mean what they say, or are an error."""

import keras
import numpy as np
import pytest
from tolerances import EACH_OTHER, FLOAT32

import lossreg
from lossreg.errors import WeightError

# The errors 1 to 12 of two samples, two steps and three places: values are their squares.
ERRORS = np.arange(1.0, 13.0).reshape(2, 2, 3, 1)
SQUARES = ERRORS[..., 0] ** 2
OF_SAMPLE = [SQUARES[0].sum(), SQUARES[1].sum()]  # 91, 559


def mse(errors, weights, **options):
    loss = lossreg.get_loss("mse", **options)
    return float(loss(np.zeros_like(errors), errors, sample_weight=np.asarray(weights, "float32")))


@pytest.mark.parametrize("weights", [[1, 0], [[1], [0]], [[[[1]]], [[[0]]]], [[[1]], [[0]]]])
def test_one_weight_for_each_sample_weighs_all_of_the_sample(weights):
    assert mse(ERRORS, weights) == pytest.approx(OF_SAMPLE[0] / 12, rel=FLOAT32)
    assert mse(ERRORS, weights, reduction="sum") == pytest.approx(OF_SAMPLE[0], rel=FLOAT32)


def test_weights_are_of_samples_where_there_are_as_many_steps():
    errors = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    assert mse(errors, [1, 0]) == pytest.approx((1 + 4) / 4, rel=FLOAT32)


def test_a_batch_of_32_with_32_steps_is_weighed_by_sample():
    model = keras.Sequential(
        [keras.Input((32, 1)), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    model.compile("sgd", lossreg.get_loss("mse"))
    x, weights = np.zeros((32, 32, 1)), np.zeros(32)
    x[0], weights[0] = 1, 1
    found = model.evaluate(x, 0 * x, sample_weight=weights, verbose=0)
    assert found == pytest.approx(32 / 32**2, rel=FLOAT32)


def test_each_value_can_have_its_own_weight():
    weights = np.zeros((2, 2, 3))
    weights[1, 0, 2] = 2
    assert mse(ERRORS, weights) == pytest.approx(2 * 9.0**2 / 12, rel=FLOAT32)
    assert mse(ERRORS, weights[..., None]) == pytest.approx(2 * 9.0**2 / 12, rel=FLOAT32)
    # One for each step, alike for its places.
    steps = np.array([[[0.0], [1.0]], [[0.0], [0.0]]])
    assert mse(ERRORS, steps) == pytest.approx((16 + 25 + 36) / 12, rel=FLOAT32)


@pytest.mark.parametrize(
    "weights", [np.ones(3), np.ones((2, 2)), np.ones((2, 3)), np.ones((2, 2, 2)), np.ones((1, 2))]
)
@pytest.mark.parametrize("form", ["mse", "mse + mae"])
def test_weights_that_fit_nothing_are_an_error_with_both_shapes(form, weights):
    loss = lossreg.get_loss(form)
    with pytest.raises(WeightError) as caught:
        loss(0 * ERRORS, ERRORS, sample_weight=weights)
    assert str((2, 2, 3)) in str(caught.value)
    assert str(weights.shape) in str(caught.value)


# Labels that lack the last axis of the predictions


@pytest.mark.parametrize("shape", [(2, 2, 3), (2, 2, 3, 1)])
@pytest.mark.parametrize("name", ["mse", "mae", "huber(delta=100)", "bce(from_logits=True)"])
def test_labels_without_the_last_axis_of_size_one_keep_every_weight(name, shape):
    weights = np.zeros((2, 2, 3))
    weights[0, 1, 1] = 1  # the error 5
    value = {"mse": 25, "mae": 5, "huber(delta=100)": 12.5}.get(name, np.log1p(np.exp(5)))
    loss = lossreg.get_loss(name)
    assert float(loss(np.zeros(shape), ERRORS, sample_weight=weights)) == pytest.approx(
        value / 12, rel=FLOAT32
    )


def test_a_sum_of_labels_without_the_last_axis_is_of_every_entry():
    labels, loss = np.zeros((2, 2, 3)), lossreg.get_loss("mse", reduction="sum")
    assert float(loss(labels, ERRORS)) == pytest.approx(91 + 559, rel=FLOAT32)
    unreduced = lossreg.get_loss("mse", reduction=None)(labels, ERRORS)
    np.testing.assert_allclose(unreduced, SQUARES, rtol=FLOAT32)
    np.testing.assert_allclose(lossreg.get_loss_fn("mse")(labels, ERRORS), SQUARES, rtol=FLOAT32)


@pytest.mark.parametrize("loss", ["dice(axis=(1, 2, 3))", "tversky(axis=(1, 2, 3))"])
def test_masks_without_a_channel_axis_give_one_value_an_image(loss):
    labels = np.array([[[1.0, 1.0], [0.0, 0.0]]] * 2)
    predicted = np.array([[[0.0, 1.0], [0.0, 1.0]], [[0.4, 0.0], [0.0, 0.9]]])[..., None]
    # Overlap 1 of 2 + 2, and 0.4 of 2 + 1.3.
    expected = [1 - 2 * 1 / 4, 1 - 2 * 0.4 / 3.3]
    np.testing.assert_allclose(lossreg.get_loss_fn(loss)(labels, predicted), expected, rtol=FLOAT32)
    found = lossreg.get_loss(loss)(labels, predicted, sample_weight=np.array([0.0, 1.0]))
    assert float(found) == pytest.approx(expected[1] / 2, rel=FLOAT32)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="Keras keeps logits on TensorFlow only"
)
@pytest.mark.parametrize("shape", [(2, 1, 1, 1), (2, 1, 1)])
def test_the_logits_behind_a_sigmoid_are_kept(shape):
    inputs = keras.Input((1, 1, 1))
    model = keras.Model(inputs, keras.layers.Activation("sigmoid")(inputs))
    model.compile("sgd", lossreg.get_loss("bce"))
    x = np.full((2, 1, 1, 1), 30.0, "float32")
    assert model.evaluate(x, np.zeros(shape), verbose=0) == pytest.approx(30, rel=FLOAT32)


# Masks


def masked_model():
    inputs = keras.Input((3, 1))
    return keras.Model(inputs, keras.layers.Masking(0.0)(inputs))


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1)])
def test_a_masked_step_does_not_count(shape):
    model = masked_model()
    model.compile("sgd", lossreg.get_loss("mse"))
    x = np.array([[[1.0], [2.0], [0.0]], [[3.0], [0.0], [0.0]]])
    # Labels of 1 cost 0, 1 and 4; the three masked steps would cost 1 each.
    assert model.evaluate(x, np.ones(shape), verbose=0) == pytest.approx(
        (0 + 1 + 4) / 3, rel=FLOAT32
    )
    weighed = model.evaluate(x, np.ones(shape), sample_weight=np.array([0.0, 2.0]), verbose=0)
    assert weighed == pytest.approx(2 * 4 / 3, rel=FLOAT32)


def ctc_model(steps):
    layers = [
        keras.Input((steps, 8)),
        keras.layers.Masking(),
        keras.layers.Dense(6, kernel_initializer="ones"),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", lossreg.get_loss("ctc"))
    return model


@pytest.mark.parametrize("samples", [32, 10])
def test_a_mask_of_steps_leaves_out_a_sample_without_any(samples):
    model = ctc_model(10)
    x = np.random.RandomState(0).rand(samples, 10, 8).astype("float32")
    x[:, 8:], x[0] = 0, 0
    y = np.zeros((samples, 5), "float32")
    y[:, 0] = 1
    values = np.asarray(lossreg.get_loss_fn("ctc")(y, model.predict(x, verbose=0)))
    # The first sample has no step.
    found = model.evaluate(x, y, batch_size=samples, verbose=0)
    assert found == pytest.approx(float(values[1:].mean()), rel=EACH_OTHER)


# One value for a batch


@pytest.mark.parametrize("name", ["dice", "tversky", "dice + mse"])
def test_a_loss_with_one_value_for_the_batch_takes_no_weights(name):
    labels = np.array([[0.0], [1.0]])
    with pytest.raises(WeightError, match="one number for the whole batch"):
        lossreg.get_loss(name)(labels, labels, sample_weight=np.ones(2))


# Labels that aren't there


@pytest.mark.parametrize("name", ["mse", "scce(from_logits=True)", "mse + mae", "dice"])
def test_labels_that_are_missing_are_said_to_be(name):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3)])
    model.compile("sgd", lossreg.get_loss(name))
    with pytest.raises(lossreg.DataError, match=r"needs labels, and got none: y is missing"):
        model.fit(np.zeros((2, 1)), verbose=0)


# Before the training


@pytest.mark.parametrize(
    ("name", "weights", "fits"),
    [
        ("mse", (4,), True),
        ("mse", (4, 1), True),
        ("mse", (4, 3), True),
        ("mse", (4, 3, 1), True),
        ("mse", (3,), False),
        ("mse", (4, 2), False),
        ("mse", (4, 3, 2), False),
        ("dice(axis=(1, 2))", (4,), True),
        ("dice(axis=(1, 2))", (4, 3), False),
        # Nothing is known of their values.
        ("dice", (4,), True),
    ],
)
def test_check_data_finds_weights_that_fit_nothing(name, weights, fits):
    labels = np.zeros((4, 3, 2))
    found = lossreg.check_data(name, labels, labels + 0.5, sample_weight=np.ones(weights))
    messages = [finding.message for finding in found]
    assert ("sample_weight must have the shape" in " ".join(messages)) is not fits
