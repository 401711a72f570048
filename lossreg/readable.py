"""What can be read of a config, part by part, whatever is wrong with the rest of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import parts
from .document import Document
from .errors import LossregError
from .experiment import Experiment
from .loss_config import LossConfig
from .parts import Part


@dataclass(frozen=True, kw_only=True)
class Readable:
    """The parts of a config that Keras can judge.

    Args:
        model: The layers, None for each that can't be read; or a model's file.
        optimizer: The optimizer.
        loss: The loss.
        loss_weights: The weights of the outputs' losses.
        metrics: The metrics, or those of each output.
        folder: Where relative paths begin.
    """

    model: Sequence[Part | None] | str | None = None
    optimizer: Part | None = None
    loss: LossConfig | None = None
    loss_weights: list[float] | dict[str, float] | None = None
    metrics: Sequence[Part] | Mapping[str, Sequence[Part]] = ()
    folder: Path = Path()

    @classmethod
    def of(cls, said: Experiment) -> "Readable":
        """Return the parts of a config that has no faults."""
        compiled = said.compile
        return cls(
            model=said.model,
            optimizer=compiled.optimizer,
            loss=compiled.loss,
            loss_weights=compiled.loss_weights,
            metrics=compiled.metrics,
            folder=said.folder,
        )


def readable(data: Any, read_from: Document | None) -> Readable:
    """Return what can be read of data in which `experiment.checked` finds faults."""
    data = data if isinstance(data, dict) else {}
    compiled = data.get("compile")
    compiled = compiled if isinstance(compiled, dict) else {}
    optimizer, weights = compiled.get("optimizer", "rmsprop"), compiled.get("loss_weights")
    return Readable(
        model=_model(data.get("model")),
        optimizer=None if isinstance(optimizer, list) else _each(optimizer, "optimizer")[0],
        loss=_loss(compiled.get("loss")),
        loss_weights=weights if isinstance(weights, list | dict) else None,
        metrics=_metrics(compiled.get("metrics")),
        folder=Path(read_from.source).parent if read_from else Path(),
    )


def _model(value: Any) -> Sequence[Part | None] | str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        return None
    return parts.read_each(value, ("model",))[0]


def _loss(value: Any) -> LossConfig | None:
    # What is wrong with it was told.
    try:
        return LossConfig(value)
    except LossregError:
        return None


def _metrics(value: Any) -> Sequence[Part] | Mapping[str, Sequence[Part]]:
    if value is None:
        return ()
    if parts.by_output(value):
        named = {name: _each(each, "metrics", name) for name, each in value.items()}
        return {name: [*filter(None, each)] for name, each in named.items()}
    return [*filter(None, _each(value, "metrics"))]


def _each(value: Any, *at: str) -> Sequence[Part | None]:
    return parts.read_each(value, ("compile", *at))[0]
