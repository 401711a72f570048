"""The registry: from names to losses. It finds no plugins and knows no configs."""

import fnmatch
import functools
import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import (
    AmbiguousLossError,
    BlockedPluginError,
    BrokenPluginError,
    LossLookupError,
    NotInstalledError,
    NotRegisteredError,
    RegistrationError,
    UnknownLossError,
)
from ..loss import (
    BUILTIN,
    LOCAL,
    SIMPLE,
    Entry,
    Labels,
    LossName,
    LossSpec,
    Outputs,
    Provider,
    Task,
    ask_for,
    did_you_mean,
    key,
    parse,
)
from .known import known_losses, known_packages
from .loading import lock_across_forks
from .plugin import PluginRecord
from .spoken import meant_by

_MOST_REMEMBERED = 512

# Held for microseconds, and never while the code of a plugin runs: one does for all registries.
_changing = lock_across_forks()


def import_target(target: str) -> Callable[..., Any]:
    """Return the object that `"package.module:attribute"` names."""
    module, _, attribute = target.partition(":")
    loaded: Any = importlib.import_module(module)
    for part in attribute.split("."):
        loaded = getattr(loaded, part)
    return loaded  # type: ignore[no-any-return]  # `Signature` checks it


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """The meaning of a name: the losses that have it, the one that it means, and the rule."""

    offers: list[Entry]
    chosen: Entry | None
    rule: str


@dataclass(frozen=True, kw_only=True)
class _Losses:
    """The losses of a registry between two changes, and what was found among them.

    Args:
        by_key: The losses that have a folded name.
        by_name: Each loss by its qualified name.
        remembered: Results, until a change.
    """

    by_key: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    by_name: Mapping[str, Entry] = field(default_factory=dict)
    remembered: dict[Any, Any] = field(default_factory=dict)


class Registry:
    """Losses by name.

    `Registry()` is empty, and `discover` returns one with the losses of plugins. Threads may
    read and change it at the same time: a change replaces the mappings that others read.
    """

    def __init__(self) -> None:
        self._losses = _Losses()
        self.plugins: list[PluginRecord] = []

    def remember(
        self, what: str, name: str, params: Mapping[str, Any], find: Callable[[], Any]
    ) -> Any:
        """Return the result of a function for a name and parameters, and cache it until a change.

        Args:
            what: The kind of the result. Results of different kinds are kept apart.
            name: The name.
            params: The parameters. If one of them isn't plain data, nothing is cached.
            find: The function, whose result isn't None.
        """
        if not SIMPLE.issuperset(map(type, params.values())):
            return find()
        # With the types: 1, 1.0 and True are equal, but different values of a parameter.
        call = (what, name, *((each, type(value), value) for each, value in params.items()))
        # A slow thread writes into a mapping that a change has already replaced.
        known = self._losses.remembered
        found = known.get(call)
        if found is not None:
            return found
        found = find()
        if len(known) >= _MOST_REMEMBERED:
            known.clear()
        known[call] = found
        return found

    def recall(self, what: str, name: str) -> Any:
        """Return the cached result for a name without parameters, or None."""
        return self._losses.remembered.get((what, name))

    def add(
        self,
        spec: LossSpec,
        provider: Provider,
        load: Callable[[], Callable[..., Any]] | None = None,
        *,
        instead_of: Entry | None = None,
    ) -> Entry:
        """Add one loss and return its entry.

        Args:
            spec: The loss.
            provider: The distribution that offers it.
            load: Returns the target. By default, this imports the target of the spec.
            instead_of: A loss that is removed.

        Raises:
            RegistrationError: The provider has another loss of one of its names.
        """
        load = load or functools.partial(import_target, spec.target)
        entry = Entry(spec=spec, provider=provider, load=load, find_relative=self.relative)
        self._change(add=entry, remove=instead_of)
        return entry

    def remove(self, entry: Entry) -> None:
        """Remove a loss."""
        self._change(remove=entry)

    def _change(self, *, add: Entry | None = None, remove: Entry | None = None) -> None:
        with _changing:
            by_key, by_name = dict(self._losses.by_key), dict(self._losses.by_name)
            if remove is not None:
                del by_name[remove.qualified_name]
                for name in remove.spec.names:
                    by_key[key(name)] = tuple(e for e in by_key[key(name)] if e is not remove)
            if add is not None:
                by_name[add.qualified_name] = add
                for name in add.spec.names:
                    others = by_key.get(key(name), ())
                    by_key[key(name)] = (*others, add)
                    for other in others:
                        if other.provider.distribution == add.provider.distribution:
                            raise RegistrationError(
                                f"{add.provider} offers two losses named {name!r}: "
                                f"{other.spec.target!r} and {add.spec.target!r}. Rename one."
                            )
            self._losses = _Losses(by_key=by_key, by_name=by_name)

    def get(self, qualified_name: str) -> Entry | None:
        """Return the loss with this qualified name, or None."""
        return self._losses.by_name.get(qualified_name)

    def builtin(self, name: str) -> Entry | None:
        """Return the built-in that a name means, or None."""
        found = self._losses.by_key.get(key(name), ())
        return next((entry for entry in found if entry.provider.is_builtin), None)

    def entries(
        self,
        pattern: str = "*",
        *,
        task: Task | None = None,
        y_true: Labels | None = None,
        y_pred: Outputs | None = None,
        plugin: str | None = None,
    ) -> list[Entry]:
        """Return the losses that match, the built-ins first, then by name.

        Args:
            pattern: A shell pattern for the name or an alias, such as `*focal*`. A word that is no
                name finds the losses that have it in their summary, tasks or package's name.
            task: What the loss is for.
            y_true: The kind of its labels.
            y_pred: The kind of its predictions.
            plugin: The distribution that offers it.
        """
        entries: Iterable[Entry] = self._losses.by_name.values()
        if pattern and not set("*?[").intersection(pattern):
            # A name, in any spelling, or a word of the summary.
            entries = self._losses.by_key.get(key(pattern)) or _with_word(entries, pattern)
        elif pattern not in ("", "*"):
            glob = pattern.lower().replace("-", "_")
            entries = [e for e in entries if fnmatch.filter(e.spec.names, glob)]
        matching = [
            entry
            for entry in entries
            if (task is None or task in entry.spec.task)
            and (y_true is None or y_true in entry.spec.forms)
            and y_pred in (None, entry.spec.y_pred)
            and plugin in (None, entry.provider.distribution)
        ]
        return sorted(
            matching, key=lambda e: (not e.provider.is_builtin, e.spec.name, e.qualified_name)
        )

    def lookup(self, name: str) -> Entry:
        """Return the loss that a plain or qualified name means.

        Raises:
            LossNameError: No loss can have this name.
            LossLookupError: No loss, or more than one, has this name. The subclass says why.
        """
        entry: Entry = self.remember("lookup", name, {}, lambda: self._lookup(name))
        return entry

    def _lookup(self, name: str) -> Entry:
        asked = parse(name)
        candidates = list(self._losses.by_key.get(key(asked.loss), ()))
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

    def bind(self, name: str, /, **params: Any) -> Any:
        """Return the loss that a name means, with checked parameters."""
        return self.lookup(name).bind(params)

    def explain(self, name: str) -> Resolution:
        """Return the losses that have a name, the one that it means, and the rule."""
        asked = parse(name)
        offers = sorted(
            self._losses.by_key.get(key(asked.loss), ()), key=lambda e: e.qualified_name
        )
        try:
            chosen = self.lookup(name)
        except LossLookupError as error:
            return Resolution(offers=offers, chosen=None, rule=str(error))
        if asked.distribution is not None:
            rule = f"A qualified name means the loss of that distribution, {asked.distribution!r}."
        elif chosen.provider.is_builtin:
            rule = "A built-in loss keeps its name, whatever other packages offer."
        else:
            rule = "Only one installed package offers it."
        return Resolution(offers=offers, chosen=chosen, rule=rule)

    def relative(self, entry: Entry, y_true: Labels) -> Entry | None:
        """Return the loss of the same provider that is most similar, for other labels."""
        wanted = _words(entry)

        def likeness(other: Entry) -> tuple[int, int]:
            return len(wanted & _words(other)), -len(wanted ^ _words(other))

        offered = self.entries(y_true=y_true, plugin=entry.provider.distribution)
        others = [other for other in offered if other.spec.name != entry.spec.name]
        nearest = max(others, key=likeness, default=None)
        return nearest if nearest and wanted & _words(nearest) else None

    def _not_found(self, asked: LossName, name: str) -> LossLookupError:
        if asked.distribution == LOCAL:
            return NotRegisteredError(
                f"No loss named {asked.loss!r} is registered in this process. A loss that a "
                "program registers ends with the program. Register it here first: "
                f"lossreg.register(..., name={asked.loss!r})."
            )
        known = known_packages(asked.loss)
        distribution = asked.distribution or next(iter(known), None)
        record = next((r for r in self.plugins if r.provider.distribution == distribution), None)
        if record is not None and record.error is not None:
            error = BrokenPluginError(
                f"Loss {str(asked)!r} can't be used: {record.provider} is installed and fails to "
                f"{record.stage} ({record.fault}). "
                "Repair or update that package; every other loss works."
            )
            error.__cause__ = record.error
            return error
        if record is not None and record.rule:
            return BlockedPluginError.of(str(asked), record.provider, record.rule)
        if distribution is not None and record is None:
            if distribution in known_losses():
                offers = [distribution] if asked.distribution else known
                return NotInstalledError(
                    f"Loss {str(asked)!r} is offered by {' and '.join(map(repr, offers))}, which "
                    f"isn't installed. Install it: pip install {offers[0]}"
                )
            # The name may be a typing error, or come from a stranger's file; pip would install
            # any package of this name.
            here = [BUILTIN, *(r.provider.distribution for r in self.plugins), *known_losses()]
            near = did_you_mean(distribution, dict.fromkeys(here))
            advice = near or f" If you know and trust that package: pip install {distribution}"
            return NotInstalledError(
                f"Loss {str(asked)!r} is from a package {distribution!r}, and no plugin of that "
                f"name is installed.{advice}"
            )
        offered = self.entries(plugin=asked.distribution)
        known = [name for entry in offered for name in entry.spec.names]
        where = f" in {record.provider}" if record else ""
        meant = [name for name in meant_by(asked.loss) if name in known]
        near = ask_for(meant) or did_you_mean(asked.loss, known)
        if asked.loss in ("none", "null"):
            near = " An output without a loss has None (null in YAML and JSON), not a string."
        unknown = UnknownLossError(
            f"No loss named {name!r}{where}.{near} "
            f"'lossreg list' shows all {len(self._losses.by_name)}."
            + "".join(record.absence for record in self.plugins)
        )
        unknown.__cause__ = next((r.error for r in self.plugins if r.error), None)
        return unknown


def _with_word(entries: Iterable[Entry], word: str) -> list[Entry]:
    """Return the losses with a word in their summary, their tasks or their package's name."""
    wanted = word.lower().replace("_", " ")

    def text(entry: Entry) -> str:
        parts = (entry.spec.summary, *entry.spec.task, entry.provider.distribution)
        return " ".join(parts).lower().replace("_", " ")

    return [entry for entry in entries if wanted in text(entry)]


def _words(entry: Entry) -> set[str]:
    """Return the words in the name of a loss, without the words for its labels."""
    return set(entry.spec.name.split("_")) - {"binary", "categorical", "sparse"}
