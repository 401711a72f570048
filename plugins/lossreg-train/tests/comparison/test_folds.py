"""Folds: every row is tested once in a repeat, and nothing leaks into the training."""

import numpy as np
import pytest
from tolerances import BY_DTYPE

from lossreg import LossregError
from lossreg_train.comparison.folds import Folds, draw_seed
from lossreg_train.samples import split

ROWS = 103
CLASSES = np.arange(ROWS) % 10 == 0  # 11 of 103
GROUPS = np.repeat([f"patient {i}" for i in range(21)], 5)[:ROWS]
TIMES = np.random.default_rng(4).permutation(np.repeat(np.arange(40), 3))[:ROWS]


def folds(**changed):
    return Folds(**{"rows": ROWS, "count": 5, "seed": 3, "stop": 0.2, **changed})


@pytest.fixture(
    params=[{}, {"classes": CLASSES}, {"groups": GROUPS}, {"groups": GROUPS, "classes": CLASSES}],
    ids=["plain", "classes", "groups", "groups and classes"],
)
def crossed(request):
    return folds(**request.param)


def test_every_row_is_tested_once_in_each_repeat(crossed):
    crossed.check()
    for repeat in range(3):
        tested = np.concatenate([crossed.fold(repeat, index).test for index in range(5)])
        assert sorted(tested) == list(range(ROWS))


def test_a_row_is_in_one_part_of_a_fold(crossed):
    for index in range(5):
        fold = crossed.fold(1, index)
        parts = np.concatenate([fold.train, fold.stop, fold.test])
        assert sorted(parts) == list(range(ROWS))
        assert min(map(len, (fold.train, fold.stop, fold.test))) > 0


def test_each_repeat_and_each_seed_has_other_folds(crossed):
    first = crossed.fold(0, 0)
    assert first.test.tolist() == crossed.fold(0, 0).test.tolist()
    assert first.test.tolist() != crossed.fold(1, 0).test.tolist()
    other = Folds(**{**vars(crossed), "seed": 4})
    assert first.test.tolist() != other.fold(0, 0).test.tolist()


def test_each_part_has_its_share_of_a_rare_class():
    stratified = folds(classes=CLASSES)
    for index in range(5):
        fold = stratified.fold(0, index)
        # 11 rows in five folds, and a fifth of the other nine or eight to stop on.
        assert CLASSES[fold.test].sum() in (2, 3)
        assert CLASSES[fold.stop].sum() == 2
        assert len(fold.test) in (20, 21)


def test_a_group_is_in_one_part_of_a_fold():
    grouped = folds(groups=GROUPS)
    for index in range(5):
        fold = grouped.fold(0, index)
        parts = [set(GROUPS[rows]) for rows in (fold.train, fold.stop, fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 21


def test_folds_of_groups_have_about_the_same_size_and_share_of_a_class():
    groups = np.repeat(np.arange(60), 10)
    # Each third group has the class throughout.
    classes = groups % 3 == 0
    grouped = folds(rows=600, groups=groups, classes=classes)
    for index in range(5):
        test = grouped.fold(0, index).test
        assert len(test) == 120
        assert classes[test].mean() == pytest.approx(1 / 3, rel=BY_DTYPE["float64"])


def test_by_time_the_model_is_tested_on_later_rows_only():
    later = folds(times=TIMES)
    tested = []
    for index in range(5):
        fold = later.fold(0, index)
        assert TIMES[fold.train].max() < TIMES[fold.stop].min()
        assert TIMES[fold.stop].max() < TIMES[fold.test].min()
        tested.extend(fold.test)
    assert len(set(tested)) == len(tested)
    # Each fold has one row in five of the rows after the first block.
    assert len(tested) == pytest.approx(ROWS * 5 / 6, abs=3)


def test_the_ratio_is_that_of_the_folds():
    assert folds(rows=100).ratio == pytest.approx(20 / 80, rel=BY_DTYPE["float64"])
    # Six blocks: one is tested on after 1, 2, 3, 4 and 5 blocks.
    times = folds(rows=60, times=np.arange(60))
    assert times.ratio == pytest.approx(
        np.mean([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]), rel=BY_DTYPE["float64"]
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows": 9}, "have 9 rows, and 5 folds need at least 10"),
        ({"groups": np.arange(ROWS) % 4}, "have 4 groups, and 5 folds need at least 5"),
        ({"groups": np.arange(ROWS) % 2, "count": 2}, "have 2 groups, and 2 folds need at least 3"),
        ({"times": np.arange(ROWS) % 5}, "have 5 different times, and 5 folds need at least 6"),
        ({"classes": np.arange(ROWS) < 4}, "have 4 rows of class 1, and 5 folds need at least 10"),
    ],
)
def test_too_few_of_something_is_said_before_the_first_training(changed, message):
    with pytest.raises(LossregError, match=message):
        folds(**changed).check()


def test_a_seed_is_decided_by_all_its_numbers():
    assert draw_seed(1, 2, 3) == draw_seed(1, 2, 3)
    assert len({draw_seed(*numbers) for numbers in np.ndindex(4, 4, 4)}) == 64
    assert draw_seed(1, 2) != draw_seed(1, 2, 0)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.8])
def test_a_split_by_groups_holds_out_about_its_share(share):
    groups = np.arange(1000) // 5
    train, held = split(1000, share, 7, groups=groups)
    assert not set(groups[train]) & set(groups[held])
    assert len(held) == pytest.approx(share * 1000, abs=5)


def test_a_split_by_time_holds_out_the_latest_rows():
    train, held = split(ROWS, 0.2, 7, times=TIMES)
    assert TIMES[train].max() < TIMES[held].min()
    assert len(held) == pytest.approx(0.2 * ROWS, abs=3)
    train, held = split(4, 0.9, 7, times=np.array([2, 1, 2, 2]))
    assert (train.tolist(), sorted(held)) == ([1], [0, 2, 3])


def test_the_samples_of_a_fold_are_counted():
    every, by_class = folds(classes=CLASSES).counts()
    drawn = [folds(classes=CLASSES).fold(0, index) for index in range(5)]
    assert every.test == (20, 21)
    assert every.train == (min(len(f.train) for f in drawn), max(len(f.train) for f in drawn))
    # 11 rows of 103 over 5 folds.
    assert by_class[1.0].test == (2, 3)
    assert by_class[1.0].stop == tuple(f(CLASSES[d.stop].sum() for d in drawn) for f in (min, max))
    assert folds().counts()[1] == {}
