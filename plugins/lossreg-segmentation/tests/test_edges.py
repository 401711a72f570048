"""Finite values and gradients wherever the ranges of a loss allow its arguments."""

import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER

from lossreg_segmentation import boundary, centerline, lovasz, overlap, scores, unified, wasserstein

CLASSES = 3
RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, CLASSES, (2, 4, 4))
WRONG = np.eye(CLASSES)[(LABELS + 1) % CLASSES]


def one_hot(labels):
    return np.eye(CLASSES)[labels]


def masks(y_true):
    """Return only the channel of class 1, as a mask."""
    return y_true[..., 1:2]


# Labels and probabilities at every edge.
EDGES = {
    "perfect": (one_hot(LABELS), one_hot(LABELS)),
    "all wrong": (one_hot(LABELS), WRONG),
    "background alone, found": (one_hot(0 * LABELS), one_hot(0 * LABELS)),
    "background alone, and a false alarm": (one_hot(0 * LABELS), one_hot(LABELS)),
    "one class alone, missed": (one_hot(0 * LABELS + 1), one_hot(0 * LABELS)),
    "nothing predicted": (one_hot(LABELS), np.zeros((2, 4, 4, CLASSES))),
    "hardly anything predicted": (one_hot(0 * LABELS), np.full((2, 4, 4, CLASSES), 1e-30)),
    "no label at all": (np.zeros((2, 4, 4, CLASSES)), WRONG),
    "all positions ignored": (np.zeros((2, 4, 4, CLASSES)), np.full((2, 4, 4, CLASSES), 1 / 3)),
    "all equal": (one_hot(LABELS), np.full((2, 4, 4, CLASSES), 1 / 3)),
    "one pixel": (one_hot(LABELS)[:, :1, :1], WRONG[:, :1, :1]),
}

OVERLAP = [
    (overlap.soft_dice, {}),
    (overlap.soft_dice, {"smooth": 0.0, "squared": True, "absent": "skip"}),
    (overlap.soft_dice, {"smooth": 0.0, "form": "log", "class_weight": (0.0, 0.0, 0.0)}),
    (overlap.soft_dice, {"form": "log_cosh", "include_background": False, "absent": "zero"}),
    (overlap.jaccard, {"smooth": 0.0, "ignore_class": 255}),
    (overlap.focal_tversky, {"gamma": 0.01, "smooth": 0.0}),
    (overlap.focal_tversky, {"gamma": 3.0, "alpha": 0.0, "beta": 0.0, "smooth": 0.0}),
    (overlap.generalized_dice, {"smooth": 0.0}),
    (overlap.generalized_dice, {"include_background": False, "ignore_class": 1}),
    (lovasz.lovasz_softmax, {"ignore_class": 255}),
    (lovasz.lovasz_softmax, {"classes": "all"}),
    (wasserstein.generalized_wasserstein_dice, {"smooth": 0.0}),
    (
        wasserstein.generalized_wasserstein_dice,
        {"distances": ((0.0,) * 3,) * 3, "weighting": "volume", "smooth": 0.0},
    ),
    (unified.unified_focal, {"smooth": 0.0, "ignore_class": 255}),
    (unified.unified_focal, {"gamma": 0.99, "delta": 1.0, "weight": 1.0, "symmetric": True}),
    (unified.unified_focal, {"gamma": 0.0, "delta": 0.0, "weight": 0.0}),
    (centerline.soft_cldice, {"smooth": 0.0}),
    (centerline.soft_cldice, {"alpha": 1.0, "iterations": 0}),
]
YES_OR_NO = [(scores.soft_f1, {"double": True}), (scores.matthews, {})]


def assert_finite(found):
    for what, numbers in zip(("values", "gradient"), found, strict=True):
        assert np.isfinite(numbers).all(), what


@pytest.mark.parametrize(("loss", "params"), OVERLAP + YES_OR_NO)
def test_values_and_gradients_are_finite_at_every_edge(run_eagerly, loss, params):
    for edge, (y_true, y_pred) in EDGES.items():
        found = run_eagerly(loss, y_true.astype("float32"), y_pred.astype("float32"), **params)
        assert np.isfinite(found[0]).all(), edge
        assert np.isfinite(found[1]).all(), edge


@pytest.mark.parametrize("size", [30.0, 1e4])
@pytest.mark.parametrize(("loss", "params"), OVERLAP + YES_OR_NO)
def test_values_and_gradients_are_finite_at_every_logit(run_eagerly, loss, params, size):
    y_true = one_hot(LABELS).astype("float32")
    for aim in (one_hot(LABELS), WRONG):
        x = (size * (2 * aim - 1)).astype("float32")
        assert_finite(run_eagerly(loss, y_true, x, from_logits=True, **params))


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_the_hinge_is_finite_at_every_logit(run_eagerly, size):
    for truth in (LABELS == 1, LABELS < 0, LABELS >= 0):
        y_true = truth[..., None].astype("float32")
        for sign in (-1, 0, 1):
            assert_finite(run_eagerly(lovasz.lovasz_hinge, y_true, sign * size * (2 * y_true - 1)))


@pytest.mark.parametrize(
    ("loss", "at_best"),
    [
        pytest.param(loss, value, id=loss.__name__)
        for loss, value in [
            (overlap.soft_dice, 0.0),
            (overlap.jaccard, 0.0),
            (overlap.focal_tversky, 0.0),
            (overlap.generalized_dice, 0.0),
            (lovasz.lovasz_softmax, 0.0),
            (wasserstein.generalized_wasserstein_dice, 0.0),
            (centerline.soft_cldice, 0.0),
            (scores.matthews, 0.0),
        ]
    ],
)
def test_a_perfect_prediction_costs_nothing(run_eagerly, loss, at_best):
    y_true = one_hot(LABELS).astype("float32")
    values, _ = run_eagerly(loss, y_true, y_true)
    assert values == pytest.approx([at_best] * 2, abs=CANCELLATION)


@pytest.mark.parametrize(
    "loss",
    [
        overlap.soft_dice,
        overlap.jaccard,
        overlap.focal_tversky,
        overlap.generalized_dice,
        lovasz.lovasz_softmax,
        wasserstein.generalized_wasserstein_dice,
        unified.unified_focal,
        centerline.soft_cldice,
    ],
)
def test_ignored_positions_change_neither_value_nor_gradient(run_eagerly, loss):
    y_true = one_hot(LABELS).astype("float32")
    y_pred = RNG.dirichlet(np.ones(CLASSES), LABELS.shape).astype("float32")
    # The last row of pixels: for the skeletons, at the border of the image.
    y_true[:, -1] = 0
    other = y_pred.copy()
    other[:, -1] = RNG.dirichlet(np.ones(CLASSES), other[:, -1].shape[:-1])
    one, slope = run_eagerly(loss, y_true, y_pred, ignore_class=255)
    two, _ = run_eagerly(loss, y_true, other, ignore_class=255)
    assert one == pytest.approx(two, rel=EACH_OTHER)
    assert not slope[:, -1].any()
    if loss is not centerline.soft_cldice:
        rest, _ = run_eagerly(loss, y_true[:, :-1], y_pred[:, :-1])
        assert one == pytest.approx(rest, rel=EACH_OTHER)


def test_a_class_that_is_ignored_among_one_hot_labels_doesn_t_count(run_eagerly):
    y_true = one_hot(LABELS).astype("float32")
    y_pred = RNG.dirichlet(np.ones(CLASSES), LABELS.shape).astype("float32")
    by_class, _ = run_eagerly(overlap.soft_dice, y_true, y_pred, ignore_class=2)
    rows = y_true * (LABELS != 2)[..., None]
    by_rows, _ = run_eagerly(overlap.soft_dice, rows, y_pred, ignore_class=255)
    assert by_class == pytest.approx(by_rows, rel=EACH_OTHER)


def test_an_image_without_a_border_has_no_boundary_loss(run_eagerly):
    pytest.importorskip("scipy")
    y_true = boundary.distance_maps(np.stack([np.ones((4, 4, 1)), np.zeros((4, 4, 1))]))
    values, gradient = run_eagerly(boundary.boundary, y_true, np.full((2, 4, 4, 1), 0.7, "float32"))
    assert not values.any()
    assert not gradient.any()
