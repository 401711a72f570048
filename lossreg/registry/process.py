"""The registry of the process, with the functions that programs call.

All state of the process is here: its registry with the caches, and the lock for discovery. Only
`loading` has more: the plugins that are being imported, and the stdout that they may not write to.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any, TypeVar, Unpack, get_args, overload

from ..errors import ParameterError
from ..loss import LABELS, LOCAL, OUTPUTS, Labels, LossSpec, Outputs, Task, did_you_mean
from . import local
from .discovery import discover
from .loading import held, lock_across_forks, refuse_misuse
from .local import About
from .plugin import PluginRecord
from .registry import Registry
from .selection import Selection

Target = TypeVar("Target", bound=Callable[..., Any])

# Two threads must not run the code of the plugins at the same time.
_discovering = lock_across_forks()
_registry: Registry | None = None
_listeners: list[Callable[[Registry], None]] = []
_is_busy = False


def installed() -> Registry:
    """Return the registry of this process. The first call discovers the plugins.

    Raises:
        SpecError: A plugin calls it while it is imported.
    """
    global _registry, _is_busy
    refuse_misuse()
    if _registry is None:
        with held(_discovering):
            if _registry is None:
                _is_busy = True
                try:
                    _registry = discover(selection=Selection.from_environment())
                finally:
                    _is_busy = False
                _tell(_registry)
    return _registry


def when_discovered(listener: Callable[[Registry], None]) -> None:
    """Call a function with the registry of this process now, and after each later discovery."""
    _listeners.append(listener)
    if _registry is not None:
        listener(_registry)
    # A plugin that is being discovered, here or in another thread, may be what asks; the end of
    # that discovery calls the listener.
    elif _discovering.acquire(blocking=False):
        try:
            if not _is_busy:
                installed()
        finally:
            _discovering.release()


def _tell(registry: Registry) -> None:
    for listener in _listeners:
        listener(registry)


def refresh() -> None:
    """Discover the plugins again, after packages were installed or removed.

    >>> refresh()

    Losses that this process registered remain. A package that is already imported remains as it
    is; a new version of it needs a new process.
    """
    global _registry
    with held(_discovering):
        importlib.invalidate_caches()
        registry = discover(selection=Selection.from_environment())
        for entry in _registry.entries(plugin=LOCAL) if _registry else ():
            registry.add(entry.spec, entry.provider, entry.load)
        _registry = registry
        _tell(registry)


@overload
def register(target: Target, /, *, replace: bool = ..., **about: Unpack[About]) -> Target: ...
@overload
def register(*, replace: bool = ..., **about: Unpack[About]) -> Callable[[Target], Target]: ...
def register(target: Any = None, /, *, replace: bool = False, **about: Unpack[About]) -> Any:
    """Register a function or a class of this program as a loss.

    This is a decorator, with or without arguments. A new definition of the same module and
    qualified name replaces the old one, such as when a notebook cell runs again.

    >>> @register(y_true="real")
    ... def absolute_error(y_true, y_pred, *, scale: float = 1.0):
    ...     return scale * abs(y_true - y_pred)
    >>> [spec.name for spec in list_losses("absolute_error")]
    ['absolute_error']

    Args:
        target: A function of `(y_true, y_pred)` and its parameters, a `keras.losses.Loss`
            subclass, or a factory of either.
        replace: Whether to replace another loss of this name.
        about: Fields of `LossSpec`. By default, `name` is the name of the target, `summary` the
            first line of its docstring, and everything else "unspecified". Integer labels remain
            integers if `y_true` is "integer" or "sequence"; otherwise Keras casts them to the
            dtype of the loss.

    Returns:
        The target, unchanged.

    Raises:
        RegistrationError: A built-in has the name; or another loss has it, without `replace`.
        SpecError: The target isn't a loss.
    """
    if target is None:
        return functools.partial(register, replace=replace, **about)
    entry = local.describe(target, **about)
    # A discovery in another thread must not end without this loss.
    with held(_discovering):
        local.add(installed(), entry, replace=replace)
    return target


def list_losses(
    pattern: str = "*",
    *,
    task: Task | None = None,
    y_true: Labels | None = None,
    y_pred: Outputs | None = None,
    plugin: str | None = None,
) -> list[LossSpec]:
    """Return the specs of the losses that match, the built-ins first. This imports no Keras.

    >>> [spec.name for spec in list_losses("*hinge", plugin="keras")]
    ['categorical_hinge', 'hinge', 'squared_hinge']

    Args:
        pattern: A shell pattern for the name or an alias, or a word of the summary.
        task: What the loss is for, such as "binary".
        y_true: The kind of its labels, such as "integer".
        y_pred: The kind of its predictions, such as "embeddings".
        plugin: The distribution that offers it.

    Raises:
        ParameterError: There is no such task, kind of labels or of predictions, or plugin.
    """
    registry = installed()
    # These include broken and blocked plugins, which offer no losses.
    providers = [record.provider for record in registry.plugins]
    providers += [entry.provider for entry in registry.entries()]
    distributions = sorted({provider.distribution for provider in providers})
    for what, value, choices in (
        ("task", task, get_args(Task)),
        ("y_true", y_true, tuple(LABELS)),
        ("y_pred", y_pred, tuple(OUTPUTS)),
        ("plugin", plugin, distributions),
    ):
        if value is not None and value not in choices:
            raise ParameterError(
                f"There is no {what} {value!r}.{did_you_mean(str(value), choices)} "
                f"Choose from {', '.join(choices)}."
            )
    found = registry.entries(pattern, task=task, y_true=y_true, y_pred=y_pred, plugin=plugin)
    return [entry.spec for entry in found]


def plugins() -> list[PluginRecord]:
    """Return a record of each installed plugin, with its state.

    >>> [record.state for record in plugins() if record.provider.distribution == "keras"]
    ['active']
    """
    return list(installed().plugins)
