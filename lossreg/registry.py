"""The registry: from names to losses."""

import fnmatch
import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import names
from .entry import BoundLoss, Entry
from .errors import (
    AmbiguousLossError,
    BlockedPluginError,
    BrokenPluginError,
    LossLookupError,
    NotInstalledError,
    NotRegisteredError,
    RegistrationError,
    UnknownLossError,
)
from .known import PACKAGES
from .provider import BUILTIN, LOCAL, PluginRecord, Provider
from .spec import Labels, LossSpec, Task


def import_target(target: str) -> Callable[..., Any]:
    """Return what `"package.module:attribute"` names."""
    module, _, attribute = target.partition(":")
    loaded: Any = importlib.import_module(module)
    for part in attribute.split("."):
        loaded = getattr(loaded, part)
    return loaded  # type: ignore[no-any-return]  # its signature is checked where it is read


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """How a name was resolved: the offers, the one that it means, and the rule."""

    asked: names.LossName
    offers: list[Entry]
    chosen: Entry | None
    rule: str


class Registry:
    """Losses by name.

    An empty registry is an ordinary object; `lossreg.discovery.discover` returns
    one with all that is installed.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, list[Entry]] = {}
        self._by_qualified_name: dict[str, Entry] = {}
        self.plugins: list[PluginRecord] = []

    def add(
        self,
        spec: LossSpec,
        provider: Provider,
        load: Callable[[], Callable[..., Any]] | None = None,
    ) -> Entry:
        """Add one loss and return its entry.

        Args:
            spec: The loss.
            provider: Who offers it.
            load: Returns the target; by default it imports what the spec names.

        Raises:
            RegistrationError: The provider has another loss of one of its names.
        """
        for name in spec.names:
            for other in self._by_key.get(names.key(name), ()):
                if other.provider.distribution == provider.distribution:
                    raise RegistrationError(
                        f"{provider} offers two losses named {name!r}: {other.spec.target!r} "
                        f"and {spec.target!r}. Rename one of them."
                    )
        load = load or functools.partial(import_target, spec.target)
        entry = Entry(spec=spec, provider=provider, load=load)
        self._by_qualified_name[entry.qualified_name] = entry
        for name in spec.names:
            self._by_key.setdefault(names.key(name), []).append(entry)
        return entry

    def remove(self, entry: Entry) -> None:
        """Take a loss out again."""
        del self._by_qualified_name[entry.qualified_name]
        for name in entry.spec.names:
            self._by_key[names.key(name)].remove(entry)

    def get(self, qualified_name: str) -> Entry | None:
        """Return the loss with exactly this qualified name, or None."""
        return self._by_qualified_name.get(qualified_name)

    def builtin(self, name: str) -> Entry | None:
        """Return the built-in that a plain name means, or None."""
        found = self._by_key.get(names.key(name), [])
        return next((entry for entry in found if entry.provider.is_builtin), None)

    def entries(
        self,
        pattern: str = "*",
        *,
        task: Task | None = None,
        y_true: Labels | None = None,
        plugin: str | None = None,
    ) -> list[Entry]:
        """Return the losses that match, the built-ins first, then by name.

        Args:
            pattern: Shell pattern for the name or an alias: `*focal*`.
            task: What the loss is for.
            y_true: What its labels are.
            plugin: The distribution that offers it.
        """
        if not any(sign in pattern for sign in "*?["):
            # A name, in whatever spelling.
            folded = names.key(pattern)
            entries = (
                self._by_key.get(folded, []) if pattern else [*self._by_qualified_name.values()]
            )
        else:
            wanted = pattern.lower().replace("-", "_")
            entries = [
                entry
                for entry in self._by_qualified_name.values()
                if wanted == "*" or any(fnmatch.fnmatchcase(n, wanted) for n in entry.spec.names)
            ]
        found = [
            entry
            for entry in entries
            if (task is None or task in entry.spec.task)
            and (y_true is None or y_true == entry.spec.y_true)
            and plugin in (None, entry.provider.distribution)
        ]
        return sorted(
            found, key=lambda e: (not e.provider.is_builtin, e.spec.name, e.qualified_name)
        )

    def lookup(self, name: str) -> Entry:
        """Return the loss that a plain or qualified name means.

        Raises:
            LossNameError: No loss can have this name.
            LossLookupError: No loss, or more than one, has it; the subclass says
                which of the two it is, and what to do.
        """
        asked = names.parse(name)
        candidates = self._by_key.get(names.key(asked.loss), [])
        if asked.distribution is not None:
            candidates = [e for e in candidates if e.provider.distribution == asked.distribution]
        elif (builtin := self.builtin(asked.loss)) is not None:
            # Installing a package never changes what the name of a built-in means.
            return builtin
        if len(candidates) == 1:
            return candidates[0]
        if not candidates:
            raise self._not_found(asked, name)
        candidates = sorted(candidates, key=lambda e: e.qualified_name)
        raise AmbiguousLossError(
            f"{name!r} is offered by {' and by '.join(str(e.provider) for e in candidates)}. "
            f"Ask for {' or '.join(repr(e.qualified_name) for e in candidates)}."
        )

    def bind(self, name: str, /, **params: Any) -> BoundLoss:
        """Return a loss with a checked value for each of its parameters.

        Raises:
            LossNameError: No loss can have this name.
            LossLookupError: The name doesn't mean exactly one working loss.
            ParameterError: The loss refuses a parameter.
        """
        return self.lookup(name).bind(params)

    def explain(self, name: str) -> Resolution:
        """Return who offers a name, which of them it means, and by which rule."""
        asked = names.parse(name)
        offers = sorted(self._by_key.get(names.key(asked.loss), []), key=lambda e: e.qualified_name)
        try:
            chosen = self.lookup(name)
        except LossLookupError as error:
            return Resolution(asked=asked, offers=offers, chosen=None, rule=str(error))
        if asked.distribution is not None:
            rule = f"A qualified name means the loss of that distribution, {asked.distribution!r}."
        elif chosen.provider.is_builtin:
            rule = "A built-in loss keeps its name, whatever else is installed."
        else:
            rule = "One installed package offers it."
        return Resolution(asked=asked, offers=offers, chosen=chosen, rule=rule)

    def sibling(self, entry: Entry, y_true: Labels) -> str | None:
        """Return the loss most like another, of the same provider, for other labels."""
        wanted = _words(entry)

        def likeness(other: Entry) -> tuple[int, int]:
            return len(wanted & _words(other)), -len(wanted ^ _words(other))

        others = self.entries(y_true=y_true, plugin=entry.provider.distribution)
        nearest = max(others, key=likeness, default=None)
        return nearest.spec.name if nearest and wanted & _words(nearest) else None

    def _not_found(self, asked: names.LossName, name: str) -> LossLookupError:
        """Return the error that tells why a name leads nowhere."""
        if asked.distribution == LOCAL:
            return NotRegisteredError(
                f"No loss named {asked.loss!r} is registered in this process. A loss that a "
                "program registers lives as long as the program: register it here first, "
                f"with lossreg.register(..., name={asked.loss!r})."
            )
        distribution = asked.distribution or _known_package(asked.loss)
        record = next((r for r in self.plugins if r.provider.distribution == distribution), None)
        if record is not None and record.error is not None:
            error = BrokenPluginError(
                f"Loss {str(asked)!r} can't be used: {record.provider} is installed and fails to "
                f"{record.stage} ({type(record.error).__name__}: {record.error}). "
                "Repair or update that package; every other loss works."
            )
            error.__cause__ = record.error
            return error
        if record is not None and record.rule:
            return BlockedPluginError(
                f"Loss {str(asked)!r} can't be used: {record.provider} is installed, and "
                f"{record.rule} leaves it out. Change that variable to let it load."
            )
        if distribution is not None and record is None:
            if distribution in PACKAGES.values():
                return NotInstalledError(
                    f"Loss {str(asked)!r} is offered by {distribution!r}, which isn't installed. "
                    f"Install it: pip install {distribution}"
                )
            # The name may be a slip, or come from a file that someone else wrote: pip would
            # install whatever package has it.
            here = [BUILTIN, *(r.provider.distribution for r in self.plugins), *PACKAGES.values()]
            near = names.did_you_mean(distribution, dict.fromkeys(here))
            advice = near or f" If you know and trust that package: pip install {distribution}"
            return NotInstalledError(
                f"Loss {str(asked)!r} is from a package {distribution!r}, and no plugin of that "
                f"name is installed.{advice}"
            )
        offered = self.entries(plugin=asked.distribution)
        known = [name for entry in offered for name in entry.spec.names]
        where = f" in {record.provider}" if record else ""
        out = {"broken": "fails to load", "blocked": "is left out", "skipped": "is left out"}
        absent = [r for r in self.plugins if r.state in out]
        unknown = UnknownLossError(
            f"No loss named {name!r}{where}.{names.did_you_mean(asked.loss, known)} "
            f"'lossreg list' shows all {len(self._by_qualified_name)}."
            + "".join(f" It may be one of {r.provider}, which {out[r.state]}." for r in absent)
        )
        unknown.__cause__ = next((r.error for r in absent if r.error), None)
        return unknown


def _words(entry: Entry) -> set[str]:
    """Return the words of a loss's name, without those that say what its labels are."""
    return set(entry.spec.name.split("_")) - {"binary", "categorical", "sparse"}


def _known_package(loss: str) -> str | None:
    """Return the package that is known to offer a loss."""
    asked = names.key(loss)
    return next((package for name, package in PACKAGES.items() if names.key(name) == asked), None)
