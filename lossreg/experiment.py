"""A whole config: the model, how it is compiled, its data and how it is trained.

Its structure and its losses are checked here, without Keras; what Keras must know, the
layers and their arguments, is checked by `builder`. This module imports pydantic.
"""

import functools
import operator
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    field_validator,
)

from . import document, parts
from .annotations import allowed
from .document import Document
from .errors import ConfigError
from .fault import Fault
from .fault import Path as KeyPath
from .loss_config import LossConfig, as_data, validation_error
from .names import did_you_mean, shown
from .parts import Part
from .places import located


def _part(value: Any) -> Part:
    try:
        return parts.read(value)
    except ConfigError as error:
        raise validation_error("part", value, error.faults) from error


def _layers(value: Any) -> tuple[Part, ...] | str:
    """Return the layers, or the file that has them."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        said = (
            "'model' must be a list of layers, or the path of a file that model.to_json() wrote, "
            f"got {shown(value)}."
        )
        raise validation_error("model", value, [Fault(message=said)])
    return _listed("model", value)


def _metrics(value: Any) -> tuple[Part, ...] | dict[str, tuple[Part, ...]]:
    """Return the metrics, or those of each output."""
    if value is None:
        return ()
    if parts.by_output(value):
        return {name: _listed("metrics", each, (name,)) for name, each in value.items()}
    return _listed("metrics", value)


def _listed(title: str, value: Any, at: KeyPath = ()) -> tuple[Part, ...]:
    found, faults = parts.read_each(value, at)
    if faults:
        raise validation_error(title, value, faults)
    return tuple(part for part in found if part is not None)


_PART: dict[str, Any] = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "object", "minProperties": 1}]
}
_PARTS: dict[str, Any] = {"type": "array", "items": _PART}
_MODEL: dict[str, Any] = {"anyOf": [{**_PARTS, "minItems": 1}, {"type": "string", "minLength": 1}]}
_METRICS: dict[str, Any] = {
    "anyOf": [
        _PART,
        _PARTS,
        {"type": "object", "additionalProperties": {"anyOf": [_PART, _PARTS]}},
        {"type": "null"},
    ]
}

Column = str | list[str]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Compile(_Section):
    """What `model.compile` takes."""

    loss: Annotated[LossConfig, Field(description="what training minimizes")]
    optimizer: Annotated[
        Part,
        PlainValidator(_part),
        WithJsonSchema(_PART),
        Field(description="an optimizer of Keras, such as adam(learning_rate=1e-3)"),
    ] = Field("rmsprop", validate_default=True)
    metrics: Annotated[
        tuple[Part, ...] | dict[str, tuple[Part, ...]],
        PlainValidator(_metrics),
        WithJsonSchema(_METRICS),
        Field(description="metrics of Keras, or a mapping of outputs to theirs"),
    ] = ()
    loss_weights: Annotated[
        list[float] | dict[str, float] | None,
        Field(description="what the loss of each output is multiplied by"),
    ] = None


class Data(_Section):
    """Where the samples are, and which of them are held out."""

    file: Annotated[str, Field(description="a .csv or .npz file, seen from the config's folder")]
    target: Annotated[
        Column | dict[str, Column],
        Field(description="the column or array to predict, or a mapping of outputs to theirs"),
    ]
    features: Annotated[
        Column | dict[str, Column] | None,
        Field(description="the columns or arrays to predict from; by default all others"),
    ] = None
    split: Annotated[
        float, Gt(0), Lt(1), Field(description="the share of samples held out for validation")
    ] = 0.2
    seed: Annotated[
        int, Ge(0), Lt(2**32), Field(description="what decides the split and the weights")
    ] = 0
    classes: Annotated[
        list[str | int] | None, MinLen(2), Field(description="the labels, in the order of classes")
    ] = None


class Fit(_Section):
    """How long is trained."""

    epochs: Annotated[int, Ge(1), Field(description="passes over the data")] = 10
    batch_size: Annotated[int, Ge(1), Field(description="samples in a step")] = 32


class Experiment(_Section):
    """A whole config, checked as far as that goes without Keras."""

    model: Annotated[
        tuple[Part, ...] | str,
        PlainValidator(_layers),
        WithJsonSchema(_MODEL),
        Field(description="the layers in order, or the file that model.to_json() wrote"),
    ]
    compile: Annotated[Compile, Field(description="the loss, the optimizer and the metrics")]
    data: Annotated[Data | None, Field(description="the samples, which training needs")] = None
    fit: Annotated[Fit, Field(description="how long is trained")] = Fit()
    versions: Annotated[
        dict[str, str], Field(description="what a run used; `lossreg fit` writes it")
    ] = {}
    _document: Document | None = PrivateAttr(None)

    @field_validator("model")
    @classmethod
    def _place_layers(cls, model: tuple[Part, ...] | str) -> tuple[Part, ...] | str:
        return model if isinstance(model, str) else tuple(layer.at(("model",)) for layer in model)

    @field_validator("compile")
    @classmethod
    def _place_parts(cls, said: Compile) -> Compile:
        at: KeyPath = ("compile", "metrics")
        metrics: Any = said.metrics
        if isinstance(metrics, dict):
            metrics = {name: tuple(m.at(at) for m in each) for name, each in metrics.items()}
        else:
            metrics = tuple(metric.at(at) for metric in metrics)
        optimizer = said.optimizer.at(("compile", "optimizer"))
        return said.model_copy(update={"metrics": metrics, "optimizer": optimizer})

    @property
    def document(self) -> Document | None:
        """The file that the config was read from, if it was."""
        return self._document

    @property
    def folder(self) -> Path:
        """Where relative paths in the config begin."""
        return Path(self._document.source).parent if self._document else Path()

    def error(self, faults: list[Fault]) -> ConfigError:
        """Return the error that tells faults of this config with their places."""
        return located(faults, self._document)


def read(config: "str | os.PathLike[str] | Mapping[str, Any]") -> Experiment:
    """Return what a file or a mapping says of a model and its training.

    Raises:
        ConfigError: Names every fault that shows without Keras, with its place.
    """
    return checked(*loaded(config))


def loaded(config: "str | os.PathLike[str] | Mapping[str, Any]") -> tuple[Any, Document | None]:
    """Return the data of a file or a mapping, unchecked, and the file.

    Raises:
        ConfigError: The file can't be read.
    """
    if isinstance(config, str | os.PathLike):
        found = document.load(config)
        return found.data, found
    return as_data(config), None


def checked(data: Any, read_from: Document | None) -> Experiment:
    """Return the experiment that data describe.

    Raises:
        ConfigError: As `read` raises it.
    """
    if not isinstance(data, dict):
        keys = ", ".join(Experiment.model_fields)
        said = f"A config is a mapping with the keys {keys}, got {shown(data)}."
        raise located([Fault(message=said)], read_from)
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        raise located(_faults(error, data), read_from) from None
    experiment._document = read_from
    return experiment


def _faults(error: ValidationError, data: Any) -> list[Fault]:
    found: dict[tuple[KeyPath, str], Fault] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "lossreg":
            context = detail["ctx"]
            path: KeyPath = tuple(detail["loc"])
            fault = Fault(path=path, message=context["message"], at_key=context["at_key"])
        else:
            fault = _fault(tuple(detail["loc"]), detail["type"], detail["input"], data)
        # A union tells a fault once for each of its types.
        found.setdefault((fault.path, fault.message), fault)
    # One type of a union takes all but an entry, and the others nothing.
    entries = {path for path, message in found if message.endswith(_IN_IT)}
    return [
        fault
        for (path, message), fault in found.items()
        if path not in entries or message.endswith(_IN_IT)
    ]


_IN_IT = " in it."


def _fault(loc: KeyPath, kind: str, given: Any, data: Any) -> Fault:
    """Return what pydantic found, in our words."""
    section, path = _section(loc)
    name = str(path[-1])
    if kind == "invalid_key":
        message = f"A key must be a text, got {shown(path[-1])}."
        return Fault(path=path, message=message, at_key=True)
    if kind == "extra_forbidden":
        known = section.model_fields
        near = did_you_mean(name, known) or _elsewhere(name)
        message = f"The key {shown(name)} isn't one of {', '.join(known)}.{near}"
        return Fault(path=path, message=message, at_key=True)
    field = section.model_fields[name]
    if kind == "missing":
        return Fault(path=path, message=f"{name!r} is missing: {field.description}.")
    kinds = allowed(Annotated[(field.annotation, *(field.metadata or [None]))])
    if name in SECTIONS:
        kinds = f"a mapping with the keys {', '.join(SECTIONS[name].model_fields)}"
    whole = functools.reduce(operator.getitem, path, data)
    got = f"got {shown(given)}{'.' if given is whole else _IN_IT}"
    return Fault(path=path, message=f"{name!r}, {field.description}, must be {kinds}, {got}")


def _section(loc: KeyPath) -> tuple[type[BaseModel], KeyPath]:
    """Return the section that a fault is in, and the path of its key."""
    section: type[BaseModel] = Experiment
    for depth, name in enumerate(loc, 1):
        inner = SECTIONS.get(str(name)) if section is Experiment else None
        if inner is None or depth == len(loc):
            return section, loc[:depth]
        section = inner
    return section, loc


SECTIONS: dict[str, type[_Section]] = {"compile": Compile, "data": Data, "fit": Fit}
"""The keys of a config that hold keys."""


def _elsewhere(name: str) -> str:
    """Return where a key belongs that stands in another section."""
    found = [where for where, section in SECTIONS.items() if name in section.model_fields]
    return f" It belongs under {found[0]!r}." if found else ""
