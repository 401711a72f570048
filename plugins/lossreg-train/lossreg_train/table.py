"""A file of named columns: a CSV with a header, or an NPZ of arrays.

A column is an array of numbers, booleans or strings with one row for each sample.
"""

import tokenize
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.errors import LossregError, error_line
from lossreg.loss import did_you_mean, shown

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

# What spreadsheets and other programs write for a missing number.
_NO_NUMBER = ("", "?", "na", "n/a", "nan", "null", "none")
_TRUTHS = {"true": True, "false": False}

# A file is read whole, and pandas takes ten times the size of a CSV.
_LARGEST_CSV = 2**30
_LARGEST_NPZ = 8 * 2**30  # of the arrays, as the archive gives their sizes
_MOST_ARRAYS = 1000

# What reading an array raises: a RuntimeError where the archive is encrypted or deeply nested, a
# ValueError for Python objects and for an array of another size than its header gives, a
# MemoryError where that is terabytes, and the others for a header that isn't Python.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
)


class Unreadable(Exception):  # noqa: N818 - it becomes a fault of the config
    """What is wrong with a file or a column, as a sentence."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The columns of a file.

    Args:
        names: Their names, in the file's order.
        column: Returns the array of a name. It raises `Unreadable` for an array that
            can't be used.
        strings: Returns a column as strings, as a CSV file has them; None for an NPZ, whose
            columns are arrays and may have several axes.
    """

    names: list[str]
    column: "Callable[[str], Array]"
    strings: "Callable[[str], Array] | None" = None

    @property
    def of_arrays(self) -> bool:
        """Whether the columns are the arrays of an NPZ."""
        return self.strings is None


def read_table(path: Path) -> Table:
    """Return the columns of a `.csv` or `.npz` file.

    Raises:
        Unreadable: There is no such file, or it holds something else.
        LossregError: pandas, which reads CSV files, isn't installed.
    """
    if not path.is_file():
        raise Unreadable(_missing(path))
    readers = {".csv": _read_csv, ".npz": _read_npz}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Unreadable(f"The data must be a .csv or .npz file, got {path.name!r}.")
    try:
        return reader(path)
    except OSError as error:
        raise Unreadable(f"{str(path)!r} can't be read: {error.strerror or error}.") from error


def _missing(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {str(folder)!r}. Paths begin at the config's folder."
    if path.is_dir():
        return f"{str(path)!r} is a folder. Name a .csv or .npz file in it."
    names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in (".csv", ".npz"))
    near = did_you_mean(path.name, names) if names else ""
    if not near:
        near = f" It has {', '.join(names[:5])}." if names else " It has no .csv or .npz file."
    return f"There is no file {path.name!r} in {str(folder)!r}.{near}"


def _read_npz(path: Path) -> Table:
    def column(name: str) -> "Array":
        # Never a pickle, which could run code.
        with np.load(path, allow_pickle=False) as archive:
            try:
                # A member that isn't an array is returned as bytes.
                array: Array = np.asarray(archive[name])
            except _DAMAGED as error:
                # numpy refuses a long header too unless pickles are allowed.
                if "Object arrays" in str(error):
                    raise Unreadable(
                        f"Array {name!r} holds Python objects, and reading them could run code. "
                        "Save numbers or strings: numpy.asarray(values.tolist())"
                    ) from error
                raise Unreadable(
                    f"Array {shown(name)} of {path.name!r} can't be read: {error_line(error)}. "
                    "Write the file again by numpy.savez."
                ) from error
        if array.dtype.kind not in "biufU" or array.ndim == 0:
            raise Unreadable(
                f"Array {name!r} must hold numbers or strings, with a row for each sample, "
                f"got {array.dtype} of shape {array.shape}."
            )
        return array

    try:
        # An archive is read up to the sizes that it gives, whatever is in it.
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
        if size > _LARGEST_NPZ or len(members) > _MOST_ARRAYS:
            raise Unreadable(
                f"{path.name!r} has {len(members):,} arrays of {size / 2**30:.1f} GiB; a file may "
                f"have {_MOST_ARRAYS:,} of {_LARGEST_NPZ // 2**30} GiB, since all of it is read "
                "at once. Train on larger data in Python."
            )
        with np.load(path, allow_pickle=False) as arrays:
            names = list(arrays)
    except _DAMAGED as error:
        raise Unreadable(f"{path.name!r} isn't an NPZ file. Write it by numpy.savez.") from error
    return Table(names=names, column=column)


def _read_csv(path: Path) -> Table:
    if path.stat().st_size > _LARGEST_CSV:
        raise Unreadable(
            f"{path.name!r} has more than {_LARGEST_CSV // 2**30} GiB, and a CSV file is read "
            "whole. Save its columns by numpy.savez, or train on it in Python."
        )
    try:
        import pandas
    except ImportError as error:
        raise LossregError(
            "Reading a CSV file needs pandas, which isn't installed. "
            "Install it: pip install 'lossreg[fit]'"
        ) from error
    try:
        # As strings, the header too. pandas would rename columns of the same name, read the
        # string "NA" as missing, and report one wrong entry of a column as "object".
        frame = pandas.read_csv(
            path,
            header=None,
            dtype=str,
            na_filter=False,
            skipinitialspace=True,
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path.name!r} isn't UTF-8: {error}. Save it as 'CSV UTF-8'.") from error
    except pandas.errors.EmptyDataError as error:
        raise Unreadable(
            f"{path.name!r} is empty. It needs a header, and a row for each sample."
        ) from error
    except pandas.errors.ParserError as error:
        reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise Unreadable(
            f"{path.name!r} isn't a table of comma-separated values: {reason}."
        ) from error
    names = [name.strip() for name in frame.iloc[0]]
    _check_header(path.name, names)

    def entries(name: str) -> Any:
        return frame.iloc[1:, names.index(name)].str.strip()

    return Table(
        names=names,
        column=lambda name: _column(entries(name)),
        strings=lambda name: np.array(entries(name), dtype=str),
    )


def _check_header(file: str, names: list[str]) -> None:
    if len(names) == 1 and any(sign in names[0] for sign in ";\t"):
        raise Unreadable(
            f"{file!r} has one column, named {shown(names[0])}. Separate the columns by commas."
        )
    if "" in names:
        raise Unreadable(
            f"Column {names.index('') + 1} of {file!r} has no name. "
            "Name every column in the first line."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unreadable(f"{file!r} has two columns {twice[0]!r}. Rename one of them.")


def _column(strings: Any) -> "Array":
    """Return numbers or booleans where all strings are such, NaN for a missing number."""
    import pandas

    numbers = pandas.to_numeric(strings, errors="coerce")
    others = strings[numbers.isna()].str.lower()
    if not len(others):
        return numbers.to_numpy()  # type: ignore[no-any-return]  # pandas has no types here
    if len(others) == len(strings) and others.isin(_TRUTHS).all():
        return others.map(_TRUTHS).to_numpy(dtype=bool)  # type: ignore[no-any-return]  # as above
    if others.isin(_NO_NUMBER).all():
        return numbers.to_numpy(dtype=float)  # type: ignore[no-any-return]  # as above
    return np.array(strings, dtype=str)


def count_gaps(array: "Array") -> str:
    """Return how many values a column lacks, such as "2 missing", or an empty string."""
    missing = int(is_missing(array).sum())
    # Keras computes in float32, where a larger number is infinite.
    large = array.dtype.kind == "f" and (np.abs(array) > np.finfo("float32").max)
    infinite = int(np.sum(large))
    counts = [f"{missing} missing"] * bool(missing) + [f"{infinite} infinite"] * bool(infinite)
    return " and ".join(counts)


def is_missing(array: "Array") -> "Array":
    """Return where a column has no value."""
    if array.dtype.kind == "U":
        return np.asarray(np.char.strip(array) == "")
    return np.isnan(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=bool)


def is_mostly_numbers(array: "Array") -> bool:
    """Return whether most strings of a column are numbers, but not all."""
    words = len(_words(array))
    return 0 < words < (array.size - int(is_missing(array).sum())) / 2


def describe_strings(column: str, array: "Array") -> str:
    """Return how a message about a column of strings begins: how many rows aren't numbers."""
    words = _words(array)
    if not words:
        return f"{column!r} holds numbers that are written as strings"
    rows = {index // _width(array) for index in words}
    return f"{column!r} holds strings in {len(rows)} of {len(array)} rows ({example(array)})"


def example(array: "Array") -> str:
    """Return a string of a column with its row, one that isn't a number if there is one."""
    index = next(iter(_words(array)), 0)
    return f"such as {shown(str(array.flat[index]))} in row {index // _width(array) + 1}"


def _width(array: "Array") -> int:
    """Return how many values a row has."""
    return array.size // len(array)


def _words(array: "Array") -> list[int]:
    """Return where a column of strings, flattened, holds neither a number nor nothing."""
    stripped = map(str.strip, array.flat)
    return [index for index, word in enumerate(stripped) if word and not is_number(word)]


def is_number(string: str) -> bool:
    """Return whether a string is a number."""
    try:
        float(string)
    except ValueError:
        return False
    return True


def compact(labels: "Array") -> "Array":
    """Return labels in the types that Keras computes in."""
    if labels.dtype.kind == "f":
        return labels.astype("float32")
    if labels.size and not -(2**31) <= labels.min() <= labels.max() < 2**31:
        return labels
    return labels.astype("int32")
