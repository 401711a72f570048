"""Who offers a loss, and what became of each plugin."""

from dataclasses import dataclass, field
from typing import Literal

BUILTIN = "keras"
"""The distribution whose losses are the built-ins."""

LOCAL = "local"
"""Stands for a distribution in the names of losses that this process registered."""

FRAMEWORKS = ("keras", "tensorflow", "jax", "torch")
"""What takes seconds to import, so that no listing or check may do it."""

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
        state: `active`; `broken` in the stage that `stage` names; `blocked` or
            `skipped` by the rule that `rule` names.
        stage: The stage that failed: find, import or declare.
        error: The exception of that stage.
        rule: What kept it from loading.
        location: The folder that its distribution is installed in.
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
    rule: str = ""
    location: str = ""
    losses: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)
    heavy: tuple[str, ...] = ()

    @property
    def plugin(self) -> str:
        """Which plugin this is, for messages."""
        return f"plugin {self.entry_point!r} of {self.provider}"
