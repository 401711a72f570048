"""Bound losses: losses with a value for each of their parameters, alone, in sums and by output.

An entry of a registry makes bound losses, and a bound loss knows its entry: both are here.
A single loss, a sum and a loss for each output have the same methods: `config()`, `losses()`,
`terms`, `label`, `with_params()`, `with_options()` and `each_output()`. Nothing here calls a loss.
"""

import abc
import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..errors import BrokenPluginError, LossregError, ParameterError, SpecError, error_line
from .kept import Kept
from .kinds import Labels, Outputs
from .memory import Memory
from .options import check_options
from .provider import Provider
from .rules import read_rule
from .schedule import Schedule
from .signature import Signature
from .spec import LossSpec
from .values import json_data
from .variables import NO_WEIGHTS, find_variable

if TYPE_CHECKING:
    from pydantic import BaseModel

Target = Callable[..., Any]
Made = TypeVar("Made")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A loss in a registry.

    Args:
        spec: Its description.
        provider: The distribution that offers it.
        load: Returns the loss function, factory or class.
        find_relative: Returns the loss of the same provider that is most like an entry and
            takes labels of another kind. A loss outside a registry has no relatives.
    """

    spec: LossSpec
    provider: Provider
    load: Callable[[], Target] = field(compare=False)
    find_relative: "Callable[[Entry, Labels], Entry | None] | None" = field(
        default=None, compare=False, repr=False
    )

    @property
    def qualified_name(self) -> str:
        """The name with the distribution, which always means this loss."""
        return f"{self.provider.distribution}/{self.spec.name}"

    @Kept
    def target(self) -> Target:
        """The loss function, factory or class."""
        return self.load()

    @Kept
    def signature(self) -> Signature:
        """The parameters of the target."""
        with self._read():
            signature = Signature(
                self.target,
                packaged=not self.provider.is_local,
                ignores_class=self.spec.adds_ignore_class,
            )
            signature.annotations  # noqa: B018 - reading them checks them
        return signature

    @property
    def model(self) -> "type[BaseModel]":
        """The parameters as a pydantic model.

        Raises:
            BrokenPluginError: The target breaks a rule, or has a type that can't be checked.
        """
        with self._read():
            return self.signature.model

    @contextlib.contextmanager
    def _read(self) -> Iterator[None]:
        """Make every error of the target's code a `BrokenPluginError`.

        Reading a signature runs code: a type may be a string of it, and any attribute a property.
        """
        try:
            yield
        except (KeyboardInterrupt, LossregError) as error:
            if not isinstance(error, SpecError):
                raise
            raise self._broken(str(error)) from error
        except BaseException as error:
            raise self._broken(f"reading it raises {error_line(error)}") from error

    def _broken(self, reason: str) -> BrokenPluginError:
        return BrokenPluginError(
            f"Loss {self.spec.name!r} of {self.provider} can't be used: {reason}. "
            f"Its target is {self.spec.target!r}."
        )

    def check_variables(self) -> None:
        """Raise if the target holds weights, which nothing would train.

        Raises:
            BrokenPluginError: It does.
        """
        if self._variable is not None:
            raise BrokenPluginError(
                f"Loss {self.spec.name!r} of {self.provider} can't be used: it holds weights, in "
                f"{self._variable!r}. {NO_WEIGHTS}"
            )

    @Kept
    def _variable(self) -> str | None:
        return find_variable(self.target)

    @property
    def doc(self) -> str:
        """The documentation of the target."""
        with self._read():
            return str(inspect.getdoc(self.target) or "")

    def bind(
        self,
        params: Mapping[str, Any],
        args: tuple[Any, ...] = (),
        *,
        bind_loss: "Callable[[Any], Bound] | None" = None,
    ) -> "BoundLoss":
        """Return the loss with a checked value for each parameter.

        Args:
            params: Values by name.
            args: Values of the first parameters, in their order.
            bind_loss: Returns the loss of a config, for a parameter that is a loss.
        """
        signature, name = self.signature, self.spec.name
        with self._read():
            checked = signature.check(name, params, args, bind_loss)
        for text in self.spec.rules:
            rule = read_rule(name, text)
            if rule.is_broken(checked):
                got = ", ".join(f"{each}={checked[each]!r}" for each in rule.names)
                message = f"Loss {name!r}: {text} must hold, got {got}."
                raise ParameterError.of(message, dict.fromkeys(rule.names, message))
        return BoundLoss(entry=self, items=tuple(checked.items()))

    def call(self, params: Mapping[str, Any], also: Collection[str] = ()) -> str:
        """Return the loss as a call, without the parameters that have their default values.

        Args:
            params: The parameters.
            also: Those that are written with any value.
        """
        given = ", ".join(
            f"{parameter.name}={_written(params[parameter.name])}"
            for parameter in self.signature.parameters
            if parameter.name in params
            and (
                parameter.required
                or parameter.name in also
                or not _is(parameter.default, params[parameter.name])
            )
        )
        return f"{self.spec.name}({given})" if given else self.spec.name

    def __getstate__(self) -> dict[str, Any]:
        # Without the cached target, which may hold modules.
        return {name: getattr(self, name) for name in ("spec", "provider", "load")}


@dataclass(frozen=True, kw_only=True)
class _Bound(abc.ABC):
    """A loss or a sum with the Keras options that were given."""

    given_options: tuple[tuple[str, Any], ...] = ()

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name that Keras gives the loss by default."""

    @property
    @abc.abstractmethod
    def label(self) -> str:
        """The shortest string that a config can hold for the loss."""

    @abc.abstractmethod
    def config(self) -> dict[str, Any]:
        """Return the loss as data for `get_loss`."""

    @property
    def options(self) -> dict[str, Any]:
        """The Keras options that were given: `name`, `reduction`, `dtype`."""
        return dict(self.given_options)

    def each_output(self, make: Callable[[Any], Made]) -> Made:
        """Return the result of a function of the loss."""
        return make(self)

    # Nothing of it can change. A copy through a pickle would depend on the registry.
    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Return the loss with some of Keras' options changed.

        Raises:
            ParameterError: Keras has no such option, or no such value of it.
        """
        if not options:
            return self
        check_options(self.name, options)
        return replace(self, given_options=tuple(sorted({**self.options, **options}.items())))

    def without_options(self) -> Self:
        """Return the loss without Keras' options."""
        return replace(self, given_options=()) if self.given_options else self

    def _with_options(self, config: dict[str, Any]) -> dict[str, Any]:
        return {**config, "options": self.options} if self.given_options else config


@dataclass(frozen=True, kw_only=True, repr=False)
class BoundLoss(_Bound):
    """A loss with a checked value for each of its parameters.

    >>> from lossreg import bind
    >>> bound = bind("huber", delta=2)
    >>> bound.params, bound.qualified_name
    ({'delta': 2.0}, 'keras/huber')
    """

    entry: Entry
    items: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        """The canonical name of the loss."""
        return self.entry.spec.name

    @property
    def qualified_name(self) -> str:
        """The name with the distribution: `keras/huber`."""
        return self.entry.qualified_name

    @property
    def params(self) -> dict[str, Any]:
        """The value of every parameter, defaults included."""
        return dict(self.items)

    @property
    def provider(self) -> Provider:
        """The distribution that offers the loss, with its version."""
        return self.entry.provider

    @property
    def spec(self) -> LossSpec:
        """The description of the loss by its plugin."""
        return self.entry.spec

    @property
    def doc(self) -> str:
        """The documentation of the loss."""
        return self.entry.doc

    @property
    def y_pred(self) -> Outputs:
        """The kind of the predictions, with these parameters."""
        return self.spec.outputs(self.params)

    @property
    def memory(self) -> Memory:
        """What the loss declares beside its parameters; mostly nothing."""
        return self.entry.signature.memory.with_params(self.params)

    @property
    def is_plain(self) -> bool:
        """Whether labels and predictions are all that the loss takes."""
        return not self.memory

    @property
    def class_axis(self) -> int:
        """The axis of the classes."""
        return self.spec.class_axis(self.params)

    @property
    def label(self) -> str:
        """The shortest string that a config can hold for the loss; for legends and columns."""
        return self.entry.call(self.params)

    @property
    def terms(self) -> "tuple[WeightedLoss, ...]":
        """The loss as the one term of a sum."""
        return (WeightedLoss(weight=1.0, loss=self),)

    def losses(self) -> "list[BoundLoss]":
        """Return a list of this loss."""
        return [self]

    def config(self) -> dict[str, Any]:
        """Return the loss as data: its qualified name and every parameter."""
        return self._with_options({"name": self.qualified_name, "params": self.data()})

    def data(self) -> dict[str, Any]:
        """Return every parameter as plain data; one that is a loss as its config."""
        return {name: _data(value) for name, value in self.items}

    def with_params(self, params: Mapping[str, Any]) -> "BoundLoss":
        """Return the loss with some parameters changed."""
        if not params:
            return self
        bound = self.entry.bind({**self.params, **params})
        return replace(bound, given_options=self.given_options)

    def relative(self, y_true: Labels) -> str | None:
        """Return a call of the most similar loss that takes labels of another kind, or None."""
        find = self.entry.find_relative
        entry = find(self.entry, y_true) if find else None
        if entry is None:
            return None
        theirs = {parameter.name: parameter for parameter in entry.signature.parameters}
        # A parameter of the same name may have another meaning: alpha is the weight of label 1
        # in one loss, and of each class in another.
        kept = {
            parameter.name: self.params[parameter.name]
            for parameter in self.entry.signature.parameters
            if parameter.name in theirs and theirs[parameter.name].allowed == parameter.allowed
        }
        return entry.call(kept)

    def taking(self, form: Labels) -> "BoundLoss":
        """Return the loss as one that takes labels of a single kind among its kinds."""
        if self.spec.y_true == form:
            return self
        entry = replace(self.entry, spec=replace(self.spec, y_true=form, per=self.spec.per))
        # The target is loaded already, and the parameters are those of all kinds.
        entry.__dict__.update(target=self.entry.target, signature=self.entry.signature)
        return replace(self, entry=entry)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.provider.distribution}/{self}>"

    def __str__(self) -> str:
        values = ", ".join(f"{name}={_written(value)}" for name, value in self.items)
        return f"{self.name}({values})"

    def __hash__(self) -> int:
        return hash(self.qualified_name)

    def __getstate__(self) -> dict[str, Any]:
        names = ("entry", "items", "given_options")
        return {name: getattr(self, name) for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # As version 0.1 pickled every loss: nobody has checked these parameters.
        checked = state["entry"].bind(dict(state["items"]))
        vars(self).update(state, items=checked.items)


@dataclass(frozen=True, kw_only=True)
class WeightedLoss:
    """A term of a sum.

    Args:
        weight: What its value is multiplied by, which may change during training.
        loss: The loss.
        field: The one of several label tensors that it takes; by default that of its spec, and
            else the main one.
    """

    weight: float | Schedule
    loss: BoundLoss
    field: str | None = None

    @property
    def label(self) -> str:
        """The shortest string that a config can hold for the term."""
        weight = repr(self.weight).removesuffix(".0")
        return self.loss.label if self.weight == 1 else f"{weight} * {self.loss.label}"

    def config(self) -> dict[str, Any]:
        """Return the term as data: its loss, its weight and its field."""
        weight = str(self.weight) if isinstance(self.weight, Schedule) else self.weight
        field = {} if self.field is None else {"field": self.field}
        return {**self.loss.config(), "weight": weight, **field}

    @property
    def label_field(self) -> str | None:
        """The label tensor that the term takes of several, or None for the main one."""
        return self.field or self.loss.spec.field

    def __str__(self) -> str:
        return str(self.loss) if self.weight == 1 else f"{self.weight!r} * {self.loss}"


@dataclass(frozen=True, kw_only=True, repr=False)
class BoundSum(_Bound):
    """A sum of bound losses, each with a weight.

    >>> from lossreg import bind
    >>> [str(term) for term in bind("mse + 0.5 * huber(2)").terms]
    ['mean_squared_error()', '0.5 * huber(delta=2.0)']
    """

    terms: tuple[WeightedLoss, ...]

    @property
    def name(self) -> str:
        """The names of the terms, joined to a name that Keras takes."""
        return "_plus_".join(term.loss.name for term in self.terms)

    @property
    def doc(self) -> str:
        """The sum as a sentence."""
        return f"{self}, one value per sample."

    @property
    def label(self) -> str:
        """The shortest string that a config can hold for the sum."""
        return " + ".join(term.label for term in self.terms)

    def losses(self) -> list[BoundLoss]:
        """Return the losses of the terms."""
        return [term.loss for term in self.terms]

    def config(self) -> dict[str, Any]:
        """Return the sum as data: each term with its qualified name and every parameter."""
        return self._with_options({"sum": [term.config() for term in self.terms]})

    @property
    def is_plain(self) -> bool:
        """Whether labels and predictions are all that the terms take, with constant weights."""
        # Terms that take different label tensors need a mapping of them.
        fields = {term.label_field for term in self.terms}
        return len(fields) == 1 and all(
            term.loss.is_plain and term.field is None and not isinstance(term.weight, Schedule)
            for term in self.terms
        )

    def with_params(self, params: Mapping[str, Any]) -> "BoundSum":
        """Return the sum, or raise: a sum takes no parameters."""
        if params:
            raise ParameterError(
                f"{str(self)!r} is a sum and takes no parameters, got {', '.join(params)}. "
                "Give them to its terms: 'dice + focal(gamma=2)'."
            )
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))


class BoundOutputs(dict[str, "BoundLoss | BoundSum | None"]):
    """A bound loss for each output of a model, or None for an output without a loss."""

    @property
    def label(self) -> str:
        """Each output with the label of its loss."""
        return ", ".join(f"{name}: {loss and loss.label}" for name, loss in self.items())

    @property
    def terms(self) -> tuple[WeightedLoss, ...]:
        """The terms of all outputs."""
        return tuple(term for loss in self.values() if loss for term in loss.terms)

    def losses(self) -> list[BoundLoss]:
        """Return the losses of all outputs."""
        return [term.loss for term in self.terms]

    @property
    def is_plain(self) -> bool:
        """Whether labels and predictions are all that each loss takes."""
        return all(loss.is_plain for loss in self.values() if loss)

    def config(self) -> dict[str, Any]:
        """Return the loss of each output as data."""
        return {"outputs": {name: loss and loss.config() for name, loss in self.items()}}

    def with_params(self, params: Mapping[str, Any]) -> "BoundOutputs":
        """Return the losses, or raise: together they take no parameters."""
        if params:
            raise ParameterError(
                f"A config with a loss for each output takes no parameters, got "
                f"{', '.join(params)}. Give them to the losses: 'focal(gamma=2)'."
            )
        return self

    def with_options(self, options: Mapping[str, Any]) -> "BoundOutputs":
        """Return the losses, each with some of Keras' options changed."""
        return BoundOutputs(
            {name: loss and loss.with_options(options) for name, loss in self.items()}
        )

    def each_output(self, make: Callable[[Any], Made]) -> "dict[str, Made | None]":
        """Return the result of a function for the loss of each output."""
        return {name: None if loss is None else make(loss) for name, loss in self.items()}


Bound = BoundLoss | BoundSum | BoundOutputs
"""Any bound loss: a single one, a sum, or one for each output."""


def _data(value: Any) -> Any:
    """Return the value of a parameter as plain data."""
    if isinstance(value, _Bound):
        return value.config()
    if isinstance(value, Schedule):
        return str(value)
    return [_data(each) for each in value] if isinstance(value, tuple) else json_data(value)


def _written(value: Any) -> str:
    """Return the value of a parameter as an expression has it."""
    if isinstance(value, tuple) and any(isinstance(each, _Bound) for each in value):
        return f"[{', '.join(map(_written, value))}]"
    return value.label if isinstance(value, _Bound) else repr(value)


def _is(default: Any, value: Any) -> bool:
    """Return whether a value is a default, which for a loss is a config."""
    if isinstance(value, tuple) and isinstance(default, tuple) and len(value) == len(default):
        return all(map(_is, default, value))
    return bool(value.label == default if isinstance(value, _Bound) else value == default)
