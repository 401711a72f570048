"""Which of several label tensors the terms of a loss take."""

from collections.abc import Mapping, Sequence
from typing import Any

from .bound import WeightedLoss


def flat_terms(terms: Sequence[WeightedLoss]) -> list[WeightedLoss]:
    """Return terms, with the losses within in place of each loss that weighs others."""
    found: list[WeightedLoss] = []
    for term in terms:
        name = term.loss.memory.of_losses
        inner = [each for part in term.loss.params[name] for each in part.terms] if name else []
        found += flat_terms(inner) if inner else [term]
    return found


def main_field(terms: Sequence[WeightedLoss], labels: Any) -> str | None:
    """Return the main one of several label tensors, or None if nothing says which it is.

    It is the first field that a loss of several label tensors names, or the only label that no
    term has for itself.
    """
    flat = flat_terms(terms)
    # A mapping of Keras' has no order: its trees sort the keys.
    first = next((each.loss.memory.fields[0] for each in flat if each.loss.memory.fields), None)
    if first is not None or not isinstance(labels, Mapping):
        return first
    own = {each.label_field for each in flat}
    left = [name for name in labels if name not in own]
    return left[0] if len(left) == 1 else None
