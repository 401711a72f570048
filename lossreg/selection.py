"""Which plugins may load: `LOSSREG_PLUGINS` and `LOSSREG_BLOCK`.

Both hold names of distributions or entry points, with commas between them.
`LOSSREG_PLUGINS` lets only these load, and none if it is empty;
`LOSSREG_BLOCK` keeps these from loading. The built-ins always load.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .names import normalize_distribution
from .provider import BUILTIN, State

ONLY = "LOSSREG_PLUGINS"
BLOCK = "LOSSREG_BLOCK"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A choice of plugins; `only=None` lets all load."""

    only: frozenset[str] | None = None
    block: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Selection":
        """Return what the two variables say."""
        only = environment.get(ONLY)
        return cls(
            only=None if only is None else _names(only), block=_names(environment.get(BLOCK, ""))
        )

    def state(self, distribution: str, entry_point: str) -> tuple[State, str]:
        """Return whether a plugin is `active`, `blocked` or `skipped`, and by which rule."""
        called = {distribution, normalize_distribution(entry_point)}
        if distribution == BUILTIN:
            return "active", ""
        if called & self.block:
            return "blocked", f"{BLOCK}={','.join(sorted(self.block))}"
        if self.only is not None and not called & self.only:
            only = ",".join(sorted(self.only))
            return "skipped", f"{ONLY}={only}" if only else f"{ONLY}= or --no-plugins"
        return "active", ""

    def unmatched(self, plugins: Iterable[tuple[str, str]]) -> list[str]:
        """Return what each name that matches no plugin gets said about it.

        Args:
            plugins: Distribution and entry point of every plugin found.
        """
        found = {normalize_distribution(name) for plugin in plugins for name in plugin}
        said = [
            f"{variable} names {name!r}, which is no installed plugin. "
            "'lossreg plugins' shows what is installed."
            for variable, names in ((ONLY, self.only or ()), (BLOCK, self.block))
            for name in sorted(names)
            if name not in found and name != BUILTIN
        ]
        if BUILTIN in self.block:
            said.append(f"{BLOCK} names {BUILTIN!r}: the built-in losses can't be blocked.")
        return said


EVERYTHING = Selection()


def _names(text: str) -> frozenset[str]:
    return frozenset(
        normalize_distribution(name.strip()) for name in text.split(",") if name.strip()
    )
