"""Selections: the plugins that may load, by `LOSSREG_PLUGINS` and `LOSSREG_BLOCK`.

Both hold names of distributions or entry points, separated by commas. Only plugins in
`LOSSREG_PLUGINS` load, and none if it is empty; plugins in `LOSSREG_BLOCK` don't load. The
built-ins always load. Nothing is imported here.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..loss import BUILTIN, normalize_distribution
from .plugin import State

ONLY = "LOSSREG_PLUGINS"
BLOCK = "LOSSREG_BLOCK"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A choice of plugins. With `only=None`, all may load."""

    only: frozenset[str] | None = None
    block: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Selection":
        """Return the selection of the two environment variables."""
        only = environment.get(ONLY)
        return cls(
            only=None if only is None else _names(only), block=_names(environment.get(BLOCK, ""))
        )

    def state(self, distribution: str, entry_point: str) -> tuple[State, str]:
        """Return the state of an installed plugin and the rule for it.

        The state is `active`, `blocked` or `skipped`.
        """
        names = {distribution, normalize_distribution(entry_point)}
        if names & self.block:
            return "blocked", f"{BLOCK}={','.join(sorted(self.block))}"
        if self.only is not None and not names & self.only:
            only = ",".join(sorted(self.only))
            return "skipped", f"{ONLY}={only}" if only else f"{ONLY}= or --no-plugins"
        return "active", ""

    def unmatched(self, plugins: Iterable[tuple[str, str]]) -> list[str]:
        """Return a message for each name that matches no plugin.

        Args:
            plugins: The distribution and the entry point of each installed plugin.
        """
        found = {normalize_distribution(name) for plugin in plugins for name in plugin}
        messages = [
            f"{variable} names {name!r}, which isn't an installed plugin. "
            "'lossreg plugins' lists the installed plugins."
            for variable, names in ((ONLY, self.only or ()), (BLOCK, self.block))
            for name in sorted(names)
            if name not in found and name != BUILTIN
        ]
        if BUILTIN in self.block:
            messages.append(f"{BLOCK} names {BUILTIN!r}: the built-in losses can't be blocked.")
        return messages


EVERYTHING = Selection()
"""The selection that lets every plugin load."""


def _names(text: str) -> frozenset[str]:
    return frozenset(
        normalize_distribution(name.strip()) for name in text.split(",") if name.strip()
    )
