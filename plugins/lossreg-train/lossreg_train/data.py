"""The data that a config names, as arrays to train on and to validate with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.config import Data
from lossreg.errors import ConfigError, Fault
from lossreg.errors import Path as KeyPath
from lossreg.loss import did_you_mean

from .classes import Classes, known_labels, lists_values, merged, number_labels, refusal
from .samples import Samples, exclusive_classes, split
from .table import (
    Table,
    Unreadable,
    compact,
    count_gaps,
    describe_strings,
    example,
    is_missing,
    read_table,
)

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_MOST_NAMED = 5  # columns in one message


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The data of a config.

    Args:
        train: The samples to train on.
        validation: The samples that are held out.
        config: The section `data` of the config, with every column and class that was found.
        notes: What the user should know of them.
    """

    train: Samples
    validation: Samples
    config: Data
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All samples of a file, before a split.

    Args:
        samples: The samples, in the order of the file.
        classes: The labels, if each is a class of its own, or None.
        groups: The group of each sample, if the config names their column.
        times: The time of each sample, if the config names their column.
        slices: The columns that the samples are told apart by, each as strings or numbers.
        config: The section `data` of the config, with every column and class that was found.
        notes: What the user should know of them.
    """

    samples: Samples
    classes: "Array | None"
    groups: "Array | None"
    times: "Array | None"
    slices: "dict[str, Array]"
    config: Data
    notes: Sequence[str] = ()

    def split(self) -> Dataset:
        """Return the samples in the two parts that the config asks for."""
        share, seed = self.config.split, self.config.seed
        train, validation = split(
            len(self.samples), share, seed, self.classes, groups=self.groups, times=self.times
        )
        return Dataset(
            train=self.samples.rows(train),
            validation=self.samples.rows(validation),
            config=self.config,
            notes=self.notes,
        )


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


def read_dataset(
    data: Data, folder: Path, *, stratify: bool = False, numbers_for: str | None = None
) -> Dataset:
    """Return the samples of a file, in two parts.

    A 1-D column becomes an array of shape (rows, 1). A string becomes the index of its class.

    Args:
        data: The section `data` of a config.
        folder: Where the file's path begins.
        stratify: Whether the target is a class. Then both parts get their share of each class.
        numbers_for: The loss, if its labels are numbers that mean no class. Then strings are
            refused, unless the config lists them.

    Raises:
        ConfigError: The file, a column or a class isn't there, or a value can't be used.
            The error has every fault.
        LossregError: pandas isn't installed.
    """
    return read_rows(data, folder, stratify=stratify, numbers_for=numbers_for).split()


def read_rows(
    data: Data,
    folder: Path,
    *,
    stratify: bool = False,
    numbers_for: str | None = None,
    slices: Sequence[str] = (),
) -> Rows:
    """Return all samples of a file; `read_dataset` says how they are read.

    Args:
        data: The section `data` of a config.
        folder: Where the file's path begins.
        stratify: Whether the target is a class.
        numbers_for: The loss, if its labels are numbers that mean no class.
        slices: Columns that tell samples apart. Without `features`, they aren't among these.

    Raises:
        ConfigError: As `read_dataset` raises it.
        LossregError: As `read_dataset` raises it.
    """
    try:
        table = read_table(folder / data.file)
    except Unreadable as error:
        raise ConfigError.at(("data", "file"), str(error)) from error
    reading = _Reading(table, data, numbers_for, is_class=stratify)
    targets = _blocks(data.target, ("data", "target"))
    truths = [] if data.truth is None else _blocks(data.truth, ("data", "truth"))
    weights = [] if data.weight is None else [_block(None, data.weight, ("data", "weight"))]
    asides = [
        _Block(name=column, columns=[column], path=path, places=[path])
        for column, path in (
            (data.group, ("data", "group")),
            (data.time, ("data", "time")),
            *((column, ("compare", "slices", at)) for at, column in enumerate(slices)),
        )
        if column is not None
    ]
    others = [*truths, *weights, *asides]
    features = reading.features(targets, others)
    reading.check_names(features, targets, others)
    reading.check_truths(features, targets, truths)
    x = {block.name: reading.numbers(block) for block in features}
    y = {block.name: reading.labels(block) for block in targets}
    # The classes are those of the targets.
    truth = {block.name: reading.truth(block, y.get(block.name)) for block in truths}
    weight = reading.weight(weights[0]) if weights else None
    aside = {block.columns[0]: reading.aside(block) for block in asides}
    times = None if data.time is None else reading.times(data.time, aside[data.time])
    if data.group is not None and data.time is not None:
        message = "Rows are split by groups or by time. Name one of 'group' and 'time'."
        reading.fault(message, ("data", "time"))
    for column, path in ((data.group, ("data", "group")), (data.time, ("data", "time"))):
        values = None if column is None else aside[column]
        if values is not None and len(values) > 1 and len(np.unique(values)) < 2:
            message = f"{column!r} has one value in all rows, and a split needs at least two."
            reading.fault(message, path)
    reading.check_rows([*features, *targets, *others])
    if reading.faults:
        raise ConfigError.of(reading.faults)
    samples = Samples(
        x=_unnamed(x), y=_unnamed(y), weight=weight, truth=_unnamed(truth) if truth else None
    )
    classes = None
    if stratify and not isinstance(samples.y, dict):
        classes = exclusive_classes(samples.y)
    found: dict[str, Any] = {"classes": reading.classes}
    if data.features is None:
        (block,) = features
        found["features"] = block.columns[0] if len(block.columns) == 1 else block.columns
    return Rows(
        samples=samples,
        classes=classes,
        groups=None if data.group is None else aside[data.group],
        times=times,
        slices={column: values for column in slices if (values := aside[column]) is not None},
        config=data.model_copy(update=found),
        notes=[note for block in targets if (note := _constant(block, y[block.name]))],
    )


def _constant(block: _Block, labels: "Array | None") -> str:
    """Return what to say about a target with one class or value, or an empty string."""
    assert labels is not None, "a target that can't be read is a fault"
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    classes = exclusive_classes(labels) if one_hot else labels
    if classes is None or len(np.unique(classes)) > 1:
        return ""
    value = _join([block.columns[classes[0]]]) if len(block.columns) > 1 else ""
    what = value or f"{'class ' * one_hot}{np.unique(classes)[0]:g}"
    return (
        f"The target {_join(block.columns)} is {what} in all {len(labels)} rows, so there is "
        "nothing to tell apart. Check the file and the target."
    )


def _blocks(columns: Any, path: KeyPath) -> list[_Block]:
    if not isinstance(columns, dict):
        return [_block(None, columns, path)]
    return [_block(name, each, (*path, name)) for name, each in columns.items()]


def _block(name: str | None, columns: str | list[str], path: KeyPath) -> _Block:
    if isinstance(columns, str):
        return _Block(name=name, columns=[columns], path=path, places=[path])
    places: list[KeyPath] = [(*path, index) for index in range(len(columns))]
    return _Block(name=name, columns=columns, path=path, places=places)


def _unnamed(arrays: "dict[str | None, Any]") -> Any:
    return arrays.get(None, arrays)


class _Reading:
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
        self.faults.append(Fault(message=message, path=path))

    def features(self, targets: list[_Block], others: list[_Block]) -> list[_Block]:
        """Return the blocks of features: the named columns, or all that have no other use."""
        if self.data.features is not None:
            return _blocks(self.data.features, ("data", "features"))
        taken = _columns([*targets, *others])
        left = [name for name in self.table.names if name not in taken]
        if left and (len(left) == 1 or not self.table.of_arrays):
            places: list[KeyPath] = [("data",)] * len(left)
            return [_Block(name=None, columns=left, path=("data",), places=places)]
        if left:
            message = f"'features' must name the arrays to learn from: {_join(left)}."
        else:
            message = f"{self.data.file!r} holds the target and nothing to learn from."
        self.fault(message, ("data",))
        return []

    def check_names(
        self, features: list[_Block], targets: list[_Block], others: list[_Block]
    ) -> None:
        """Find columns that the file lacks, and columns that are both feature and target."""
        what = "array" if self.table.of_arrays else "column"
        for block in [*features, *targets, *others]:
            if not block.columns:
                self.fault(f"Name at least one {what}.", block.path)
            for column, place in block:
                if column not in self.table.names:
                    near = did_you_mean(column, self.table.names)
                    near = near or f" It has {_join(self.table.names)}."
                    self.fault(f"{self.data.file!r} has no {what} {column!r}.{near}", place)
        known, wanted = _columns(features), _columns(targets)
        # An autoencoder has the same columns for both.
        for block in targets if known != wanted else []:
            for column, place in block:
                if column in known:
                    self.fault(f"{column!r} is a feature and the target. Leave one out.", place)

    def check_truths(
        self, features: list[_Block], targets: list[_Block], truths: list[_Block]
    ) -> None:
        """Find a truth that is a feature, and outputs that have no truth or no target."""
        known = _columns(features)
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

    def numbers(self, block: _Block) -> "Array | None":
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
                f"Features must be numbers, but these columns hold strings: {_join(strings)}. "
                "Write them as numbers, or list only the other columns in 'features'.",
                block.path,
            )
        if incomplete:
            self.fault(
                f"Features need a value in each row: {_join(incomplete)}. "
                "Fill in the values, or leave out those rows or columns.",
                block.path,
            )
        return None if self.faults else self._joined(arrays, "float32", block.path)

    def weight(self, block: _Block) -> "Array | None":
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

    def aside(self, block: _Block) -> "Array | None":
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

    def label_array(self, block: _Block, column: str, place: KeyPath) -> "Array | None":
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

    def labels(self, block: _Block) -> "Array | None":
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
            elif gaps := count_gaps(array):
                self.fault(
                    f"The target needs a value in each row: {column!r} has {gaps}. "
                    "Fill in the values, or leave out those rows.",
                    place,
                )
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

    def truth(self, block: _Block, target: "Array | None") -> "Array | None":
        """Return a block of labels to judge by, in the form of its target."""
        arrays, before = [], len(self.faults)
        for column, place in block:
            array = self.label_array(block, column, place)
            if array is None:
                continue
            arrays.append(array)
            if gaps := count_gaps(array):
                self.fault(
                    f"The truth needs a value in each row: {column!r} has {gaps}. "
                    "Fill in the values, or leave out those rows.",
                    place,
                )
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
                    f"The truth holds {_join(unknown)}, and the classes of the target are "
                    f"{_join(list(map(str, self.classes)))}. A truth has the same classes.",
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

    def check_rows(self, blocks: list[_Block]) -> None:
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


def _columns(blocks: list[_Block]) -> set[str]:
    return {column for block in blocks for column in block.columns}


def _join(names: Sequence[str]) -> str:
    quoted = [name if "'" in name else repr(name) for name in names[:_MOST_NAMED]]
    more = len(names) - _MOST_NAMED
    return ", ".join(quoted) + (f" and {more} more" if more > 0 else "")
