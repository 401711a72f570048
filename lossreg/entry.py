"""A loss as the registry holds it, and a loss with its parameters."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import BrokenPluginError, SpecError
from .params import Signature
from .provider import Provider
from .spec import LossSpec

Target = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A loss in a registry: its spec, its provider, and how to get its target."""

    spec: LossSpec
    provider: Provider
    load: Callable[[], Target] = field(compare=False)

    @property
    def qualified_name(self) -> str:
        """The name that means this loss whatever else is installed."""
        return f"{self.provider.distribution}/{self.spec.name}"

    @functools.cached_property
    def target(self) -> Target:
        """The loss function, factory or class, imported now."""
        return self.load()

    @functools.cached_property
    def signature(self) -> Signature:
        """The target's parameters."""
        try:
            return Signature(self.target, packaged=not self.provider.is_local)
        except SpecError as error:
            raise BrokenPluginError(
                f"Loss {self.spec.name!r} of {self.provider} can't be used: {error}. "
                f"Its target is {self.spec.target!r}."
            ) from error

    @property
    def doc(self) -> str:
        """The target's documentation."""
        return inspect.getdoc(self.target) or ""

    def bind(self, params: Mapping[str, Any], args: tuple[Any, ...] = ()) -> "BoundLoss":
        """Return the loss with a checked value for each parameter.

        Args:
            params: Values by name.
            args: Values for the first parameters, in the order of the signature.
        """
        given = self.signature.named(self.spec.name, args, params) if args else params
        checked = self.signature.check(self.spec.name, given)
        return BoundLoss(entry=self, items=tuple(checked.items()))

    def called(self, params: Mapping[str, Any]) -> str:
        """Return the loss as a call with the parameters that aren't at their defaults."""
        given = ", ".join(
            f"{parameter.name}={params[parameter.name]!r}"
            for parameter in self.signature.parameters
            if parameter.name in params
            and (parameter.required or params[parameter.name] != parameter.default)
        )
        return f"{self.spec.name}({given})" if given else self.spec.name

    def __getstate__(self) -> dict[str, Any]:
        # What is cached may hold modules; it is read again where it is needed.
        return {name: getattr(self, name) for name in ("spec", "provider", "load")}


@dataclass(frozen=True, kw_only=True)
class BoundLoss:
    """A loss with a checked value for each of its parameters."""

    entry: Entry
    items: tuple[tuple[str, Any], ...]

    @property
    def name(self) -> str:
        """Canonical name of the loss."""
        return self.entry.spec.name

    @property
    def qualified_name(self) -> str:
        """Its name with the distribution: `keras/huber`."""
        return self.entry.qualified_name

    @property
    def params(self) -> dict[str, Any]:
        """Every parameter and its value, the defaults included."""
        return dict(self.items)

    @property
    def provider(self) -> Provider:
        """The distribution that offers the loss, and its version."""
        return self.entry.provider

    @property
    def spec(self) -> LossSpec:
        """What the plugin says about the loss."""
        return self.entry.spec

    @property
    def label(self) -> str:
        """The loss as short as a config can name it, for legends and columns."""
        return self.entry.called(self.params)

    @functools.cached_property
    def _partial(self) -> Callable[[Any, Any], Any] | None:
        """The loss function with its parameters; None where a factory makes one."""
        entry = self.entry
        return (
            functools.partial(entry.target, **self.params) if entry.signature.is_function else None
        )

    def function(self, dtype: str | None = None) -> Callable[[Any, Any], Any]:
        """Return `(y_true, y_pred)` to values; a factory is called for it.

        Args:
            dtype: For a factory that takes Keras' option of this name.
        """
        return self._partial or self._make(dtype)

    def _make(self, dtype: str | None) -> Callable[[Any, Any], Any]:
        takes_dtype = dtype is not None and self.entry.signature.takes_dtype
        made = self.entry.target(**self.params, **({"dtype": dtype} if takes_dtype else {}))
        of_keras = keras_bases(type(made))
        # A Keras loss reduces in __call__; its `call` has the value per sample.
        function = getattr(made, "call", made)
        # A metric or a layer of Keras can be called too, and is no loss.
        if callable(function) and (not of_keras or "Loss" in of_keras):
            return function  # type: ignore[no-any-return]  # it may be anything callable
        raise BrokenPluginError(
            f"Loss {self.name!r} of {self.provider} can't be used: its factory returned "
            f"{made!r}, which is neither a Keras loss nor a function of (y_true, y_pred)."
        )

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.items)
        return f"{self.name}({values})"

    def __hash__(self) -> int:
        return hash(self.qualified_name)

    def __getstate__(self) -> dict[str, Any]:
        return {"entry": self.entry, "items": self.items}


def keras_bases(kind: type) -> set[str]:
    """Return the names of the classes of Keras that a class comes from."""
    return {b.__name__ for b in kind.__mro__ if b.__module__.partition(".")[0] == "keras"}


@dataclass(frozen=True, kw_only=True)
class WeightedLoss:
    """A term of a sum."""

    weight: float
    loss: BoundLoss

    @property
    def label(self) -> str:
        """The term as short as a config can name it."""
        weight = repr(self.weight).removesuffix(".0")
        return self.loss.label if self.weight == 1 else f"{weight} * {self.loss.label}"

    def __str__(self) -> str:
        return str(self.loss) if self.weight == 1 else f"{self.weight!r} * {self.loss}"


@dataclass(frozen=True, kw_only=True)
class BoundSum:
    """A sum of bound losses, each with a weight."""

    terms: tuple[WeightedLoss, ...]

    @property
    def name(self) -> str:
        """The names of the terms, joined so that they make a name of Keras."""
        return "_plus_".join(term.loss.name for term in self.terms)

    def __str__(self) -> str:
        return " + ".join(map(str, self.terms))
