"""The work on a disk: arrays that processes share, and functions that can't leave this one."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

from lossreg import LossregError
from lossreg_train.comparison.sharing import open_work, write_work
from lossreg_train.comparison.slices import OTHERS, slice_names


@dataclass
class Small:
    """Stands for the work."""

    x: np.ndarray
    twin: np.ndarray
    few: np.ndarray
    key: str = "k"


# A class of a test module can be pickled where pytest has imported it.
pickle.dumps(Small)


def test_large_arrays_are_mapped_and_written_once(tmp_path):
    large = np.arange(100_000.0)
    file = write_work(Small(x=large, twin=large, few=np.arange(3)), tmp_path)
    assert len(list(tmp_path.glob("*.npy"))) == 1
    assert file.stat().st_size < 10_000
    read = open_work(str(file), "k")
    assert isinstance(read.x, np.memmap)
    assert np.array_equal(read.x, large)
    assert np.array_equal(read.twin, large)
    assert not isinstance(read.few, np.memmap)
    # Once in a process.
    assert open_work(str(file), "k") is read


def test_a_function_of_this_process_alone_is_refused(tmp_path):
    work = Small(x=np.arange(3), twin=lambda: 3, few=np.arange(3))
    with pytest.raises(LossregError, match="Define the function .* in a module"):
        write_work(work, tmp_path)


def test_slices_are_named_by_their_values():
    assert slice_names(np.array(["b", "a", "b"])).tolist() == ["b", "a", "b"]
    assert slice_names(np.array([1.5, 2.0, 1.5])).tolist() == ["1.5", "2", "1.5"]


def test_a_column_of_many_numbers_is_cut_at_its_quartiles():
    names, counts = np.unique(slice_names(np.arange(100.0)), return_counts=True)
    assert set(names) == {"0 to 24.75", "24.75 to 49.5", "49.5 to 74.25", "74.25 to 99"}
    assert counts.tolist() == [25] * 4


def test_the_rarest_of_many_strings_are_taken_together():
    values = np.array([f"v{i}" for i in range(80) for _ in range(2 if i < 49 else 1)])
    names, counts = np.unique(slice_names(values), return_counts=True)
    assert len(names) == 50
    assert counts[names.tolist().index(OTHERS)] == 31
