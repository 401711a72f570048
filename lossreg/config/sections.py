"""The sections of a config as pydantic models: model, compile, data, fit and compare.

Keys, values and losses are checked here, without Keras. Layers and their arguments are checked by
`lossreg.model`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Lt, MinLen
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from ..errors import ConfigError, Fault
from ..errors import Path as KeyPath
from ..loss import prepare_pydantic, shown
from .binding import LossConfig, validation_error
from .document import Document
from .part import Part, read_part, read_parts

prepare_pydantic()

_MODEL_AT: KeyPath = ("model",)
_OPTIMIZER_AT: KeyPath = ("compile", "optimizer")
_METRICS_AT: KeyPath = ("compile", "metrics")
_LOSSES_AT: KeyPath = ("compare", "losses")
_JUDGED_AT: KeyPath = ("compare", "metrics")


@dataclass(kw_only=True)
class Parts:
    """The parts of a config that can be read, whatever is wrong with the others.

    The validators below put them here, so that a config is read once.

    Args:
        model: The layers, None for each that can't be read; or a model's file.
        optimizer: The optimizer.
        loss: The loss.
        loss_weights: The weights of the outputs' losses.
        metrics: The metrics, or those of each output.
        teacher: The file of the model that a loss of distillation learns from.
        folder: The folder of relative paths.
    """

    model: Sequence[Part | None] | str | None = None
    optimizer: Part | None = None
    loss: LossConfig | None = None
    loss_weights: list[float] | dict[str, float] | None = None
    metrics: Sequence[Part] | Mapping[str, Sequence[Part]] = ()
    teacher: str | None = None
    folder: Path = Path()


def _parts(info: ValidationInfo) -> Parts:
    """Return the parts of the config that is being checked."""
    assert isinstance(info.context, Parts)
    return info.context


def _optimizer(value: Any, info: ValidationInfo) -> Part:
    try:
        found = _parts(info).optimizer = read_part(value, _OPTIMIZER_AT)
    except ConfigError as error:
        raise _invalid(value, error.faults, _OPTIMIZER_AT) from error
    return found


def _layers(value: Any, info: ValidationInfo) -> tuple[Part, ...] | str:
    """Return the layers, or the path of the file that has them."""
    if isinstance(value, str):
        _parts(info).model = value
        return value
    if not isinstance(value, list) or not value:
        message = (
            "'model' must be a list of layers, or the path of a file that model.to_json() wrote, "
            f"got {shown(value)}."
        )
        raise _invalid(value, [Fault(path=_MODEL_AT, message=message)], _MODEL_AT)
    found, faults = read_parts(value, _MODEL_AT)
    _parts(info).model = found
    if faults:
        raise _invalid(value, faults, _MODEL_AT)
    return tuple(filter(None, found))


def _metrics(value: Any, info: ValidationInfo) -> tuple[Part, ...] | dict[str, tuple[Part, ...]]:
    """Return the metrics, or those of each output."""
    found, faults = _read_metrics(value, _METRICS_AT)
    _parts(info).metrics = found
    if faults:
        raise _invalid(value, faults, _METRICS_AT)
    return found


def _judging_metrics(value: Any) -> tuple[Part, ...] | dict[str, tuple[Part, ...]]:
    """Return the metrics of a comparison, or those of each output."""
    found, faults = _read_metrics(value, _JUDGED_AT)
    if faults:
        raise _invalid(value, faults, _JUDGED_AT)
    return found


def _read_metrics(
    value: Any, at: KeyPath
) -> tuple[tuple[Part, ...] | dict[str, tuple[Part, ...]], list[Fault]]:
    """Return the metrics that can be read, or those of each output, and what is wrong."""
    if value is None:
        return (), []
    faults: list[Fault] = []

    def readable(value: Any, at: KeyPath) -> tuple[Part, ...]:
        found, wrong = read_parts(value, at)
        faults.extend(wrong)
        return tuple(filter(None, found))

    found: tuple[Part, ...] | dict[str, tuple[Part, ...]]
    # One metric is a mapping too: {name: AUC}.
    if isinstance(value, dict) and not value.keys() & {"name", "class_name"}:
        found = {name: readable(each, (*at, name)) for name, each in value.items()}
    else:
        found = readable(value, at)
    return found, faults


def _losses(value: Any) -> tuple[LossConfig, ...] | Literal["auto"]:
    """Return the losses of a comparison, or "auto"."""
    if value == "auto":
        return "auto"
    if not isinstance(value, list) or not value:
        message = (
            f"'losses' must be auto, or a list of losses, the baseline first, got {shown(value)}."
        )
        raise _invalid(value, [Fault(path=_LOSSES_AT, message=message)], _LOSSES_AT)
    found: list[LossConfig] = []
    faults: list[Fault] = []
    for index, each in enumerate(value):
        try:
            found.append(LossConfig(each))
        except ConfigError as error:
            at = (*_LOSSES_AT, index)
            faults += [replace(fault, path=(*at, *fault.path)) for fault in error.faults]
    if faults:
        raise _invalid(value, faults, _LOSSES_AT)
    return tuple(found)


def _invalid(value: Any, faults: Sequence[Fault], at: KeyPath) -> Exception:
    """Return pydantic's error for faults; pydantic puts the field's own path before theirs."""
    inner = [replace(fault, path=fault.path[len(at) :]) for fault in faults]
    return validation_error(str(at[-1]), value, inner)


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

_LOSSES: dict[str, Any] = {"anyOf": [{"const": "auto"}, {"type": "array", "minItems": 1}]}

Column = str | list[str]


def _with_string_keys(value: Any) -> Any:
    """Return a mapping with strings for its integer keys, as JSON and TOML have them."""
    if not isinstance(value, Mapping):
        return value
    return {str(key) if type(key) is int else key: each for key, each in value.items()}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Compile(_Section):
    """The arguments of `model.compile`."""

    loss: Annotated[
        LossConfig,
        # `experiment_schema` refers to the losses, instead of repeating all of them.
        WithJsonSchema({}),
        Field(description="what training minimizes"),
    ]
    optimizer: Annotated[
        Part,
        PlainValidator(_optimizer),
        WithJsonSchema(_PART),
        Field(description="a Keras optimizer, such as adam(learning_rate=1e-3)"),
    ] = Field("rmsprop", validate_default=True)
    metrics: Annotated[
        tuple[Part, ...] | dict[str, tuple[Part, ...]],
        PlainValidator(_metrics),
        WithJsonSchema(_METRICS),
        Field(description="Keras metrics, or a mapping from outputs to metrics"),
    ] = ()
    loss_weights: Annotated[
        list[float] | dict[str, float] | None,
        Field(description="what the loss of each output is multiplied by"),
    ] = None
    teacher: Annotated[
        str | None,
        Field(description="the .keras file of a model whose predictions a loss learns from"),
    ] = None

    @field_validator("loss", "loss_weights", "teacher")
    @classmethod
    def _keep(cls, value: Any, info: ValidationInfo) -> Any:
        setattr(_parts(info), str(info.field_name), value)
        return value


class Data(_Section):
    """The samples, and which of them are held out."""

    file: Annotated[str, Field(description="a .csv or .npz file, from the config's folder on")]
    target: Annotated[
        Column | dict[str, Column],
        Field(description="the column or array to predict, or a mapping from outputs to theirs"),
    ]
    features: Annotated[
        Column | dict[str, Column] | None,
        Field(description="the columns or arrays to predict from; by default all others"),
    ] = None
    truth: Annotated[
        Column | dict[str, Column] | None,
        Field(description="the labels that compare judges by, where the target's may be wrong"),
    ] = None
    split: Annotated[
        float, Gt(0), Lt(1), Field(description="the share of samples held out for validation")
    ] = 0.2
    seed: Annotated[
        int, Ge(0), Lt(2**32), Field(description="the seed of the split and of the weights")
    ] = 0
    classes: Annotated[
        list[str | int] | None, MinLen(2), Field(description="the labels, in the order of classes")
    ] = None
    weight: Annotated[
        str | None,
        Field(description="the column or array of sample weights; those of an array may have axes"),
    ] = None
    group: Annotated[
        str | None,
        Field(description="the column that tells samples of one origin, which are split together"),
    ] = None
    time: Annotated[
        str | None,
        Field(description="the column of times; the latest samples are held out"),
    ] = None


class Fit(_Section):
    """The length of the training."""

    epochs: Annotated[int, Ge(1), Field(description="passes over the data")] = 10
    batch_size: Annotated[int, Ge(1), Field(description="samples in a step")] = 32
    class_weight: Annotated[
        dict[str, Annotated[float, Ge(0)]] | None,
        BeforeValidator(_with_string_keys),
        Field(description="a weight for each class, in training only; 1 for a class without one"),
    ] = None


class Compare(_Section):
    """How `lossreg compare` compares losses on the data."""

    losses: Annotated[
        tuple[LossConfig, ...] | Literal["auto"],
        PlainValidator(_losses),
        WithJsonSchema(_LOSSES),
        Field(description="the losses, the baseline first; or auto for all that fit"),
    ] = "auto"
    metrics: Annotated[
        tuple[Part, ...] | dict[str, tuple[Part, ...]],
        PlainValidator(_judging_metrics),
        WithJsonSchema(_METRICS),
        Field(description="what the losses are judged by, the most important first"),
    ] = ()
    folds: Annotated[int, Ge(2), Field(description="the folds of the cross-validation")] = 5
    repeats: Annotated[
        int, Ge(1), Field(description="how often the folds are drawn and trained on")
    ] = 2
    margin: Annotated[
        float,
        Ge(0),
        Field(
            description="a smaller difference has no practical meaning: of a metric between 0 and "
            "1 the difference itself, of any other as a share of its value"
        ),
    ] = 0.01
    learning_rate: Annotated[
        Literal["search", "fixed"],
        Field(description="search for each loss, or fixed for that of the optimizer"),
    ] = "search"
    patience: Annotated[
        int,
        Ge(0),
        Field(
            description="epochs without a better metric after which training ends; 0 trains all "
            "epochs and keeps the last"
        ),
    ] = 5
    tune: Annotated[
        int, Ge(0), Field(description="trials that search a loss's parameters; 0 for none")
    ] = 0
    slices: Annotated[
        list[str],
        Field(description="columns; the losses are also judged on the samples of each value"),
    ] = []


def located(faults: Sequence[Fault], document: Document | None) -> ConfigError:
    """Return the error for faults, with their places in the file if there is one."""
    if document is None:
        return ConfigError.of(faults)
    placed = []
    for fault in faults:
        at = document.position(fault.path, key=fault.at_key)
        placed.append(fault if at is None else replace(fault, line=at.line, column=at.column))
    placed.sort(key=lambda fault: (fault.line or 0, fault.column or 0))
    return ConfigError.of(placed, document.source)


class Experiment(_Section):
    """A whole config, checked as far as possible without Keras."""

    model: Annotated[
        tuple[Part, ...] | str,
        PlainValidator(_layers),
        WithJsonSchema(_MODEL),
        Field(description="the layers in order, or the file that model.to_json() wrote"),
    ]
    compile: Annotated[Compile, Field(description="the loss, the optimizer and the metrics")]
    data: Annotated[Data | None, Field(description="the samples, which training needs")] = None
    fit: Annotated[Fit, Field(description="the length of the training")] = Fit()
    compare: Annotated[
        Compare, Field(default_factory=Compare, description="how losses are compared")
    ]
    versions: Annotated[
        dict[str, str], Field(description="the versions that a run used; `lossreg fit` writes them")
    ] = {}
    _document: Document | None = PrivateAttr(None)
    _parts: Parts = PrivateAttr(default_factory=Parts)

    @property
    def document(self) -> Document | None:
        """The file that the config was read from, if it was."""
        return self._document

    @property
    def parts(self) -> Parts:
        """The parts that Keras builds the model of."""
        return self._parts

    @property
    def folder(self) -> Path:
        """The folder of relative paths in the config."""
        return self._parts.folder

    def error(self, faults: Sequence[Fault]) -> ConfigError:
        """Return the error for faults of this config, with their places."""
        return located(faults, self._document)


SECTIONS: dict[str, type[_Section]] = {
    "compile": Compile,
    "data": Data,
    "fit": Fit,
    "compare": Compare,
}
"""The keys of a config that have keys of their own."""
