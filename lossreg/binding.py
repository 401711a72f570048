"""From whatever names a loss to the bound loss."""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import config, discovery, lazy, local
from .annotations import as_json
from .entry import BoundLoss, BoundSum, Entry, WeightedLoss
from .errors import LossregError, ParameterError
from .fault import Fault, Path
from .loss_terms import Said, Term

# Values that a cache can tell apart; 1, 1.0 and True are equal inside a tuple.
CACHED = {bool, int, float, str, type(None)}


# More than anybody mends at once. Looking for the nearest names takes a millisecond each.
_MOST_FAULTS = 100

Bound = BoundLoss | BoundSum | dict[str, Any]
"""One bound loss, or one for each output; an output without a loss has None."""


def is_config(identifier: Any) -> bool:
    """Return whether it is data that `config.read` understands or refuses."""
    of_data = isinstance(identifier, Mapping | Sequence)
    return of_data and not isinstance(identifier, bytes | bytearray)


def bind_text(text: str, params: Mapping[str, Any]) -> Bound:
    """Return what a name or an expression means."""
    if CACHED.issuperset(map(type, params.values())):
        return cached_bind(text, **params)
    return bind_config(config.read(text), params)


@functools.lru_cache(maxsize=512, typed=True)
def cached_bind(text: str, /, **params: Any) -> Bound:
    """Return the same for the same text and parameters, all of `CACHED` types."""
    return bind_config(config.read(text), params)


def bind_config(said: Said, params: Mapping[str, Any]) -> Bound:
    """Return what a config means."""
    if isinstance(said, dict):
        if params:
            raise ParameterError(
                f"A config with a loss for each output takes no parameters, got "
                f"{', '.join(params)}. Give them to the losses: 'focal(gamma=2)'."
            )
        return {output: loss and bind_config(loss, {}) for output, loss in said.items()}
    first = said.terms[0]
    if len(said.terms) == 1 and first.weight == 1:
        entry = discovery.installed().lookup(first.name)
        return entry.bind({**first.params, **params}, first.args)
    return bind_sum(BoundSum(terms=tuple(map(_bind_term, said.terms))), params)


def _bind_term(term: Term) -> WeightedLoss:
    entry = discovery.installed().lookup(term.name)
    return WeightedLoss(weight=term.weight, loss=entry.bind(term.params, term.args))


def examine(value: Any, at: Path = ()) -> tuple[Bound | None, list[Fault]]:
    """Return the loss that a config means, or None, and everything that is wrong with it.

    Args:
        value: As `config.examine` takes it.
        at: Where it stands in a larger config.
    """
    said, faults = config.examine(value, at)
    losses = said.values() if isinstance(said, dict) else [said]
    terms = itertools.chain.from_iterable(loss.terms for loss in losses if loss)
    for index, term in enumerate(terms, 1):
        if len(faults) >= _MOST_FAULTS:
            said_more = f"{len(faults)} faults are told; the rest of this loss, from its term "
            faults.append(Fault(path=at, message=f"{said_more}{index} on, isn't checked yet."))
            break
        faults += _faults(term)
    return (None if faults else bind_config(said, {})), faults


def _faults(term: Term) -> list[Fault]:
    """Return what is wrong with a loss's name or its parameters."""
    try:
        entry = discovery.installed().lookup(term.name)
    except LossregError as error:
        return [Fault(path=term.name_at, message=str(error))]
    try:
        entry.bind(term.params, term.args)
    except ParameterError as error:
        if term.params_at is None or not error.faults:
            # One loss without parameters has one message for all that were given.
            messages = dict.fromkeys(error.faults.values()) or [str(error)]
            return [Fault(path=term.name_at, message=message) for message in messages]
        known = {parameter.name for parameter in entry.signature.parameters}
        return [
            Fault(path=(*term.params_at, name), message=message, at_key=name not in known)
            for name, message in error.faults.items()
        ]
    except LossregError as error:
        return [Fault(path=term.name_at, message=str(error))]
    return []


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


def as_config(bound: BoundLoss | BoundSum) -> dict[str, Any]:
    """Return the canonical config of a bound loss; `bind` makes the same of it again."""
    if isinstance(bound, BoundSum):
        return {"sum": [{**_named(term.loss), "weight": term.weight} for term in bound.terms]}
    return _named(bound)


def _named(bound: BoundLoss) -> dict[str, Any]:
    return {"name": bound.qualified_name, "params": as_json(bound.params)}
