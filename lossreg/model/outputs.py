"""The outputs of a model, and the losses, weights and metrics that a config has for each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..config import Parts
from ..errors import Fault, Path
from ..loss import did_you_mean, key, shown
from .keras_names import known

_LOSS: Path = ("compile", "loss", "outputs")
_WEIGHTS: Path = ("compile", "loss_weights")
_METRICS: Path = ("compile", "metrics")


def output_faults(names: Sequence[str], parts: Parts, loss: Any) -> list[Fault]:
    """Return what doesn't fit the outputs of a model.

    Args:
        names: The outputs, in the model's order.
        parts: The parts of the config.
        loss: Its loss, or the loss of each output.
    """
    found: list[Fault] = []
    if isinstance(loss, dict):
        found += _unknown(names, loss, _LOSS)
        found += _missing(names, loss, _LOSS, "has no loss. Give it one, or null for none")
    weights = parts.loss_weights
    if isinstance(weights, dict):
        found += _unknown(names, weights, _WEIGHTS)
        found += _missing(names, weights, _WEIGHTS, "has no weight. Give it one, such as 1.0")
    elif weights is not None and len(weights) != len(names):
        message = (
            f"'loss_weights' must have one number for each output ({', '.join(names)}), "
            f"got {len(weights)}."
        )
        found.append(Fault(message=message, path=_WEIGHTS))
    if isinstance(parts.metrics, Mapping):
        found += _unknown(names, parts.metrics, _METRICS)
    elif parts.metrics and len(names) > 1:
        # Keras gives the first metric to the first output, if there are as many.
        message = (
            f"The model has the outputs {', '.join(names)}. Give each its own metrics: "
            f"{{{names[0]}: [...]}}."
        )
        found.append(Fault(message=message, path=_METRICS))
    return found


def _unknown(names: Sequence[str], given: Iterable[str], at: Path) -> list[Fault]:
    found = []
    for name in given:
        if name in names:
            continue
        near = did_you_mean(name, names)
        if at == _METRICS and key(name) in map(key, known("metric")):
            near = f" If you mean the metric, write it in a list: [{name}]."
        only = "Its only output is" if len(names) == 1 else "Its outputs are"
        message = f"The model has no output {shown(name)}.{near} {only} {', '.join(names)}."
        found.append(Fault(message=message, path=(*at, name), at_key=True))
    return found


def _missing(names: Sequence[str], given: Iterable[str], at: Path, what: str) -> list[Fault]:
    missing = [name for name in names if name not in set(given)]
    return [Fault(message=f"The output {name!r} {what}.", path=at) for name in missing]


def compile_arguments(
    names: Sequence[str], parts: Parts, loss: Any, metrics: Any
) -> dict[str, Any]:
    """Return what `compile` takes, in the one form that Keras takes for any model.

    Args:
        names: The outputs, in the model's order.
        parts: The parts of a config without faults.
        loss: The loss, or the loss of each output.
        metrics: The metrics, or those of each output.
    """
    weights: Any = parts.loss_weights
    if len(names) == 1:
        # A sequential model has an output without a name: Keras refuses a mapping there.
        (name,) = names
        loss = loss[name] if isinstance(loss, dict) else loss
        metrics = metrics.get(name) if isinstance(metrics, dict) else metrics
        weights = [weights[name]] if isinstance(weights, dict) else weights
    elif weights is not None:
        # One loss for all outputs has one weight in Keras.
        loss = loss if isinstance(loss, dict) else dict.fromkeys(names, loss)
        weights = dict(weights if isinstance(weights, dict) else zip(names, weights, strict=True))
    return {"loss": loss, "loss_weights": weights, "metrics": metrics or None}
