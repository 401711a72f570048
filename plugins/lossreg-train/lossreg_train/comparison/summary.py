"""The results of a comparison in little memory: scores of every cell, means of the rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .candidates import Candidate
from .cells import Result
from .metrics import Metric
from .scores import Bin

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_REASONS = 20  # different reasons of failed cells that are kept for a loss


class Outcome:
    """What is known of one candidate.

    Args:
        candidate: The loss.
        metrics: What it is judged by.
        repeats: How often the folds are drawn.
        folds: How many there are.
    """

    def __init__(
        self, candidate: Candidate, metrics: Sequence[Metric], repeats: int, folds: int
    ) -> None:
        self.candidate = candidate
        self.labels = [metric.label for metric in metrics]
        self._sign = metrics[0].sign
        #: The score of each cell by repeat, fold and metric; NaN where there is none.
        self.scores: Array = np.full((repeats, folds, len(metrics)), np.nan)
        self.done = 0
        self.failures: Counter[str] = Counter()
        self.seconds = 0.0
        self.steps: list[float] = []
        self.rates: list[float] = []
        self.epochs: list[int] = []
        #: How many trainings of a number of epochs were best, and better than before, at the end.
        self.best_at_end: Counter[int] = Counter()
        self.params: Counter[str] = Counter()
        self.curve = _Curve()
        self.losses = _Curve()
        self.slices: dict[str, dict[str, dict[str, _Mean]]] = {}
        self.bins: dict[int, _Mean] = {}

    def add(self, repeat: int, fold: int, result: Result) -> None:
        """Add the result of a cell."""
        self.done += 1
        self.seconds += result.get("seconds", 0.0)
        if result["status"] == "failed":
            reason = str(result["reason"])
            known = len(self.failures) < _MOST_REASONS or reason in self.failures
            self.failures[reason if known else "another reason"] += 1
            return
        self.scores[repeat, fold] = [result["scores"][label] for label in self.labels]
        self.steps.append(result["step"])
        if result["rate"] is not None:
            self.rates.append(result["rate"])
        self.epochs.append(result["epoch"])
        *before, last = [self._sign * value for value in result["values"]]
        self.best_at_end[len(before) + 1] += all(last > value for value in before)
        self.curve.add(result["values"])
        self.losses.add(result["losses"])
        if "params" in result:
            self.params[result["params"]] += 1
        for column, slices in result["slices"].items():
            for name, scores in slices.items():
                of_slice = self.slices.setdefault(column, {}).setdefault(name, {})
                for label, value in scores.items():
                    of_slice.setdefault(label, _Mean(1)).add([value], 1)
        for each in result["reliability"]:
            place = min(int(each["predicted"] * 10), 9)
            values = (each["predicted"], each["observed"])
            self.bins.setdefault(place, _Mean(2)).add(values, each["count"])

    @property
    def failed(self) -> int:
        """How many cells have no scores."""
        return self.failures.total()

    def runs(self, metric: int) -> "Array":
        """Return the scores of all cells by one metric, in one row."""
        return np.asarray(self.scores[:, :, metric].ravel())

    @property
    def reliability(self) -> list[Bin]:
        """Predicted probabilities beside what happened, over all cells."""
        return [
            Bin(predicted=float(mean.value[0]), observed=float(mean.value[1]), count=mean.count)
            for _, mean in sorted(self.bins.items())
        ]

    def slice_means(self) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
        """Return the mean score by column, slice and metric."""
        return {
            column: {
                name: {label: float(mean.value[0]) for label, mean in scores.items()}
                for name, scores in sorted(slices.items())
            }
            for column, slices in self.slices.items()
        }


class _Mean:
    """A weighted mean of rows of numbers, added one by one."""

    def __init__(self, size: int) -> None:
        self.total, self.count = np.zeros(size), 0

    def add(self, values: Sequence[float], count: int) -> None:
        self.total += np.asarray(values) * count
        self.count += count

    @property
    def value(self) -> "Array":
        return self.total / self.count


class _Curve:
    """The mean of curves of several lengths; a curve that ended keeps its last value."""

    def __init__(self) -> None:
        self._sum = np.zeros(0)
        self._last = 0.0
        self._count = 0

    def add(self, values: Sequence[float]) -> None:
        if not values:
            return
        if len(values) > len(self._sum):
            # What the shorter ones would have added: their last values.
            more = np.full(len(values) - len(self._sum), self._last)
            self._sum = np.concatenate([self._sum, more])
        self._sum[: len(values)] += values
        self._sum[len(values) :] += values[-1]
        self._last += values[-1]
        self._count += 1

    @property
    def means(self) -> list[float]:
        return [float(value) for value in self._sum / max(self._count, 1)]
