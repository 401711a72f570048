"""The work on a disk, so that each process opens it once and all share the pages of its arrays."""

import functools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from lossreg.errors import LossregError, error_line

if TYPE_CHECKING:
    from .work import Work

_SMALL = 1 << 16  # bytes of an array that stays in the pickle


def write_work(work: "Work", folder: Path) -> Path:
    """Write the work into a folder, for processes that can read it, and return its file.

    Raises:
        LossregError: A function in it is known in this process only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "work.pickle"
    try:
        with file.open("wb") as opened:
            _Pickler(opened, folder).dump(work)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise LossregError(
            f"The comparison can't be sent to other processes ({error_line(error)}). Define the "
            "function that builds the model, and each metric, in a module; or leave 'workers' out."
        ) from error
    return file


@functools.lru_cache(maxsize=1)
def open_work(file: str, key: str) -> "Work":
    """Return the work of a file, once in a process; the key tells it from an older one."""
    del key
    path = Path(file)
    with path.open("rb") as opened:
        work: Work = _Unpickler(opened, path.parent).load()
    return work


class _Pickler(pickle.Pickler):
    """Writes large arrays into files of their own."""

    def __init__(self, file: BinaryIO, folder: Path) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._folder = folder
        self._names: dict[int, str] = {}

    # typeshed names the argument otherwise.
    def persistent_id(self, obj: Any) -> str | None:
        """Return the file of an array, or None for what the pickle holds."""
        if not isinstance(obj, np.ndarray) or obj.nbytes < _SMALL or obj.dtype.hasobject:
            return None
        if id(obj) not in self._names:
            self._names[id(obj)] = f"array-{len(self._names)}.npy"
            np.save(self._folder / self._names[id(obj)], obj)
        return self._names[id(obj)]


class _Unpickler(pickle.Unpickler):
    """Maps the files of arrays into memory, where the system shares their pages."""

    def __init__(self, file: BinaryIO, folder: Path) -> None:
        super().__init__(file)
        self._folder = folder

    def persistent_load(self, pid: Any) -> Any:
        """Return the array of a file."""
        return np.load(self._folder / pid, mmap_mode="r")
