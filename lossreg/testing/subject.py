"""The losses of a distribution under check: their parameters, inputs and values."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from ..config import bind_parameter
from ..errors import ParameterError
from ..loss import BoundLoss, Entry, LossSpec, did_you_mean, normalize_distribution
from ..registry import Registry
from . import backend
from .choices import REQUIRED, other_values
from .first_step import at_first_step
from .results import ConformanceError, NotApplicableError, error_of
from .samples import SITUATIONS, Array, Sample, draw, example_of, shape_of, situations

Found = TypeVar("Found")
Params = Mapping[str, Any]


class Suite:
    """The losses of one distribution, and what their checks share.

    Args:
        registry: Where the losses are.
        distribution: The distribution that offers them.

    Raises:
        ParameterError: It offers none.
        BrokenPluginError: It is installed and broken.
    """

    def __init__(self, registry: Registry, distribution: str) -> None:
        self.registry = registry
        name = normalize_distribution(distribution)
        self._records = [r for r in registry.plugins if r.provider.distribution == name]
        entries = registry.entries(plugin=name)
        if not entries and self._records:
            # It raises, and says whether the plugin is broken or blocked, and by what.
            registry.lookup(f"{name}/any")
        if not entries:
            known = sorted({entry.provider.distribution for entry in registry.entries()})
            raise ParameterError(
                f"No plugin named {name!r} is installed.{did_you_mean(name, known)} "
                "Give the name of a distribution; 'lossreg plugins' shows what is installed."
            )
        self.subjects = {entry.spec.name: Subject(entry, self) for entry in entries}
        self._remembered: dict[Callable[..., Any], Any] = {}

    @property
    def modules(self) -> list[str]:
        """The distribution's plugin modules.

        Raises:
            NotApplicableError: It isn't installed as a plugin, so no other process finds it.
        """
        if not self._records:
            raise NotApplicableError("it isn't installed, so no other process can find it")
        return [record.module for record in self._records]

    def remember(self, find: Callable[["Suite"], Found]) -> Found:
        """Return what a function finds out about all losses at once; it is called once."""
        if find not in self._remembered:
            try:
                self._remembered[find] = find(self)
            except (ConformanceError, NotApplicableError) as error:
                # Another process that fails costs seconds, and would fail again.
                self._remembered[find] = error
        found = self._remembered[find]
        if isinstance(found, ConformanceError | NotApplicableError):
            raise found
        return found  # type: ignore[no-any-return]  # as it was put there


@dataclass(frozen=True, kw_only=True)
class Case:
    """A loss's parameters and one input; as a string it completes "With ..." in a message.

    Args:
        call: The loss as a call with its parameters.
        situation: What kind of predictions the input has.
        params: Every parameter and its value.
        sample: The input.
    """

    call: str
    situation: str
    params: Params
    sample: Sample

    def __str__(self) -> str:
        what = f"{self.situation} predictions" if self.situation in SITUATIONS else self.situation
        return f"{self.call} and {what}"

    def row(self, index: int) -> str:
        """Return the case and one sample of its batch as a string."""
        sample = self.sample
        if index >= min(len(sample.y_true), len(sample.y_pred)):
            return str(self)
        y_true, y_pred = _short(sample.y_true[index]), _short(sample.y_pred[index])
        return f"{self}, sample y_true={y_true}, y_pred={y_pred}"


class Subject:
    """One loss, with values for its parameters and inputs that suit it."""

    def __init__(self, entry: Entry, suite: Suite) -> None:
        self.entry = entry
        self.suite = suite

    @cached_property
    def _plain(self) -> Entry:
        """The loss as one of labels and predictions alone.

        Raises:
            NotApplicableError: It needs more.
        """
        found = at_first_step(self.entry)
        if found is None:
            raise NotApplicableError(
                "it takes more than labels and predictions; the check 'memory' trains it"
            )
        return found

    @property
    def remembers(self) -> bool:
        """Whether the loss has memory, or other inputs, whatever its parameters are."""
        memory = self.entry.signature.memory
        always = [each for each in memory.inputs.values() if each.when is None]
        return bool(always or memory.fields or memory.takes_hidden)

    @property
    def spec(self) -> LossSpec:
        """What the plugin says about the loss."""
        return self.entry.spec

    def loss(self, params: Params, **options: Any) -> Any:
        """Return the class form, as `get_loss` does."""
        # It imports Keras, which collecting tests doesn't need.
        from ..keras_loss import RegisteredLoss

        bound = self._plain.bind(params, bind_loss=self._bind_loss)
        return RegisteredLoss(bound, **options)

    def bind(self, params: Params) -> BoundLoss:
        """Return the loss with parameters, of which some may be losses of the registry."""
        return self.entry.bind(params, bind_loss=self._bind_loss)

    def _bind_loss(self, config: Any) -> Any:
        return bind_parameter(self.suite.registry, config)

    def function(self, params: Params, dtype: str = "float32") -> Callable[[Any, Any], Any]:
        """Return the value per sample, before Keras weighs and reduces."""
        return self.loss(params, dtype=dtype).call  # type: ignore[no-any-return]  # Keras has no types

    def values(self, case: Case) -> Array:
        """Return the value of each sample."""
        return values_of(self.loss(case.params, dtype="float32"), case)

    def value_and_gradient(self, case: Case, dtype: str = "float32") -> tuple[Array, Array]:
        """Return the value of each sample, and the gradient of their sum."""
        function = self.function(case.params, dtype)
        values, gradient = backend.value_and_gradient(function, *tensors(case.sample, dtype))
        return backend.numbers(values), backend.numbers(gradient)

    def case(self, params: Params, situation: str = "ordinary", *, largest: float = 1e4) -> Case:
        """Return one input for one choice of parameters."""
        sample = draw(self.spec, params, situation, largest=largest)
        call = self.entry.call(params)
        return Case(call=call, situation=situation, params=params, sample=sample)

    def cases(self, *, largest: float = 1e4) -> Iterator[Case]:
        """Yield every kind of input for every choice of parameters."""
        for params in self.settings:
            for situation in situations(self.spec):
                yield self.case(params, situation, largest=largest)

    @cached_property
    def defaults(self) -> Params:
        """The default of each parameter; for one without, the first value that works."""
        parameters = self.entry.signature.parameters
        required = [p.name for p in parameters if p.required and p.name not in self._needed]
        legal = []
        for values in itertools.islice(itertools.product(*map(self._others, required)), 50):
            params = {**dict(zip(required, values, strict=True)), **self._needed}
            try:
                legal.append(self.bind(params).params)
            except ParameterError:
                continue
            if not required or self.takes(legal[-1]):
                return legal[-1]
        if not legal:
            raise NotApplicableError(
                f"parameter {required[0]!r} has no default, and its type doesn't say which values "
                "it takes"
            )
        return legal[0]

    @cached_property
    def changed(self) -> Params:
        """Another value than the default for every parameter that has one, all at once."""
        params = self.defaults
        for name in self._free_names:
            params = next(self._with_another(params, name), params)
        return params

    @cached_property
    def both(self) -> list[Params]:
        """The defaults, and every parameter changed."""
        return _unique([self.defaults, self.changed])

    @cached_property
    def bases(self) -> list[Params]:
        """The defaults, on probabilities and on logits if the loss takes both."""
        name = self.spec.from_logits
        if name is None or name not in self.defaults:
            return [self.defaults]
        # Its type may allow logits alone.
        others = [value for value in self._others(name, self.defaults) if value is not None]
        return [self.defaults, *({**self.defaults, name: value} for value in others)]

    @cached_property
    def settings(self) -> list[Params]:
        """All choices of parameters: the bases, these with one parameter changed, all changed."""
        each = [
            params
            for base in self.bases
            for name in self._free_names
            if name != self.spec.from_logits
            # A weight or a list of weights, an axis or a list of axes: one of each.
            for is_list in (True, False)
            for params in itertools.islice(self._with_another(base, name, is_list=is_list), 1)
        ]
        return _unique([*self.bases, *each, self.changed])

    @cached_property
    def broken(self) -> Exception | None:
        """Why the loss can't be used at all, on an ordinary input, or None."""
        error = error_of(lambda: self.values(self.case(self.defaults)))
        return None if isinstance(error, NotApplicableError) else error

    def takes(self, params: Params) -> bool:
        """Return whether the loss works with some parameters on an ordinary input."""
        error = error_of(lambda: self.values(self.case(params)))
        # Where no input can be drawn, the signature alone decides.
        return error is None or isinstance(error, NotApplicableError)

    @property
    def _names(self) -> list[str]:
        # The axis first: how many classes there are depends on it.
        names = [parameter.name for parameter in self.entry.signature.parameters]
        return sorted(names, key=lambda name: name != self.spec.axis)

    @property
    def _needed(self) -> Params:
        """The parameters that the example needs, which aren't changed."""
        example = example_of(self.spec)
        return example.params if example else {}

    @property
    def _free_names(self) -> list[str]:
        return [name for name in self._names if name not in self._needed]

    def _others(self, name: str, params: Params | None = None) -> list[Any]:
        default = REQUIRED if params is None else params[name]
        shape = shape_of(self.spec)
        axis = self.spec.class_axis(params or {})
        classes = shape[axis] if -len(shape) <= axis < len(shape) else shape[-1]
        return other_values(self.entry.signature.annotations[name], default, classes)

    def _with_another(
        self, params: Params, name: str, *, is_list: bool | None = None
    ) -> Iterator[Params]:
        """Yield parameters with another value for one of them that the loss takes."""
        for value in self._others(name, params):
            if is_list not in (None, isinstance(value, tuple)):
                continue
            try:
                bound = self.bind({**params, name: value})
            except ParameterError:
                continue
            if not self.remembers and not bound.is_plain:
                # The check 'memory' has such values.
                continue
            another = bound.params
            if self.takes(another):
                yield another


def tensors(sample: Sample, dtype: str = "float32") -> tuple[Any, Any]:
    """Return labels and predictions as tensors."""
    return backend.tensor(sample.y_true, dtype), backend.tensor(sample.y_pred, dtype)


def values_of(loss: Any, case: Case) -> Array:
    """Return the value of each sample by a loss that is built already."""
    return backend.numbers(loss.call(*tensors(case.sample)))


def first_row(values: Array, fault: Array) -> int:
    """Return the index in the batch of the first faulty number of an array."""
    return int(np.argwhere(fault)[0][0]) if values.ndim else 0


def _unique(settings: list[Params]) -> list[Params]:
    return [params for index, params in enumerate(settings) if params not in settings[:index]]


def _short(values: Any) -> str:
    flat = np.asarray(values).reshape(-1)
    shown = ", ".join(f"{value:.4g}" for value in flat[:6].tolist())
    return f"[{shown}, ...]" if flat.size > 6 else f"[{shown}]"
