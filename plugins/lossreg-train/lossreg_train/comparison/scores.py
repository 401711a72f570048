"""Formulas of metrics, each a function of answers, in float64 numpy.

They take no weights: each sample counts the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .answers import Answers

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_BINS = 15  # of the calibration error, as in Guo et al., 2017, arXiv:1706.04599


class Undefined(ValueError):  # noqa: N818 - it says what the data are
    """Why a metric has no value on some data, as a clause."""


def _each_class(one: "Callable[[Array, Array], float]", answers: Answers) -> float:
    """Return the mean over the classes that some label has and some has not."""
    truth, scores = answers.columns
    values = [
        one(truth[:, column], scores[:, column])
        for column in range(truth.shape[1])
        if 0 < truth[:, column].sum() < len(truth)
    ]
    if not values:
        raise Undefined("every label of the fold is the same, and there is nothing to tell apart")
    return float(np.mean(values))


def _curve(truth: "Array", scores: "Array") -> "tuple[Array, Array]":
    """Return precision and recall at each threshold, the highest threshold first."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(truth[order])
    # Samples of the same score are taken together.
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return hits[last] / (last + 1), hits[last] / hits[-1]


def average_precision(answers: Answers) -> float:
    """Return the mean precision over the recalls; of several classes the mean."""

    def one(truth: "Array", scores: "Array") -> float:
        precision, recall = _curve(truth, scores)
        return float(np.sum(np.diff(recall, prepend=0) * precision))

    return _each_class(one, answers)


def roc_auc(answers: Answers) -> float:
    """Return the chance that a yes gets a higher score than a no; of several classes the mean."""

    def one(truth: "Array", scores: "Array") -> float:
        _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
        # Equal scores share the mean of their ranks.
        rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
        yes = int(truth.sum())
        above = rank[truth].sum() - yes * (yes + 1) / 2
        return float(above / (yes * (len(truth) - yes)))

    return _each_class(one, answers)


def recall_at_precision(answers: Answers, precision: float = 0.9) -> float:
    """Return the highest recall at this precision or a higher one; 0 if none is as high."""

    def one(truth: "Array", scores: "Array") -> float:
        precisions, recalls = _curve(truth, scores)
        return float(recalls[precisions >= precision].max(initial=0))

    return _each_class(one, answers)


def precision_at_recall(answers: Answers, recall: float = 0.9) -> float:
    """Return the highest precision at this recall or a higher one."""

    def one(truth: "Array", scores: "Array") -> float:
        precisions, recalls = _curve(truth, scores)
        return float(precisions[recalls >= recall].max(initial=0))

    return _each_class(one, answers)


def accuracy(answers: Answers) -> float:
    """Return the share of labels that are predicted."""
    truth, predicted = answers.decisions
    if answers.scale.classes == "each":
        return float((truth == predicted).mean())
    return float((truth == predicted).all(axis=1).mean())


def balanced_accuracy(answers: Answers) -> float:
    """Return the mean recall of the classes; of a yes and a no where there are no others."""
    truth, predicted = answers.decisions
    if answers.scale.classes != "each" and truth.shape[1] > 1:
        present = truth.any(axis=0)
        return float(((truth & predicted).sum(axis=0) / truth.sum(axis=0).clip(1))[present].mean())
    recalls = []
    for column in range(truth.shape[1]):
        for value in (False, True):
            rows = truth[:, column] == value
            if rows.any():
                recalls.append((predicted[rows, column] == value).mean())
    return float(np.mean(recalls))


def f1(answers: Answers) -> float:
    """Return the harmonic mean of precision and recall; of several classes the mean."""
    truth, predicted = answers.decisions
    both = (truth & predicted).sum(axis=0)
    total = truth.sum(axis=0) + predicted.sum(axis=0)
    return float((2 * both / total.clip(1))[total > 0].mean()) if total.any() else 1.0


def dice(answers: Answers) -> float:
    """Return twice the overlap as a share of both areas, the mean of samples and classes."""
    both, truth, predicted = _areas(answers)
    # Nothing to find and nothing found is right.
    return float(np.where(truth + predicted > 0, 2 * both / (truth + predicted).clip(1), 1).mean())


def iou(answers: Answers) -> float:
    """Return the overlap as a share of the union, the mean of samples and classes."""
    both, truth, predicted = _areas(answers)
    union = truth + predicted - both
    return float(np.where(union > 0, both / union.clip(1), 1).mean())


def _areas(answers: Answers) -> "tuple[Array, Array, Array]":
    """Return the overlap, the true area and the predicted area of each class and sample.

    Labels without places, such as pixels, are those of one sample.
    """
    truth, predicted = answers.decisions
    samples = len(answers.y_pred) if answers.places > 1 else 1
    truth = truth.reshape(samples, -1, truth.shape[1])
    predicted = predicted.reshape(truth.shape)
    return (truth & predicted).sum(axis=1), truth.sum(axis=1), predicted.sum(axis=1)


def brier(answers: Answers) -> float:
    """Return the squared error of the probabilities, summed over exclusive classes."""
    truth, probabilities = answers.truth, answers.probabilities
    squares = (truth - probabilities) ** 2
    return float(squares.mean() if answers.scale.classes == "each" else squares.sum(-1).mean())


def log_loss(answers: Answers) -> float:
    """Return the mean of -log(probability of the label), in nats."""
    truth, probabilities = answers.truth, answers.probabilities
    found = np.where(truth, probabilities, 1 - probabilities)
    if answers.scale.classes != "each":
        found = (truth * probabilities).sum(axis=-1)
    # A probability of 0 or 1 in float32 stands for one that is closer to it than this.
    return float(-np.log(found.clip(np.finfo("float32").eps)).mean())


def calibration_error(answers: Answers) -> float:
    """Return how far probabilities are from what happens, the mean over 15 bins."""
    bins = reliability(answers, _BINS)
    total = sum(each.count for each in bins)
    return sum(each.count * abs(each.predicted - each.observed) for each in bins) / total


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Predictions of about the same probability.

    Args:
        predicted: Their mean probability.
        observed: The share of them that came true.
        count: How many there are.
    """

    predicted: float
    observed: float
    count: int


def reliability(answers: Answers, bins: int = 10) -> list[Bin]:
    """Return predicted probabilities beside what happened, in bins of equal width.

    For exclusive classes it is the probability of the class that is predicted.
    """
    truth, probabilities = answers.truth, answers.probabilities
    if answers.scale.classes == "each":
        sure, right = probabilities.ravel(), truth.ravel()
    else:
        chosen = probabilities.argmax(axis=-1)[..., None]
        sure = np.take_along_axis(probabilities, chosen, axis=-1).ravel()
        right = np.take_along_axis(truth, chosen, axis=-1).ravel()
    place = np.minimum((sure * bins).astype(int), bins - 1)
    found = []
    for index in np.unique(place):
        rows = place == index
        found.append(
            Bin(
                predicted=float(sure[rows].mean()),
                observed=float(right[rows].mean()),
                count=int(rows.sum()),
            )
        )
    return found


def rmse(answers: Answers) -> float:
    """Return the root of the mean squared error."""
    y_true, y_pred = answers.amounts
    return float(np.sqrt(np.mean((y_true - y_pred) ** 2)))


def mae(answers: Answers) -> float:
    """Return the mean absolute error."""
    y_true, y_pred = answers.amounts
    return float(np.abs(y_true - y_pred).mean())


def r2(answers: Answers) -> float:
    """Return the share of the labels' variance that is explained."""
    y_true, y_pred = answers.amounts
    around = ((y_true - y_true.mean(axis=0)) ** 2).sum()
    if not around:
        raise Undefined("every label of the fold is the same, and there is nothing to explain")
    return float(1 - ((y_true - y_pred) ** 2).sum() / around)


def pinball(answers: Answers, quantile: float | Sequence[float] = 0.5) -> float:
    """Return the quantile error; of several quantiles, one in each column, the mean."""
    above, levels = _quantiles(answers, quantile)
    return float(np.maximum(levels * above, (levels - 1) * above).mean())


def coverage_error(answers: Answers, quantile: float | Sequence[float] = 0.5) -> float:
    """Return how far the share of labels below a predicted quantile is from the quantile."""
    above, levels = _quantiles(answers, quantile)
    return float(np.abs((above <= 0).mean(axis=0) - levels).mean())


def _quantiles(answers: Answers, quantile: float | Sequence[float]) -> "tuple[Array, Array]":
    """Return how far labels are above the predicted quantiles, and the quantiles."""
    levels = np.atleast_1d(np.asarray(quantile, dtype=float))
    if len(levels) == 1:
        y_true, y_pred = answers.amounts
        return y_true - y_pred, levels
    y_true, y_pred = answers.y_true.astype(float), answers.y_pred.astype(float)
    if y_true.shape[1:] not in ((), (1,)) or y_pred.shape[1:] != levels.shape:
        raise ValueError(
            f"{len(levels)} quantiles need one label and {len(levels)} predictions for each "
            f"sample, and the predictions are of shape {list(y_pred.shape[1:])}"
        )
    return y_true.reshape(-1, 1) - y_pred, levels
