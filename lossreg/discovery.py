"""Installed plugins to a registry, each plugin on its own.

pluggy's `load_setuptools_entrypoints` stops at the first plugin that fails and
forgets which distribution a plugin came from. So the entry points are walked
here, and pluggy does the rest: the hooks, their names and their signatures.
"""

import functools
import importlib
import inspect
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import importlib_metadata
import pluggy

from . import hookspec
from .builtin import plugin as builtin_plugin
from .errors import BrokenPluginError, PluginWarning, SpecError
from .names import normalize_distribution
from .provider import BUILTIN, FRAMEWORKS, LOCAL, PluginRecord, Provider, Stage, State
from .registry import Registry, import_target
from .selection import EVERYTHING, Selection
from .spec import LossSpec

# pluggy's manager and the registry of the process are for one thread at a time.
_lock = threading.RLock()

# What a plugin may raise; SystemExit because a script with an entry point may.
_ANYTHING = (Exception, SystemExit)


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """An entry point of the group `lossreg`: who offers which module."""

    provider: Provider
    name: str
    module: str
    location: str = ""

    def record(self, state: State, **found: Any) -> PluginRecord:
        """Return what became of this plugin."""
        return PluginRecord(
            provider=self.provider,
            entry_point=self.name,
            module=self.module,
            location=self.location,
            state=state,
            **found,
        )


def installed_plugins() -> Iterator[Plugin | PluginRecord]:
    """Yield what is installed; a record where the installation is damaged."""
    seen = set()
    for distribution in importlib_metadata.distributions():
        provider = Provider(distribution=_folder_name(distribution), version="")
        location = ""
        try:
            # Reading each METADATA would cost more than all the rest of discovery.
            if hookspec.PROJECT not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points.select(group=hookspec.PROJECT)
            if not points:
                continue
            location = str(distribution.locate_file(""))
            provider = _provider(distribution)
        except _ANYTHING as error:
            damaged = Plugin(provider=provider, name="", module="", location=location)
            yield damaged.record("broken", stage="find", error=error)
            continue
        # The first on sys.path is the one that gets imported.
        if provider.distribution not in seen:
            seen.add(provider.distribution)
            for point in points:
                yield Plugin(
                    provider=provider, name=point.name, module=point.value, location=location
                )


def _provider(distribution: Any) -> Provider:
    """Return a distribution's name and version."""
    # The headers alone: parsing a whole METADATA, readme and all, takes ten times as long.
    headers = (distribution.read_text("METADATA") or "").partition("\n\n")[0].splitlines()
    fields = dict(
        line.split(": ", 1) for line in headers if line.startswith(("Name: ", "Version: "))
    )
    if len(fields) < 2:
        # Not a wheel's; this reads every kind, or raises.
        fields = {"Name": distribution.name, "Version": distribution.version}
    name, version = fields["Name"].strip(), fields["Version"].strip()
    return Provider(distribution=normalize_distribution(name), version=version)


def _folder_name(distribution: object) -> str:
    """Return a name for a distribution whose METADATA may be missing."""
    # importlib.metadata has no public name for the folder.
    folder = getattr(distribution, "_path", None)
    return normalize_distribution(str(getattr(folder, "name", "unknown")).partition("-")[0])


def builtin() -> Plugin:
    """Return the default plugin: the losses of the installed Keras."""
    try:
        version = _provider(importlib_metadata.distribution("keras")).version
    except importlib_metadata.PackageNotFoundError:
        # Their names and signatures are there without Keras.
        version = ""
    return Plugin(
        provider=Provider(distribution=BUILTIN, version=version),
        name="builtin",
        module=builtin_plugin.__name__,
    )


def discover(
    plugins: Iterable[Plugin | PluginRecord] | None = None, selection: Selection = EVERYTHING
) -> Registry:
    """Return a registry with the losses of some plugins.

    A plugin that fails is one `PluginWarning` and one record; the others work.

    Args:
        plugins: By default the built-ins and all that is installed.
        selection: Which of them may load. It is asked before anything is imported.
    """
    found = [builtin(), *installed_plugins()] if plugins is None else list(plugins)
    registry = Registry()
    # By name, so that neither sys.path nor the file system decides.
    for plugin in sorted(found, key=_order):
        if isinstance(plugin, PluginRecord):
            record = plugin
        else:
            state, rule = selection.state(plugin.provider.distribution, plugin.name)
            record = (
                _load(plugin, registry) if state == "active" else plugin.record(state, rule=rule)
            )
        registry.plugins.append(record)
        if record.state == "broken":
            _warn(
                f"The {record.plugin} fails to {record.stage} ({type(record.error).__name__}: "
                f"{record.error}). Its losses are left out; every other loss works."
            )
    for said in selection.unmatched(map(_names, found)):
        _warn(said)
    return registry


def _warn(message: str) -> None:
    warnings.warn(message, PluginWarning, stacklevel=3)


def _names(plugin: Plugin | PluginRecord) -> tuple[str, str]:
    point = plugin.name if isinstance(plugin, Plugin) else plugin.entry_point
    return plugin.provider.distribution, point


def _order(plugin: Plugin | PluginRecord) -> tuple[bool, str, str]:
    return (not plugin.provider.is_builtin, *_names(plugin))


def _load(plugin: Plugin, registry: Registry) -> PluginRecord:
    """Add a plugin's losses to a registry and return what came of it."""
    stage: Stage = "import"
    light = [name for name in FRAMEWORKS if name not in sys.modules]
    start = time.perf_counter()
    seconds = 0.0
    losses: tuple[str, ...] = ()
    failure: BaseException | None = None
    try:
        module = importlib.import_module(plugin.module)
        seconds = time.perf_counter() - start
        stage = "declare"
        with _lock:
            specs = _declared(plugin, module)
        _add(specs, plugin.provider, registry)
        losses = tuple(spec.name for spec in specs)
    except _ANYTHING as error:
        failure = error
    return plugin.record(
        "broken" if failure else "active",
        stage=stage if failure else None,
        error=failure,
        losses=losses,
        seconds=seconds or time.perf_counter() - start,
        heavy=tuple(name for name in light if name in sys.modules),
    )


def _declared(plugin: Plugin, module: ModuleType) -> list[LossSpec]:
    """Return the specs of a plugin's hook implementations."""
    manager = _manager()
    manager.register(module, plugin.name)
    try:
        # One plugin at a time, so that a bad hook can't be taken for another's.
        manager.check_pending()
        implementations = manager.hook.lossreg_losses.get_hookimpls()
        _check_marked(module, implementations)
    finally:
        manager.unregister(module)
    # An implementation may return any iterable; it is consumed here, inside the isolation.
    returned: list[Any] = [implementation.function() for implementation in implementations]
    specs = [spec for losses in returned for spec in losses]
    for spec in specs:
        if not isinstance(spec, LossSpec):
            raise SpecError(f"lossreg_losses() must return LossSpecs, got {spec!r} among them")
    return specs


@functools.cache
def _manager() -> pluggy.PluginManager:
    """Return pluggy's manager, which knows the hooks and keeps no plugin."""
    manager = pluggy.PluginManager(hookspec.PROJECT)
    manager.add_hookspecs(hookspec)
    return manager


def _check_marked(module: ModuleType, implementations: Sequence[pluggy.HookImpl]) -> None:
    """Raise for a function that is called as a hook and isn't one, and where there is none."""
    marked = [implementation.function for implementation in implementations]
    for name, value in vars(module).items():
        called_so = name.startswith(f"{hookspec.PROJECT}_") and inspect.isfunction(value)
        if called_so and value not in marked:
            raise SpecError(f"{name!r} in module {module.__name__!r} lacks '@lossreg.hookimpl'")
    if not marked:
        raise SpecError(
            f"module {module.__name__!r} implements no hook. "
            "Write '@lossreg.hookimpl' over 'def lossreg_losses():'"
        )


def _add(specs: list[LossSpec], provider: Provider, registry: Registry) -> None:
    """Add all specs of a plugin, or none."""
    added = []
    try:
        for spec in specs:
            load = functools.partial(load_target, spec, provider)
            twin = registry.get(f"{provider.distribution}/{spec.name}")
            # Two entry points of a distribution may name one module.
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
    try:
        return import_target(spec.target)
    except _ANYTHING as error:
        raise BrokenPluginError(
            f"Loss {spec.name!r} of {provider} can't be used: its target {spec.target!r} can't be "
            f"imported ({type(error).__name__}: {error}). Repair or update that package."
        ) from error


_installed: Registry | None = None


def installed() -> Registry:
    """Return the registry of this process: discovery, once."""
    # Two threads that ask at once must not both run the plugins' code.
    return _installed or _discover_once()


def _discover_once() -> Registry:
    global _installed
    with _lock:
        if _installed is None:
            _installed = discover(selection=Selection.from_environment())
        return _installed


def refresh() -> Registry:
    """Discover again, for packages that were installed since; local losses stay."""
    global _installed
    with _lock:
        importlib.invalidate_caches()
        registry = discover(selection=Selection.from_environment())
        for entry in _installed.entries(plugin=LOCAL) if _installed else ():
            registry.add(entry.spec, entry.provider, entry.load)
        _installed = registry
        return registry
