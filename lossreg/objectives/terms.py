"""The parts of an objective: terms with a value, and constraints that hold or don't."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "loss",
    "kernel penalty",
    "bias penalty",
    "weight penalty",
    "activity penalty",
    "added penalty",
    "other",
]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The origin of a term.

    Args:
        name: A name such as `"dense/kernel: L2(l2=0.01)"`.
        kind: A loss; the penalty of a kernel, of a bias, of another weight or of a layer's
            activity; a penalty that a layer adds by `add_loss`; or anything else.
        layer: The path of the penalty's layer, such as `"encoder/dense"`.
        output: The output of the loss, if the model has several.
    """

    name: str
    kind: Kind
    layer: str | None = None
    output: str | None = None


@dataclass(frozen=True, kw_only=True)
class Term(Source):
    """One of the numbers that add up to what training minimizes.

    Args:
        value: The value, already multiplied by every weight.
    """

    value: float


@dataclass(frozen=True, kw_only=True)
class ConstraintState:
    """Whether a weight satisfies its constraint now.

    Args:
        name: The weight and the constraint, such as `"dense/kernel: NonNeg()"`.
        layer: The path of the layer that has the weight.
        satisfied: Whether applying the constraint changes the weight by no more than rounding.
        violation: The largest change of an entry of the weight by applying the constraint.
    """

    name: str
    layer: str
    satisfied: bool
    violation: float

    def __str__(self) -> str:
        return "satisfied" if self.satisfied else f"violated by {self.violation:.3g}"
