"""Losses of a batch: balanced MSE and GHM-R, sample by sample in float64."""

import math

import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg_regression.imbalance import balanced_mse, ghm_r

RANDOM = np.random.default_rng(41)
Y = RANDOM.normal(size=(8, 2)).astype("float32")
P = (Y + RANDOM.normal(size=(8, 2))).astype("float32")


def balanced_mse_of(y, p, sigma):
    """Return what the authors' bmc_loss averages: a cross-entropy over the batch's labels."""
    y, p = y.astype("float64"), p.astype("float64")
    values, slopes = [], np.zeros_like(p)
    for i in range(len(p)):
        scores = np.array([-((p[i] - label) ** 2).sum() / (2 * sigma**2) for label in y])
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        values.append(-2 * sigma**2 * math.log(shares[i]))
        slopes[i] = 2 * (shares @ y - y[i])
    return values, slopes


@pytest.mark.parametrize("sigma", [0.4, 1.0, 5.0])
def test_balanced_mse_is_a_cross_entropy_over_the_labels_of_the_batch(run, sigma):
    values, slopes = balanced_mse_of(Y, P, sigma)
    got, gradient = run(balanced_mse, Y, P, noise_sigma=sigma)
    largest = ((Y[:, None] - P) ** 2).sum(axis=-1).max() / (2 * sigma**2)
    # The logarithm of a share near 1 is small, and 2 * sigma**2 multiplies it.
    np.testing.assert_allclose(
        got, values, rtol=FLOAT32, atol=CANCELLATION * largest * 2 * sigma**2
    )
    np.testing.assert_allclose(gradient, slopes, rtol=FLOAT32, atol=CANCELLATION * np.abs(Y).max())


def test_balanced_mse_has_its_digits_far_away(run):
    # From p = 1e5 the labels 0 and 1 differ by 1e10 - (1e5 - 1)**2 = 199 999, and no float32
    # square tells.
    values, gradient = run(balanced_mse, [[0.0], [1.0]], [[1e5], [1e5]])
    np.testing.assert_allclose(values, [199_999.0, 0.0], rtol=FLOAT32)
    np.testing.assert_allclose(gradient, [[2.0], [0.0]], rtol=FLOAT32)


def test_balanced_mse_of_equal_labels_asks_for_nothing(run):
    values, gradient = run(balanced_mse, np.ones((6, 1)), P[:6, :1])
    np.testing.assert_allclose(values, 2 * math.log(6), rtol=FLOAT32)
    assert (gradient == 0).all()


def test_balanced_mse_of_one_sample_is_0(run):
    values, gradient = run(balanced_mse, Y[:1], P[:1])
    assert values == [0]
    assert (gradient == 0).all()


def test_the_steps_of_a_series_are_samples_too(run):
    flat, slopes = run(balanced_mse, Y, P)
    values, gradient = run(balanced_mse, Y.reshape(2, 4, 2), P.reshape(2, 4, 2))
    np.testing.assert_allclose(
        values.reshape(8), flat, rtol=EACH_OTHER, atol=2 * CANCELLATION * np.abs(flat).max()
    )
    np.testing.assert_allclose(
        gradient.reshape(8, 2),
        slopes,
        rtol=EACH_OTHER,
        atol=2 * CANCELLATION * np.abs(slopes).max(),
    )


def test_rare_labels_count_more_in_balanced_mse(run):
    # Nine labels of 0 and one of 4, all predicted at 1: a step back from 0, and one towards 4.
    y = np.array([[0.0]] * 9 + [[4.0]])
    _, gradient = run(balanced_mse, y, np.ones((10, 1)), noise_sigma=2.0)
    assert abs(gradient[9, 0]) > 10 * abs(gradient[0, 0])


def ghm_r_of(y, p, mu, bins):
    """Return what MMDetection's GHMR sums, and its gradient, error by error."""
    e = y.astype("float64") - p.astype("float64")
    root = np.sqrt(e**2 + mu**2)
    part = np.minimum((np.abs(e) / root * bins).astype(int), bins - 1)
    counts = np.bincount(part.ravel(), minlength=bins)
    weights = e.size / counts[part] / (counts > 0).sum()
    return (weights * (root - mu)).mean(axis=-1), -weights * e / root / e.shape[-1]


@pytest.mark.parametrize("bins", [1, 4, 10])
@pytest.mark.parametrize("mu", [0.02, 0.5, 3.0])
def test_ghm_r_weighs_errors_by_how_many_are_like_them(run, mu, bins):
    values, slopes = ghm_r_of(Y, P, mu, bins)
    got, gradient = run(ghm_r, Y, P, mu=mu, bins=bins)
    np.testing.assert_allclose(got, values, rtol=FLOAT32)
    np.testing.assert_allclose(gradient, slopes, rtol=FLOAT32)


def test_ghm_r_by_hand(run):
    # Gradients 0.6, 0.6, 0.6 and 0.8 of mu = 4 and 3: three share a part, one has another.
    values, _ = run(ghm_r, np.zeros((4, 1)), [[3.0], [-3.0], [3.0], [16 / 3]], mu=4.0, bins=5)
    root = math.hypot(16 / 3, 4)
    assert values == pytest.approx([4 / 3 / 2 * 1] * 3 + [4 / 2 * (root - 4)], rel=FLOAT32)


def test_ghm_r_keeps_the_digits_of_a_small_error(run):
    values, gradient = run(ghm_r, [[0.0]], [[1e-6]], mu=1.0)
    assert values == pytest.approx([1e-12 / 2], rel=FLOAT32)
    assert gradient == pytest.approx(np.array([[1e-6]]), rel=FLOAT32)


def test_ghm_r_of_a_perfect_batch_is_0(run):
    values, gradient = run(ghm_r, Y, Y)
    assert (values == 0).all()
    assert (gradient == 0).all()


@pytest.mark.parametrize("loss", [balanced_mse, ghm_r])
def test_the_order_of_the_batch_changes_nothing(run, loss):
    order = RANDOM.permutation(8)
    values, gradient = run(loss, Y, P)
    moved, slopes = run(loss, Y[order], P[order])
    np.testing.assert_allclose(
        moved, values[order], rtol=EACH_OTHER, atol=2 * CANCELLATION * np.abs(values).max()
    )
    np.testing.assert_allclose(
        slopes, gradient[order], rtol=EACH_OTHER, atol=2 * CANCELLATION * np.abs(gradient).max()
    )
