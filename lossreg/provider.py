"""Who offers a loss, and what became of each plugin."""

from dataclasses import dataclass, field
from typing import Literal

BUILTIN = "keras"
"""The distribution whose losses are the built-ins."""

LOCAL = "local"
"""Stands for a distribution in the names of losses that this process registered."""

State = Literal["active", "broken", "blocked", "skipped"]
Stage = Literal["find", "import", "declare"]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A distribution and its version."""

    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip()

    @property
    def is_builtin(self) -> bool:
        """Whether these are Keras' own losses."""
        return self.distribution == BUILTIN

    @property
    def is_local(self) -> bool:
        """Whether this process registered the loss."""
        return self.distribution == LOCAL


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """What discovery found at one entry point, and how far it came.

    Args:
        provider: The distribution.
        entry_point: Name of the entry point.
        module: The module that it names.
        state: `active`, or `broken` in the stage that `stage` names.
        stage: The stage that failed: find, import or declare.
        error: The exception of that stage.
        losses: Names of the losses that it offers.
        seconds: How long its import took.
        heavy: Frameworks that its import pulled in.
    """

    provider: Provider
    entry_point: str
    module: str
    state: State
    stage: Stage | None = None
    error: BaseException | None = field(default=None, compare=False)
    losses: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    heavy: tuple[str, ...] = ()
