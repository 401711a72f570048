"""The columns of a table that a config names, as arrays, and what is wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.config import Data
from lossreg.errors import Fault
from lossreg.errors import Path as KeyPath
from lossreg.loss import did_you_mean

from .classes import Classes, known_labels, lists_values, merged, number_labels, refusal
from .table import (
    Table,
    Unreadable,
    compact,
    count_gaps,
    describe_strings,
    example,
    is_missing,
)

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_NAMED = 5  # columns in one message


@dataclass(frozen=True, kw_only=True)
class Block:
    """The columns that make one array: an input's features, or an output's target."""

    name: str | None
    columns: list[str]
    path: KeyPath
    places: list[KeyPath]

    def __iter__(self) -> Iterator[tuple[str, KeyPath]]:
        """Yield each column with its place in the config."""
        return zip(self.columns, self.places, strict=True)


def find_blocks(columns: Any, path: KeyPath) -> list[Block]:
    """Return a block for each output or input that a key of a config names columns for."""
    if not isinstance(columns, dict):
        return [find_block(None, columns, path)]
    return [find_block(name, each, (*path, name)) for name, each in columns.items()]


def find_block(name: str | None, columns: str | list[str], path: KeyPath) -> Block:
    """Return the block of one column or of several."""
    if isinstance(columns, str):
        return Block(name=name, columns=[columns], path=path, places=[path])
    places: list[KeyPath] = [(*path, index) for index in range(len(columns))]
    return Block(name=name, columns=columns, path=path, places=places)


class Columns:
    """The columns of a table as arrays, and what is wrong with them."""

    def __init__(
        self, table: Table, data: Data, numbers_for: str | None, *, is_class: bool
    ) -> None:
        self.table = table
        self.data = data
        self.numbers_for = numbers_for
        self.is_class = is_class
        self.classes: Classes | None = data.classes
        self.faults: list[Fault] = []
        self._arrays: dict[str, Array | None] = {}
        self._rows: dict[str, int] = {}

    def fault(self, message: str, path: KeyPath) -> None:
        """Add a fault at a place in the config."""
        self.faults.append(Fault(message=message, path=path))

    def features(self, targets: list[Block], others: list[Block]) -> list[Block]:
        """Return the blocks of features: the named columns, or all that have no other use."""
        if self.data.features is not None:
            return find_blocks(self.data.features, ("data", "features"))
        taken = _names_of([*targets, *others])
        left = [name for name in self.table.names if name not in taken]
        if left and (len(left) == 1 or not self.table.of_arrays):
            places: list[KeyPath] = [("data",)] * len(left)
            return [Block(name=None, columns=left, path=("data",), places=places)]
        if left:
            message = f"'features' must name the arrays to learn from: {name_some(left)}."
        else:
            message = f"{self.data.file!r} holds the target and nothing to learn from."
        self.fault(message, ("data",))
        return []

    def check_names(self, features: list[Block], targets: list[Block], others: list[Block]) -> None:
        """Find columns that the file lacks, and columns that are both feature and target."""
        what = "array" if self.table.of_arrays else "column"
        for block in [*features, *targets, *others]:
            if not block.columns:
                self.fault(f"Name at least one {what}.", block.path)
            for column, place in block:
                if column not in self.table.names:
                    near = did_you_mean(column, self.table.names)
                    near = near or f" It has {name_some(self.table.names)}."
                    self.fault(f"{self.data.file!r} has no {what} {column!r}.{near}", place)
        known, wanted = _names_of(features), _names_of(targets)
        # An autoencoder has the same columns for both.
        for block in targets if known != wanted else []:
            for column, place in block:
                if column in known:
                    self.fault(f"{column!r} is a feature and the target. Leave one out.", place)

    def check_truths(
        self, features: list[Block], targets: list[Block], truths: list[Block]
    ) -> None:
        """Find a truth that is a feature, and outputs that have no truth or no target."""
        known = _names_of(features)
        for block in truths:
            for column, place in block:
                if column in known:
                    self.fault(f"{column!r} is a feature and the truth. Leave one out.", place)
        outputs = {block.name for block in targets}
        if truths and {block.name for block in truths} != outputs:
            names = ", ".join(sorted(map(repr, outputs - {None})))
            advice = f"Map {names} to columns each" if names else "Name one column, or a list"
            self.fault(f"'truth' must have the form of 'target'. {advice}.", ("data", "truth"))

    def array(self, column: str, place: KeyPath) -> "Array | None":
        """Return a column, or None and a fault. A missing column has its fault already."""
        if column not in self._arrays:
            self._arrays[column] = None
            if column in self.table.names:
                try:
                    self._arrays[column] = array = self.table.column(column)
                    self._rows[column] = len(array)
                except Unreadable as error:
                    self.fault(str(error), place)
        return self._arrays[column]

    def numbers(self, block: Block) -> "Array | None":
        """Return a block of features."""
        strings, incomplete, arrays = [], [], []
        for column, place in block:
            array = self.array(column, place)
            if array is None:
                continue
            arrays.append(array)
            if array.dtype.kind == "U" and array.size:
                strings.append(f"{column!r} ({example(array)})")
            elif gaps := count_gaps(array):
                incomplete.append(f"{column!r} ({gaps})")
        if strings:
            self.fault(
                f"Features must be numbers, but these columns hold strings: {name_some(strings)}. "
                "Write them as numbers, or list only the other columns in 'features'.",
                block.path,
            )
        if incomplete:
            self.fault(
                f"Features need a value in each row: {name_some(incomplete)}. "
                "Fill in the values, or leave out those rows or columns.",
                block.path,
            )
        return None if self.faults else self._joined(arrays, "float32", block.path)

    def weight(self, block: Block) -> "Array | None":
        """Return the weights of samples, pixels or steps."""
        ((column, place),) = block
        array = self.array(column, place)
        if array is None:
            return None
        if array.dtype.kind == "U":
            found = example(array) if array.size else "none"
            self.fault(f"Weights must be numbers, but {column!r} holds strings ({found}).", place)
        elif gaps := count_gaps(array):
            self.fault(f"Each row needs a weight: {column!r} has {gaps}. Write 0 or 1.", place)
        elif (array < 0).any():
            self.fault(
                f"Weights must be >= 0, but the least of {column!r} is {array.min():g}.", place
            )
        else:
            # (N, 1) says as much as (N,).
            flat = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
            return flat.astype("float32")
        return None

    def aside(self, block: Block) -> "Array | None":
        """Return a column that is no feature: a group, a time or a slice."""
        ((column, place),) = block
        array = self.array(column, place)
        if array is None:
            return None
        if place == ("data", "group") and self.table.strings is not None:
            # 01 and 1 may be two patients.
            array = self.table.strings(column)
        if array.ndim > 1:
            self.fault(
                f"{column!r} needs one value for each row, got shape {list(array.shape)}.", place
            )
        elif gaps := count_gaps(array):
            self.fault(f"{column!r} needs a value in each row, and has {gaps}.", place)
        else:
            return array
        return None

    def times(self, column: str, values: "Array | None") -> "Array | None":
        """Return times that can be put in order."""
        if values is None or values.dtype.kind != "U":
            return values
        try:
            return values.astype("datetime64[us]")
        except ValueError:
            self.fault(
                f"{column!r} holds strings that aren't ISO dates ({example(values)}), and so have "
                "no order. Write numbers, or dates such as 2025-03-31 or 2025-03-31T18:30.",
                ("data", "time"),
            )
            return None

    def label_array(self, block: Block, column: str, place: KeyPath) -> "Array | None":
        """Return a column of a target: as strings where the config lists its values."""
        array = self.array(column, place)
        if array is None or array.dtype.kind == "U" or self.table.strings is None:
            return array
        strings, classes = self.table.strings(column), self.data.classes
        if classes is not None and lists_values(classes, strings):
            # Only one target of one column has classes.
            return strings if block.name is None and len(block.columns) == 1 else array
        if self.is_class and (twins := merged(strings)):
            self.fault(
                f"{column!r} has the labels {twins[0]!r} and {twins[1]!r}, which are the same "
                "number. List all labels in 'classes': as strings, in quotes, they are different "
                "classes, and as numbers the same.",
                place,
            )
        return array

    def labels(self, block: Block) -> "Array | None":
        """Return a block of targets, each string as the index of its class."""
        arrays, before = [], len(self.faults)
        for column, place in block:
            array = self.label_array(block, column, place)
            if array is None:
                continue
            arrays.append(array)
            if array.dtype.kind == "U" and len(block.columns) + array.ndim > 2:
                holds = describe_strings(column, array)
                self.fault(
                    f"{holds}, and only a target of one column can hold strings. "
                    "Write it as numbers.",
                    place,
                )
            else:
                self._check_gaps("target", column, array, place)
        if len(arrays) < len(block.columns):
            return None
        joined = self._joined(arrays, None, block.path)
        if joined is None:
            return None
        if block.name is None:
            message = ""
            if joined.dtype.kind == "U" and self.data.classes is None and len(arrays) == 1:
                message = refusal(joined, block.columns[0], self.numbers_for)
            if message:
                self.fault(message, block.path)
                return None
            # Missing values have their fault already, and aren't a class.
            is_whole = ~is_missing(joined).any(axis=tuple(range(1, joined.ndim)))
            joined, self.classes, messages = number_labels(joined[is_whole], self.data.classes)
            for message in messages:
                self.fault(message, ("data", "classes"))
        elif joined.dtype.kind == "U":
            holds = describe_strings(block.columns[0], joined)
            self.fault(
                f"{holds}. Where there are several targets, write each as numbers.", block.path
            )
        return None if len(self.faults) > before else compact(joined)

    def _check_gaps(self, what: str, column: str, array: "Array", place: KeyPath) -> None:
        """Find labels that are missing."""
        if gaps := count_gaps(array):
            self.fault(
                f"The {what} needs a value in each row: {column!r} has {gaps}. "
                "Fill in the values, or leave out those rows.",
                place,
            )

    def truth(self, block: Block, target: "Array | None") -> "Array | None":
        """Return a block of labels to judge by, in the form of its target."""
        arrays, before = [], len(self.faults)
        for column, place in block:
            array = self.label_array(block, column, place)
            if array is None:
                continue
            arrays.append(array)
            self._check_gaps("truth", column, array, place)
        if len(arrays) < len(block.columns) or len(self.faults) > before or target is None:
            return None
        joined = self._joined(arrays, None, block.path)
        if joined is None:
            return None
        unknown: list[str] = []
        if block.name is None and self.classes is not None and joined.shape[1:] == (1,):
            joined, unknown = known_labels(joined, self.classes)
            if unknown:
                self.fault(
                    f"The truth holds {name_some(unknown)}, and the classes of the target are "
                    f"{name_some(list(map(str, self.classes)))}. A truth has the same classes.",
                    block.path,
                )
        elif joined.dtype.kind == "U":
            holds = describe_strings(block.columns[0], joined)
            self.fault(f"{holds}, and the target holds numbers. Write it as numbers.", block.path)
        elif joined.shape[1:] != target.shape[1:]:
            self.fault(
                f"The truth is of shape {list(joined.shape[1:])} in each row, and the target of "
                f"shape {list(target.shape[1:])}. They must be the same.",
                block.path,
            )
        return None if len(self.faults) > before else compact(joined)

    def _joined(self, arrays: "list[Array]", dtype: Any, path: KeyPath) -> "Array | None":
        """Return arrays side by side. One array alone may have several axes."""
        columns = [array[:, None] if array.ndim == 1 else array for array in arrays]
        if len({array.shape[0] for array in columns}) > 1:
            # check_rows reports it.
            return None
        if len(columns) > 1 and any(array.ndim > 2 for array in columns):
            shapes = ", ".join(str(array.shape) for array in arrays)
            self.fault(f"Arrays of shapes {shapes} can't be joined. Name one.", path)
            return None
        joined = columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
        return joined if dtype is None else joined.astype(dtype)

    def check_rows(self, blocks: list[Block]) -> None:
        """Find arrays of different lengths, and too few rows."""
        rows = {
            column: self._rows[column]
            for b in blocks
            for column in b.columns
            if column in self._rows
        }
        if len(set(rows.values())) > 1:
            counts = ", ".join(f"{column!r} has {count}" for column, count in rows.items())
            self.fault(f"All arrays must have the same number of rows: {counts}.", ("data", "file"))
        elif rows and next(iter(rows.values())) < 2:
            self.fault(
                f"{self.data.file!r} needs at least 2 rows, one to train on and one to validate "
                f"with, got {next(iter(rows.values()))}.",
                ("data", "file"),
            )


def _names_of(blocks: list[Block]) -> set[str]:
    return {column for block in blocks for column in block.columns}


def name_some(names: Sequence[str]) -> str:
    """Return the first few names for a message, and how many more there are."""
    quoted = [name if "'" in name else repr(name) for name in names[:_MOST_NAMED]]
    more = len(names) - _MOST_NAMED
    return ", ".join(quoted) + (f" and {more} more" if more > 0 else "")
