"""Weighted kappa and the squared earth mover's distance against the papers, in float64."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg_ordinal.agreement import squared_earth_mover, weighted_kappa

RNG = np.random.default_rng(5)
Y = np.eye(4)[[0, 1, 2, 3, 1, 1]]
P = RNG.dirichlet(np.ones(4), size=6)


def kappa_reference(y, p, exponent, epsilon=1e-6):
    samples, classes = p.shape
    observed = expected = 0.0
    for n in range(samples):
        for i in range(classes):
            for j in range(classes):
                weight = abs(i - j) ** exponent
                observed += weight * y[n, i] * p[n, j]
                for m in range(samples):
                    expected += weight * y[n, i] * p[m, j] / samples
    return math.log(observed / expected + epsilon)


def emd_reference(y, p, r):
    total = 0.0
    for k in range(len(y)):
        total += abs(sum(y[: k + 1]) - sum(p[: k + 1])) ** r
    return total / len(y)


@pytest.mark.parametrize(("weightage", "exponent"), [("linear", 1), ("quadratic", 2)])
def test_weighted_kappa_is_the_paper_s(run, weightage, exponent):
    value, _ = run(weighted_kappa, Y, P.astype("float32"), weightage=weightage, epsilon=1e-3)
    assert value == pytest.approx(
        kappa_reference(Y, P, exponent, 1e-3), rel=FLOAT32, abs=CANCELLATION
    )


def test_weighted_kappa_gives_what_tensorflow_addons_documents(run):
    # The example in the docstring of tfa.losses.WeightedKappaLoss, 0.23.
    y = np.eye(4)[[2, 1, 0, 3]]
    p = [[0.1, 0.2, 0.6, 0.1], [0.1, 0.5, 0.3, 0.1], [0.8, 0.05, 0.05, 0.1], [0.01, 0.09, 0.1, 0.8]]
    value, _ = run(weighted_kappa, y, np.array(p, "float32"))
    assert value == pytest.approx(-1.1611925, rel=EACH_OTHER)


def test_one_minus_the_ratio_is_cohen_s_kappa(run):
    # sklearn.metrics.cohen_kappa_score([0, 1, 2, 2], [0, 2, 2, 1], weights="linear") by hand:
    # disagreement 2 of 4; expected (labels 1, 1, 2 against predictions 1, 1, 2) / 16 =
    # (1*1*1 + 1*2*2 + 1*1*1 + 1*2*1 + 2*1*2 + 2*1*1) / 16 = 14 / 16.
    y, p = np.eye(3)[[0, 1, 2, 2]], np.eye(3)[[0, 2, 2, 1]]
    value, _ = run(weighted_kappa, y, p.astype("float32"), weightage="linear")
    assert math.exp(value) == pytest.approx((2 / 4) / (14 / 16), rel=FLOAT32)


def test_perfect_agreement_is_the_logarithm_of_epsilon(run):
    value, gradient = run(weighted_kappa, Y, Y.astype("float32"), epsilon=1e-4)
    assert value == pytest.approx(math.log(1e-4), rel=FLOAT32)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("weightage", ["linear", "quadratic"])
@pytest.mark.parametrize(
    "p", [np.eye(4)[[0] * 3], np.full((3, 4), 0.25), [[1.0, 1e-30, 0.0, 0.0]] * 3]
)
def test_a_batch_of_one_class_is_finite(run, weightage, p):
    value, gradient = run(
        weighted_kappa, np.eye(4)[[0] * 3], np.array(p, "float32"), weightage=weightage
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    # Nothing can be learned from labels that are all alike.
    assert gradient == pytest.approx(0, abs=FLOAT32)


@pytest.mark.parametrize("loss", [weighted_kappa, squared_earth_mover])
def test_logits_give_what_their_softmax_gives(run, loss):
    logits = np.log(P).astype("float32") + 3
    from_logits, _ = run(loss, Y, logits, from_logits=True)
    from_probabilities, _ = run(loss, Y, P.astype("float32"))
    assert from_logits == pytest.approx(from_probabilities, rel=EACH_OTHER, abs=2 * CANCELLATION)


@pytest.mark.parametrize("loss", [weighted_kappa, squared_earth_mover])
@pytest.mark.parametrize("size", [1e4, math.inf])
def test_logits_of_any_size_are_finite(run, loss, size):
    logits = np.where(np.roll(Y, 1, axis=1) > 0, size, -1e4).astype("float32")
    values, gradient = run(loss, Y, logits, from_logits=True)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("r", [1.0, 1.5, 2.0, 3.0])
def test_squared_earth_mover_is_the_paper_s(run, r):
    expected = [emd_reference(y, p, r) for y, p in zip(Y, P, strict=True)]
    values, _ = run(squared_earth_mover, Y, P.astype("float32"), r=r)
    assert values == pytest.approx(expected, rel=FLOAT32)
    values, _ = run(squared_earth_mover, Y, P.astype("float32"), r=r, root=True)
    assert values == pytest.approx(np.power(expected, 1 / r), rel=FLOAT32)


@pytest.mark.parametrize("distance", [0, 1, 2, 3])
def test_a_mistake_costs_as_much_as_it_is_far(run, distance):
    # All the earth moves by `distance` of 4 classes.
    for r in (1.0, 2.0):
        values, _ = run(
            squared_earth_mover, np.eye(4)[[0]], np.eye(4, dtype="float32")[[distance]], r=r
        )
        assert values[0] == pytest.approx(distance / 4, abs=CANCELLATION)


@pytest.mark.parametrize("r", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("root", [False, True])
def test_an_exact_prediction_has_a_finite_gradient(run, r, root):
    values, gradient = run(squared_earth_mover, Y, Y.astype("float32"), r=r, root=root)
    assert values == pytest.approx(0, abs=CANCELLATION)
    assert np.isfinite(gradient).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000))
def test_classes_may_be_counted_from_the_other_end(seed):
    rng = np.random.default_rng(seed)
    y, p = rng.dirichlet(np.ones(5), size=(2, 4)).astype("float32")
    for loss in (weighted_kappa, squared_earth_mover):
        there, back = np.asarray(loss(y, p)), np.asarray(loss(y[:, ::-1], p[:, ::-1]))
        assert there == pytest.approx(back, rel=EACH_OTHER, abs=2 * CANCELLATION)


def test_samples_may_change_places(run):
    order = RNG.permutation(6)
    value, _ = run(weighted_kappa, Y, P.astype("float32"))
    again, _ = run(weighted_kappa, Y[order], P[order].astype("float32"))
    assert value == pytest.approx(again, rel=EACH_OTHER, abs=2 * CANCELLATION)
