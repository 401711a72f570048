"""What a loss declares beside labels and predictions: memory, several label tensors, other inputs.

A loss names them in its signature, after `y_pred` and before its parameters, as it gives the range
of a parameter:

    def ghm_c(y_true, y_pred, counts: Annotated[Any, State("bins")], *, bins: int = 10):
        ...
        return values, new_counts

Nothing here keeps any memory: `lossreg.compile` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from ..errors import SpecError
from .schedule import Schedule

Combine = Literal["mean", "sum", "first"]
Input = Literal["x", "hidden", "kernel", "bias", "teacher", "terms", "weights", "steps", "epochs"]


@dataclass(frozen=True, init=False)
class State:
    """A tensor that a loss remembers from one training step to the next, or that is trained.

    `State("bins")` has as many numbers as the parameter `bins` says. `State("classes", 8)` is a
    matrix; "classes" is the number of classes in `y_pred`, "dimensions" the length of its last
    axis, and "terms" the number of losses in the parameter `losses`. `State()` is one number.

    A loss returns its values and then the new value of each state that isn't trained. Where no
    state is declared, it returns its values alone.

    >>> State("classes", initial=1.0)
    State(shape=('classes',), initial=1.0, trainable=False, combine='mean', when=None)

    Args:
        shape: Each entry is a number, or the name of a size.
        initial: The value at first.
        trainable: Whether the optimizer trains it with the model.
        combine: What several replicas make of their new values: their mean, the sum of what each
            has added to the old value, or the value of the first replica.
        when: A parameter without which there is no state: where it is None, 0 or False, the loss
            is an ordinary one and gets None.
    """

    shape: tuple[int | str, ...]
    initial: float
    trainable: bool
    combine: Combine
    when: str | None

    def __init__(
        self,
        *shape: int | str,
        initial: float = 0.0,
        trainable: bool = False,
        combine: Combine = "mean",
        when: str | None = None,
    ) -> None:
        if not all(isinstance(size, int | str) for size in shape):
            raise SpecError(f"State(...) takes numbers and names of sizes, got {shape!r}.")
        for name, value in locals().copy().items():
            if name != "self":
                object.__setattr__(self, name, value)

    def sizes(self, known: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the shape in numbers.

        Args:
            known: Each size by its name.

        Raises:
            SpecError: A size isn't known.
        """
        found: list[int] = []
        for size in self.shape:
            value = known.get(size) if isinstance(size, str) else size
            if not isinstance(value, int):
                raise SpecError(
                    f"its memory has the size {size!r}, which is neither a parameter nor known "
                    "from the model's output. Give the output a fixed shape."
                )
            found.append(value)
        return tuple(found)


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
    losses in the parameter `losses`. `steps` and `epochs` say how many of them training has
    behind it. `weights` says how much each position counts in the result: a loss that needs it
    returns the sum of its values times these, since nothing reduces them afterwards.

    Annotating `y_pred` with `Needs("hidden")` gives the loss what the last layer got in place of
    the predictions, which training then needn't compute.

    Args:
        what: The input.
        when: A parameter without which the loss gets None, as of a `State`.

    >>> Needs("teacher").what
    'teacher'
    """

    what: Input
    when: str | None = None

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
        takes_hidden: Whether the loss takes what the last layer got as its predictions.
        schedules: The parameters whose values change during training.
    """

    inputs: Mapping[str, State | Needs]
    fields: tuple[str, ...] = ()
    takes_hidden: bool = False
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    @property
    def states(self) -> dict[str, State]:
        """The states, by name."""
        return {name: each for name, each in self.inputs.items() if isinstance(each, State)}

    @property
    def names(self) -> tuple[str, ...]:
        """What the loss needs beside labels and predictions, as messages show it."""
        hidden = ("hidden",) if self.takes_hidden else ()
        return (*self.inputs, *hidden, *self.fields, *self.schedules)

    @property
    def of_losses(self) -> str | None:
        """The parameter whose losses are its terms, if there is one."""
        return "losses" if "terms" in self.needs else None

    @property
    def kept(self) -> list[str]:
        """The names of the states whose new values the loss returns."""
        return [name for name, state in self.states.items() if not state.trainable]

    @property
    def needs(self) -> set[str]:
        """The other inputs."""
        found = {str(each.what) for each in self.inputs.values() if isinstance(each, Needs)}
        found |= {"hidden"} if self.takes_hidden else set()
        return found | {schedule.unit for schedule in self.schedules.values()}

    @property
    def reduces(self) -> bool:
        """Whether the loss returns one number that has weights and masks in it."""
        return bool(self.needs & {"terms", "weights"})

    def with_params(self, params: Mapping[str, Any]) -> "Memory":
        """Return what the loss declares with these parameters."""
        schedules = {name: each for name, each in params.items() if isinstance(each, Schedule)}
        inputs = {
            name: each
            for name, each in self.inputs.items()
            if each.when is None or params.get(each.when)
        }
        if not schedules and len(inputs) == len(self.inputs):
            return self
        return replace(self, inputs=inputs, schedules=schedules)

    def __bool__(self) -> bool:
        return bool(self.inputs or self.fields or self.takes_hidden or self.schedules)
