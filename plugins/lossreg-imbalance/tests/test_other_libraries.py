"""Each row of the table in docs/imbalance.md against the other library's formula, in numpy."""

import pathlib
import re

import numpy as np
import pytest
from tolerances import FLOAT32

import lossreg
from lossreg.lazy import ops

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "imbalance.md"

RANDOM = np.random.default_rng(6)
# Ten positions, so that a tenth of them is one.
LOGITS = RANDOM.normal(0, 2, (10, 3)).astype("float32")
X = LOGITS.astype("float64")
P = 1 / (1 + np.exp(-X))
NUMBERS = RANDOM.integers(0, 3, 10)
YES = np.eye(3)[NUMBERS]
COUNTS = np.array([30, 20, 10])
COSINES = np.tanh(LOGITS)


def nats_of(x):
    return -np.log(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True))[np.arange(10), NUMBERS]


def class_weights(beta):
    weights = (1 - beta) / (1 - beta**COUNTS)
    return weights * 3 / weights.sum()


def with_margins(cosines, max_m):
    margins = 1 / np.sqrt(np.sqrt(COUNTS))
    margins *= max_m / margins.max()
    return cosines - margins * YES


BALANCE = (YES == 0).mean()

# The start of the row, what goes in, and the other library's value of a batch.
ROWS = {
    "PyTorch `BCEWithLogitsLoss(pos_weight=3)`": (
        YES,
        LOGITS,
        -(3 * YES * np.log(P) + (1 - YES) * np.log(1 - P)).mean(),
    ),
    "TensorFlow `weighted_cross_entropy_with_logits(pos_weight=3)`": (
        YES,
        LOGITS,
        ((1 - YES) * X + (1 + 2 * YES) * np.log1p(np.exp(-X))).mean(),
    ),
    'PyTorch `CrossEntropyLoss(weight=w)` with `reduction="none"`': (
        NUMBERS,
        LOGITS,
        (class_weights(0.9)[NUMBERS] * nats_of(X)).mean(),
    ),
    "LDAM-DRW `LDAMLoss(cls_num_list, max_m=0.5, s=30)`": (
        NUMBERS,
        COSINES,
        nats_of(30 * with_margins(COSINES.astype("float64"), 0.5)).mean(),
    ),
    "nnU-Net `TopKLoss(k=10)`": (NUMBERS, LOGITS, nats_of(X).max()),
    "HED `class_balanced_sigmoid_cross_entropy`": (
        YES,
        LOGITS,
        -(BALANCE * YES * np.log(P) + (1 - BALANCE) * (1 - YES) * np.log(1 - P)).mean(),
    ),
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
