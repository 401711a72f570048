"""Each row of the table in docs/focal.md against the other library's formula, in plain numpy."""

import pathlib
import re

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

import lossreg
from lossreg.lazy import ops

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "focal.md"

RANDOM = np.random.default_rng(5)
BATCH, CLASSES = 6, 4
LOGITS = RANDOM.normal(0, 2, (BATCH, CLASSES)).astype("float32")
X = LOGITS.astype("float64")
P = 1 / (1 + np.exp(-X))
SOFTMAX = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
YES = (RANDOM.random((BATCH, CLASSES)) < 0.4).astype("float64")
NUMBERS = RANDOM.integers(0, CLASSES, BATCH)
ONE_HOT = np.eye(CLASSES)[NUMBERS]
# All classes but the first.
FOREGROUND = np.array([0.4, 0.6, 0.6, 0.6])


SHIFTED = np.maximum(P - 0.05, 0)
SOFT = RANDOM.random((BATCH, CLASSES))
QUALITIES = YES * SOFT
# A peak in each row but the last two.
HEAT = np.where(ONE_HOT * (np.arange(BATCH) < 4)[:, None] == 1, 1, 0.9 * SOFT)


def harmonized():
    """Return the sum of the cross-entropies over the size of their bins, over ten bins."""
    bins = np.floor(np.abs(P - YES) * 10)
    sizes = (bins[..., None, None] == bins).sum(axis=(-2, -1))
    return (-np.log(np.where(YES == 1, P, 1 - P)) / sizes).sum() / 10


def focal_of_each(y, p, gamma, alpha=None):
    """Return the paper's loss of every output, where `p_t` is the probability of the label."""
    nats = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    p_t = y * p + (1 - y) * (1 - p)
    weights = 1.0 if alpha is None else y * alpha + (1 - y) * (1 - alpha)
    return weights * (1 - p_t) ** gamma * nats


def softmax_focal_of_each(gamma):
    return -ONE_HOT * (1 - SOFTMAX) ** gamma * np.log(SOFTMAX)


# The start of the row, what goes in, and the other library's mean over the batch.
ROWS = {
    "TFA `SigmoidFocalCrossEntropy(from_logits=True)`, 3 outputs": (
        YES[:, :3],
        LOGITS[:, :3],
        focal_of_each(YES, P, 2, 0.25)[:, :3].sum(axis=-1).mean(),
    ),
    'torchvision `sigmoid_focal_loss(reduction="mean")`': (
        YES,
        LOGITS,
        focal_of_each(YES, P, 2, 0.25).mean(),
    ),
    'torchvision `sigmoid_focal_loss(alpha=-1, reduction="mean")`': (
        YES,
        LOGITS,
        focal_of_each(YES, P, 2).mean(),
    ),
    "MONAI `FocalLoss()`": (YES, LOGITS, focal_of_each(YES, P, 2).mean()),
    "MONAI `FocalLoss(alpha=0.6)`": (YES, LOGITS, focal_of_each(YES, P, 2, 0.6).mean()),
    "MONAI `FocalLoss(use_softmax=True, alpha=0.6)`, 4 classes": (
        ONE_HOT,
        LOGITS,
        (FOREGROUND * softmax_focal_of_each(2)).mean(),
    ),
    'kornia `focal_loss(alpha=0.6, reduction="mean")`, 4 classes': (
        NUMBERS,
        LOGITS,
        (FOREGROUND * softmax_focal_of_each(2)).mean(),
    ),
    'kornia `binary_focal_loss_with_logits(reduction="mean")`': (
        YES,
        LOGITS,
        (-0.25 * (1 - P) ** 2 * YES * np.log(P) - 0.75 * P**2 * (1 - YES) * np.log(1 - P)).mean(),
    ),
    "segmentation-models `BinaryFocalLoss(alpha=0.25)`": (
        YES,
        P.astype("float32"),
        (-0.25 * YES * (1 - P) ** 2 * np.log(P) - 0.25 * (1 - YES) * P**2 * np.log(1 - P)).mean(),
    ),
    "segmentation-models `CategoricalFocalLoss(alpha=0.25)`, 4 classes": (
        ONE_HOT,
        SOFTMAX.astype("float32"),
        (0.25 * softmax_focal_of_each(2)).mean(),
    ),
    "PyTorch `BCEWithLogitsLoss(pos_weight=3)`": (
        YES,
        LOGITS,
        -(3 * YES * np.log(P) + (1 - YES) * np.log(1 - P)).mean(),
    ),
    "ASL `AsymmetricLoss()`, 4 outputs": (
        YES,
        LOGITS,
        -(YES * (1 - P) * np.log(P) + (1 - YES) * SHIFTED**4 * np.log(1 - SHIFTED))
        .sum(axis=1)
        .mean(),
    ),
    "optax `poly_loss_cross_entropy(epsilon=2)`": (
        ONE_HOT,
        LOGITS,
        (ONE_HOT * (-np.log(SOFTMAX) + 2 * (1 - SOFTMAX))).sum(axis=1).mean(),
    ),
    "PolyLoss paper's `poly1_focal_loss(epsilon=1, gamma=2)`": (
        YES,
        LOGITS,
        (focal_of_each(YES, P, 2) + np.where(YES == 1, 1 - P, P) ** 3).mean(),
    ),
    "MMDetection `QualityFocalLoss(beta=2)`": (
        SOFT,
        LOGITS,
        (np.abs(SOFT - P) ** 2 * -(SOFT * np.log(P) + (1 - SOFT) * np.log(1 - P))).mean(),
    ),
    "MMDetection `VarifocalLoss(alpha=0.75, gamma=2)`": (
        QUALITIES,
        LOGITS,
        (
            -(QUALITIES * np.log(P) + (1 - QUALITIES) * np.log(1 - P))
            * np.where(QUALITIES > 0, QUALITIES, 0.75 * P**2)
        ).mean(),
    ),
    "MMDetection `GaussianFocalLoss(alpha=2, gamma=4)`, sum": (
        HEAT,
        P.astype("float32"),
        (
            np.where(
                HEAT == 1,
                -((1 - P) ** 2) * np.log(P),
                -((1 - HEAT) ** 4) * P**2 * np.log(1 - P),
            ).sum(axis=1)
            / np.maximum((HEAT == 1).sum(axis=1), 1)
        ).mean(),
    ),
    "MMDetection `GHMC(bins=10)`": (YES, LOGITS, harmonized()),
    "binary labels moved to `eps` and `1 - eps`, 0.05 and 0.95": (
        YES,
        LOGITS,
        focal_of_each(np.where(YES == 1, 0.95, 0.05), P, 2).mean(),
    ),
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
    value = float(ops.convert_to_numpy(loss(y_true, y_pred)))
    assert value == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)
