"""Where papers and projects differ: what each parameter means, and which loss is a limit of which.

Values by hand, for an image of four pixels in a row.
"""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg import ParameterError
from lossreg.builtin.overlap import dice, tversky
from lossreg_segmentation.lovasz import lovasz_softmax
from lossreg_segmentation.overlap import focal_tversky, generalized_dice, jaccard, soft_dice
from lossreg_segmentation.scores import matthews, soft_f1
from lossreg_segmentation.unified import unified_focal
from lossreg_segmentation.wasserstein import generalized_wasserstein_dice

# Two of four pixels are true. One of them is found and one half found; a quarter is invented.
MASK = np.array([[1, 1, 0, 0]], "float32")[..., None]
FOUND = np.array([[1, 0.5, 0.25, 0]], "float32")[..., None]
TP, FP, FN = 1.5, 0.25, 0.5

EMPTY = np.zeros((1, 4, 1), "float32")

# Class 2 is absent. Class 0 has Dice 2 * 1.5 / (2 + 1.75), class 1 has 2 * 1.5 / (2 + 2).
THREE = np.array([[0, 0, 1, 1]])
ONE_HOT = np.eye(3, dtype="float32")[THREE]
P = np.array([[[1, 0, 0], [0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 1, 0]]], "float32")
D_0, D_1 = 1 - 3 / 3.75, 1 - 3 / 4


def value(loss, y_true, y_pred, **params):
    return float(np.asarray(loss(y_true, y_pred, **params)).reshape(-1)[0])


@pytest.mark.parametrize("s", [0.0, 1.0, 3.0])
def test_smooth_stands_once_above_and_once_below_the_bar_as_written(s):
    found = value(soft_dice, MASK, FOUND, smooth=s)
    assert found == pytest.approx(1 - (2 * TP + s) / (2 * TP + FP + FN + s), rel=FLOAT32)
    found = value(jaccard, MASK, FOUND, smooth=s)
    assert found == pytest.approx(1 - (TP + s) / (TP + FP + FN + s), rel=FLOAT32)
    found = value(focal_tversky, MASK, FOUND, alpha=2.0, beta=0.5, gamma=1.0, smooth=s)
    assert found == pytest.approx(1 - (TP + s) / (TP + 2 * FP + 0.5 * FN + s), rel=FLOAT32)


@pytest.mark.parametrize("s", [0.0, 1.0, 3.0])
def test_smooth_weighs_twice_as_much_in_tversky_and_jaccard_as_in_dice(s):
    d = value(soft_dice, MASK, FOUND, smooth=2 * s)
    half = {"alpha": 0.5, "beta": 0.5, "gamma": 1.0}
    assert value(focal_tversky, MASK, FOUND, **half, smooth=s) == pytest.approx(d, rel=EACH_OTHER)
    # J = D / (2 - D).
    found = value(jaccard, MASK, FOUND, smooth=s)
    assert found == pytest.approx(1 - (1 - d) / (2 - (1 - d)), rel=EACH_OTHER)
    if s:
        assert value(soft_dice, MASK, FOUND, smooth=s) != pytest.approx(d, rel=1e-2)


def test_without_smooth_soft_dice_and_tversky_are_those_of_keras(run_eagerly):
    axes = (1, 2)
    per_image = float(np.asarray(dice(MASK, FOUND, axis=axes))[0])
    assert value(soft_dice, MASK, FOUND, smooth=0.0) == pytest.approx(per_image, rel=EACH_OTHER)
    prices = {"alpha": 0.2, "beta": 0.9}
    per_image = float(np.asarray(tversky(MASK, FOUND, **prices, axis=axes))[0])
    found = value(focal_tversky, MASK, FOUND, **prices, gamma=1.0, smooth=0.0)
    assert found == pytest.approx(per_image, rel=EACH_OTHER)


def test_alpha_is_the_price_of_a_false_alarm_and_beta_of_a_miss():
    miss, alarm = np.array([[1, 0, 0, 0], [1, 1, 1, 0]], "float32")[:, None, :, None]
    prices = {"alpha": 0.25, "beta": 3.0, "gamma": 1.0, "smooth": 0.0}
    found = value(focal_tversky, MASK, miss, **prices)
    assert found == pytest.approx(1 - 1 / (1 + 3.0), rel=FLOAT32)
    found = value(focal_tversky, MASK, alarm, **prices)
    assert found == pytest.approx(1 - 2 / (2 + 0.25), rel=FLOAT32)


def test_gamma_is_the_exponent_where_the_paper_has_its_inverse():
    plain = value(focal_tversky, MASK, FOUND, gamma=1.0)
    assert value(focal_tversky, MASK, FOUND, gamma=0.75) == pytest.approx(
        plain ** (1 / (4 / 3)), rel=EACH_OTHER
    )


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"smooth": 0.0}, (D_0 + D_1 + 1) / 3, id="without smooth it costs 1"),
        pytest.param(
            {"smooth": 1.0},
            (1 - 4 / 4.75 + 1 - 4 / 5 + 1 - 1 / 1.25) / 3,
            id="smooth pixels soften it",
        ),
        pytest.param({"smooth": 0.0, "absent": "zero"}, (D_0 + D_1) / 3, id="zero"),
        pytest.param({"smooth": 0.0, "absent": "skip"}, (D_0 + D_1) / 2, id="skip"),
        pytest.param(
            {"smooth": 0.0, "include_background": False}, (D_1 + 1) / 2, id="no background"
        ),
        pytest.param(
            {"smooth": 0.0, "class_weight": (3.0, 1.0, 0.0)}, (3 * D_0 + D_1) / 4, id="weights"
        ),
        pytest.param(
            {"smooth": 0.0, "class_weight": (1e-9, 3e-9, 1.0), "absent": "skip"},
            (D_0 + 3 * D_1) / 4,
            id="weights have no unit",
        ),
    ],
)
def test_the_mean_over_the_classes(params, expected):
    assert value(soft_dice, ONE_HOT, P, **params) == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize("loss", [soft_dice, jaccard, focal_tversky, generalized_dice])
def test_an_empty_image_costs_nothing_if_nothing_is_predicted(loss):
    assert value(loss, EMPTY, EMPTY) == 0.0
    assert value(loss, EMPTY, EMPTY + 1) == pytest.approx(1.0, rel=FLOAT32)


def test_an_image_of_other_size_doesn_t_change_its_neighbour(run_eagerly):
    y, p = np.concatenate([MASK, EMPTY]), np.concatenate([FOUND, FOUND])
    together, _ = run_eagerly(soft_dice, y, p)
    assert together[0] == pytest.approx(value(soft_dice, MASK, FOUND), rel=EACH_OTHER)


def test_the_log_dice_falls_where_nothing_is_found(run_eagerly):
    nothing = np.full((1, 4, 1), 1e-4, "float32")
    _, linear = run_eagerly(soft_dice, MASK, nothing)
    _, steep = run_eagerly(soft_dice, MASK, nothing, form="log")
    assert steep[0, 0, 0] < 1000 * linear[0, 0, 0] < 0


def test_log_cosh_keeps_its_digits_near_a_perfect_prediction(run_eagerly):
    p = MASK.copy()
    p[0, 0] = 0.998
    values, _ = run_eagerly(soft_dice, MASK, p, smooth=0.0, form="log_cosh")
    miss = 1 - mpmath.mpf(2) * (1 + mpmath.mpf(float(p[0, 0, 0]))) / (
        3 + mpmath.mpf(float(p[0, 0, 0]))
    )
    # 5e-7, of which log(cosh(x)) in float32 has no digit. The miss itself is good to 1e-7.
    assert values[0] == pytest.approx(float(mpmath.log(mpmath.cosh(miss))), rel=1e-3)


def test_generalized_dice_weighs_the_rarest_class_and_absent_ones_with_1():
    # Sizes 3 and 1, and an absent class: weights 1/9, 1 and 1.
    y = np.eye(3, dtype="float32")[np.array([[0, 0, 0, 1]])]
    p = np.array([[[1, 0, 0], [1, 0, 0], [0.5, 0, 0.5], [0, 0.75, 0.25]]], "float32")
    above = 2 * (2.5 / 9 + 0.75)
    below = (3 + 2.5) / 9 + (1 + 0.75) + 0.75
    assert value(generalized_dice, y, p, smooth=0.0) == pytest.approx(
        1 - above / below, rel=FLOAT32
    )
    found = value(generalized_dice, y, p, smooth=2.0)
    assert found == pytest.approx(1 - (above + 2) / (below + 2), rel=FLOAT32)


def test_generalized_dice_of_one_class_or_of_equal_ones_is_dice():
    found = value(generalized_dice, MASK, FOUND)
    assert found == pytest.approx(value(soft_dice, MASK, FOUND), rel=EACH_OTHER)


def test_soft_f1_of_one_image_is_dice_without_smooth(run_eagerly):
    found = value(soft_f1, MASK, FOUND)
    assert found == pytest.approx(value(soft_dice, MASK, FOUND, smooth=0.0), rel=EACH_OTHER)
    # tn = 1.75.
    double = value(soft_f1, MASK, FOUND, double=True)
    assert double == pytest.approx((found + 1 - 3.5 / (3.5 + FP + FN)) / 2, rel=EACH_OTHER)


def test_soft_f1_counts_over_the_batch_and_not_by_sample(run_eagerly):
    y = np.array([[1.0], [1.0], [0.0]], "float32")
    p = np.array([[0.75], [0.25], [0.5]], "float32")
    values, _ = run_eagerly(soft_f1, y, p)
    assert values.shape == ()
    assert values == pytest.approx(1 - 2 / (2 + 0.5 + 1.0), rel=FLOAT32)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        pytest.param([1, 1, 0, 0], 0.0, id="right"),
        pytest.param([0, 0, 1, 1], 2.0, id="the other way round"),
        pytest.param([1, 0, 1, 0], 1.0, id="chance"),
        pytest.param([1, 0, 0, 0], 1 - 2 / math.sqrt(12), id="one missed: 1*2/sqrt(1*2*2*3)"),
        pytest.param([0, 0, 0, 0], 1.0, id="nothing predicted"),
    ],
)
def test_matthews_by_hand(predicted, expected):
    y_pred = np.array([predicted], "float32")[..., None]
    assert value(matthews, MASK, y_pred) == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)


def test_matthews_of_one_class_alone_is_1_without_a_gradient(run_eagerly):
    for y in (EMPTY, EMPTY + 1):
        values, gradient = run_eagerly(matthews, y, FOUND)
        assert values == pytest.approx([1.0], rel=FLOAT32)
        assert np.abs(gradient).max() < 1e-6


def test_wasserstein_with_equal_distances_is_dice_of_the_foreground():
    # Two classes: of those in the foreground 1 is found and half of another, a quarter invented.
    y = np.concatenate([1 - MASK, MASK], axis=-1)
    p = np.concatenate([1 - FOUND, FOUND], axis=-1)
    found = value(generalized_wasserstein_dice, y, p)
    assert found == pytest.approx(value(soft_dice, MASK, FOUND), rel=EACH_OTHER)


def test_a_confusion_of_near_classes_costs_less():
    matrix = ((0.0, 1.0, 1.0), (1.0, 0.0, 0.2), (1.0, 0.5, 0.0))
    y = np.array([[[0, 1, 0], [0, 0, 1]]], "float32")
    one_for_two, two_for_one = np.array([[[0, 0, 1], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]], "float32")
    # Rows are the true classes: 1 for 2 is 0.2 off, 2 for 1 is 0.5 off.
    params = {"distances": matrix, "smooth": 0.0}
    found = value(generalized_wasserstein_dice, y, one_for_two[None], **params)
    assert found == pytest.approx(1 - 2 * 1.8 / (2 * 1.8 + 0.2), rel=FLOAT32)
    found = value(generalized_wasserstein_dice, y, two_for_one[None], **params)
    assert found == pytest.approx(1 - 2 * 1.5 / (2 * 1.5 + 0.5), rel=FLOAT32)


def test_distances_are_divided_by_the_largest_and_have_no_diagonal(run_eagerly):
    near = ((0.0, 1.0, 1.0), (1.0, 0.0, 0.25), (1.0, 0.25, 0.0))
    far = tuple(tuple(8 * d if d else 5.0 for d in row) for row in near)
    found = value(generalized_wasserstein_dice, ONE_HOT, P, distances=far)
    expected = value(generalized_wasserstein_dice, ONE_HOT, P, distances=near)
    assert found == pytest.approx(expected, rel=EACH_OTHER)


def test_a_matrix_or_weights_of_another_size_are_refused():
    with pytest.raises(ParameterError, match="must have 3 rows of 3 numbers"):
        generalized_wasserstein_dice(ONE_HOT, P, distances=((0.0, 1.0), (1.0, 0.0)))
    with pytest.raises(ParameterError, match="must have 3 weights, one for each class"):
        soft_dice(ONE_HOT, P, class_weight=(1.0, 2.0))


def test_unified_focal_without_focus_is_cross_entropy_and_tversky():
    y, p = ONE_HOT[..., :2], np.array([[[0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.2, 0.8]]], "float32")
    nats = -np.log([0.9, 0.5, 0.7, 0.8])
    params = {"gamma": 0.0, "smooth": 1e-5}
    found = value(unified_focal, y, p, weight=1.0, delta=0.5, **params)
    assert found == pytest.approx(0.5 * nats.mean(), rel=FLOAT32)
    found = value(unified_focal, y, p, weight=0.0, delta=0.8, **params)
    expected = value(focal_tversky, y, p, alpha=0.2, beta=0.8, gamma=1.0)
    assert found == pytest.approx(expected, rel=EACH_OTHER)


def test_weight_is_the_share_of_the_cross_entropy_as_in_the_paper():
    y, p = ONE_HOT[..., :2], np.array([[[0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.2, 0.8]]], "float32")
    f, t = (value(unified_focal, y, p, weight=w) for w in (1.0, 0.0))
    assert value(unified_focal, y, p, weight=0.2) == pytest.approx(
        0.2 * f + 0.8 * t, rel=EACH_OTHER
    )


BATCHES = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=BATCHES)
@pytest.mark.parametrize("loss", [soft_dice, jaccard, focal_tversky, generalized_dice, matthews])
def test_the_order_of_pixels_and_classes_is_nothing(loss, rng):
    y = np.eye(3, dtype="float32")[rng.integers(0, 3, (1, 6))]
    p = rng.dirichlet(np.ones(3), (1, 6)).astype("float32")
    expected = value(loss, y, p)
    pixels, classes = rng.permutation(6), rng.permutation(3)
    found = value(loss, y[:, pixels][..., classes], p[:, pixels][..., classes])
    assert found == pytest.approx(expected, rel=EACH_OTHER, abs=2 * CANCELLATION)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=BATCHES)
def test_lovasz_softmax_is_convex_in_the_probabilities(rng):
    y = np.eye(3, dtype="float32")[rng.integers(0, 3, (1, 6))]
    one, two = rng.dirichlet(np.ones(3), (2, 1, 6)).astype("float32")
    middle = value(lovasz_softmax, y, (one + two) / 2)
    assert (
        middle <= (value(lovasz_softmax, y, one) + value(lovasz_softmax, y, two)) / 2 + EACH_OTHER
    )
