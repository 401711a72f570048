"""Limits at which a loss becomes another, symmetries, and facts from other projects' tests."""

import importlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg.lazy import keras, ops
from lossreg_metric import plugin
from lossreg_metric.classes import arcface, cosface, proxy_nca, soft_triple
from lossreg_metric.distances import contrastive, lifted_structure, margin
from lossreg_metric.similarities import (
    multi_similarity,
    npairs,
    npairs_multilabel,
    supervised_contrastive,
)
from lossreg_metric.triplets import triplet_hard, triplet_margin, triplet_semihard
from lossreg_metric.views import barlow_twins, info_nce, ntxent, vicreg

RANDOM = np.random.default_rng(4)
LABELS = RANDOM.integers(0, 3, 10).astype("int32")
POINTS = RANDOM.normal(size=(10, 4)).astype("float32")
COSINES = np.cos(RANDOM.uniform(0, np.pi, (10, 3))).astype("float32")
VIEWS = RANDOM.normal(size=(5, 2, 3)).astype("float32")
NOTHING = np.zeros(5, "float32")

OF_EMBEDDINGS = [
    triplet_semihard,
    triplet_hard,
    margin,
    lifted_structure,
    multi_similarity,
    supervised_contrastive,
]


def array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


@pytest.mark.parametrize("spec", plugin.lossreg_losses(), ids=lambda spec: spec.name)
def test_the_summary_is_the_first_line_of_the_docstring(spec):
    module, name = spec.target.split(":")
    function = getattr(importlib.import_module(module), name)
    assert function.__doc__.splitlines()[0] == spec.summary


@settings(max_examples=4, deadline=None)
@given(order=st.permutations(range(10)), names=st.permutations(range(3)))
@pytest.mark.parametrize("loss", OF_EMBEDDINGS)
def test_neither_the_order_of_samples_nor_the_names_of_classes_matter(loss, order, names):
    values = array(loss(LABELS, POINTS))
    moved = array(loss(np.array(names, "int32")[LABELS[list(order)]], POINTS[list(order)]))
    expected = values[list(order)] if values.ndim else values
    np.testing.assert_allclose(
        moved, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * max(1, values.max())
    )


@pytest.mark.parametrize("loss", [triplet_semihard, triplet_hard, margin, lifted_structure])
def test_distances_do_not_depend_on_origin_and_axes(loss):
    turn, _ = np.linalg.qr(RANDOM.normal(size=(4, 4)))
    moved = (POINTS @ turn + RANDOM.normal(size=4)).astype("float32")
    np.testing.assert_allclose(
        array(loss(LABELS, moved)), array(loss(LABELS, POINTS)), rtol=EACH_OTHER
    )


@pytest.mark.parametrize("loss", [multi_similarity, supervised_contrastive])
def test_cosines_do_not_depend_on_lengths(loss):
    moved = POINTS * RANDOM.uniform(0.1, 10, (10, 1)).astype("float32")
    expected = array(loss(LABELS, POINTS))
    np.testing.assert_allclose(
        array(loss(LABELS, moved)),
        expected,
        rtol=EACH_OTHER,
        atol=2 * CANCELLATION * max(1, expected.max()),
    )


@pytest.mark.parametrize("loss", [arcface, cosface, soft_triple])
def test_without_a_margin_it_is_the_cross_entropy_of_scaled_cosines(loss):
    expected = keras.losses.sparse_categorical_crossentropy(LABELS, 7 * COSINES, from_logits=True)
    got = loss(LABELS, COSINES, margin=0.0, scale=7.0)
    np.testing.assert_allclose(
        array(got), array(expected), rtol=EACH_OTHER, atol=2 * CANCELLATION * 7
    )


def test_proxy_nca_over_all_classes_is_the_cross_entropy_of_cosines():
    expected = keras.losses.sparse_categorical_crossentropy(LABELS, 6 * COSINES, from_logits=True)
    got = proxy_nca(LABELS, COSINES, scale=3.0, denominator="all")
    np.testing.assert_allclose(
        array(got), array(expected), rtol=EACH_OTHER, atol=2 * CANCELLATION * 6
    )


def test_beyond_pi_arcface_goes_on_falling_with_the_angle():
    angles = np.linspace(0, np.pi, 200)
    cosines = np.stack([np.cos(angles), np.zeros(200)], axis=1).astype("float32")
    values = array(arcface(np.zeros(200, "int32"), cosines, margin=0.8, scale=4.0))
    assert np.all(np.diff(values) > 0)


def test_ntxent_is_supervised_contrastive_of_a_class_for_each_sample():
    classes = np.repeat(np.arange(5), 2)
    each = array(supervised_contrastive(classes, VIEWS.reshape(10, 3), temperature=0.4))
    got = array(ntxent(NOTHING, VIEWS, temperature=0.4))
    np.testing.assert_allclose(got, each.reshape(5, 2).mean(axis=1), rtol=EACH_OTHER)


def test_info_nce_is_npairs_of_cosines():
    unit = VIEWS / np.linalg.norm(VIEWS, axis=-1, keepdims=True)
    expected = npairs(np.arange(5), unit[:, 0] @ unit[:, 1].T / 0.3)
    np.testing.assert_allclose(
        array(info_nce(NOTHING, VIEWS, temperature=0.3)), array(expected), rtol=EACH_OTHER
    )


def test_the_hardest_triplets_of_two_samples_a_class_are_given_triplets():
    # Three classes in one dimension, the nearest negative of each sample next to it.
    points = np.array([[0.0], [1], [3], [7], [12], [20]], "float32")
    chosen = [[0, 1, 2], [1, 0, 2], [2, 3, 1], [3, 2, 4], [4, 5, 3], [5, 4, 3]]
    triplets = points[np.array(chosen)]
    expected = triplet_margin(np.zeros(6), triplets, margin=0.5)
    got = triplet_hard(np.array([0, 0, 1, 1, 2, 2]), points, margin=0.5)
    np.testing.assert_allclose(array(got), array(expected), rtol=EACH_OTHER)


def test_barlow_twins_of_equal_uncorrelated_views_is_nothing():
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], "float32")
    views = np.stack([signs, signs], axis=1)
    value = float(barlow_twins(np.zeros(4), views, epsilon=1e-12))
    assert value == pytest.approx(0, abs=CANCELLATION)
    # Of opposite views each dimension has the correlation -1: (1 - -1)**2 for both.
    assert float(barlow_twins(np.zeros(4), views * [[[1], [-1]]])) == pytest.approx(8, rel=1e-4)


def test_vicreg_of_one_point_lacks_all_variance():
    # 1 - sqrt(epsilon) for each view.
    value = float(vicreg(np.zeros(4), np.ones((4, 2, 3), "float32"), epsilon=0.01))
    assert value == pytest.approx(25 * 2 * (1 - 0.1), rel=FLOAT32)


# From the tests of TensorFlow Addons 0.23, with its own arithmetic.
CORNERS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], "float32")


def test_npairs_has_the_value_of_tensorflow_addons():
    row = math.log1p(2 * math.exp(-2) + math.exp(-4))
    got = array(npairs(np.arange(4), CORNERS @ CORNERS.T))
    assert got == pytest.approx([row] * 4, rel=FLOAT32)
    one_hot = np.eye(4, dtype="float32")
    assert array(npairs_multilabel(one_hot, CORNERS @ CORNERS.T)) == pytest.approx(
        got, rel=EACH_OTHER
    )


def test_npairs_multilabel_has_the_value_of_tensorflow_addons():
    y_true = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 0, 1]], "float32")
    got = array(npairs_multilabel(y_true, CORNERS @ CORNERS.T))
    assert got.mean() == pytest.approx(1.420522, rel=FLOAT32)


def test_contrastive_has_the_values_of_tensorflow_addons():
    y_pred = np.array([0.1, 0.3, 1.3, 0.7, 1.1, 0.5], "float32")
    got = contrastive(np.array([0, 0, 1, 1, 0, 1]), y_pred, margin=2.0)
    expected = [1.9**2, 1.7**2, 1.3**2, 0.7**2, 0.9**2, 0.5**2]
    assert array(got) == pytest.approx(expected, rel=FLOAT32)
