"""Each row of the table in docs/regression.md against the other library's formula, in numpy."""

import math
import pathlib
import re

import numpy as np
import pytest
from tolerances import FLOAT32

import lossreg
from lossreg.lazy import ops

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "regression.md"

RANDOM = np.random.default_rng(51)
N = 6
Y = RANDOM.normal(size=(N, 1))
P = RANDOM.normal(size=(N, 1))
E = Y - P
SIZE = np.abs(E)
QUANTILES = RANDOM.normal(size=(N, 3))
TAUS = np.array([0.1, 0.5, 0.9])
AMOUNT, MEAN = RANDOM.gamma(2.0, size=(2, N, 1)) + 0.1
COUNT = RANDOM.poisson(3.0, size=(N, 1))
DEPTH, DEPTH_PRED = RANDOM.gamma(2.0, size=(2, 1, 12)) + 0.1
D = np.log(DEPTH) - np.log(DEPTH_PRED)
OUTPUTS = RANDOM.normal(size=(N, 2))
MU, SIGMA = OUTPUTS[:, :1], np.logaddexp(0, OUTPUTS[:, 1:]) + 1e-6
MEMBERS = RANDOM.normal(size=(N, 7))
EVIDENCE = RANDOM.normal(size=(N, 4))
PHI = np.vectorize(lambda z: (1 + math.erf(z / math.sqrt(2))) / 2)
LOG_GAMMA = np.vectorize(math.lgamma)


def pinball(e, tau):
    return np.maximum(tau * e, (tau - 1) * e)


def balanced_l1(alpha=0.5, gamma=1.5):
    b = np.exp(gamma / alpha) - 1
    curve = alpha / b * (b * SIZE + 1) * np.log(b * SIZE + 1) - alpha * SIZE
    return np.where(SIZE < 1, curve, gamma * SIZE + gamma / b - alpha)


def ghm_r(mu=0.02, bins=10):
    root = np.sqrt(E**2 + mu**2)
    part = np.minimum((SIZE / root * bins).astype(int), bins - 1)
    counts = np.bincount(part.ravel(), minlength=bins)
    return (N / counts[part] / (counts > 0).sum() * (root - mu)).sum() / N


def wing(width, curvature):
    c = width - width * math.log(1 + width / curvature)
    return np.where(width > SIZE, width * np.log(1 + SIZE / curvature), SIZE - c)


def gaussian(full):
    constant = 0.5 * math.log(2 * math.pi) if full else 0
    return 0.5 * (np.log(SIGMA**2) + (Y - MU) ** 2 / SIGMA**2) + constant


def tweedie(p):
    y, mu = AMOUNT, MEAN
    terms = (
        y ** (2 - p) / ((1 - p) * (2 - p)) - y * mu ** (1 - p) / (1 - p) + mu ** (2 - p) / (2 - p)
    )
    return 2 * terms


def crps_of_normal():
    z = (Y - MU) / SIGMA
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return SIGMA * (z * (2 * PHI(z) - 1) + 2 * density - 1 / math.sqrt(math.pi))


def crps_of_members():
    pairs = np.abs(MEMBERS[:, :, None] - MEMBERS[:, None, :]).mean(axis=(1, 2))
    return np.abs(MEMBERS - Y).mean(axis=1) - pairs / 2


def bmc(noise_var):
    scores = -((P - Y.T) ** 2) / (2 * noise_var)
    nats = np.log(np.exp(scores).sum(axis=1)) - np.diag(scores)
    return nats * 2 * noise_var


def evidential(coeff=0.01):
    gamma, *others = EVIDENCE.T[:, :, None]
    nu, alpha, beta = (np.logaddexp(0, each) for each in others)
    alpha = alpha + 1
    omega = 2 * beta * (1 + nu)
    nll = (
        0.5 * np.log(math.pi / nu)
        - alpha * np.log(omega)
        + (alpha + 0.5) * np.log(nu * (Y - gamma) ** 2 + omega)
        + LOG_GAMMA(alpha)
        - LOG_GAMMA(alpha + 0.5)
    )
    return nll + coeff * np.abs(Y - gamma) * (2 * nu + alpha)


def silog(focus):
    return math.sqrt((D**2).mean() - focus * D.mean() ** 2)


# The start of the row, what goes in, and the other library's mean over the batch.
ROWS = {
    "TFA `PinballLoss(tau=0.9)`": (Y, P, pinball(E, 0.9).mean()),
    "scikit-learn `mean_pinball_loss(alpha=0.9)`": (Y, P, pinball(E, 0.9).mean()),
    "neuralforecast `MQLoss(quantiles=[0.1, 0.5, 0.9])`": (
        Y,
        QUANTILES,
        pinball(Y - QUANTILES, TAUS).mean(),
    ),
    "PyTorch `SmoothL1Loss(beta=0.5)`": (
        Y,
        P,
        np.where(SIZE < 0.5, E**2, SIZE - 0.25).mean(),
    ),
    "MMDetection `BalancedL1Loss(alpha=0.5, gamma=1.5, beta=1.0)`": (Y, P, balanced_l1().mean()),
    "MMDetection `GHMR(mu=0.02, bins=10, momentum=0)`": (Y, P, ghm_r()),
    "pytorch-toolbelt `WingLoss()`": (Y, P, wing(5, 0.5).mean()),
    "PyTorch `GaussianNLLLoss(full=True)`": (Y, OUTPUTS, gaussian(full=True).mean()),
    "PyTorch `GaussianNLLLoss()`": (
        Y,
        OUTPUTS,
        gaussian(full=False).mean() + 0.5 * math.log(2 * math.pi),
    ),
    "PyTorch `PoissonNLLLoss(log_input=False)`": (
        COUNT,
        MEAN,
        (MEAN - COUNT * np.log(MEAN)).mean(),
    ),
    "scikit-learn `mean_tweedie_deviance(power=1.5)`": (AMOUNT, MEAN, tweedie(1.5).mean()),
    "scikit-learn `mean_gamma_deviance`": (
        AMOUNT,
        MEAN,
        2 * (np.log(MEAN / AMOUNT) + AMOUNT / MEAN - 1).mean(),
    ),
    "scikit-learn `mean_poisson_deviance`": (
        AMOUNT,
        MEAN,
        2 * (AMOUNT * np.log(AMOUNT / MEAN) - AMOUNT + MEAN).mean(),
    ),
    "properscoring `crps_ensemble`": (Y, MEMBERS, crps_of_members().mean()),
    "properscoring `crps_gaussian`": (Y, OUTPUTS, crps_of_normal().mean()),
    "BalancedMSE `bmc_loss(noise_var=4)`": (Y, P, bmc(4).mean()),
    "evidential-deep-learning `EvidentialRegression(coeff=0.01)`": (
        Y,
        EVIDENCE,
        evidential().mean(),
    ),
    "Depth Anything V2 `SiLogLoss(lambd=0.5)`": (DEPTH, DEPTH_PRED, silog(0.5)),
    "BTS `silog_loss(variance_focus=0.85)`": (DEPTH, DEPTH_PRED, 10 * silog(0.85)),
}


def read_table():
    """Return the loss here of each row by what stands there."""
    section = PAGE.read_text("utf-8").partition("## If you come from another library")[2]
    rows = re.findall(
        r"^\| (.+?) \| `(.+?)` \| .+ \|$", section.partition("\n## ")[0], re.MULTILINE
    )
    return dict(rows)


def test_every_row_of_the_page_is_tested():
    assert list(read_table()) == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_the_loss_of_another_library_has_its_value_here(row):
    y_true, y_pred, expected = ROWS[row]
    loss = lossreg.get_loss(read_table()[row])
    value = float(ops.convert_to_numpy(loss(y_true.astype("float32"), y_pred.astype("float32"))))
    assert value == pytest.approx(expected, rel=FLOAT32)
