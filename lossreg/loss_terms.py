"""What a config says of a loss, whichever form it has: names, parameters and weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .fault import Path


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss by name, with its parameters and its weight in a sum.

    Args:
        name: The loss, in any spelling.
        args: Parameters by position.
        params: Parameters by name.
        weight: What the loss is multiplied by.
        name_at: Where in the config the name stands.
        params_at: Where the parameters stand, unless within the name's text.
    """

    name: str
    args: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    name_at: Path = field(default=(), compare=False)
    params_at: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class LossTerms:
    """What a config says of one loss: its terms, mostly one, and Keras' options."""

    terms: tuple[Term, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


Said = LossTerms | dict[str, LossTerms | None]
"""One loss, or one for each output of a model, some of which may have none."""
