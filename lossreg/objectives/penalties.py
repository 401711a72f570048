"""A model's weights under their regularizers and constraints; no data are needed for them."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..lazy import ops
from ..loss import as_array
from .terms import ConstraintState, Kind, Term

_KINDS: dict[str, Kind] = {"kernel": "kernel penalty", "bias": "bias penalty"}

# The relative change of weights that satisfy a constraint: Keras adds an epsilon of 1e-7 to the
# norms by which it divides, and rounds.
_TOLERANCE = 1e-5
_HALF_TOLERANCE = 1e-2


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The paths of a model's layers and weights, each once, in the model's order.

    Args:
        paths: By the id of a layer: its path, such as `"encoder/dense"`.
        owners: By the id of a weight: the path of the innermost layer that has it.
    """

    paths: dict[int, str]
    owners: dict[int, str]

    def path(self, layer: Any) -> str:
        """Return the path of a layer; for a layer outside the model, its name."""
        return self.paths.get(id(layer)) or str(layer.name)

    def sort(self, terms: Iterable[Term]) -> list[Term]:
        """Return the losses, then each layer's terms, then the terms without a layer."""
        order = {path: place for place, path in enumerate(self.paths.values())}
        return sorted(
            terms,
            key=lambda term: -1 if term.kind == "loss" else order.get(term.layer or "", len(order)),
        )


def find_layers(model: Any) -> Layers:
    """Return the paths of a model's layers, including the layers of other layers."""
    paths: dict[int, str] = {id(model): model.name}
    owners: dict[int, str] = {}
    # Two layers of one layer may have the same name.
    taken: Counter[str] = Counter()

    def visit(layer: Any, path: str) -> None:
        # Keras 3.12 to 3.15.1 have a public `layers` on a Model only, but a Bidirectional, an LSTM
        # or a layer of the user's own has layers too.
        for child in layer._flatten_layers(include_self=False, recursive=False):
            if id(child) not in paths:
                within = f"{path}/{child.name}" if path else child.name
                taken[within] += 1
                count = taken[within]
                paths[id(child)] = within if count == 1 else f"{within} ({count})"
                visit(child, paths[id(child)])
        for weight in layer.weights:
            # An inner layer that has the weight is its owner already.
            owners.setdefault(id(weight), path or model.name)

    visit(model, "")
    return Layers(paths=paths, owners=owners)


def weight_penalties(model: Any, layers: Layers) -> list[Term]:
    """Return the penalty of each regularized weight that training changes.

    Keras counts no penalty of a layer whose `trainable` is False.
    """
    return [
        Term(
            name=f"{layers.owners[id(weight)]}/{weight.name}: {write_call(weight.regularizer)}",
            kind=_KINDS.get(weight.name, "weight penalty"),
            # Keras sums what a regularizer returns.
            value=float(as_array(ops.sum(weight.regularizer(weight)))),
            layer=layers.owners[id(weight)],
        )
        for weight in model.trainable_weights
        if weight.regularizer is not None
    ]


def constraint_states(model: Any, layers: Layers) -> list[ConstraintState]:
    """Return whether each constrained weight of a model satisfies its constraint."""
    return [
        _check_constraint(weight, layers.owners[id(weight)])
        for weight in model.weights
        if weight.constraint is not None
    ]


def _check_constraint(weight: Any, layer: str) -> ConstraintState:
    before = as_array(weight).astype(np.float64)
    after = as_array(weight.constraint(weight)).astype(np.float64)
    violation = float(np.max(np.abs(after - before), initial=0.0))
    tolerance = _HALF_TOLERANCE if "16" in weight.dtype else _TOLERANCE
    allowed = tolerance * max(1.0, float(np.max(np.abs(before), initial=0.0)))
    return ConstraintState(
        name=f"{layer}/{weight.name}: {write_call(weight.constraint)}",
        layer=layer,
        # NaN satisfies nothing.
        satisfied=violation <= allowed,
        violation=violation,
    )


def write_call(part: Callable[..., Any]) -> str:
    """Return a regularizer or a constraint as a call, `L2(l2=0.01)`."""
    name = str(getattr(part, "__name__", type(part).__name__))
    try:
        config = part.get_config()  # type: ignore[attr-defined]  # a function has none
    except (AttributeError, NotImplementedError):
        # Keras needs a config only where a model is saved.
        return name
    shown = {key: f"{v:g}" if isinstance(v, float) else repr(v) for key, v in config.items()}
    return f"{name}({', '.join(f'{key}={value}' for key, value in shown.items())})"
