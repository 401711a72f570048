"""Each row of the table in docs/noise.md against the other library's formula, in numpy."""

import pathlib
import re

import numpy as np
import pytest
from tolerances import FLOAT32

import lossreg
from lossreg.lazy import ops

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "noise.md"

RANDOM = np.random.default_rng(9)
LOGITS = RANDOM.normal(0, 1.5, (6, 4)).astype("float32")
X = LOGITS.astype("float64")
P = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
NUMBERS = RANDOM.integers(0, 4, 6)
ONE_HOT = np.eye(4)[NUMBERS]
SOFT = RANDOM.dirichlet(np.ones(4), 6)


def of_label(rows):
    return rows[np.arange(6), NUMBERS]


def reverse():
    return -(P * np.log(np.clip(ONE_HOT, 1e-4, 1))).sum(axis=1)


def tempered():
    """Return the bi-tempered loss with as many steps of the fixed point as it takes."""
    start = X - X.max(axis=1, keepdims=True)
    a = start
    for _ in range(500):
        z = (1 - 0.2 * a) ** -5
        a = start * z.sum(axis=1, keepdims=True) ** -0.2
    total = ((1 - 0.2 * a) ** -5).sum(axis=1, keepdims=True)
    shift = (total**0.2 - 1) / 0.2
    p = (1 + 0.2 * (shift - start)) ** -5
    return ((1 - of_label(p) ** 0.2) / 0.2) - (1 - (p**1.2).sum(axis=1)) / 1.2


def taylor():
    f = 1 + X + X**2 / 2
    return -np.log(of_label(f / f.sum(axis=1, keepdims=True)))


def sparsemax():
    values = []
    for z, label in zip(X, NUMBERS, strict=True):
        ordered = np.sort(z)[::-1]
        size = max(k for k in range(1, 5) if 1 + k * ordered[k - 1] > ordered[:k].sum())
        tau = (ordered[:size].sum() - 1) / size
        values.append(-z[label] + (z[z > tau] ** 2 - tau**2).sum() / 2 + 0.5)
    return np.array(values)


def divergence():
    middle = (SOFT + P) / 2
    return (SOFT * np.log(SOFT / middle) + P * np.log(P / middle)).sum(axis=1) / 2


PROBABILITIES = P.astype("float32")

# The start of the row, what goes in, and the other library's mean over the batch.
ROWS = {
    "SCE's `SCELoss(alpha=0.1, beta=1)`": (
        NUMBERS,
        LOGITS,
        (-0.1 * np.log(of_label(P)) + reverse()).mean(),
    ),
    "APL's `NCEandRCE(alpha=1, beta=1)`": (
        NUMBERS,
        LOGITS,
        (np.log(of_label(P)) / np.log(P).sum(axis=1) + reverse()).mean(),
    ),
    "Keras `categorical_generalized_cross_entropy(q=0.7)`": (
        NUMBERS,
        PROBABILITIES,
        ((1 - of_label(P) ** 0.7) / 0.7).mean(),
    ),
    "Google's `bi_tempered_logistic_loss(t1=0.8, t2=1.2)`": (NUMBERS, LOGITS, tempered().mean()),
    "pytorch-loss `TaylorCrossEntropyLossV1(n=2)`": (NUMBERS, LOGITS, taylor().mean()),
    "TFA `SparsemaxLoss()`": (ONE_HOT, LOGITS, sparsemax().mean()),
    "SciPy `jensenshannon(y, p)**2`": (SOFT, PROBABILITIES, divergence().mean()),
}


def read_table():
    """Return the loss here of each row by what stands there."""
    section = PAGE.read_text("utf-8").partition("## If you come from another library")[2]
    return dict(re.findall(r"^\| (.+?) \| `(.+?)` \| .+ \|$", section, re.MULTILINE))


def test_every_row_of_the_page_is_tested():
    assert list(read_table()) == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_the_loss_of_another_library_has_its_value_here(row):
    y_true, y_pred, expected = ROWS[row]
    loss = lossreg.get_loss(read_table()[row])
    assert float(ops.convert_to_numpy(loss(y_true, y_pred))) == pytest.approx(expected, rel=FLOAT32)
