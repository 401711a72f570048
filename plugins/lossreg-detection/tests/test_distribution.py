"""Distribution focal loss against the paper's formula."""

import math

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

from lossreg_detection.distribution import distribution_focal

RNG = np.random.default_rng(3)
P = RNG.dirichlet(np.ones(6), size=(5, 4))
Y = RNG.uniform(0, 5, size=(5, 4))


def reference(y, p):
    left = min(math.floor(y), len(p) - 2)
    right = left + 1
    return -((right - y) * math.log(p[left]) + (y - left) * math.log(p[right]))


def test_it_is_the_formula_of_the_paper(run):
    expected = [reference(y, p) for y, p in zip(Y.reshape(-1), P.reshape(-1, 6), strict=True)]
    values, _ = run(distribution_focal, Y, P.astype("float32"))
    assert values.shape == (5, 4)
    assert values.reshape(-1) == pytest.approx(expected, rel=FLOAT32)
    values, _ = run(distribution_focal, Y, np.log(P).astype("float32") - 2, from_logits=True)
    assert values.reshape(-1) == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize(("y", "number"), [(0.0, 0), (3.0, 3), (5.0, 5), (-2.0, 0), (9.0, 5)])
def test_a_whole_number_is_a_class_and_what_lies_outside_an_end(run, y, number):
    values, _ = run(distribution_focal, [y], P[0, :1].astype("float32"))
    assert values[0] == pytest.approx(-math.log(P[0, 0, number]), rel=FLOAT32)


def test_the_gradient_vanishes_where_the_mean_is_the_label(run):
    p = np.array([[1e-30, 0.25, 0.75, 1e-30]])
    _, gradient = run(distribution_focal, [1.75], np.log(p).astype("float32"), from_logits=True)
    assert gradient == pytest.approx(0, abs=CANCELLATION)


@pytest.mark.parametrize("size", [1e4, math.inf])
def test_logits_of_any_size_are_finite(run, size):
    logits = np.array([[size, 0, -size], [-size, -1.0, size]], "float32")
    values, gradient = run(distribution_focal, [1.5, 0.2], logits, from_logits=True)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


def test_probabilities_of_0_are_finite(run):
    values, gradient = run(distribution_focal, [0.5], np.array([[0.0, 0.0, 1.0]], "float32"))
    assert values == pytest.approx(-math.log(1e-7), rel=FLOAT32)
    assert np.isfinite(gradient).all()


def test_labels_may_have_an_axis_of_1(run):
    values, _ = run(distribution_focal, Y[:, :1], P[:, 0].astype("float32"))
    flat, _ = run(distribution_focal, Y[:, 0], P[:, 0].astype("float32"))
    assert values.tolist() == flat.tolist()
