"""The Lovász losses against the definition of the Lovász extension, with sets of wrong pixels."""

import itertools

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

from lossreg_segmentation.lovasz import lovasz_hinge, lovasz_softmax

RNG = np.random.default_rng(11)
LABELS = RNG.integers(0, 4, (3, 20))
LOGITS = 1.5 * RNG.normal(size=(3, 20, 4))
ONE_HOT = np.eye(4)[LABELS]
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))


def jaccard_of_set(wrong, y):
    """Return one minus the intersection over union if exactly the pixels `wrong` are wrong."""
    true = {i for i, label in enumerate(y) if label}
    predicted = true ^ set(wrong)
    union = true | predicted
    return 1 - len(true & predicted) / len(union) if union else 0.0


def extension(errors, y):
    """Return the Lovász extension, as its definition has it: a sum over the sorted errors."""
    order = sorted(range(len(y)), key=lambda i: -errors[i])
    value = 0.0
    for k, i in enumerate(order):
        step = jaccard_of_set(order[: k + 1], y) - jaccard_of_set(order[:k], y)
        value += errors[i] * step
    return value


def extension_of_softmax(y, p, *, classes="present"):
    values = []
    for image, probabilities in zip(y, p, strict=True):
        costs = [
            extension(np.abs(image[:, c] - probabilities[:, c]), image[:, c])
            for c in range(y.shape[-1])
            if classes == "all" or image[:, c].any()
        ]
        values.append(np.mean(costs))
    return np.array(values)


def extension_of_hinge(y, x):
    def of_channel(y, x):
        return extension(np.maximum(1 - (2 * y - 1) * x, 0), y)

    return np.array(
        [
            np.mean([of_channel(image[:, c], scores[:, c]) for c in range(y.shape[-1])])
            for image, scores in zip(y, x, strict=True)
        ]
    )


@pytest.mark.parametrize("classes", ["present", "all"])
def test_lovasz_softmax_is_the_extension(check_formula, classes):
    y_true = ONE_HOT.copy()
    # In the first image class 3 is absent.
    y_true[0] = np.eye(4)[np.where(LABELS[0] == 3, 0, LABELS[0])]
    check_formula(lovasz_softmax, extension_of_softmax, y_true, SOFTMAX, classes=classes)


def test_lovasz_hinge_is_the_extension(check_formula):
    check_formula(lovasz_hinge, extension_of_hinge, ONE_HOT, LOGITS)


@pytest.mark.parametrize("truth", [(0, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 1), (1, 0, 1, 0)])
def test_of_sure_predictions_lovasz_softmax_is_one_minus_the_iou(run_eagerly, truth):
    sure = np.array(list(itertools.product([0, 1], repeat=4)))
    y_true = np.eye(2, dtype="float32")[np.tile(truth, (len(sure), 1))]
    values, _ = run_eagerly(lovasz_softmax, y_true, np.eye(2, dtype="float32")[sure])
    for value, predicted in zip(values, sure, strict=True):
        costs = []
        for c in set(truth):
            true, found = np.equal(truth, c), predicted == c
            costs.append(1 - (true & found).sum() / (true | found).sum())
        assert value == pytest.approx(np.mean(costs), rel=FLOAT32, abs=CANCELLATION)


def test_an_absent_class_costs_its_largest_probability(run_eagerly):
    y_true = np.array([[[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]], "float32")
    y_pred = np.array([[[0.9, 0.1], [0.3, 0.7], [0.8, 0.2]]], "float32")
    present, _ = run_eagerly(lovasz_softmax, y_true, y_pred)
    # All pixels are of class 0, so that each of the three adds a third.
    assert present == pytest.approx([(0.1 + 0.7 + 0.2) / 3], rel=FLOAT32)
    both, _ = run_eagerly(lovasz_softmax, y_true, y_pred, classes="all")
    assert both == pytest.approx([((0.1 + 0.7 + 0.2) / 3 + 0.7) / 2], rel=FLOAT32)


def test_a_lone_pixel_of_the_hinge_costs_its_margin(run_eagerly):
    values, gradient = run_eagerly(
        lovasz_hinge, np.array([[[1.0]], [[0.0]]], "float32"), np.full((2, 1, 1), 0.25, "float32")
    )
    assert values == pytest.approx([0.75, 1.25], rel=FLOAT32)
    assert gradient.ravel() == pytest.approx([-1.0, 1.0], rel=FLOAT32)


def test_the_weights_of_a_large_image_keep_their_digits(run_eagerly):
    # One wrong pixel in 65536: the first of 60000 adds 1 / 60000, a background one 1 / 60001.
    y_true = np.zeros((2, 65536, 1), "float32")
    y_true[:, :60000] = 1
    y_pred = y_true.copy()
    y_pred[0, 7], y_pred[1, 65000] = 0.5, 0.5
    values, gradient = run_eagerly(lovasz_softmax, y_true, y_pred)
    assert values == pytest.approx([0.5 / 60000, 0.5 / 60001], rel=FLOAT32)
    assert gradient[0, 7, 0] == pytest.approx(-1 / 60000, rel=FLOAT32)
    assert gradient[1, 65000, 0] == pytest.approx(1 / 60001, rel=FLOAT32)
