"""Every number of the docs page `focal.md`, computed from a small demonstration of its cause."""

import numpy as np
import pytest
from tolerances import EACH_OTHER, FLOAT32

from lossreg.lazy import keras, ops
from lossreg_focal.losses import categorical_focal, focal, sparse_focal

# The page rounds to these.
THREE_DECIMALS = 0.0005


def array(values):
    return np.asarray(ops.convert_to_numpy(values), "float64")


# Eight samples of one output, some found, some missed and some undecided.
Y_TRUE = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")[:, None]
Y_PRED = np.array([0.8, 0.3, 0.6, 0.1, 0.4, 0.7, 0.2, 0.5], "float32")[:, None]


def weights_of_each(y_true, y_pred, gamma=2.0, alpha=0.75):
    p_t = y_true * y_pred + (1 - y_true) * (1 - y_pred)
    return (y_true * alpha + (1 - y_true) * (1 - alpha)) * (1 - p_t) ** gamma


def averaged_before_weighing(y_true, y_pred):
    """The slip: one cross-entropy a sample, already averaged, meets one weight an output."""
    averaged = array(keras.losses.binary_crossentropy(y_true, y_pred))
    return (weights_of_each(y_true, y_pred) * averaged).sum(axis=-1)


def test_averaging_first_makes_every_sample_pay_for_the_others():
    assert (weights_of_each(Y_TRUE, Y_PRED) * np.ones(8)).shape == (8, 8)
    wrong = averaged_before_weighing(Y_TRUE, Y_PRED)
    right = array(focal(Y_TRUE, Y_PRED))
    assert wrong.mean() == pytest.approx(0.354, abs=THREE_DECIMALS)
    assert right.mean() == pytest.approx(0.067, abs=THREE_DECIMALS)
    by_hand = weights_of_each(Y_TRUE, Y_PRED) * -np.log(np.where(Y_TRUE == 1, Y_PRED, 1 - Y_PRED))
    assert right == pytest.approx(by_hand[:, 0], rel=EACH_OTHER)
    # Another sample's prediction changes the first one's loss.
    other = Y_PRED.copy()
    other[7] = 0.9
    assert averaged_before_weighing(Y_TRUE, other)[0] != pytest.approx(wrong[0], rel=1e-2)
    assert array(focal(Y_TRUE, other))[0] == right[0]


def test_averaging_first_crashes_for_several_outputs():
    y_true, y_pred = np.zeros((8, 3), "float32"), np.full((8, 3), 0.5, "float32")
    with pytest.raises(ValueError, match="broadcast"):
        averaged_before_weighing(y_true, y_pred)
    assert array(focal(y_true, y_pred)).shape == (8,)


def test_a_loss_without_super_init_fails_at_its_first_call():
    class Forgetful(keras.losses.Loss):
        def __init__(self):
            self.gamma = 2.0

        def call(self, y_true, y_pred):
            return focal(y_true, y_pred, gamma=self.gamma)

    with pytest.raises(AttributeError):
        Forgetful()(Y_TRUE, Y_PRED)


LOGITS = np.array([[2.0, 0.0, -1.0], [0.5, 0.0, 1.0]], "float32")


def test_alpha_has_its_effect():
    one, quarter = (
        array(sparse_focal([0, 1], LOGITS, alpha=alpha, from_logits=True)) for alpha in (1.0, 0.25)
    )
    # A quarter of a number is exact.
    assert quarter.tolist() == (0.25 * one).tolist()


def test_a_fixed_number_of_classes_gives_rows_of_zeros():
    y_true = np.array([3, 11])
    targets = array(ops.one_hot(y_true, 10))
    assert targets.sum(axis=-1).tolist() == [1.0, 0.0]
    y_pred = np.zeros((2, 12), "float32")
    # Undecided among 12: (11 / 12)**2 * log(12) for either label.
    values = array(sparse_focal(y_true, y_pred, from_logits=True))
    assert values == pytest.approx([(11 / 12) ** 2 * np.log(12)] * 2, rel=FLOAT32)
    assert values[0] == pytest.approx(2.088, abs=THREE_DECIMALS)


def test_a_fixed_axis_sums_over_positions_rather_than_classes():
    y_pred = np.zeros((2, 5, 3), "float32")
    y_true = np.zeros((2, 5), int)
    assert array(-np.eye(3)[y_true] * np.log(1 / 3)).sum(axis=1).shape == (2, 3)
    assert array(sparse_focal(y_true, y_pred, from_logits=True)).shape == (2, 5)


def test_class_numbers_multiplied_as_if_one_hot_weigh_by_the_number():
    y_true, y_pred = np.array([0.0, 2.0]), np.zeros((2, 2))
    as_weights = (-y_true * (1 - 0.5) ** 2 * np.log(0.5 + y_pred)).sum(axis=1)
    # Class 0 weighs nothing and class 2 twice, whatever the sample.
    assert as_weights == pytest.approx([2 * 0.25 * np.log(2)] * 2, rel=FLOAT32)
    values = array(sparse_focal([0, 1], y_pred.astype("float32"), from_logits=True))
    assert values == pytest.approx([0.25 * np.log(2)] * 2, rel=FLOAT32)


def test_a_softmax_of_probabilities_has_a_floor():
    perfect = np.eye(10)[:1]
    p = np.exp(perfect) / np.exp(perfect).sum()
    # The best that a model can reach: e / (e + 9) = 0.232 for the true class.
    assert p[0, 0] == pytest.approx(0.232, abs=THREE_DECIMALS)
    floor = (1 - p[0, 0]) ** 2 * -np.log(p[0, 0])
    assert -np.log(p[0, 0]) == pytest.approx(1.461, abs=THREE_DECIMALS)
    assert floor == pytest.approx(0.862, abs=THREE_DECIMALS)
    assert array(categorical_focal(perfect, perfect.astype("float32")))[0] < 1e-9


def test_keras_categorical_focal_stops_at_a_gap_of_30(run_eagerly):
    y_true, y_pred = np.array([[0.0, 1.0]], "float32"), np.array([[30.0, 0.0]], "float32")

    def theirs(y_true, y_pred):
        return keras.losses.categorical_focal_crossentropy(y_true, y_pred, from_logits=True)

    _, stuck = run_eagerly(theirs, y_true, y_pred)
    assert stuck.tolist() == [[0.0, 0.0]]
    _, moving = run_eagerly(categorical_focal, y_true, y_pred, from_logits=True)
    assert moving[0] == pytest.approx([1.0, -1.0], rel=FLOAT32)


def test_keras_binary_focal_has_no_gradient_at_an_easy_example(run_eagerly):
    y_true, y_pred = np.array([[1.0]], "float32"), np.array([[20.0]], "float32")

    def theirs(y_true, y_pred):
        return keras.losses.binary_focal_crossentropy(y_true, y_pred, gamma=0.5, from_logits=True)

    _, broken = run_eagerly(theirs, y_true, y_pred)
    assert np.isnan(broken).all()
    _, whole = run_eagerly(focal, y_true, y_pred, gamma=0.5, alpha=None, from_logits=True)
    # d/dx of exp(-x)**1.5, which the loss is out here.
    for slope in (-1.5 * np.exp(-30.0), whole[0, 0]):
        assert slope == pytest.approx(-1.4e-13, abs=0.05e-13)


def test_the_table_of_easy_and_hard_samples():
    for p_t, entropy, gamma_2 in ((0.9, 0.105, 0.0011), (0.5, 0.693, 0.173), (0.1, 2.303, 1.865)):
        assert -np.log(p_t) == pytest.approx(entropy, abs=THREE_DECIMALS)
        assert (1 - p_t) ** 2 * -np.log(p_t) == pytest.approx(gamma_2, abs=THREE_DECIMALS)
        value = array(focal([[1.0]], np.array([[p_t]], "float32"), alpha=None))[0]
        assert value == pytest.approx(gamma_2, abs=THREE_DECIMALS)
