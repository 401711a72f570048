"""The programs of a loss: its value, gradient and curvature, traced by JAX and written out.

Keras must run on JAX in float64: `lossreg.explorer.build` sees to it.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import bind_in
from ..errors import LossregError, error_line
from ..loss import BoundLoss, Entry, make, value_function
from ..registry import installed
from .controls import Control, controls_of
from .graph import Graph
from .javascript import write_function
from .merging import merge
from .node import Array, UntranslatableError
from .scene import NoCurveError, Scene, arrays, scene_of
from .symbol import Answer, Answers, ConcreteError, Symbol, open_functions

CLASSES = (2, 3, 10, 12)
"""The numbers of classes that programs are traced for. From three of them follow all others."""

_COMBINATIONS = 60  # programs for the steps and choices of one loss
_MOST_CHOICES = 12  # combinations of choices; further parameters keep their defaults
_MOST_CASES = 24  # programs for the comparisons of one loss
_SAMPLES = 400
# No kink of a loss lies exactly here.
_POINTS = (-2.71, -0.77, 0.31, 0.83, 1.93)
_SHARES = (0.07, 0.31, 0.62, 0.83, 0.97)
_WIDTH = 1e-5  # of differences
_MOST_WRONG = 2  # points at which a curvature and a slope differ
_FEW = 2  # samples that are compared for each deviating answer


@dataclass(frozen=True, kw_only=True)
class Case:
    """A program, and when it holds.

    Args:
        choice: The place of each choice among its values; None for a slider that is open.
        when: Comparisons of parameters in JavaScript that must hold.
        classes: The number of classes, or None where the program takes any.
        text: The program.
    """

    choice: tuple[int | None, ...]
    when: tuple[str, ...]
    classes: int | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Everything that the page needs to draw a loss.

    Args:
        entry: The loss.
        scene: What it is drawn over.
        controls: Its parameters.
        cases: Its programs.
        has_curvature: Whether programs compute the curvature. Where code keeps a part of a
            gradient constant, JAX's derivative of that gradient isn't the slope that one sees.
    """

    entry: Entry
    scene: Scene
    controls: tuple[Control, ...]
    cases: tuple[Case, ...]
    has_curvature: bool


def curves_of(entry: Entry) -> Curves:
    """Return the programs of a loss.

    Raises:
        NoCurveError: It is no curve.
        UntranslatableError: Its program has something that isn't translated.
        LossregError: It can't be used.
    """
    scene = scene_of(entry)
    fixed, controls = controls_of(entry)
    controls = _limit(controls)
    stepped: set[str] = set()
    while True:
        traced = _Traced(entry, scene, fixed, _with_steps(controls, stepped))
        try:
            cases = traced.cases()
        except ConcreteError as error:
            # Python code needs the values of these.
            found = {controls[int(index)].name for index in re.findall(r"p\[(\d+)\]", str(error))}
            if not found - stepped:
                raise UntranslatableError(str(error)) from error
            stepped |= found
            continue
        except LossregError:
            raise
        # A loss of a package may raise anything.
        except Exception as error:
            openly = {control.name for control in controls if control.is_open} - stepped
            if not openly:
                raise UntranslatableError(f"JAX can't trace it: {error_line(error)}") from error
            stepped |= openly
            continue
        return Curves(
            entry=entry,
            scene=scene,
            controls=tuple(traced.controls),
            cases=tuple(cases),
            has_curvature=traced.has_curvature,
        )


def default_values(curves: Curves, x: Array, label: float) -> tuple[Array, Array]:
    """Return the exact values and gradients of a loss with its default parameters."""
    scene, controls = curves.scene, list(curves.controls)
    traced = _Traced(curves.entry, scene, controls_of(curves.entry)[0], controls)
    choice = tuple(
        -1
        if control.default is None and control.kind == "slider"
        else control.values.index(control.default)
        if control.values
        else None
        for control in controls
    )
    numbers = [
        float(control.default) if place is None else 0.0
        for control, place in zip(controls, choice, strict=True)
    ]
    graph = traced.trace(choice, 2, numbers)
    names = {"y": label} | {f"p[{index}]": number for index, number in enumerate(numbers)}
    results = np.array([graph.values({"x": float(each), **names})[:2] for each in x])
    return results[:, 0], results[:, 1]


def _limit(controls: Sequence[Control]) -> list[Control]:
    """Return the controls whose choices together aren't too many."""
    kept, combinations = [], 1
    for control in controls:
        choices = len(control.values) or 1 + control.takes_none
        if combinations * choices <= _MOST_CHOICES:
            combinations *= choices
            kept.append(control)
    return kept


def _with_steps(controls: Sequence[Control], names: set[str]) -> list[Control]:
    """Return controls of which some have steps, so few that all together are not too many."""
    choices = 1
    for control in controls:
        if not control.is_open:
            choices *= len(control.values)
        elif control.takes_none:
            choices *= 2
    count = 20
    while choices * (count + 2) ** len(names) > _COMBINATIONS and count > 1:
        count -= 1
    return [control.with_steps(count) if control.name in names else control for control in controls]


@dataclass(frozen=True, kw_only=True)
class _Way:
    """Answers to all comparisons, and what was traced with them for a number of classes."""

    answers: Answers
    classes: int
    graph: Graph


class _Traced:
    """The programs of a loss with some of its parameters open."""

    def __init__(
        self, entry: Entry, scene: Scene, fixed: dict[str, Any], controls: list[Control]
    ) -> None:
        self.entry, self.scene, self.controls = entry, scene, controls
        self._fixed = fixed
        self.has_curvature = True
        rng = np.random.default_rng(20240817)
        self._samples = np.stack(
            [_draw_samples(control, rng) for control in controls]
            # The outputs beside the one that moves are parameters too.
            + [rng.uniform(-2, 2, _SAMPLES) for _ in range(scene.others)]
            + [np.zeros(_SAMPLES)],
            axis=1,
        )

    def cases(self) -> list[Case]:
        """Return every program."""
        found: list[Case] = []
        for choice in itertools.product(*map(_places, self.controls)):
            found += self._of_choice(choice)
        if len(found) > _COMBINATIONS + _MOST_CASES:
            raise UntranslatableError("its parameters make too many programs")
        return found

    def _of_choice(self, choice: tuple[int | None, ...]) -> Iterator[Case]:
        counts = [n for n in CLASSES if n >= self.scene.fewest] if self.scene.has_classes else [2]
        ways = self._explore(choice, counts[0])
        for way in ways:
            when = tuple(map(str, way.answers.given))
            programs = {n: self._write(choice, n, way) for n in counts[:3]}
            text = merge(programs) if len(programs) > 1 else programs[2]
            if text is not None:
                yield Case(choice=choice, when=when, classes=None, text=text)
                continue
            programs |= {n: self._write(choice, n, way) for n in counts[3:]}
            # Two classes are often a case of their own.
            rest = {n: each for n, each in programs.items() if n != 2}
            text = merge(rest)
            for n, each in programs.items():
                if text is None or n not in rest:
                    yield Case(choice=choice, when=when, classes=n, text=each)
            if text is not None:
                yield Case(choice=choice, when=when, classes=None, text=text)

    def _explore(self, choice: tuple[int | None, ...], classes: int) -> list["_Way"]:
        """Return answers to the comparisons of the code, of which the first that hold are right.

        Answers that lead to the same numbers as others are left out.
        """
        found: list[_Way] = []

        def explore(mask: Array, given: tuple[Answer, ...]) -> None:
            answers = Answers(mask=mask, given=given)
            graph = self.trace(choice, classes, answers)
            kept = np.flatnonzero(answers.mask)
            if not self._agrees(graph, choice, classes, kept[len(kept) // 2 :][:1]):
                raise UntranslatableError("what JAX traces differs from what the loss computes")
            self.has_curvature &= self._has_curvature(graph, kept[-1:])
            for index, deviating in enumerate(answers.deviating):
                if not self._agrees(graph, choice, classes, np.flatnonzero(deviating)[:_FEW]):
                    if len(found) > _MOST_CASES:
                        raise UntranslatableError("its parameters make too many programs")
                    answer = answers.path[index]
                    other = dataclasses.replace(answer, holds=not answer.holds)
                    explore(deviating, (*given, *answers.path[:index], other))
            found.append(_Way(answers=answers, classes=classes, graph=graph))

        explore(np.ones(_SAMPLES, bool), ())
        return found

    def _write(self, choice: tuple[int | None, ...], classes: int, way: "_Way") -> str:
        """Return a program for a number of classes, with the answers found for another."""
        graph = way.graph
        if classes != way.classes:
            found = way.answers
            answers = Answers(mask=found.mask, given=(*found.given, *found.path))
            graph = self.trace(choice, classes, answers)
        if not self.has_curvature:
            graph.keep(graph.outputs[:2])
        return write_function(graph, "x,y,p,n")

    def _texts(self) -> list[str]:
        return [f"p[{index}]" for index in range(len(self.controls) + self.scene.others)]

    def bound(
        self, choice: tuple[int | None, ...], values: Sequence[Any], classes: int
    ) -> BoundLoss:
        """Return the loss with the values of its controls."""
        params = dict(self._fixed)
        defaults = {
            control.name: control.argument(control.default, classes)
            for control in self.controls
            if control.is_required
        }
        bound = bind_in(installed(), self.entry.qualified_name, {**params, **defaults})
        assert isinstance(bound, BoundLoss), "a name means one loss"
        changed = dict(bound.items)
        for control, place, value in zip(self.controls, choice, values, strict=False):
            if place is None:
                chosen = value
            elif place < 0:
                chosen = None
            else:
                chosen = control.values[place]
            changed[control.name] = control.argument(chosen, classes)
        return dataclasses.replace(bound, items=tuple(changed.items()))

    def _value(
        self,
        x: Any,
        y: Any,
        choice: tuple[int | None, ...],
        values: Sequence[Any],
        classes: int,
    ) -> Any:
        loss = self.bound(choice, values, classes)
        others = values[len(self.controls) :][: self.scene.others]
        y_true, y_pred = arrays(self.scene, loss, x, y, classes, others)
        return value_function(make(loss))(y_true, y_pred)

    def trace(
        self, choice: tuple[int | None, ...], classes: int, given: Answers | list[float]
    ) -> Graph:
        """Return the value, gradient and curvature as operations on numbers.

        Args:
            choice: The place of each choice.
            classes: The number of classes.
            given: What answers comparisons of open parameters, or a number for each of them.
        """
        import jax

        texts, columns = self._texts(), self._samples.T

        def total(x: Any, y: Any, p: Sequence[Any]) -> Any:
            values = list(p)
            for index, place in enumerate(choice):
                if place is not None:
                    continue
                if isinstance(given, Answers):
                    values[index] = Symbol(given, p[index], texts[index], columns[index])
                else:
                    values[index] = given[index]
            result = self._value(x[None], y[None], choice, values, classes)
            if result.size != 1:
                raise NoCurveError("it has several values for one prediction")
            return result.reshape(()).astype("float64")

        def curves(x: Any, y: Any, *p: Any) -> Any:
            both = jax.value_and_grad(lambda x: total(x, y, p))
            try:
                (value, gradient), (_, curvature) = jax.jvp(both, (x,), (np.ones(()),))
            except TypeError as error:
                if isinstance(error, ConcreteError):
                    raise
                # A gradient written by hand within another one has no forward derivative.
                value, gradient = both(x)
                curvature = jax.grad(jax.grad(lambda x: total(x, y, p)))(x)
            return value, gradient, curvature

        with open_functions():
            closed = jax.make_jaxpr(curves)(*[1.0] * (2 + len(texts)))
        return Graph(closed, ["x", "y", *texts])

    def _agrees(
        self, graph: Graph, choice: tuple[int | None, ...], classes: int, samples: Array
    ) -> bool:
        """Return whether a program has the values that others have, traced for given numbers."""
        if None not in choice:
            # No parameter is open.
            return True
        for sample in samples:
            numbers = [float(number) for number in self._samples[sample]]
            right = self.trace(choice, classes, numbers)
            for x, y in self._points():
                inputs = {"x": x, "y": y, **dict(zip(self._texts(), numbers, strict=False))}
                pair = graph.values(inputs), right.values(inputs)
                # Keras on JAX rounds some constants to float32.
                if not np.allclose(*pair, rtol=1e-6, atol=1e-9, equal_nan=True):
                    return False
        return True

    def _has_curvature(self, graph: Graph, samples: Array) -> bool:
        """Return whether the curvature is the slope of the gradient, but for a kink or two."""
        wrong = 0
        for sample in samples:
            numbers = dict(zip(self._texts(), self._samples[sample], strict=False))
            for x, y in self._points():
                left, middle, right = (
                    graph.values({"x": x + side, "y": y, **numbers})
                    for side in (-_WIDTH, 0.0, _WIDTH)
                )
                slope = (right[1] - left[1]) / (2 * _WIDTH)
                room = 1e-3 * max(1e-3, abs(middle[1]))
                wrong += not np.isclose(middle[2], slope, rtol=1e-3, atol=room, equal_nan=True)
        return wrong < _MOST_WRONG

    def _points(self) -> list[tuple[float, float]]:
        largest = {"prediction": 2.5, "distance": 2.5, "cosine": 0.99}.get(self.scene.group)
        xs = [share * largest for share in _SHARES] if largest else _POINTS
        labels = (1.0, 0.0) if self.scene.label == "class" else (1.3, 2.6)
        return list(zip(xs, itertools.cycle(labels), strict=False))


def _places(control: Control) -> list[int | None]:
    """Return the place of each choice, None for an open slider and -1 for the value None."""
    places: list[int | None] = list(range(len(control.values))) if control.values else [None]
    return [*places, -1] if control.takes_none and control.kind == "slider" else places


def _draw_samples(control: Control, rng: np.random.Generator) -> Array:
    """Return values of a slider: mostly any, and some at which code may take another way."""
    if control.values:
        return np.zeros(_SAMPLES)
    wide = control.high - control.low
    special = [control.low, control.high, *np.arange(-10, 10.5, 0.5)]
    special = [value for value in special if control.low <= value <= control.high]
    if control.is_log:
        usual = control.low * (control.high / control.low) ** rng.random(_SAMPLES)
    else:
        usual = control.low + wide * rng.random(_SAMPLES)
    return np.where(rng.random(_SAMPLES) < 0.3, rng.choice(special, _SAMPLES), usual)
