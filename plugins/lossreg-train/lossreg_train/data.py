"""The data that a config names, as arrays to train on and to validate with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.config import Data
from lossreg.errors import ConfigError

from .columns import Block, Columns, find_block, find_blocks, name_some
from .samples import Samples, exclusive_classes, split
from .table import (
    Unreadable,
    read_table,
)

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


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
    columns = Columns(table, data, numbers_for, is_class=stratify)
    targets = find_blocks(data.target, ("data", "target"))
    truths = [] if data.truth is None else find_blocks(data.truth, ("data", "truth"))
    weights = [] if data.weight is None else [find_block(None, data.weight, ("data", "weight"))]
    asides = [
        Block(name=column, columns=[column], path=path, places=[path])
        for column, path in (
            (data.group, ("data", "group")),
            (data.time, ("data", "time")),
            *((column, ("compare", "slices", at)) for at, column in enumerate(slices)),
        )
        if column is not None
    ]
    others = [*truths, *weights, *asides]
    features = columns.features(targets, others)
    columns.check_names(features, targets, others)
    columns.check_truths(features, targets, truths)
    x = {block.name: columns.numbers(block) for block in features}
    y = {block.name: columns.labels(block) for block in targets}
    # The classes are those of the targets.
    truth = {block.name: columns.truth(block, y.get(block.name)) for block in truths}
    weight = columns.weight(weights[0]) if weights else None
    aside = {block.columns[0]: columns.aside(block) for block in asides}
    times = None if data.time is None else columns.times(data.time, aside[data.time])
    if data.group is not None and data.time is not None:
        message = "Rows are split by groups or by time. Name one of 'group' and 'time'."
        columns.fault(message, ("data", "time"))
    for column, path in ((data.group, ("data", "group")), (data.time, ("data", "time"))):
        values = None if column is None else aside[column]
        if values is not None and len(values) > 1 and len(np.unique(values)) < 2:
            message = f"{column!r} has one value in all rows, and a split needs at least two."
            columns.fault(message, path)
    columns.check_rows([*features, *targets, *others])
    if columns.faults:
        raise ConfigError.of(columns.faults)
    samples = Samples(
        x=_unnamed(x), y=_unnamed(y), weight=weight, truth=_unnamed(truth) if truth else None
    )
    classes = None
    if stratify and not isinstance(samples.y, dict):
        classes = exclusive_classes(samples.y)
    found: dict[str, Any] = {"classes": columns.classes}
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


def _constant(block: Block, labels: "Array | None") -> str:
    """Return what to say about a target with one class or value, or an empty string."""
    assert labels is not None, "a target that can't be read is a fault"
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    classes = exclusive_classes(labels) if one_hot else labels
    if classes is None or len(np.unique(classes)) > 1:
        return ""
    value = name_some([block.columns[classes[0]]]) if len(block.columns) > 1 else ""
    what = value or f"{'class ' * one_hot}{np.unique(classes)[0]:g}"
    return (
        f"The target {name_some(block.columns)} is {what} in all {len(labels)} rows, so there is "
        "nothing to tell apart. Check the file and the target."
    )


def _unnamed(arrays: "dict[str | None, Any]") -> Any:
    return arrays.get(None, arrays)
