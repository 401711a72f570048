"""What losses are compared on: a config with its data, or a function that builds a model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from lossreg import bind
from lossreg.cli.versions import keras_backend
from lossreg.config import Compare, Data, Fit, load_config, read_experiment
from lossreg.errors import LossregError
from lossreg.loss import Bound
from lossreg.registry import installed_version

from ..samples import Samples, exclusive_classes
from ..trial import read_samples
from .cells import fingerprint
from .folds import Folds
from .metrics import Metric, default_metric, read_metrics
from .recipes import ConfigRecipe, FunctionRecipe
from .slices import slice_names
from .work import Settings, Work, digest

_STOP = 0.2  # the share of a training set that a training is stopped on
_PARTS = ("x", "y", "weight", "group", "time", "slices", "truth")  # of the data for a function


class Options(TypedDict, total=False):
    """The section `compare` of a config, and for a function `epochs`, `batch_size` and `seed`."""

    folds: int
    repeats: int
    margin: float
    learning_rate: str
    patience: int
    tune: int
    slices: list[str]
    epochs: int
    batch_size: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What losses are compared on.

    Args:
        title: Its name.
        recipe: Makes the model.
        reference: The loss that the model is made for.
        samples: All samples.
        folds: How they are split.
        slices: The slice of each sample, by column.
        metrics: What the losses are judged by.
        compare: The section `compare`.
        fit: The section `fit`.
        class_names: The classes in the order of their numbers; None where they are numbers.
        notes: What the user should know.
    """

    title: str
    recipe: ConfigRecipe | FunctionRecipe
    reference: Bound
    samples: Samples
    folds: Folds
    slices: Mapping[str, Any]
    metrics: list[Metric]
    compare: Compare
    fit: Fit
    class_names: Sequence[str | int] | None = None
    notes: Sequence[str] = ()


def of_config(config: Any, metrics: Any, options: Options) -> Subject:
    """Return the subject of a config."""
    given = read_experiment(config)
    data, document = load_config(config)
    compare, fit = _sections(data, options)
    rows = read_samples(given.model_copy(update={"compare": compare}))
    reference = given.compile.loss.bound
    return Subject(
        title=Path(document.source).stem if document else "config",
        recipe=ConfigRecipe.of(data, given.folder, rows.config),
        reference=reference,
        samples=rows.samples,
        folds=Folds(
            rows=len(rows.samples),
            count=compare.folds,
            seed=options.get("seed", rows.config.seed),
            stop=_STOP,
            classes=rows.classes,
            groups=rows.groups,
            times=rows.times,
        ),
        slices={column: slice_names(values) for column, values in rows.slices.items()},
        metrics=_metrics(metrics or compare.metrics, reference, rows.samples),
        compare=compare,
        fit=fit,
        class_names=rows.config.classes,
        notes=[*rows.notes, *_truth_notes(rows.config)],
    )


def _truth_notes(data: Data) -> Iterator[str]:
    """Yield what to say where the losses are judged by other labels than they are trained on."""
    if data.truth is not None:
        yield (
            f"The losses are judged by {data.truth!r} and trained on {data.target!r}. What is "
            "chosen during the training is chosen by the latter."
        )


def of_function(
    build: Callable[[], Any], losses: Any, data: Any, metrics: Any, options: Options
) -> Subject:
    """Return the subject of a function that builds a model."""
    if not callable(build):
        raise LossregError(
            f"A model must be a config or a function that builds one, got {build!r}."
        )
    if data is None or isinstance(losses, str) or not losses:
        raise LossregError(
            "A function that builds a model needs data=(x, y) and a list of losses, the baseline "
            "first."
        )
    compare, fit = _sections({"model": ["Flatten"], "compile": {"loss": "mse"}}, options)
    given = data if isinstance(data, Mapping) else dict(zip(_PARTS, data, strict=False))
    if unknown := [name for name in given if name not in _PARTS]:
        raise LossregError(f"The data can't have {unknown[0]!r}. They have {', '.join(_PARTS)}.")
    reference = bind(losses[0])
    is_class = any(loss.spec.labels.is_class for loss in reference.losses())
    samples = Samples(
        x=_columns(given["x"]),
        y=_columns(given["y"], labels=True),
        weight=_array(given, "weight"),
        truth=None if given.get("truth") is None else _columns(given["truth"], labels=True),
    )
    _check_truth(samples.y, samples.truth)
    classes = None
    if is_class and not isinstance(samples.y, dict):
        classes = exclusive_classes(samples.y)
    slices = {name: slice_names(np.asarray(v)) for name, v in given.get("slices", {}).items()}
    return Subject(
        title=getattr(build, "__name__", "function").strip("<>"),
        recipe=FunctionRecipe(build=build),
        reference=reference,
        samples=samples,
        folds=Folds(
            rows=len(samples),
            count=compare.folds,
            seed=options.get("seed", 0),
            stop=_STOP,
            classes=classes,
            groups=_array(given, "group"),
            times=_array(given, "time"),
        ),
        slices=slices,
        metrics=_metrics(metrics or compare.metrics, reference, samples),
        compare=compare,
        fit=fit,
    )


def _check_truth(labels: Any, truth: Any) -> None:
    """Raise an error for labels to judge by that haven't the form of those to train on.

    Raises:
        LossregError: They have other outputs or another shape.
    """
    if truth is None:
        return
    forms = [
        {name: array.shape for name, array in each.items()}
        if isinstance(each, Mapping)
        else each.shape
        for each in (labels, truth)
    ]
    if forms[0] != forms[1]:
        raise LossregError(
            f"'truth' must have the form of 'y': the labels to train on are of shape {forms[0]}, "
            f"and those to judge by of shape {forms[1]}."
        )


def _array(given: Mapping[str, Any], name: str) -> Any:
    return None if given.get(name) is None else np.asarray(given[name])


def _columns(given: Any, *, labels: bool = False) -> Any:
    """Return arrays of samples; labels of one number a row have an axis of size 1."""
    if isinstance(given, Mapping):
        return {name: _columns(each, labels=labels) for name, each in given.items()}
    array = np.asarray(given)
    return array[:, None] if labels and array.ndim == 1 else array


def _sections(config: Mapping[str, Any], options: Options) -> tuple[Compare, Fit]:
    """Return the sections `compare` and `fit` of a config, some of their values replaced.

    Raises:
        ConfigError: A value is wrong.
    """
    sections: dict[str, dict[str, Any]] = {
        name: dict(config.get(name) or {}) for name in ("compare", "fit")
    }
    for name, value in options.items():
        if name != "seed":
            sections["fit" if name in Fit.model_fields else "compare"][name] = value
    changed = read_experiment({**config, **sections})
    return changed.compare, changed.fit


def _metrics(given: Any, reference: Bound, samples: Samples) -> list[Metric]:
    """Return the metrics, by default the one that suits the labels."""
    if given:
        found = read_metrics(given)
        names = [metric.label for metric in found]
        if twice := [name for name in names if names.count(name) > 1]:
            raise LossregError(f"The metric {twice[0]!r} is named twice. Name each metric once.")
        return found
    if isinstance(samples.y, dict):
        raise LossregError(
            "The model has several outputs. Say by which metric of which output the losses are "
            "judged: metrics: {mask: dice}."
        )
    return read_metrics(default_metric(reference.losses()[0], samples.y.ndim > 2))


def make_work(subject: Subject) -> Work:
    """Return what the workers need."""
    settings = Settings(
        epochs=subject.fit.epochs,
        batch_size=subject.fit.batch_size,
        patience=subject.compare.patience,
        search=subject.compare.learning_rate == "search",
        tune=subject.compare.tune,
    )
    folds, samples = subject.folds, subject.samples
    backend = keras_backend()[0]
    decides = {
        "recipe": subject.recipe.fingerprint,
        "samples": digest([samples.x, samples.y, samples.weight, samples.truth]),
        "folds": [folds.count, folds.seed, folds.stop],
        "parts": digest([folds.classes, folds.groups, folds.times, dict(subject.slices)]),
        "metrics": [metric.fingerprint for metric in subject.metrics],
        "settings": vars(settings),
        "versions": [
            [name, installed_version(name)] for name in ("lossreg", "keras", "numpy", backend)
        ],
    }
    return Work(
        recipe=subject.recipe,
        samples=samples,
        folds=folds,
        slices=subject.slices,
        metrics=tuple(subject.metrics),
        reference=subject.reference.config(),
        settings=settings,
        key=fingerprint(decides),
    )
