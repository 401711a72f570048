"""What a loss declares beside labels and predictions: memory, several label tensors, other inputs.

A loss names them in its signature, after `y_pred` and before its parameters, as it gives the range
of a parameter:

    def ghm_c(y_true, y_pred, counts: Annotated[Any, State("bins")], *, bins: int = 10):
        ...
        return values, new_counts

Nothing here keeps any memory: `lossreg.compile` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import SpecError

Combine = Literal["mean", "sum", "first"]
Input = Literal["x", "hidden", "kernel", "bias", "teacher", "terms"]


@dataclass(frozen=True, init=False)
class State:
    """A tensor that a loss remembers from one training step to the next, or that is trained.

    `State("bins")` has as many numbers as the parameter `bins` says. `State("classes", 8)` is a
    matrix; "classes" is the number of classes in `y_pred`, "dimensions" the length of its last
    axis, and "terms" the number of losses in the parameter `losses`. `State()` is one number.

    A loss returns its values and then the new value of each state that isn't trained.

    >>> State("classes", initial=1.0)
    State(shape=('classes',), initial=1.0, trainable=False, combine='mean')

    Args:
        shape: Each entry is a number, or the name of a size.
        initial: The value at first.
        trainable: Whether the optimizer trains it with the model.
        combine: What several replicas make of their values: their mean or sum, or the first.
    """

    shape: tuple[int | str, ...]
    initial: float
    trainable: bool
    combine: Combine

    def __init__(
        self,
        *shape: int | str,
        initial: float = 0.0,
        trainable: bool = False,
        combine: Combine = "mean",
    ) -> None:
        if not all(isinstance(size, int | str) for size in shape):
            raise SpecError(f"State(...) takes numbers and names of sizes, got {shape!r}.")
        for name, value in locals().copy().items():
            if name != "self":
                object.__setattr__(self, name, value)


@dataclass(frozen=True, init=False)
class Fields:
    """Marks a `y_true` of several label tensors: `Annotated[Any, Fields("mask", "distance")]`.

    `y_true` is a mapping then. The first field is the main label, which plain losses in the same
    sum take, and metrics.

    >>> Fields("mask", "distance").names
    ('mask', 'distance')
    """

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        if not names or not all(isinstance(name, str) for name in names):
            raise SpecError(f"Fields(...) takes the names of label tensors, got {names!r}.")
        object.__setattr__(self, "names", names)


@dataclass(frozen=True)
class Needs:
    """Another input of a loss: `Annotated[Any, Needs("x")]`.

    `x` is what the model got, `hidden` what its last layer got, `kernel` and `bias` are the weights
    of that layer, `teacher` is what another model predicts, `terms` the reduced values of the
    losses in the parameter `losses`.

    >>> Needs("teacher")
    Needs(what='teacher')
    """

    what: Input

    def __post_init__(self) -> None:
        if self.what not in get_args(Input):
            inputs = ", ".join(get_args(Input))
            raise SpecError(f"Needs(...) takes one of {inputs}, got {self.what!r}.")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """All that a loss declares.

    Args:
        inputs: Each state or other input by the name of its parameter, in their order.
        fields: The names of the label tensors, or none.
    """

    inputs: Mapping[str, State | Needs]
    fields: tuple[str, ...] = ()

    @property
    def states(self) -> dict[str, State]:
        """The states, by name."""
        return {name: each for name, each in self.inputs.items() if isinstance(each, State)}

    @property
    def needs(self) -> set[str]:
        """The other inputs."""
        return {each.what for each in self.inputs.values() if isinstance(each, Needs)}

    def __bool__(self) -> bool:
        return bool(self.inputs or self.fields)
