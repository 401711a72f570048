"""Each loss against its paper's formula: in float64 with plain loops, or in 40 digits."""

import math

import mpmath
import numpy as np
import pytest
from mpmath import mpf
from tolerances import CANCELLATION, FLOAT32

from lossreg_noise.active_passive import (
    active_passive,
    normalized_crossentropy,
    reverse_crossentropy,
    symmetric_crossentropy,
)
from lossreg_noise.bootstrap import bootstrapping_hard, bootstrapping_soft
from lossreg_noise.bounded import generalized_crossentropy, jensen_shannon
from lossreg_noise.softmaxes import bi_tempered_logistic, sparsemax, taylor_crossentropy

mpmath.mp.dps = 40

RANDOM = np.random.default_rng(2)
LOGITS = RANDOM.normal(0, 3, (8, 5)).astype("float32")
LARGEST = np.abs(LOGITS).max()
ONE_HOT = np.eye(5, dtype="float32")[RANDOM.integers(0, 5, 8)]
SOFT = RANDOM.dirichlet(np.ones(5), 8).astype("float32")
LABELS = pytest.mark.parametrize("y_true", [ONE_HOT, SOFT], ids=["one-hot", "soft"])


def softmax(row):
    parts = [mpmath.exp(mpf(float(x))) for x in row]
    return [part / mpmath.fsum(parts) for part in parts]


def reverse_reference(y, p, log_clip):
    return -sum(q * mpmath.log(max(label, log_clip)) for label, q in zip(y, p, strict=True))


def crossentropy_reference(y, p):
    return -sum(label * mpmath.log(q) for label, q in zip(y, p, strict=True))


def symmetric_reference(y, p, alpha, beta, log_clip):
    return alpha * crossentropy_reference(y, p) + beta * reverse_reference(y, p, log_clip)


def normalized_reference(y, p):
    # Every class in turn as if it were the label.
    labels = np.eye(len(p))
    return crossentropy_reference(y, p) / sum(crossentropy_reference(one, p) for one in labels)


def active_passive_reference(y, p, alpha, beta, log_clip):
    return alpha * normalized_reference(y, p) + beta * reverse_reference(y, p, log_clip)


def generalized_reference(y, p, q):
    return sum(label * (1 - each**q) / q for label, each in zip(y, p, strict=True))


def divergence(a, b):
    return sum(x * mpmath.log(x / z) for x, z in zip(a, b, strict=True) if x > 0)


def jensen_shannon_reference(y, p, weight):
    w = mpf(weight)
    mixture = [w * label + (1 - w) * q for label, q in zip(y, p, strict=True)]
    total = w * divergence(y, mixture) + (1 - w) * divergence(p, mixture)
    return total / (-(1 - w) * mpmath.log(1 - w))


def soft_reference(y, p, beta):
    return crossentropy_reference(
        [beta * label + (1 - beta) * q for label, q in zip(y, p, strict=True)], p
    )


def hard_reference(y, p, beta):
    guess = [float(q == max(p)) for q in p]
    return crossentropy_reference(
        [beta * label + (1 - beta) * z for label, z in zip(y, guess, strict=True)], p
    )


OF_PROBABILITIES = [
    pytest.param(reverse_crossentropy, reverse_reference, {"log_clip": 1e-3}, id="reverse"),
    pytest.param(
        symmetric_crossentropy,
        symmetric_reference,
        {"alpha": 0.3, "beta": 2.0, "log_clip": 1e-5},
        id="symmetric",
    ),
    pytest.param(normalized_crossentropy, normalized_reference, {}, id="normalized"),
    pytest.param(
        active_passive,
        active_passive_reference,
        {"alpha": 5.0, "beta": 0.5, "log_clip": 1e-2},
        id="active_passive",
    ),
    pytest.param(generalized_crossentropy, generalized_reference, {"q": 0.3}, id="generalized"),
    pytest.param(jensen_shannon, jensen_shannon_reference, {"weight": 0.5}, id="jensen_shannon"),
    pytest.param(
        jensen_shannon, jensen_shannon_reference, {"weight": 1e-5}, id="near cross-entropy"
    ),
    pytest.param(bootstrapping_soft, soft_reference, {"beta": 0.7}, id="soft"),
    pytest.param(bootstrapping_hard, hard_reference, {"beta": 0.6}, id="hard"),
]


@LABELS
@pytest.mark.parametrize(("loss", "reference", "params"), OF_PROBABILITIES)
def test_a_loss_of_the_softmax_is_the_paper_s(run, y_true, loss, reference, params):
    labels = [[float(label) for label in row] for row in y_true]
    expected = [
        float(reference(y, softmax(x), **params)) for y, x in zip(labels, LOGITS, strict=True)
    ]
    values, _ = run(loss, y_true, LOGITS, from_logits=True, **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION * LARGEST)
    probabilities = np.array([[float(p) for p in softmax(x)] for x in LOGITS], "float32")
    values, _ = run(loss, y_true, probabilities, **params)
    # Probabilities are clipped at 1e-7, of which the mixture's share is 0 and 1e-7.
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def tempered_reference(y, x, t1, t2):
    """Return the bi-tempered loss of a row, its sum of `p` solved by bisection."""
    y, x = [mpf(float(label)) for label in y], [mpf(float(each)) for each in x]
    t1, t2 = mpf(t1), mpf(t2)

    def log_t(v):
        return mpmath.log(v) if t1 == 1 else (v ** (1 - t1) - 1) / (1 - t1)

    def probabilities(n):
        if t2 == 1:
            return [mpmath.exp(each - n) for each in x]
        return [(1 + (t2 - 1) * (n - each)) ** (-1 / (t2 - 1)) for each in x]

    low = max(x)
    high = low + (mpmath.log(len(x)) if t2 == 1 else (len(x) ** (t2 - 1) - 1) / (t2 - 1))
    for _ in range(140):
        middle = (low + high) / 2
        low, high = (middle, high) if mpmath.fsum(probabilities(middle)) > 1 else (low, middle)
    p = probabilities(low)
    total = mpf(0)
    for label, each in zip(y, p, strict=True):
        total += label * ((log_t(label) if label else 0) - log_t(each))
        total -= (label ** (2 - t1) - each ** (2 - t1)) / (2 - t1)
    return total, p


@LABELS
@pytest.mark.parametrize("t1", [0.0, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("t2", [1.0, 1.001, 1.2, 2.0, 5.0])
def test_bi_tempered_logistic_is_the_paper_s(run, y_true, t1, t2):
    y_pred = LOGITS * np.array([[0.1], [0.3], [1], [3], [10], [30], [100], [3000]], "float32")
    rows = zip(y_true, y_pred, strict=True)
    expected = [float(tempered_reference(y, x, t1, t2)[0]) for y, x in rows]
    values, gradient = run(bi_tempered_logistic, y_true, y_pred, t1=t1, t2=t2)
    for value, number, row in zip(values, expected, y_pred, strict=True):
        largest = max(1.0, float(np.abs(row).max()))
        assert value == pytest.approx(number, rel=FLOAT32, abs=CANCELLATION * largest)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("t1", "t2"), [(0.3, 1.0), (0.5, 1.4), (1.0, 3.0), (0.8, 1.001)])
def test_the_gradient_of_bi_tempered_logistic_is_implicit_and_exact(run, t1, t2):
    """By the paper, the gradient of the loss by `p` times `p**t2 * (1 - escort)` of `p`."""
    _, gradient = run(bi_tempered_logistic, SOFT, LOGITS, t1=t1, t2=t2)
    expected = []
    for y, x in zip(SOFT, LOGITS, strict=True):
        _, p = tempered_reference(y, x, t1, t2)
        # d loss / d p is (p - y) / p**t1, and d p / d x is p**t2 * (same - escort).
        powers = [each ** mpf(t2) for each in p]
        slope = [(q - float(label)) / q ** mpf(t1) for label, q in zip(y, p, strict=True)]
        mean = sum(s * w for s, w in zip(slope, powers, strict=True)) / sum(powers)
        expected.append([float(w * (s - mean)) for s, w in zip(slope, powers, strict=True)])
    np.testing.assert_allclose(gradient, expected, rtol=FLOAT32, atol=CANCELLATION * LARGEST)


@pytest.mark.parametrize("classes", [2, 1000])
@pytest.mark.parametrize("t2", [1.01, 1.3, 5.0])
def test_tempered_probabilities_sum_to_1_for_any_logits(run, classes, t2):
    spread = np.array([0, 1e-3, 1, 10, 100, 1e4, 1e30], "float32")[:, None]
    y_pred = RANDOM.normal(size=(7, classes)).astype("float32") * spread
    labels = np.full((7, classes), 1 / classes, "float32")
    # With t1 = 0 the loss is half of the squared distance, and -y * log_0(p) is linear in p.
    values, gradient = run(bi_tempered_logistic, labels, y_pred, t1=0.0, t2=t2)
    assert np.isfinite(values).all()
    # All logits together change nothing, as the probabilities sum to 1.
    assert gradient.sum(axis=-1) == pytest.approx(np.zeros(7), abs=FLOAT32)
    assert (values >= -CANCELLATION).all()
    assert (values <= 0.5 * (1 + 1 / classes) + FLOAT32).all()


@pytest.mark.parametrize("order", [2, 4, 8])
@LABELS
def test_taylor_crossentropy_is_the_paper_s(run, y_true, order):
    y_pred = LOGITS * np.array([[0.01], [0.1], [0.5], [1], [1], [3], [30], [1e4]], "float32")
    expected = []
    for y, x in zip(y_true, y_pred, strict=True):
        f = [
            mpmath.fsum(mpf(float(each)) ** k / math.factorial(k) for k in range(order + 1))
            for each in x
        ]
        expected.append(float(crossentropy_reference(map(float, y), [v / sum(f) for v in f])))
    values, gradient = run(taylor_crossentropy, y_true, y_pred, order=order)
    # The logarithm of a polynomial of 1e5 is 11 * order.
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION * 11 * order)
    assert np.isfinite(gradient).all()


def sparsemax_reference(y, x):
    """Return loss and probabilities by trying every size of the support."""
    ordered = sorted(x, reverse=True)
    sizes = [k for k in range(1, len(x) + 1) if 1 + k * ordered[k - 1] > sum(ordered[:k])]
    size = max(sizes)
    tau = (sum(ordered[:size]) - 1) / size
    value = 0.5 * sum(each**2 - tau**2 for each in x if each > tau)
    value += 0.5 * sum(label**2 for label in y) - sum(
        label * each for label, each in zip(y, x, strict=True)
    )
    return value, [max(each - tau, 0) for each in x]


@LABELS
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0])
def test_sparsemax_is_the_paper_s(run, y_true, spread):
    y_pred = LOGITS * np.float32(spread)
    rows = zip(y_true.astype("float64"), y_pred.astype("float64"), strict=True)
    found = [sparsemax_reference(y, x) for y, x in rows]
    largest = np.abs(y_pred).max()
    values, gradient = run(sparsemax, y_true, y_pred)
    np.testing.assert_allclose(
        values, [value for value, _ in found], rtol=FLOAT32, atol=CANCELLATION * largest
    )
    np.testing.assert_allclose(
        gradient, [p for _, p in found] - y_true, atol=CANCELLATION * largest
    )


def test_sparsemax_by_hand(run):
    # The middle of (0.6, 0.4): tau is 0, so the probabilities are the logits.
    y_true, y_pred = np.array([[1.0, 0.0]], "float32"), np.array([[0.6, 0.4]], "float32")
    values, gradient = run(sparsemax, y_true, y_pred)
    assert values[0] == pytest.approx(0.5 * (0.36 + 0.16) + 0.5 - 0.6, rel=FLOAT32)
    np.testing.assert_allclose(gradient, [[-0.4, 0.4]], atol=CANCELLATION)


def test_a_margin_of_1_costs_nothing_under_sparsemax(run):
    y_true, y_pred = np.array([[0.0, 1.0, 0.0]], "float32"), np.array([[2, 3, -9]], "float32")
    values, gradient = run(sparsemax, y_true, y_pred)
    assert values[0] == pytest.approx(0, abs=CANCELLATION * 3)
    np.testing.assert_allclose(gradient, [[0, 0, 0]], atol=CANCELLATION * 3)


def test_reverse_crossentropy_of_one_hot_labels_is_an_absolute_error(run):
    # By the paper, -A * (1 - p_t), here for two equal logits.
    y_true, y_pred = np.array([[1.0, 0.0]], "float32"), np.zeros((1, 2), "float32")
    values, _ = run(reverse_crossentropy, y_true, y_pred, log_clip=math.exp(-4), from_logits=True)
    assert values[0] == pytest.approx(4 * 0.5, rel=FLOAT32)
