"""What regularizers and constraints say of a model's weights."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...lazy import ops
from .terms import ConstraintState, Kind, Term

_OF_VARIABLE: dict[str, Kind] = {"kernel": "kernel penalty", "bias": "bias penalty"}

# How much applying a constraint may change weights that satisfy it: Keras adds an epsilon of 1e-7
# to the norms by which it divides, and rounds.
_TOLERANCE = 1e-5
_HALF_TOLERANCE = 1e-2


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Where a model's layers and weights are, each once, in the model's order.

    Args:
        paths: By the layer's id: the names that lead to it, such as `"encoder/dense"`.
        owners: By the weight's id: the path of the innermost layer that has it.
    """

    paths: dict[int, str]
    owners: dict[int, str]

    def path(self, layer: Any) -> str:
        """Return where a layer is; one that the model doesn't hold has its own name."""
        return self.paths.get(id(layer)) or str(layer.name)

    def in_order(self, terms: Iterable[Term]) -> list[Term]:
        """Return the losses, then each layer's terms, then what has no layer."""
        order = {path: place for place, path in enumerate(self.paths.values())}
        return sorted(
            terms,
            key=lambda term: -1 if term.kind == "loss" else order.get(term.layer or "", len(order)),
        )


def layers_of(model: Any) -> Layers:
    """Return the paths of a model's layers, those within other layers included."""
    paths: dict[int, str] = {id(model): model.name}
    owners: dict[int, str] = {}
    # Two layers within one may share a name.
    taken: Counter[str] = Counter()

    def visit(layer: Any, path: str) -> None:
        # Keras 3.12 to 3.15.1 have public `layers` on a Model only, and a Bidirectional, an LSTM
        # or a layer of the user's has layers too.
        for child in layer._flatten_layers(include_self=False, recursive=False):
            if id(child) not in paths:
                within = f"{path}/{child.name}" if path else child.name
                taken[within] += 1
                count = taken[within]
                paths[id(child)] = within if count == 1 else f"{within} ({count})"
                visit(child, paths[id(child)])
        for weight in layer.weights:
            # The layers within have named theirs.
            owners.setdefault(id(weight), path or model.name)

    visit(model, "")
    return Layers(paths=paths, owners=owners)


def weight_penalties(model: Any, layers: Layers) -> list[Term]:
    """Return the penalty of each regularized weight that training changes.

    Keras counts no penalty of a layer whose `trainable` is False.
    """
    return [
        Term(
            name=f"{layers.owners[id(weight)]}/{weight.name}: {described(weight.regularizer)}",
            kind=_OF_VARIABLE.get(weight.name, "weight penalty"),
            # Keras sums what a regularizer returns.
            value=float(ops.convert_to_numpy(ops.sum(weight.regularizer(weight)))),
            layer=layers.owners[id(weight)],
        )
        for weight in model.trainable_weights
        if weight.regularizer is not None
    ]


def constraint_states(model: Any, layers: Layers) -> list[ConstraintState]:
    """Return whether each constrained weight of a model satisfies its constraint."""
    return [
        _state(weight, layers.owners[id(weight)])
        for weight in model.weights
        if weight.constraint is not None
    ]


def _state(weight: Any, layer: str) -> ConstraintState:
    before = np.asarray(ops.convert_to_numpy(weight)).astype(np.float64)
    after = np.asarray(ops.convert_to_numpy(weight.constraint(weight))).astype(np.float64)
    violation = float(np.max(np.abs(after - before), initial=0.0))
    tolerance = _HALF_TOLERANCE if "16" in weight.dtype else _TOLERANCE
    allowed = tolerance * max(1.0, float(np.max(np.abs(before), initial=0.0)))
    return ConstraintState(
        name=f"{layer}/{weight.name}: {described(weight.constraint)}",
        layer=layer,
        # NaN satisfies nothing.
        satisfied=violation <= allowed,
        violation=violation,
    )


def described(part: Callable[..., Any]) -> str:
    """Return a regularizer or a constraint as it is written: `L2(l2=0.01)`."""
    name = str(getattr(part, "__name__", type(part).__name__))
    try:
        config = part.get_config()  # type: ignore[attr-defined]  # a function has none
    except (AttributeError, NotImplementedError):
        # Keras asks for one only where a model is saved.
        return name
    values = ", ".join(f"{key}={_shown(value)}" for key, value in config.items())
    return f"{name}({values})"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)
