"""CORAL, CORN and cumulative links against the papers, in float64 and in 50 digits."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg import ParameterError
from lossreg_ordinal.cumulative import coral, corn, cumulative_link
from lossreg_ordinal.links import log_normal_difference

mpmath.mp.dps = 50

LABELS = np.array([0, 1, 2, 3, 1])
# Falling, as the layers give them.
LOGITS = np.array(
    [[2.0, 0.5, -1.0], [0.2, 0.1, -3.0], [4.0, 3.0, 2.5], [0.0, -0.5, -0.6], [9.0, -9.0, -20.0]],
    "float32",
)


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


def coral_reference(label, logits, importance=None):
    total = 0.0
    for k, z in enumerate(logits):
        p = sigmoid(z)
        weight = 1.0 if importance is None else importance[k]
        total -= weight * math.log(p if label > k else 1 - p)
    return total


def corn_reference(label, logits):
    total = 0.0
    for k, z in enumerate(logits):
        # Only samples of class k and above are in the k-th subset.
        if label >= k:
            total -= math.log(sigmoid(z) if label > k else 1 - sigmoid(z))
    return total


def link_reference(label, logits, distribution):
    above = [mpmath.mpf(1), *(distribution(mpmath.mpf(float(z))) for z in logits), mpmath.mpf(0)]
    return float(-mpmath.log(above[label] - above[label + 1]))


def exact_sigmoid(z):
    return 1 / (1 + mpmath.exp(-z))


def exact_normal(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def test_coral_is_a_cross_entropy_for_each_step(run):
    values, _ = run(coral, LABELS, LOGITS)
    expected = [coral_reference(*row) for row in zip(LABELS, LOGITS.tolist(), strict=True)]
    assert values == pytest.approx(expected, rel=FLOAT32)


def test_importance_weighs_each_step(run):
    importance = (0.5, 2.0, 3.0)
    values, _ = run(coral, LABELS, LOGITS, importance=importance)
    expected = [
        coral_reference(*row, importance) for row in zip(LABELS, LOGITS.tolist(), strict=True)
    ]
    assert values == pytest.approx(expected, rel=FLOAT32)


def test_importance_of_another_length_is_refused():
    with pytest.raises(ParameterError, match="3 weights, one for each logit of y_pred, got 2"):
        coral(LABELS, LOGITS, importance=(1.0, 2.0))


def test_coral_gives_what_coral_pytorch_documents(run):
    # docs/api_modules/coral_pytorch.losses/coral_loss.md: the levels are these class numbers.
    logits = np.array([[2.1, 1.8, -2.1, -1.8], [1.9, -1, -1.5, -1.3], [1.9, 1.8, 1.7, 1.6]])
    values, _ = run(coral, np.array([2, 1, 4]), logits.astype("float32"))
    # They print four digits.
    assert values.mean() == pytest.approx(0.6920, abs=5e-5)


def test_corn_asks_only_where_the_step_before_was_taken(run):
    values, gradient = run(corn, LABELS, LOGITS)
    expected = [corn_reference(*row) for row in zip(LABELS, LOGITS.tolist(), strict=True)]
    assert values == pytest.approx(expected, rel=FLOAT32)
    # Class 0 answers the first question only, and class 1 the first two.
    assert gradient[0, 1:].tolist() == [0.0, 0.0]
    assert gradient[1, 2] == 0.0
    assert (gradient[3] != 0).all()


def test_corn_divided_by_the_questions_is_the_paper_s(run):
    # In the paper: -1 / sum|S_k| * sum over k and over the samples of S_k.
    values, _ = run(corn, LABELS, LOGITS)
    steps = LOGITS.shape[1]
    asked = [(label, k) for label in LABELS for k in range(steps) if label >= k]
    total = sum(corn_reference(*row) for row in zip(LABELS, LOGITS.tolist(), strict=True))
    assert values.sum() / len(asked) == pytest.approx(total / len(asked), rel=FLOAT32)
    assert len(asked) == 1 + 2 + 3 + 3 + 2


def test_corn_probabilities_of_all_classes_sum_to_1(run):
    # exp(-loss) is the probability of the class, by the chain rule.
    for row in LOGITS:
        values, _ = run(corn, np.arange(4), np.tile(row, (4, 1)))
        assert np.exp(-values).sum() == pytest.approx(1.0, rel=FLOAT32)


@pytest.mark.parametrize(
    ("link", "distribution"), [("logit", exact_sigmoid), ("probit", exact_normal)]
)
def test_cumulative_link_is_the_likelihood_of_the_class(run, link, distribution):
    values, _ = run(cumulative_link, LABELS, LOGITS, link=link)
    expected = [
        link_reference(*row, distribution) for row in zip(LABELS, LOGITS.tolist(), strict=True)
    ]
    # 1 - 1e-4 of a probability near 1 has an error of 6e-8 in float32.
    assert values == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_probabilities_of_all_classes_sum_to_1(run, link):
    for row in LOGITS:
        values, _ = run(cumulative_link, np.arange(4), np.tile(row, (4, 1)), link=link)
        assert np.exp(-values).sum() == pytest.approx(1.0, rel=FLOAT32)


def test_two_classes_are_logistic_regression(run):
    z = np.array([[1.5], [-0.3]], "float32")
    labels = np.array([1, 0])
    expected = [-math.log(sigmoid(1.5)), -math.log(1 - sigmoid(-0.3))]
    for loss in (coral, corn, cumulative_link):
        values, _ = run(loss, labels, z)
        assert values == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize("link", ["logit", "probit"])
@settings(max_examples=50, deadline=None)
@given(
    low=st.floats(-200, 200, width=32),
    gap=st.floats(2**-10, 100, width=32),
)
def test_the_order_may_be_turned_around(link, low, gap):
    # Class 1 of 3, and the same seen from the other end: both links are symmetric.
    high = float(np.float32(low) + np.float32(gap))
    there = cumulative_link([1], np.array([[high, low]], "float32"), link=link)
    back = cumulative_link([1], np.array([[-low, -high]], "float32"), link=link)
    assert float(there[0]) == pytest.approx(float(back[0]), rel=EACH_OTHER, abs=2 * CANCELLATION)


def probit_points():
    rng = np.random.default_rng(1)
    scale = rng.choice([0.0, 0.5, 1, 3, 6, 10, 30, 1e3, 1e4], size=500)
    low = (scale * rng.normal(size=500)).astype("float32")
    high = (low + 10 ** rng.uniform(-4, 2, size=500)).astype("float32")
    apart = high > low
    return high[apart], low[apart]


def test_probit_is_exact_in_the_tails_and_between_neighbours(run):
    high, low = probit_points()
    values, _ = run(lambda low, high: log_normal_difference(high, low), low, high)
    expected = []
    for a, b in zip(high, low, strict=True):
        a, b = sorted([mpmath.mpf(float(a)), mpmath.mpf(float(b))])
        # On the side where both tails are small nothing cancels in 50 digits.
        tails = (
            (exact_normal(b), exact_normal(a))
            if a + b <= 0
            else (exact_normal(-a), exact_normal(-b))
        )
        expected.append(float(mpmath.log(tails[0] - tails[1])))
    assert values == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)


EDGES = {
    "logits of 1e4": [[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]],
    "infinite": [[math.inf, 0.0, -math.inf], [math.inf, math.inf, math.inf]],
    "all alike": [[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]],
    "rising": [[-3.0, 0.0, 3.0], [-1e4, 0.0, 1e4]],
}


@pytest.mark.parametrize("loss", [coral, corn, cumulative_link])
@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_edges_are_finite(run, loss, edge, label):
    links = [{"link": "logit"}, {"link": "probit"}] if loss is cumulative_link else [{}]
    for params in links:
        values, gradient = run(
            loss, np.array([label] * 2), np.array(EDGES[edge], "float32"), **params
        )
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_rising_logits_are_parted(run, link):
    # z_0 should be above z_1 for class 1, so it is pushed up and z_1 down.
    _, gradient = run(cumulative_link, [1], np.array([[-1.0, 1.0]], "float32"), link=link)
    assert gradient[0, 0] < 0 < gradient[0, 1]


@pytest.mark.parametrize("loss", [coral, corn, cumulative_link])
@pytest.mark.parametrize("label", [-1, 4])
def test_a_class_that_is_not_there_is_nan(run, loss, label):
    values, _ = run(loss, [label], LOGITS[:1])
    assert np.isnan(values).all()


@pytest.mark.parametrize("loss", [coral, corn, cumulative_link])
def test_places_are_values_of_their_own(run, loss):
    y_pred = np.stack([LOGITS[:4], LOGITS[1:5]])
    y_true = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    values, _ = run(loss, y_true, y_pred)
    flat, _ = run(loss, y_true.reshape(-1), y_pred.reshape(-1, 3))
    assert values.shape == (2, 4)
    assert values.reshape(-1) == pytest.approx(flat, rel=EACH_OTHER)
