"""Batches at the edge of what the ranges allow: no pair, one class, equal points, rounding."""

import math

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

from lossreg_metric.classes import arcface, cosface, proxy_anchor, proxy_nca, soft_triple
from lossreg_metric.distances import contrastive, lifted_structure, margin
from lossreg_metric.similarities import (
    multi_similarity,
    npairs,
    npairs_multilabel,
    siglip,
    supervised_contrastive,
)
from lossreg_metric.triplets import triplet_hard, triplet_margin, triplet_semihard
from lossreg_metric.views import barlow_twins, info_nce, ntxent, vicreg

RANDOM = np.random.default_rng(2)
POINTS = RANDOM.normal(size=(6, 4)).astype("float32")
LABELS = np.array([0, 0, 1, 1, 2, 2], "int32")
IN_ONE_PLACE = np.repeat(POINTS[:1], 6, axis=0)

BATCHES = {
    "no positive pair": (np.arange(6, dtype="int32"), POINTS),
    "one class": (np.zeros(6, "int32"), POINTS),
    "one class in one place": (np.zeros(6, "int32"), IN_ONE_PLACE),
    "all in one place": (LABELS, IN_ONE_PLACE),
    "zeros": (LABELS, np.zeros((6, 4), "float32")),
    "long": (LABELS, 1e4 * POINTS),
    "tiny": (LABELS, 1e-20 * POINTS),
    "far from the origin": (LABELS, POINTS + 1e4),
    "one sample": (LABELS[:1], POINTS[:1]),
}
OF_EMBEDDINGS = [
    (triplet_semihard, {}),
    (triplet_semihard, {"distance": "cosine"}),
    (triplet_semihard, {"distance": "squared_euclidean", "margin": 0.0}),
    (triplet_hard, {}),
    (triplet_hard, {"distance": "cosine", "soft": True}),
    (margin, {}),
    (lifted_structure, {}),
    (multi_similarity, {}),
    (multi_similarity, {"alpha": 1e-3, "beta": 500.0, "epsilon": None}),
    (supervised_contrastive, {}),
    (supervised_contrastive, {"temperature": 1e-3}),
]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize(("loss", "params"), OF_EMBEDDINGS)
def test_values_and_gradients_of_embeddings_are_finite(run_eagerly, loss, params, batch):
    values, gradient = run_eagerly(loss, *BATCHES[batch], **params)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "params"),
    [
        (contrastive, np.array([0.0, 1.0], "f"), np.zeros(2, "f"), {}),
        (triplet_margin, np.zeros(6), np.zeros((6, 3, 4), "f"), {}),
        (triplet_margin, np.zeros(6), np.zeros((6, 3, 4), "f"), {"p": 1.5, "swap": True}),
        (triplet_margin, np.zeros(6), 1e4 * POINTS[:, None] * [[[1], [2], [0]]], {"p": 10.0}),
        (npairs, LABELS, 1e4 * RANDOM.normal(size=(6, 6)), {}),
        (npairs_multilabel, np.zeros((6, 3), "f"), RANDOM.normal(size=(6, 6)), {}),
        (siglip, LABELS, 1e4 * RANDOM.normal(size=(6, 6)), {}),
        (ntxent, np.zeros(1), np.ones((1, 2, 4), "f"), {}),
        (ntxent, np.zeros(6), np.zeros((6, 2, 4), "f"), {}),
        (info_nce, np.zeros(6), np.zeros((6, 2, 4), "f"), {"symmetric": True}),
        (barlow_twins, np.zeros(6), np.full((6, 2, 4), 0.1, "f"), {}),
        (barlow_twins, np.zeros(1), np.ones((1, 2, 4), "f"), {}),
        (vicreg, np.zeros(6), np.full((6, 2, 4), 0.1, "f"), {}),
        (vicreg, np.zeros(1), np.ones((1, 2, 4), "f"), {}),
        (proxy_nca, np.zeros(2, "int32"), np.ones((2, 1), "f"), {}),
        (proxy_anchor, np.zeros(2, "int32"), np.ones((2, 1), "f"), {"alpha": 1e3}),
    ],
)
def test_other_values_and_gradients_are_finite(run_eagerly, loss, y_true, y_pred, params):
    values, gradient = run_eagerly(loss, y_true, np.asarray(y_pred, "float32"), **params)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [arcface, cosface, soft_triple, proxy_nca, proxy_anchor])
@pytest.mark.parametrize("largest", [1.0, 1.0000001])
def test_cosines_of_one_and_a_rounding_above_have_finite_gradients(run_eagerly, loss, largest):
    cosines = np.array([[1, -1], [-1, 1], [1, 1], [0, 0]], "float32") * np.float32(largest)
    values, gradient = run_eagerly(loss, np.array([0, 0, 1, 1], "int32"), cosines)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", [triplet_semihard, lifted_structure, supervised_contrastive])
def test_without_a_positive_pair_there_is_nothing_to_learn(run_eagerly, loss):
    values, gradient = run_eagerly(loss, np.arange(6, dtype="int32"), POINTS)
    assert np.all(values == 0)
    assert np.all(gradient == 0)


@pytest.mark.parametrize("loss", [lifted_structure, multi_similarity])
def test_without_a_negative_there_is_nothing_to_learn(run_eagerly, loss):
    values, gradient = run_eagerly(loss, np.zeros(6, "int32"), POINTS)
    assert np.abs(values).max() == pytest.approx(0, abs=CANCELLATION)
    assert np.all(gradient == 0)


# What TensorFlow Addons' docstrings show for `[0, 0]` and `[[0, 1], [1, 0]]`.
@pytest.mark.parametrize(
    ("loss", "expected"), [(triplet_semihard, 1 + math.sqrt(2)), (triplet_hard, 1.0)]
)
def test_a_batch_of_one_class_costs_what_it_costs_in_tensorflow_addons(run_eagerly, loss, expected):
    values, _ = run_eagerly(loss, np.array([0, 0]), np.array([[0, 1], [1, 0]], "float32"))
    assert values == pytest.approx(expected, rel=FLOAT32)


def test_a_negative_as_far_as_the_positive_is_not_beyond_it(run_eagerly):
    # The positive is 1 away from the first sample, and so is a negative; the next one is 3 away.
    y_true = np.array([0, 0, 1, 1])
    y_pred = np.array([[0, 0], [1, 0], [0, 1], [3, 0]], "float32")
    values, _ = run_eagerly(triplet_semihard, y_true, y_pred, margin=2.5)
    # The four ordered pairs; from the sample at (3, 0) no negative is beyond sqrt(10).
    pairs = [
        1 - 3 + 2.5,
        1 - math.sqrt(2) + 2.5,
        math.sqrt(10) - math.sqrt(2) + 2.5,
        math.sqrt(10) - 3 + 2.5,
    ]
    assert values == pytest.approx(sum(pairs) / 4, rel=FLOAT32)


@pytest.mark.parametrize("size", [1, 2, 7, 8, 9, 33])
def test_blocks_of_any_size_are_joined_rightly(run_eagerly, references, size):
    y_true = RANDOM.integers(0, 3, size).astype("int32")
    y_pred = RANDOM.normal(size=(size, 3)).astype("float32")
    values, _ = run_eagerly(triplet_semihard, y_true, y_pred)
    expected = references["triplet_semihard"](y_true, y_pred.astype("float64"))
    assert values == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)


def test_equal_points_have_distance_zero_and_no_pull(run_eagerly):
    y_pred = np.array([[1, 2], [1, 2], [5, 2], [5, 2]], "float32") + 1000
    values, gradient = run_eagerly(triplet_semihard, np.array([0, 0, 1, 1]), y_pred, margin=1.0)
    assert values == 0
    assert np.all(gradient == 0)


def test_an_anchor_without_a_positive_meets_its_nearest_negative(run_eagerly):
    values, _ = run_eagerly(
        triplet_hard, np.array([0, 1, 1]), np.array([[0.0], [0.25], [3]], "float32")
    )
    assert values == pytest.approx([1 - 0.25, 2.75 - 0.25 + 1, 2.75 - 3 + 1], rel=FLOAT32)
