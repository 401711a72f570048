"""From whatever names a loss to the bound loss."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import config, discovery, lazy, local
from .entry import BoundLoss, BoundSum, Entry, WeightedLoss
from .errors import ParameterError

# Values that a cache can tell apart; 1, 1.0 and True are equal inside a tuple.
CACHED = {bool, int, float, str, type(None)}


def is_config(identifier: Any) -> bool:
    """Return whether it is data that `config.read` understands or refuses."""
    return isinstance(identifier, str | Mapping) or (
        isinstance(identifier, Sequence) and not isinstance(identifier, bytes | bytearray)
    )


def bind_text(text: str, params: Mapping[str, Any]) -> BoundLoss | BoundSum:
    """Return what a name or an expression means."""
    if CACHED.issuperset(map(type, params.values())):
        return cached_bind(text, **params)
    return bind_config(config.read(text), params)


@functools.lru_cache(maxsize=512, typed=True)
def cached_bind(text: str, /, **params: Any) -> BoundLoss | BoundSum:
    """Return the same for the same text and parameters, all of `CACHED` types."""
    return bind_config(config.read(text), params)


def bind_config(said: config.LossConfig, params: Mapping[str, Any]) -> BoundLoss | BoundSum:
    """Return what a config means."""
    registry = discovery.installed()
    first = said.terms[0]
    if len(said.terms) == 1 and first.weight == 1:
        return registry.lookup(first.name).bind({**first.params, **params}, first.args)
    terms = [
        WeightedLoss(weight=t.weight, loss=registry.lookup(t.name).bind(t.params, t.args))
        for t in said.terms
    ]
    return bind_sum(BoundSum(terms=tuple(terms)), params)


def bind_sum(bound: BoundSum, params: Mapping[str, Any]) -> BoundSum:
    """Return a sum, which takes no parameters."""
    if params:
        raise ParameterError(
            f"{str(bound)!r} is a sum and takes no parameters, got {', '.join(params)}. "
            "Give them to its terms: 'dice + focal(gamma=2)'."
        )
    return bound


def entry_of(target: Callable[..., Any]) -> Entry:
    """Return the entry of a function or class, registered or not."""
    module = getattr(target, "__module__", "") or ""
    called = getattr(target, "__qualname__", "")
    registry = discovery.installed()
    if module.partition(".")[0] == "keras" and getattr(lazy.keras.losses, called, None) is target:
        return registry.lookup(f"keras/{called}")
    for entry in registry.entries():
        if entry.spec.target == f"{module}:{called}" and entry.target is target:
            return entry
    # Keras takes a lambda too; it has no name to be found by.
    named = called.rpartition(".")[2].isidentifier()
    return local.describe(target) if named else local.describe(target, name="unnamed")
