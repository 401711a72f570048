"""What a config says of data, as arrays to train on and to validate with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ConfigError
from ...experiment import Data
from ...fault import Fault, listed
from ...fault import Path as KeyPath
from ...names import did_you_mean
from . import classes, table
from .columns import compact, example, is_missing, lacking, texts_of
from .samples import Samples, split
from .table import Table, Unreadable

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_NAMED = 5  # columns in one message


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The data of a config.

    Args:
        train: The samples to train on.
        validation: Those that are held out.
        said: The config with the columns and classes that were found spelled out.
    """

    train: Samples
    validation: Samples
    said: Data


@dataclass(frozen=True, kw_only=True)
class _Block:
    """The columns that make one array: an input's features, or an output's target."""

    name: str | None
    columns: list[str]
    path: KeyPath
    places: list[KeyPath]

    def __iter__(self) -> Iterator[tuple[str, KeyPath]]:
        """Yield each column with its place in the config."""
        return zip(self.columns, self.places, strict=True)


def read(
    data: Data, folder: Path, *, stratify: bool = False, numbers_for: str | None = None
) -> Dataset:
    """Return the samples of a file, in two parts.

    A text or 1-D column becomes an array of shape (rows, 1), texts their class's index.

    Args:
        data: What the config says.
        folder: Where the file's path begins.
        stratify: Whether the target is a class, of which each part gets its share.
        numbers_for: The loss, where it takes numbers that are no classes: then texts are
            refused, unless the config lists them.

    Raises:
        ConfigError: The file, a column or a class isn't there, or a value can't be used.
            It has every fault.
        LossregError: pandas isn't installed.
    """
    try:
        found = table.read(folder / data.file)
    except Unreadable as error:
        raise _error([Fault(message=str(error), path=("data", "file"))]) from error
    reading = _Reading(found, data, numbers_for)
    targets = _blocks(data.target, ("data", "target"))
    features = reading.features(targets)
    reading.check_names(features, targets)
    x = {block.name: reading.numbers(block) for block in features}
    y = {block.name: reading.labels(block) for block in targets}
    reading.check_rows([*features, *targets])
    if reading.faults:
        raise _error(reading.faults)
    samples = Samples(x=_unnamed(x), y=_unnamed(y))
    labels = samples.y if stratify and not isinstance(samples.y, dict) else None
    train, validation = split(len(samples), data.split, data.seed, labels)
    said = data.model_copy(
        update={"features": _said(features, data.features), "classes": reading.classes}
    )
    return Dataset(train=samples.rows(train), validation=samples.rows(validation), said=said)


def _error(faults: Sequence[Fault]) -> ConfigError:
    return ConfigError(listed(faults), faults)


def _blocks(said: Any, path: KeyPath) -> list[_Block]:
    if not isinstance(said, dict):
        return [_block(None, said, path)]
    return [_block(name, columns, (*path, name)) for name, columns in said.items()]


def _block(name: str | None, said: str | list[str], path: KeyPath) -> _Block:
    if isinstance(said, str):
        return _Block(name=name, columns=[said], path=path, places=[path])
    places: list[KeyPath] = [(*path, index) for index in range(len(said))]
    return _Block(name=name, columns=said, path=path, places=places)


def _said(blocks: list[_Block], given: Any) -> Any:
    """Return blocks as a config has them."""
    if given is not None:
        return given
    (block,) = blocks
    return block.columns[0] if len(block.columns) == 1 else block.columns


def _unnamed(arrays: "dict[str | None, Any]") -> Any:
    return arrays.get(None, arrays)


class _Reading:
    """The columns of a table as arrays, and what is wrong with them."""

    def __init__(self, found: Table, data: Data, numbers_for: str | None) -> None:
        self.table = found
        self.data = data
        self.numbers_for = numbers_for
        self.classes: classes.Classes | None = data.classes
        self.faults: list[Fault] = []
        self._arrays: dict[str, Array | None] = {}
        self._rows: dict[str, int] = {}

    def fault(self, message: str, path: KeyPath) -> None:
        self.faults.append(Fault(message=message, path=path))

    def features(self, targets: list[_Block]) -> list[_Block]:
        """Return the blocks of features: those that are named, or all other columns."""
        if self.data.features is not None:
            return _blocks(self.data.features, ("data", "features"))
        taken = _columns(targets)
        others = [name for name in self.table.names if name not in taken]
        if others and (len(others) == 1 or not self.table.of_arrays):
            places: list[KeyPath] = [("data",)] * len(others)
            return [_Block(name=None, columns=others, path=("data",), places=places)]
        if others:
            said = f"'features' must name the arrays to learn from: {_listed(others)}."
        else:
            said = f"{self.data.file!r} holds the target and nothing to learn from."
        self.fault(said, ("data",))
        return []

    def check_names(self, features: list[_Block], targets: list[_Block]) -> None:
        """Find columns that the file lacks, and those that are features and target."""
        what = "array" if self.table.of_arrays else "column"
        for block in [*features, *targets]:
            if not block.columns:
                self.fault(f"Name at least one {what}.", block.path)
            for column, place in block:
                if column not in self.table.names:
                    near = did_you_mean(column, self.table.names)
                    near = near or f" It has {_listed(self.table.names)}."
                    self.fault(f"{self.data.file!r} has no {what} {column!r}.{near}", place)
        known, wanted = _columns(features), _columns(targets)
        # An autoencoder has the same for both, which is no mistake.
        for block in targets if known != wanted else []:
            for column, place in block:
                if column in known:
                    self.fault(f"{column!r} is a feature and the target. Leave one out.", place)

    def array(self, column: str, place: KeyPath) -> "Array | None":
        """Return a column, or None and a fault; a missing one has its fault already."""
        if column not in self._arrays:
            self._arrays[column] = None
            if column in self.table.names:
                try:
                    self._arrays[column] = array = self.table.column(column)
                    self._rows[column] = len(array)
                except Unreadable as error:
                    self.fault(str(error), place)
        return self._arrays[column]

    def numbers(self, block: _Block) -> "Array | None":
        """Return a block of features."""
        texts, incomplete, arrays = [], [], []
        for column, place in block:
            array = self.array(column, place)
            if array is None:
                continue
            arrays.append(array)
            if array.dtype.kind == "U" and array.size:
                texts.append(f"{column!r} ({example(array)})")
            elif said := lacking(array):
                incomplete.append(f"{column!r} ({said})")
        if texts:
            self.fault(
                f"Features must be numbers, and these columns hold texts: {_listed(texts)}. "
                "Write them as numbers, or name the other columns in 'features'.",
                block.path,
            )
        if incomplete:
            self.fault(
                f"Features must have a value in each row: {_listed(incomplete)}. "
                "Fill in or leave out those rows or columns.",
                block.path,
            )
        return None if self.faults else self._joined(arrays, "float32", block.path)

    def labels(self, block: _Block) -> "Array | None":
        """Return a block of targets, texts as the indexes of their classes."""
        arrays, before = [], len(self.faults)
        for column, place in block:
            array = self.array(column, place)
            if array is None:
                continue
            arrays.append(array)
            if array.dtype.kind == "U" and len(block.columns) + array.ndim > 2:
                said = f"{texts_of(column, array)}, and only a target of one column can."
                self.fault(f"{said} Write it as numbers.", place)
            elif said := lacking(array):
                said = f"The target needs a value in each row: {column!r} has {said}."
                self.fault(f"{said} Fill in or leave out those rows.", place)
        if len(arrays) < len(block.columns):
            return None
        joined = self._joined(arrays, None, block.path)
        if joined is None:
            return None
        if block.name is None:
            said = ""
            if joined.dtype.kind == "U" and self.data.classes is None and len(arrays) == 1:
                said = classes.refusal(joined, block.columns[0], self.numbers_for)
            if said:
                self.fault(said, block.path)
                return None
            # The classes of the values that are there, also where some are missing.
            is_whole = ~is_missing(joined).any(axis=tuple(range(1, joined.ndim)))
            joined, self.classes, wrong = classes.numbered(joined[is_whole], self.data.classes)
            for said in wrong:
                self.fault(said, ("data", "classes"))
        elif joined.dtype.kind == "U":
            said = texts_of(block.columns[0], joined)
            self.fault(f"{said}; among several targets write it as numbers.", block.path)
        return None if len(self.faults) > before else compact(joined)

    def _joined(self, arrays: "list[Array]", dtype: Any, path: KeyPath) -> "Array | None":
        """Return arrays side by side; one of several axes as it is."""
        columns = [array[:, None] if array.ndim == 1 else array for array in arrays]
        if len({array.shape[0] for array in columns}) > 1:
            # check_rows says so.
            return None
        if len(columns) > 1 and any(array.ndim > 2 for array in columns):
            shapes = ", ".join(str(array.shape) for array in arrays)
            self.fault(f"Arrays of shapes {shapes} can't stand side by side. Name one.", path)
            return None
        joined = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
        return joined if dtype is None else joined.astype(dtype)

    def check_rows(self, blocks: list[_Block]) -> None:
        """Find arrays of different lengths, and too few rows."""
        rows = {
            column: self._rows[column]
            for b in blocks
            for column in b.columns
            if column in self._rows
        }
        if len(set(rows.values())) > 1:
            said = ", ".join(f"{column!r} has {count}" for column, count in rows.items())
            self.fault(f"Each array needs a row for each sample: {said}.", ("data", "file"))
        elif rows and next(iter(rows.values())) < 2:
            self.fault(
                f"{self.data.file!r} needs at least 2 rows, one to train on and one to validate "
                f"with, got {next(iter(rows.values()))}.",
                ("data", "file"),
            )


def _columns(blocks: list[_Block]) -> set[str]:
    return {column for block in blocks for column in block.columns}


def _listed(names: Sequence[str]) -> str:
    said = [name if "'" in name else repr(name) for name in names[:_MOST_NAMED]]
    more = len(names) - _MOST_NAMED
    return ", ".join(said) + (f" and {more} more" if more > 0 else "")
