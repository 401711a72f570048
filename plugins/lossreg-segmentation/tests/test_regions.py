"""The losses made of region sizes against their formulas.

Each formula is written as its paper has it, in float64, with plain loops over images, classes and
pixels. It takes one-hot labels and probabilities of shape `(batch, positions, classes)`, and
returns one value for each image.
"""

import numpy as np
import pytest
from tolerances import EACH_OTHER

from lossreg_segmentation import overlap, scores, unified, wasserstein

RNG = np.random.default_rng(11)
LABELS = RNG.integers(0, 4, (3, 20))
LOGITS = 1.5 * RNG.normal(size=(3, 20, 4))
ONE_HOT = np.eye(4)[LABELS]
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))


def sizes(y, p):
    """Return tp, fp, fn and tn of one class of one image."""
    tp = fp = fn = tn = 0.0
    for label, probability in zip(y, p, strict=True):
        tp += label * probability
        fp += (1 - label) * probability
        fn += label * (1 - probability)
        tn += (1 - label) * (1 - probability)
    return tp, fp, fn, tn


def each_class(of_class, y, p):
    """Return `of_class(y, p)` of every image and class, shape `(batch, classes)`."""
    return np.array(
        [
            [of_class(image[:, c], probabilities[:, c]) for c in range(y.shape[-1])]
            for image, probabilities in zip(y, p, strict=True)
        ]
    )


def dice_fraction(y, p, smooth, squared):
    above, below = smooth, smooth
    for label, probability in zip(y, p, strict=True):
        above += 2 * label * probability
        below += label**2 + probability**2 if squared else label + probability
    return above / below


def soft_dice(y, p, *, smooth=1e-5, squared=False, form="linear"):
    fractions = each_class(lambda y, p: dice_fraction(y, p, smooth, squared), y, p)
    forms = {
        "linear": 1 - fractions,
        "log": -np.log(fractions),
        "log_cosh": np.log(np.cosh(1 - fractions)),
    }
    return forms[form].mean(axis=-1)


def jaccard(y, p, *, smooth=1e-5):
    def of_class(y, p):
        tp, fp, fn, _ = sizes(y, p)
        return 1 - (tp + smooth) / (tp + fp + fn + smooth)

    return each_class(of_class, y, p).mean(axis=-1)


def focal_tversky(y, p, *, alpha=0.3, beta=0.7, gamma=0.75, smooth=1e-5):
    def of_class(y, p):
        tp, fp, fn, _ = sizes(y, p)
        return (1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)) ** gamma

    return each_class(of_class, y, p).mean(axis=-1)


def generalized_dice(y, p, *, weighting="square", smooth=1e-5):
    values = []
    for image, probabilities in zip(y, p, strict=True):
        volumes = image.sum(axis=0)
        raw = {"square": volumes**-2.0, "simple": 1 / volumes, "uniform": volumes**0}[weighting]
        weights = raw / raw.max()
        above = below = smooth
        for c, weight in enumerate(weights):
            above += 2 * weight * (image[:, c] * probabilities[:, c]).sum()
            below += weight * (image[:, c] + probabilities[:, c]).sum()
        values.append(1 - above / below)
    return np.array(values)


def soft_f1(y, p, *, double=False):
    values = []
    for c in range(y.shape[-1]):
        tp, fp, fn, tn = sizes(y[..., c].ravel(), p[..., c].ravel())
        values.append(1 - 2 * tp / (2 * tp + fp + fn))
        if double:
            values[-1] = (values[-1] + 1 - 2 * tn / (2 * tn + fp + fn)) / 2
    return np.mean(values)


def matthews(y, p):
    def of_class(y, p):
        tp, fp, fn, tn = sizes(y, p)
        return 1 - (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))

    return each_class(of_class, y, p).mean(axis=-1)


def generalized_wasserstein_dice(y, p, *, distances, weighting="foreground", smooth=1e-5):
    distances = np.array(distances) / np.max(distances)
    values = []
    for image, probabilities in zip(y, p, strict=True):
        labels = image.argmax(axis=-1)
        tp = below = 0.0
        for label, row in zip(labels, probabilities, strict=True):
            w = sum(distances[label, k] * row[k] for k in range(len(row)))
            if weighting == "volume":
                a = 1 / (1 + (labels == label).sum())
                tp, below = tp + a * (1 - w), below + a * (2 - w)
            else:
                a = float(label != 0)
                tp, below = tp + a * (1 - w), below + 2 * a * (1 - w) + w
        values.append(1 - (2 * tp + smooth) / (below + smooth))
    return np.array(values)


def unified_focal(y, p, *, weight=0.5, delta=0.6, gamma=0.5, symmetric=False, smooth=1e-6):
    values = []
    p = p / p.sum(axis=-1, keepdims=True)
    for image, probabilities in zip(y, p, strict=True):
        f = 0.0
        for row, (label, own) in zip(probabilities, enumerate_true(image), strict=True):
            nats = -np.log(row[label]) * own
            share = 1 - delta if label == 0 else delta
            focus = (1 - row[label]) ** gamma if symmetric or label == 0 else 1.0
            f += share * focus * nats / len(image)
        t = []
        for c in range(image.shape[-1]):
            tp, fp, fn, _ = sizes(image[:, c], probabilities[:, c])
            m = 1 - (tp + smooth) / (tp + delta * fn + (1 - delta) * fp + smooth)
            t.append(m ** (1 - gamma) if symmetric or c > 0 else m)
        values.append(weight * f + (1 - weight) * np.mean(t))
    return np.array(values)


def enumerate_true(image):
    """Yield the true class of each pixel and its label."""
    for row in image:
        yield row.argmax(), row.max()


MATRIX = ((0.0, 2.0, 2.0, 2.0), (2.0, 0.0, 0.5, 1.0), (2.0, 0.5, 0.0, 1.5), (1.0, 1.0, 1.5, 0.0))

CASES = [
    (overlap.soft_dice, soft_dice, SOFTMAX, {}),
    (overlap.soft_dice, soft_dice, SOFTMAX, {"smooth": 3.0, "squared": True}),
    (overlap.soft_dice, soft_dice, SOFTMAX, {"smooth": 0.5, "form": "log"}),
    (overlap.soft_dice, soft_dice, SOFTMAX, {"form": "log_cosh"}),
    (overlap.jaccard, jaccard, SOFTMAX, {}),
    (overlap.jaccard, jaccard, SOFTMAX, {"smooth": 2.0}),
    (overlap.focal_tversky, focal_tversky, SOFTMAX, {}),
    (
        overlap.focal_tversky,
        focal_tversky,
        SOFTMAX,
        {"alpha": 1.2, "beta": 0.4, "gamma": 2.5, "smooth": 1.0},
    ),
    (overlap.generalized_dice, generalized_dice, SOFTMAX, {}),
    (overlap.generalized_dice, generalized_dice, SOFTMAX, {"weighting": "simple", "smooth": 0.7}),
    (overlap.generalized_dice, generalized_dice, SOFTMAX, {"weighting": "uniform"}),
    (scores.soft_f1, soft_f1, SIGMOID, {}),
    (scores.soft_f1, soft_f1, SIGMOID, {"double": True}),
    (scores.matthews, matthews, SIGMOID, {}),
    (
        wasserstein.generalized_wasserstein_dice,
        generalized_wasserstein_dice,
        SOFTMAX,
        {"distances": MATRIX},
    ),
    (
        wasserstein.generalized_wasserstein_dice,
        generalized_wasserstein_dice,
        SOFTMAX,
        {"distances": MATRIX, "weighting": "volume", "smooth": 0.3},
    ),
    (unified.unified_focal, unified_focal, SOFTMAX, {}),
    (unified.unified_focal, unified_focal, SOFTMAX, {"weight": 0.8, "delta": 0.7, "gamma": 0.2}),
    (
        unified.unified_focal,
        unified_focal,
        SOFTMAX,
        {"weight": 0.2, "delta": 0.9, "gamma": 0.3, "symmetric": True, "smooth": 1.0},
    ),
]


@pytest.mark.parametrize(
    ("loss", "formula", "y_pred", "params"),
    CASES,
    ids=[f"{loss.__name__} {params}" for loss, _, _, params in CASES],
)
def test_values_and_slopes_are_those_of_the_paper(check_formula, loss, formula, y_pred, params):
    check_formula(loss, formula, ONE_HOT, y_pred, **params)


@pytest.mark.parametrize("loss", [overlap.soft_dice, overlap.jaccard, overlap.focal_tversky])
def test_positions_may_have_any_number_of_axes(run_eagerly, loss):
    y, p = ONE_HOT.astype("float32"), SOFTMAX.astype("float32")
    expected, _ = run_eagerly(loss, y, p)
    for shape in [(3, 4, 5, 4), (3, 2, 5, 2, 4)]:
        values, _ = run_eagerly(loss, y.reshape(shape), p.reshape(shape))
        np.testing.assert_allclose(values, expected, rtol=EACH_OTHER)
    # Without positions each sample is a region of one pixel.
    values, _ = run_eagerly(loss, y[:, 0], p[:, 0])
    one_pixel, _ = run_eagerly(loss, y[:, :1], p[:, :1])
    np.testing.assert_allclose(values, one_pixel, rtol=EACH_OTHER)
