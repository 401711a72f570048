"""The folds of a comparison: which rows are trained on, stopped on and tested on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.errors import LossregError

from ..samples import split, spread

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The rows of one training.

    Args:
        train: The rows whose loss is minimized.
        stop: The rows that decide when the training ends, and at which learning rate. They
            belong to the training set too.
        test: The rows that the model is judged on.
    """

    train: "Array"
    stop: "Array"
    test: "Array"

    @property
    def ratio(self) -> float:
        """How many rows are tested on for each row of the training set."""
        return len(self.test) / (len(self.train) + len(self.stop))


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many samples a fold has: the fewest and the most of all folds.

    Args:
        train: To train on.
        stop: To stop on.
        test: To judge by.
    """

    train: tuple[int, int]
    stop: tuple[int, int]
    test: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Folds:
    """A repeated cross-validation: the same folds for every loss.

    Args:
        rows: The number of rows.
        count: The number of folds.
        seed: Decides every split.
        stop: The share of the training set that a training is stopped on.
        classes: The class of each row. Each fold gets its share of every class.
        groups: The group of each row, such as its patient. A group is in one fold.
        times: When each row was measured. The model is tested on rows later than all others.
    """

    rows: int
    count: int
    seed: int
    stop: float
    classes: "Array | None" = None
    groups: "Array | None" = None
    times: "Array | None" = None

    def check(self) -> None:
        """Raise an error if some fold would be empty.

        Raises:
            LossregError: The data have too few rows, groups, times or rows of a class.
        """
        parts = {"rows": (self.rows, 2 * self.count)}
        if self.times is not None:
            # A block for each fold, and two before the first fold: to train on and to stop on.
            distinct = len(np.unique(_blocks(self.times, self.count + 1)))
            parts["different times"] = (distinct, self.count + 1)
        elif self.groups is not None:
            # One group at least is tested on, one is stopped on, and one is trained on.
            parts["groups"] = (len(np.unique(self.groups)), max(self.count, 3))
        elif self.classes is not None:
            names, counts = np.unique(self.classes, return_counts=True)
            if len(names) == 2:
                parts[f"rows of class {names[counts.argmin()]:g}"] = (counts.min(), 2 * self.count)
        for what, (have, need) in parts.items():
            if have < need:
                raise LossregError(
                    f"The data have {have} {what}, and {self.count} folds need at least {need}. "
                    "Take fewer folds, or more data."
                )

    def fold(self, repeat: int, index: int) -> Fold:
        """Return the rows of a fold in one of the repeats."""
        assigned = self._assigned(repeat)
        test = assigned == index
        inside = np.flatnonzero(assigned < index if self.times is not None else ~test)
        train, stop = split(
            len(inside),
            self.stop,
            draw_seed(self.seed, repeat, index),
            _rows(self.classes, inside),
            groups=_rows(self.groups, inside),
            times=_rows(self.times, inside),
        )
        return Fold(train=inside[train], stop=inside[stop], test=np.flatnonzero(test))

    def counts(self) -> "tuple[Counts, dict[float, Counts]]":
        """Return how many samples the folds have, as they are drawn first; and those of a class."""
        drawn = [self.fold(0, index) for index in range(self.count)]
        classes = self.classes
        every = _counts(drawn, np.ones(self.rows, dtype=bool))
        if classes is None:
            return every, {}
        return every, {float(one): _counts(drawn, classes == one) for one in np.unique(classes)}

    @property
    def ratio(self) -> float:
        """The mean of the ratios of the folds."""
        return float(np.mean([self.fold(0, index).ratio for index in range(self.count)]))

    def _assigned(self, repeat: int) -> "Array":
        """Return the fold in which each row is tested; -1 for a row that never is."""
        if self.times is not None:
            return _blocks(self.times, self.count + 1) - 1
        random = np.random.RandomState(draw_seed(self.seed, repeat))
        if self.groups is not None:
            return spread(self.groups, self.classes, self.count, random)
        order = random.permutation(self.rows)
        if self.classes is not None:
            order = order[np.argsort(self.classes[order], kind="stable")]
        assigned = np.empty(self.rows, dtype=int)
        # Around the folds, class after class: no fold has two rows more of a class than another.
        assigned[order] = np.arange(self.rows) % self.count
        return assigned


def draw_seed(*numbers: int) -> int:
    """Return a seed below 2**32 that numbers decide; other numbers give another seed."""
    # NumPy promises the same seed in every version for SeedSequence. A zero at the end changes
    # nothing for it, and so the length comes first.
    return int(np.random.SeedSequence((len(numbers), *numbers)).generate_state(1)[0])


def _rows(values: "Array | None", chosen: "Array") -> "Array | None":
    return None if values is None else values[chosen]


def _counts(drawn: Sequence[Fold], chosen: "Array") -> Counts:
    """Return how many of the chosen rows the folds have."""
    found = {}
    for part in ("train", "stop", "test"):
        sizes = [int(chosen[getattr(fold, part)].sum()) for fold in drawn]
        found[part] = (min(sizes), max(sizes))
    return Counts(**found)


def _blocks(times: "Array", count: int) -> "Array":
    """Return the block of each row: blocks of about the same size, one after the other in time.

    Rows of the same time are in one block.
    """
    _, inverse, counts = np.unique(times, return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    return np.asarray((before * count // len(times))[inverse])
