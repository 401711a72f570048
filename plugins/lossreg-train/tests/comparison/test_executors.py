"""Comparisons in an executor of the user's own program, with real processes."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pytest

from lossreg_train import compare

PAIR = ["binary_crossentropy", "binary_focal_crossentropy(gamma=3)"]


@pytest.mark.fresh
def test_a_process_pool_of_the_program_finds_what_this_process_finds(config, tmp_path):
    here = compare(config(), PAIR, folder=tmp_path / "here", learning_rate="fixed")
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn) as executor:
        there = compare(
            config(), PAIR, folder=tmp_path / "there", executor=executor, learning_rate="fixed"
        )
        # It is the program's, and stays open for what comes next.
        assert executor.submit(abs, -3).result() == 3
    assert there.is_complete
    assert [standing.loss for standing in there.ranking] == [s.loss for s in here.ranking]
    for ours, theirs in zip(here.ranking, there.ranking, strict=True):
        assert theirs.failed == 0
        # Another process may have other threads, and so other last digits.
        assert theirs.values == pytest.approx(ours.values, abs=1e-3)
        assert theirs.losses == pytest.approx(ours.losses, rel=1e-3)
    # The work that the processes read is gone, and only the results stay.
    assert not (tmp_path / "there" / "work").exists()
