"""Plugins: the entry points that name them, and what became of each. Nothing is loaded here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import error_line
from ..loss import Provider

FRAMEWORKS = ("keras", "tensorflow", "jax", "torch")
"""Packages that take seconds to import, so that no listing or check may import them."""

State = Literal["active", "broken", "blocked", "skipped"]
Stage = Literal["find", "import", "declare"]


@dataclass(frozen=True, kw_only=True)
class PluginRecord:
    """A plugin and its state.

    Args:
        provider: The distribution.
        entry_point: The name of the entry point.
        module: The module that the entry point names.
        attribute: The object in that module that has the hooks; empty for the module itself.
        state: `active`; `broken` if the stage in `stage` failed; `blocked` or `skipped` if the
            rule in `rule` keeps it from loading.
        stage: The stage that failed: find, import or declare.
        error: The exception of that stage.
        rule: The environment variable that keeps it from loading, with its value.
        location: The folder of its distribution.
        leftovers: The other versions whose metadata an installer left in that folder.
        losses: The names of the losses that it offers.
        commands: The subcommands that it adds, each with its target.
        seconds: The duration of its import.
        heavy: The frameworks that its import imported.
    """

    provider: Provider
    entry_point: str
    module: str
    attribute: str = ""
    state: State = "active"
    stage: Stage | None = None
    error: BaseException | None = field(default=None, compare=False)
    rule: str = ""
    location: str = ""
    leftovers: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    commands: Mapping[str, str] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)
    heavy: tuple[str, ...] = ()

    @property
    def plugin(self) -> str:
        """The plugin in a message."""
        # What fails to be found may have no entry point.
        name = f" {self.entry_point!r}" if self.entry_point else ""
        return f"plugin{name} of {self.provider}"

    @property
    def fault(self) -> str:
        """The exception of the stage that failed, in words."""
        return error_line(self.error) if self.error else ""

    @property
    def absence(self) -> str:
        """Why something that this plugin might offer is missing; empty if it is active."""
        if self.state == "active":
            return ""
        why = f"{self.rule} keeps it from loading" if self.rule else "it doesn't load"
        return f" {self.provider} might offer it, but {why}."
