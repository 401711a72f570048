"""Discovery: from the installed plugins to a registry, each plugin by itself.

pluggy's `load_setuptools_entrypoints` stops at the first plugin that fails, and forgets the
distribution of a plugin. So the entry points are read here, and pluggy checks the hooks, their
names and their signatures. No module of a loss is imported.
"""

import functools
import importlib
import inspect
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import importlib_metadata
import pluggy

from ..errors import BrokenPluginError, PluginWarning, SpecError
from ..loss import BUILTIN, PROJECT, Hooks, LossSpec, Provider, is_target, normalize_distribution
from .plugin import FRAMEWORKS, PluginRecord, Stage
from .registry import Registry, import_target
from .selection import EVERYTHING, Selection

_COMMAND = re.compile(r"[a-z][a-z0-9-]*")
_BUILTIN_MODULE = "lossreg.builtin.plugin"

# A plugin may raise anything; a script with an entry point may also exit.
_ANYTHING = (Exception, SystemExit)


def installed_plugins() -> Iterator[PluginRecord]:
    """Yield the installed plugins, none of them loaded."""
    seen = set()
    for distribution in importlib_metadata.distributions():
        provider = Provider(distribution=_folder_name(distribution), version="")
        location = ""
        try:
            # Reading each METADATA would cost more than the rest of discovery.
            if PROJECT not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points.select(group=PROJECT)
            if not points:
                continue
            location = str(distribution.locate_file(""))
            provider = _provider(distribution)
        except _ANYTHING as error:
            yield PluginRecord(
                provider=provider,
                entry_point="",
                module="",
                location=location,
                state="broken",
                stage="find",
                error=error,
            )
            continue
        # Python imports the first one on sys.path.
        if provider.distribution not in seen:
            seen.add(provider.distribution)
            for point in points:
                yield PluginRecord(
                    provider=provider, entry_point=point.name, module=point.value, location=location
                )


def _provider(distribution: Any) -> Provider:
    # Only the headers: parsing METADATA with its readme takes ten times as long.
    headers = (distribution.read_text("METADATA") or "").partition("\n\n")[0].splitlines()
    fields = dict(
        line.split(": ", 1) for line in headers if line.startswith(("Name: ", "Version: "))
    )
    if len(fields) < 2:
        # Not from a wheel. These read every kind of distribution, or raise.
        fields = {"Name": distribution.name, "Version": distribution.version}
    name, version = fields["Name"].strip(), fields["Version"].strip()
    return Provider(distribution=normalize_distribution(name), version=version)


def _folder_name(distribution: object) -> str:
    """Return the name of a distribution whose METADATA may be missing."""
    # importlib_metadata has no public attribute for the folder.
    folder = getattr(distribution, "_path", None)
    return normalize_distribution(str(getattr(folder, "name", "unknown")).partition("-")[0])


def installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, or None if it isn't installed."""
    try:
        return _provider(importlib_metadata.distribution(distribution)).version
    except importlib_metadata.PackageNotFoundError:
        return None


def builtin() -> PluginRecord:
    """Return the plugin of the built-in losses, with the version of the installed Keras."""
    provider = Provider(distribution=BUILTIN, version=installed_version("keras") or "")
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
        if record.state == "active":
            state, rule = selection.state(*_names(record))
            record = replace(record, state=state, rule=rule)
        if record.state == "active":
            record = _load(record, registry, manager)
        registry.plugins.append(record)
        if record.state == "broken":
            _warn(
                f"The {record.plugin} fails to {record.stage} ({type(record.error).__name__}: "
                f"{record.error}). Its losses are missing; every other loss works."
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
        module = importlib.import_module(record.module)
        record = replace(record, seconds=time.perf_counter() - start)
        stage = "declare"
        specs, commands = _declare(record, module, manager)
        _add(specs, record.provider, registry)
        losses = tuple(spec.name for spec in specs)
        record = replace(record, losses=losses, commands=commands)
    except _ANYTHING as error:
        seconds = record.seconds or time.perf_counter() - start
        record = replace(record, state="broken", stage=stage, error=error, seconds=seconds)
    return replace(record, heavy=tuple(name for name in light if name in sys.modules))


def _declare(
    record: PluginRecord, module: ModuleType, manager: pluggy.PluginManager
) -> tuple[list[LossSpec], dict[str, str]]:
    """Return the losses and the commands that the hooks of a plugin return."""
    manager.register(module, record.entry_point)
    try:
        # pluggy checks the hooks of one plugin at a time, so that it blames the right one.
        manager.check_pending()
        losses = manager.hook.lossreg_losses.get_hookimpls()
        commands = manager.hook.lossreg_commands.get_hookimpls()
        _check_marked(module, [*losses, *commands])
    finally:
        manager.unregister(module)
    # A hook may return a generator, whose errors belong to this plugin too.
    returned: list[Any] = [hook.function() for hook in losses]
    specs = [spec for specs_of_hook in returned for spec in specs_of_hook]
    for spec in specs:
        if not isinstance(spec, LossSpec):
            raise SpecError(f"lossreg_losses() must return LossSpecs, got {spec!r} among them")
    targets: dict[str, str] = {}
    for hook in commands:
        named = hook.function()
        if not isinstance(named, Mapping):
            raise SpecError(
                "lossreg_commands() must return a mapping of names to targets, such as "
                f"{{'fit': 'acme_train.cli:fit'}}, got {named!r}"
            )
        targets |= named
    for name, target in targets.items():
        if not isinstance(name, str) or not _COMMAND.fullmatch(name):
            raise SpecError(f"a command must be named in lower case, such as 'fit', got {name!r}")
        if not is_target(target):
            raise SpecError(
                f"the target of command {name!r} must read 'package.module:attribute', "
                f"got {target!r}"
            )
    return specs, targets


def _check_marked(module: ModuleType, implementations: Sequence[pluggy.HookImpl]) -> None:
    """Raise for a function that has the name of a hook but no marker, and if there is no hook."""
    marked = [implementation.function for implementation in implementations]
    for name, value in vars(module).items():
        has_hook_name = name.startswith(f"{PROJECT}_") and inspect.isfunction(value)
        if has_hook_name and value not in marked:
            raise SpecError(f"{name!r} in module {module.__name__!r} lacks '@lossreg.hookimpl'")
    if not marked:
        raise SpecError(
            f"module {module.__name__!r} implements no hook. "
            "Write '@lossreg.hookimpl' over 'def lossreg_losses():' or 'def lossreg_commands():'"
        )


def _add(specs: list[LossSpec], provider: Provider, registry: Registry) -> None:
    """Add all losses of a plugin, or none."""
    added = []
    try:
        for spec in specs:
            load = functools.partial(load_target, spec, provider)
            twin = registry.get(f"{provider.distribution}/{spec.name}")
            # Two entry points of a distribution may name the same module.
            if twin is None or twin in added or twin.spec != spec:
                added.append(registry.add(spec, provider, load))
    except _ANYTHING:
        for entry in added:
            registry.remove(entry)
        raise


def load_target(spec: LossSpec, provider: Provider) -> Callable[..., Any]:
    """Return the target of a plugin's loss.

    Raises:
        BrokenPluginError: It can't be imported; the cause says why.
    """
    return load_from(provider, spec.target, f"Loss {spec.name!r}")


def load_from(provider: Provider, target: str, what: str) -> Callable[..., Any]:
    """Return a target of a plugin after importing it.

    Args:
        provider: The distribution of the plugin.
        target: `"package.module:attribute"`.
        what: The name of the target in the message.

    Raises:
        BrokenPluginError: It can't be imported; the cause says why.
    """
    try:
        return import_target(target)
    except _ANYTHING as error:
        raise BrokenPluginError(
            f"{what} of {provider} can't be used: its target {target!r} can't be imported "
            f"({type(error).__name__}: {error}). Repair or update that package."
        ) from error
