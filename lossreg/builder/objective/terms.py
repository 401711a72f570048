"""What an objective is made of: terms with a value, and constraints that hold or don't."""

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
    """What a term is of.

    Args:
        name: Such as `"dense/kernel: L2(l2=0.01)"`.
        kind: A loss; the penalty of a kernel, a bias or another weight; of a layer's
            activity; what a layer adds by `add_loss`; or what can't be told apart.
        layer: The path of the layer that a penalty is of, such as `"encoder/dense"`.
        output: The output that a loss is of, where the model has several.
    """

    name: str
    kind: Kind
    layer: str | None = None
    output: str | None = None


@dataclass(frozen=True, kw_only=True)
class Term(Source):
    """One of the numbers that add up to what training minimizes.

    Args:
        value: With every weight multiplied in.
    """

    value: float


@dataclass(frozen=True, kw_only=True)
class ConstraintState:
    """Whether a weight satisfies its constraint now.

    Args:
        name: The weight and the constraint, such as `"dense/kernel: NonNeg()"`.
        layer: The path of the layer that has the weight.
        satisfied: Whether applying the constraint changes no more than rounding does.
        violation: The most by which applying it changes an entry of the weight.
    """

    name: str
    layer: str
    satisfied: bool
    violation: float

    def __str__(self) -> str:
        return "satisfied" if self.satisfied else f"violated by {self.violation:.3g}"
