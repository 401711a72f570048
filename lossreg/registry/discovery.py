"""Discovery: from the installed plugins to a registry, each plugin by itself.

pluggy's `load_setuptools_entrypoints` stops at the first plugin that fails, and forgets the
distribution of a plugin. So the entry points are read here, and pluggy checks the hooks, their
names and their signatures. No module of a loss is imported.
"""

import functools
import importlib
import inspect
import itertools
import re
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import importlib_metadata
import pluggy

from ..errors import PluginWarning, SpecError
from ..loss import (
    BUILTIN,
    LOCAL,
    PROJECT,
    Hooks,
    LossSpec,
    Provider,
    is_target,
    normalize_distribution,
    shown,
)
from .loading import is_unfinished, misuse, stdout_to_stderr, watched
from .plugin import FRAMEWORKS, PluginRecord, Stage
from .registry import Registry
from .selection import EVERYTHING, Selection
from .targets import load_target

_COMMAND = re.compile(r"[a-z][a-z0-9-]*")
_LARGEST = 4 * 2**20  # of a file of metadata; a METADATA with its readme has some ten KB
_MOST_LOSSES = 10_000  # of a plugin
_BUILTIN_MODULE = "lossreg.builtin.plugin"

_RESERVED = (BUILTIN, LOCAL, PROJECT)
"""Names that mean something else in a qualified name than a distribution with a plugin."""


def installed_plugins() -> Iterator[PluginRecord]:
    """Yield the installed plugins, none of them loaded."""
    by_name: dict[Any, list[Any]] = {}
    for distribution in importlib_metadata.distributions():
        name = normalize_distribution(_folder(distribution).name)
        by_name.setdefault(name or distribution, []).append(distribution)
    for distributions in by_name.values():
        yield from _plugins(distributions)


def _plugins(distributions: list[Any]) -> list[PluginRecord]:
    """Return the plugins of all distributions of one name: those of the one that counts."""
    # Python imports from the first folder on sys.path. An installer may have left the metadata
    # of other versions there, in no order.
    first = _folder(distributions[0]).place
    here = [each for each in distributions if _folder(each).place == first]
    distribution = max(here, key=_likeliness) if len(here) > 1 else here[0]
    current = _folder(distribution)
    versions = {_folder(each).version for each in here} - {current.version}
    provider = Provider(
        distribution=normalize_distribution(current.name or "unknown"), version=current.version
    )
    record = PluginRecord(
        provider=provider,
        entry_point="",
        module="",
        location=first,
        leftovers=tuple(sorted(versions)),
    )
    try:
        # Reading each METADATA would cost more than the rest of discovery.
        if PROJECT not in (_read(distribution, "entry_points.txt") or ""):
            return []
        # An entry point may stand twice.
        points = dict.fromkeys(distribution.entry_points.select(group=PROJECT))
        if not points:
            return []
        provider = _provider(distribution)
        if provider.distribution in _RESERVED:
            raise SpecError(
                f"a distribution with a plugin can't be named {provider.distribution!r}, which "
                "means other losses. Uninstall it if you didn't write it, or else rename it"
            )
        return [
            replace(
                record,
                provider=provider,
                entry_point=point.name,
                module=point.module,
                attribute=point.attr or "",
            )
            for point in points
        ]
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return [replace(record, state="broken", stage="find", error=error)]


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """The folder of a distribution's metadata, `acme_losses-1.2.0.dist-info`, by its parts."""

    name: str = ""
    version: str = ""
    place: str = ""


def _folder(distribution: Any) -> _Folder:
    """Return the folder of a distribution, whose METADATA may be missing."""
    # importlib_metadata has no public attribute for it.
    path = getattr(distribution, "_path", None)
    if path is None:
        return _Folder()
    name, _, rest = re.sub(r"\.(dist|egg)-info$", "", path.name).partition("-")
    # An .egg-info may end with the version of Python.
    return _Folder(name=name, version=rest.partition("-")[0], place=str(path.parent))


def _read(distribution: Any, name: str) -> str | None:
    """Return a file of a distribution's metadata, or None if it has none of that name.

    Raises:
        OSError: Reading it might not end, since it is a pipe or the like, or is huge.
    """
    path = getattr(distribution, "_path", None)
    # What is in a zip is a file, and has another kind of path.
    file = path / name if isinstance(path, Path) else None
    if file and file.exists() and not (file.is_file() and file.stat().st_size <= _LARGEST):
        raise OSError(f"{name} isn't a regular file of at most {_LARGEST // 2**20} MB")
    text: str | None = distribution.read_text(name)
    return text


def _likeliness(distribution: Any) -> tuple[Any, ...]:
    """Return how likely the code beside a distribution's metadata is of its version."""
    version = _folder(distribution).version
    release = re.match(r"[\d.]*", version)[0].strip(".")  # type: ignore[index]  # it matches ""
    rest = version[len(release) :].lstrip(".-_")
    numbers = [int(number) for number in release.split(".") if number]
    while numbers[-1:] == [0]:
        numbers.pop()
    # An interrupted installation has no METADATA. 1.0rc1 is older than 1.0, and 1.0.post1 newer.
    is_final = not rest or rest.startswith(("post", "+"))
    later = [int(number) for number in re.findall(r"\d+", rest)]
    is_whole = (distribution._path / "METADATA").is_file()
    return is_whole, numbers, is_final, rest[:1], later, _folder(distribution).name


def _provider(distribution: Any) -> Provider:
    # Only the headers: parsing METADATA with its readme takes ten times as long.
    headers = (_read(distribution, "METADATA") or "").partition("\n\n")[0].splitlines()
    fields = dict(
        line.split(": ", 1) for line in headers if line.startswith(("Name: ", "Version: "))
    )
    if len(fields) < 2:
        # Not from a wheel. These read every kind of distribution, or raise.
        fields = {"Name": distribution.name, "Version": distribution.version}
    name, version = fields["Name"].strip(), fields["Version"].strip()
    return Provider(distribution=normalize_distribution(name), version=version)


def installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it isn't installed."""
    try:
        return _provider(importlib_metadata.distribution(distribution)).version
    except importlib_metadata.PackageNotFoundError:
        return None


def builtin() -> PluginRecord:
    """Return the plugin of the built-in losses, with the version of the installed Keras."""
    version = installed_version("keras") or ""
    provider = Provider(distribution=BUILTIN, version=version, is_builtin=True)
    return PluginRecord(provider=provider, entry_point="builtin", module=_BUILTIN_MODULE)


def discover(
    plugins: Iterable[PluginRecord] | None = None, selection: Selection = EVERYTHING
) -> Registry:
    """Return a registry with the losses of some plugins.

    A plugin that fails is reported with one `PluginWarning`; the others work.

    Args:
        plugins: By default the built-ins and all installed plugins.
        selection: The plugins that may load. The others aren't imported.
    """
    found = [builtin(), *installed_plugins()] if plugins is None else list(plugins)
    registry = Registry()
    # It checks the hooks, and keeps no plugin.
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    # By name, so that the order doesn't depend on sys.path or the file system.
    for record in sorted(found, key=lambda r: (not r.provider.is_builtin, *_names(r))):
        if record.state == "active" and not record.provider.is_builtin:
            state, rule = selection.state(*_names(record))
            record = replace(record, state=state, rule=rule)
        if record.state == "active":
            record = _load(record, registry, manager)
        registry.plugins.append(record)
        if record.state == "broken":
            _warn(
                f"The {record.plugin} fails to {record.stage} ({record.fault}). "
                "Its losses are missing; every other loss works."
            )
    for message in selection.unmatched(map(_names, found)):
        _warn(message)
    return registry


def _warn(message: str) -> None:
    warnings.warn(message, PluginWarning, stacklevel=3)


def _names(record: PluginRecord) -> tuple[str, str]:
    return record.provider.distribution, record.entry_point


def _load(record: PluginRecord, registry: Registry, manager: pluggy.PluginManager) -> PluginRecord:
    """Add the losses of a plugin to a registry, and return its complete record."""
    light = [name for name in FRAMEWORKS if name not in sys.modules]
    stage: Stage = "import"
    start = time.perf_counter()
    try:
        with stdout_to_stderr():
            with watched(record.module):
                plugin = _imported(record)
            record = replace(record, seconds=time.perf_counter() - start)
            stage = "declare"
            with watched(record.module):
                specs, commands = _declare(record, plugin, manager)
        _add(specs, record, registry)
        losses = tuple(spec.name for spec in specs)
        record = replace(record, losses=losses, commands=commands)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        seconds = record.seconds or time.perf_counter() - start
        record = replace(record, state="broken", stage=stage, error=error, seconds=seconds)
    return replace(record, heavy=tuple(name for name in light if name in sys.modules))


def _imported(record: PluginRecord) -> Any:
    """Return what has the hooks of a plugin: a module, or an object in it."""
    plugin: Any = importlib.import_module(record.module)
    if is_unfinished(getattr(plugin, "__spec__", None)):
        # A program imports it, and it uses lossreg, which discovers the plugins.
        raise misuse()
    for name in filter(None, record.attribute.split(".")):
        plugin = getattr(plugin, name)
    return plugin() if inspect.isclass(plugin) else plugin


def _declare(
    record: PluginRecord, plugin: Any, manager: pluggy.PluginManager
) -> tuple[list[LossSpec], dict[str, str]]:
    """Return the losses and the commands that the hooks of a plugin return."""
    manager.register(plugin, record.entry_point)
    try:
        # pluggy checks the hooks of one plugin at a time, so that it blames the right one.
        manager.check_pending()
        losses = manager.hook.lossreg_losses.get_hookimpls()
        commands = manager.hook.lossreg_commands.get_hookimpls()
        _check_marked(record, plugin, [*losses, *commands])
    finally:
        manager.unregister(plugin)
    # A hook may return a generator, whose errors belong to this plugin too.
    returned: list[Any] = [hook.function() for hook in losses]
    every = (spec for specs_of_hook in returned for spec in specs_of_hook)
    specs = [*itertools.islice(every, _MOST_LOSSES + 1)]
    if len(specs) > _MOST_LOSSES:
        raise SpecError(f"lossreg_losses() returns more than {_MOST_LOSSES:,} losses")
    for spec in specs:
        # A subclass may have any code for what is read of it later.
        if type(spec) is not LossSpec:
            raise SpecError(f"lossreg_losses() must return LossSpecs, got {shown(spec)} among them")
    targets: dict[str, str] = {}
    for hook in commands:
        named = hook.function()
        if not isinstance(named, Mapping):
            raise SpecError(
                "lossreg_commands() must return a mapping of names to targets, such as "
                f"{{'fit': 'acme_train.cli:fit'}}, got {shown(named)}"
            )
        targets |= named
    for name, target in targets.items():
        if not isinstance(name, str) or not _COMMAND.fullmatch(name):
            raise SpecError(
                f"a command must be named in lower case, such as 'fit', got {shown(name)}"
            )
        if not is_target(target):
            raise SpecError(
                f"the target of command {name!r} must read 'package.module:attribute', "
                f"got {shown(target)}"
            )
    return specs, targets


def _check_marked(
    record: PluginRecord, plugin: Any, implementations: Sequence[pluggy.HookImpl]
) -> None:
    """Raise for a function that has the name of a hook but no marker, and if there is no hook."""
    where = f"{record.attribute!r} in " * bool(record.attribute) + f"module {record.module!r}"
    marked = [implementation.function for implementation in implementations]
    for name in dir(plugin):
        if name.startswith(f"{PROJECT}_"):
            value = getattr(plugin, name)
            if inspect.isroutine(value) and value not in marked:
                raise SpecError(f"{name!r} in {where} lacks '@lossreg.hookimpl'")
    if not marked:
        raise SpecError(
            f"{where} implements no hook. "
            "Write '@lossreg.hookimpl' over 'def lossreg_losses():' or 'def lossreg_commands():'"
        )


def _add(specs: list[LossSpec], record: PluginRecord, registry: Registry) -> None:
    """Add all losses of a plugin, or none."""
    added = []
    provider = record.provider
    try:
        for spec in specs:
            load = functools.partial(load_target, spec, provider, record.module)
            twin = registry.get(f"{provider.distribution}/{spec.name}")
            # Two entry points of a distribution may name the same module.
            if twin is None or twin in added or twin.spec != spec:
                added.append(registry.add(spec, provider, load))
    except BaseException:
        for entry in added:
            registry.remove(entry)
        raise
