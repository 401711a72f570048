"""The outputs of a model, and what a config says of each: losses, weights and metrics."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..fault import Fault, Path
from ..names import did_you_mean, key, shown
from ..readable import Readable
from .keras_names import known

_LOSS: Path = ("compile", "loss")
_WEIGHTS: Path = ("compile", "loss_weights")
_METRICS: Path = ("compile", "metrics")


@dataclass(frozen=True)
class Outputs:
    """The outputs of a model.

    Args:
        names: Their names, in the order in which the model returns them.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, model: Any) -> "Outputs":
        """Return the outputs of a built model."""
        # A sequential model has neither of the two.
        structure = getattr(model, "output", None)
        if isinstance(structure, Mapping):
            # Then Keras looks for these keys, and not for the names of the layers.
            return cls(tuple(structure))
        return cls(tuple(getattr(model, "output_names", None) or [model.layers[-1].name]))

    def faults(self, said: Readable, loss: Any) -> list[Fault]:
        """Return what doesn't fit the outputs.

        Args:
            said: What the config says.
            loss: The loss that it says, or the loss of each output.
        """
        found: list[Fault] = []
        if isinstance(loss, dict):
            at = (*_LOSS, "outputs")
            found += self._unknown(loss, at)
            found += self._missing(loss, at, "has no loss. Give it one, or null for none")
        weights = said.loss_weights
        if isinstance(weights, dict):
            found += self._unknown(weights, _WEIGHTS)
            found += self._missing(weights, _WEIGHTS, "has no weight. Give it one, such as 1.0")
        elif weights is not None and len(weights) != len(self.names):
            message = (
                f"'loss_weights' must have one number for each output ({self._listed}), "
                f"got {len(weights)}."
            )
            found.append(Fault(message=message, path=_WEIGHTS))
        if isinstance(said.metrics, Mapping):
            found += self._unknown(said.metrics, _METRICS)
        elif said.metrics and len(self.names) > 1:
            # Keras gives the first metric to the first output, if there are as many.
            message = (
                f"The model has the outputs {self._listed}. Say which metrics are for which: "
                f"{{{self.names[0]}: [...]}}."
            )
            found.append(Fault(message=message, path=_METRICS))
        return found

    def arguments(self, said: Readable, loss: Any, metrics: Any) -> dict[str, Any]:
        """Return what `compile` takes, in the one form in which Keras takes it for any model.

        Args:
            said: What the config says; it has no faults.
            loss: The loss, or the loss of each output.
            metrics: The metrics, or those of each output.
        """
        weights: Any = said.loss_weights
        if len(self.names) == 1:
            # A sequential model has an output without a name: Keras refuses a mapping there.
            (name,) = self.names
            loss = loss[name] if isinstance(loss, dict) else loss
            metrics = metrics.get(name) if isinstance(metrics, dict) else metrics
            weights = [weights[name]] if isinstance(weights, dict) else weights
        elif weights is not None:
            # One loss for all of them has one weight in Keras.
            loss = loss if isinstance(loss, dict) else dict.fromkeys(self.names, loss)
            named = weights if isinstance(weights, dict) else zip(self.names, weights, strict=True)
            weights = dict(named)
        return {"loss": loss, "loss_weights": weights, "metrics": metrics or None}

    @property
    def _listed(self) -> str:
        return ", ".join(self.names)

    def _unknown(self, given: Iterable[str], at: Path) -> list[Fault]:
        found = []
        for name in given:
            if name in self.names:
                continue
            near = did_you_mean(name, self.names)
            if at == _METRICS and key(name) in map(key, known("metric")):
                near = f" If you mean the metric, write it in a list: [{name}]."
            only = "Its only output is" if len(self.names) == 1 else "Its outputs are"
            message = f"The model has no output {shown(name)}.{near} {only} {self._listed}."
            found.append(Fault(message=message, path=(*at, name), at_key=True))
        return found

    def _missing(self, given: Iterable[str], at: Path, what: str) -> list[Fault]:
        missing = [name for name in self.names if name not in set(given)]
        return [Fault(message=f"The output {name!r} {what}.", path=at) for name in missing]
