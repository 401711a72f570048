"""Each loss against its paper's formula, in float64 and with plain loops."""

import math

import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

import lossreg
from lossreg_imbalance.batches import batch_balanced_crossentropy, hard_example_crossentropy
from lossreg_imbalance.margins import balanced_softmax, ldam, logit_adjusted
from lossreg_imbalance.reweighted import (
    class_balanced_crossentropy,
    class_balanced_focal,
    weighted_binary_crossentropy,
)

RANDOM = np.random.default_rng(11)
LOGITS = RANDOM.normal(0, 3, (6, 5)).astype("float32")
LARGEST = np.abs(LOGITS).max()
NUMBERS = RANDOM.integers(0, 5, 6)
ONE_HOT = np.eye(5, dtype="float32")[NUMBERS]
SOFT = RANDOM.dirichlet(np.ones(5), 6).astype("float32")
BINARY = (RANDOM.random((6, 5)) < 0.4).astype("float32")
COUNTS = (5000.0, 900.0, 77.0, 12.0, 3.0)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def log_softmax(row):
    total = math.fsum(math.exp(x) for x in row)
    return [x - math.log(total) for x in row]


def weighted_reference(y, x, pos_weight):
    nats = [
        -w * label * math.log(sigmoid(logit)) - (1 - label) * math.log(sigmoid(-logit))
        for label, logit, w in zip(y, x, pos_weight, strict=True)
    ]
    return math.fsum(nats) / len(nats)


def effective_weights(counts, beta):
    weights = [(1 - beta) / (1 - beta**n) for n in counts]
    return [weight * len(counts) / sum(weights) for weight in weights]


def class_balanced_reference(y, x, counts, beta):
    weights = effective_weights(counts, beta)
    return -math.fsum(
        w * label * log_p for w, label, log_p in zip(weights, y, log_softmax(x), strict=True)
    )


def class_balanced_focal_reference(y, x, counts, beta, gamma):
    weights = effective_weights(counts, beta)
    terms = []
    for label, logit in zip(y, x, strict=True):
        p, q = sigmoid(logit), sigmoid(-logit)
        terms.append(-label * q**gamma * math.log(p) - (1 - label) * p**gamma * math.log(q))
    return sum(w * label for w, label in zip(weights, y, strict=True)) * math.fsum(terms)


def adjusted_reference(y, x, counts, tau):
    total = sum(counts)
    moved = [logit + tau * math.log(n / total) for logit, n in zip(x, counts, strict=True)]
    return -math.fsum(label * log_p for label, log_p in zip(y, log_softmax(moved), strict=True))


def balanced_softmax_reference(y, x, counts):
    parts = [n * math.exp(logit) for logit, n in zip(x, counts, strict=True)]
    shares = [part / sum(parts) for part in parts]
    return -math.fsum(label * math.log(share) for label, share in zip(y, shares, strict=True))


def ldam_reference(y, cosines, counts, max_margin, scale):
    constant = max_margin * min(counts) ** 0.25
    moved = [
        scale * (c - constant / n**0.25 * label)
        for c, label, n in zip(cosines, y, counts, strict=True)
    ]
    return -math.fsum(label * log_p for label, log_p in zip(y, log_softmax(moved), strict=True))


def by_rows(reference, y_true, y_pred, **params):
    rows = zip(y_true.astype("float64"), y_pred.astype("float64"), strict=True)
    return [reference(y, x, **params) for y, x in rows]


@pytest.mark.parametrize("y_true", [ONE_HOT, SOFT], ids=["one-hot", "soft"])
@pytest.mark.parametrize(
    ("loss", "reference", "params"),
    [
        pytest.param(
            class_balanced_crossentropy,
            class_balanced_reference,
            {"counts": COUNTS, "beta": 0.99},
            id="class_balanced_crossentropy",
        ),
        pytest.param(
            logit_adjusted, adjusted_reference, {"counts": COUNTS, "tau": 1.5}, id="logit_adjusted"
        ),
        pytest.param(
            balanced_softmax, balanced_softmax_reference, {"counts": COUNTS}, id="balanced_softmax"
        ),
    ],
)
def test_a_softmax_loss_is_the_paper_s_on_logits_and_on_probabilities(
    run, y_true, loss, reference, params
):
    expected = by_rows(reference, y_true, LOGITS, **params)
    values, _ = run(loss, y_true, LOGITS, from_logits=True, **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION * LARGEST)
    probabilities = np.exp([log_softmax(row) for row in LOGITS.astype("float64")])
    values, _ = run(loss, y_true, probabilities.astype("float32"), **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION * LARGEST)


@pytest.mark.parametrize("pos_weight", [3.0, (0.5, 1.0, 2.0, 4.0, 8.0)], ids=["one", "each"])
@pytest.mark.parametrize("y_true", [BINARY, SOFT], ids=["hard", "soft"])
def test_weighted_binary_crossentropy_is_the_weighted_likelihood(run, y_true, pos_weight):
    weights = pos_weight if isinstance(pos_weight, tuple) else (pos_weight,) * 5
    expected = by_rows(weighted_reference, y_true, LOGITS, pos_weight=weights)
    params = {"pos_weight": pos_weight}
    values, _ = run(weighted_binary_crossentropy, y_true, LOGITS, from_logits=True, **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)
    p = (1 / (1 + np.exp(-LOGITS.astype("float64")))).astype("float32")
    values, _ = run(weighted_binary_crossentropy, y_true, p, **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION * LARGEST)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("y_true", [ONE_HOT, SOFT], ids=["one-hot", "soft"])
def test_class_balanced_focal_is_the_paper_s(run, y_true, gamma):
    params = {"counts": COUNTS, "beta": 0.99, "gamma": gamma}
    expected = by_rows(class_balanced_focal_reference, y_true, LOGITS, **params)
    values, _ = run(class_balanced_focal, y_true, LOGITS, from_logits=True, **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32)


@pytest.mark.parametrize("y_true", [ONE_HOT, SOFT], ids=["one-hot", "soft"])
def test_ldam_is_the_paper_s(run, y_true):
    cosines = np.tanh(LOGITS)
    params = {"counts": COUNTS, "max_margin": 0.4, "scale": 12.0}
    expected = by_rows(ldam_reference, y_true, cosines, **params)
    values, _ = run(ldam, y_true, cosines, **params)
    np.testing.assert_allclose(values, expected, rtol=FLOAT32, atol=CANCELLATION * 12)


@pytest.mark.parametrize(
    ("params", "weights"),
    [
        pytest.param({"share": 1.0}, [1] * 12, id="all of twelve"),
        pytest.param({"share": 0.25}, [1] * 3, id="three of twelve"),
        pytest.param({"share": 0.3}, [1, 1, 1, 0.6], id="three and six tenths"),
        pytest.param({"share": 0.01}, [1], id="at least one"),
        pytest.param({"count": 5}, [1] * 5, id="five"),
        pytest.param({"count": 99}, [1] * 12, id="as many as there are"),
    ],
)
def test_hard_examples_are_the_largest_of_the_batch(run, params, weights):
    y_pred = RANDOM.normal(0, 3, (3, 4, 5)).astype("float32")
    y_true = np.eye(5, dtype="float32")[RANDOM.integers(0, 5, (3, 4))]
    rows = zip(y_true.reshape(-1, 5), y_pred.reshape(-1, 5).astype("float64"), strict=True)
    nats = sorted((-np.dot(y, log_softmax(x)) for y, x in rows), reverse=True)
    expected = sum(w * each for w, each in zip(weights, nats, strict=False)) / sum(weights)
    value, gradient = run(hard_example_crossentropy, y_true, y_pred, from_logits=True, **params)
    assert value.shape == ()
    assert value == pytest.approx(expected, rel=FLOAT32)
    # Only what counts has a gradient.
    assert np.abs(gradient).any(axis=-1).sum() == math.ceil(sum(weights))


def test_a_position_without_a_class_is_no_position(run):
    y_true = np.concatenate([ONE_HOT, np.zeros((6, 5), "float32")])
    y_pred = np.concatenate([LOGITS, 100 * LOGITS])
    expected, slope = run(hard_example_crossentropy, ONE_HOT, LOGITS, share=0.5, from_logits=True)
    value, gradient = run(hard_example_crossentropy, y_true, y_pred, share=0.5, from_logits=True)
    assert value == pytest.approx(expected, rel=EACH_OTHER)
    np.testing.assert_allclose(
        gradient[:6], slope, rtol=EACH_OTHER, atol=2 * CANCELLATION * np.abs(slope).max()
    )
    assert (gradient[6:] == 0).all()


def test_batch_balanced_crossentropy_is_the_paper_s_sum_over_the_number_of_entries(run):
    y, x = BINARY.reshape(-1).astype("float64"), LOGITS.reshape(-1).astype("float64")
    b = (y == 0).sum() / y.size
    total = 0.0
    for label, logit in zip(y, x, strict=True):
        total -= b * math.log(sigmoid(logit)) if label else (1 - b) * math.log(sigmoid(-logit))
    value, _ = run(batch_balanced_crossentropy, BINARY, LOGITS, from_logits=True)
    assert value.shape == ()
    assert value == pytest.approx(total / y.size, rel=FLOAT32)


def test_a_count_of_one_against_a_million_by_hand(run):
    # Two logits of 0: the softmax weighs the classes by their counts.
    y_true, y_pred = np.eye(2, dtype="float32"), np.zeros((2, 2), "float32")
    values, _ = run(balanced_softmax, y_true, y_pred, counts=(999_999.0, 1.0), from_logits=True)
    assert values == pytest.approx(
        [-math.log1p(-1e-6), math.log(1e6)], rel=FLOAT32, abs=CANCELLATION
    )


def test_effective_numbers_keep_their_digits_at_a_beta_close_to_1(run):
    # As beta goes to 1 the weights go to 1 / n, here 1 and 1/4, scaled to a mean of 1.
    y_true, y_pred = np.eye(2, dtype="float32"), np.zeros((2, 2), "float32")
    values, _ = run(
        class_balanced_crossentropy, y_true, y_pred, counts=(1.0, 4.0), beta=1 - 1e-12,
        from_logits=True,
    )  # fmt: skip
    assert values == pytest.approx([1.6 * math.log(2), 0.4 * math.log(2)], rel=FLOAT32)


@pytest.mark.parametrize(
    ("loss", "params"),
    [
        (class_balanced_crossentropy, {"from_logits": True}),
        (class_balanced_focal, {"from_logits": True}),
        (logit_adjusted, {"from_logits": True}),
        (balanced_softmax, {"from_logits": True}),
        (ldam, {}),
    ],
)
def test_as_many_counts_as_classes_or_an_error_that_counts_them(loss, params):
    message = f"{loss.__name__}.*counts must have 5 numbers, one for each class.*got 2"
    with pytest.raises(lossreg.ParameterError, match=message):
        loss(ONE_HOT, LOGITS, counts=(1.0, 2.0), **params)


def test_as_many_positive_weights_as_outputs_or_an_error_that_counts_them():
    with pytest.raises(lossreg.ParameterError, match="pos_weight must have 5 numbers.*got 1"):
        weighted_binary_crossentropy(BINARY, LOGITS, pos_weight=(2.0,))
