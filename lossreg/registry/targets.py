"""What a plugin names, imported: its losses and its commands, if they may be used."""

import functools
from collections.abc import Callable
from typing import Any

import importlib_metadata

from ..errors import BlockedPluginError, BrokenPluginError, SpecError, error_line
from ..loss import BUILTIN, LossSpec, Provider, Signature, keras_bases
from .loading import stdout_to_stderr
from .registry import import_target
from .selection import Selection


def load_target(spec: LossSpec, provider: Provider, module: str = "") -> Callable[..., Any]:
    """Return the target of a plugin's loss.

    A loss function or a `keras.losses.Loss` subclass may come from any package. A factory is
    called with what a config says, and so it must be the plugin's own code.

    Args:
        spec: The loss.
        provider: The distribution of the plugin.
        module: The module of the plugin. Earlier versions pickled a loss without it.

    Raises:
        BrokenPluginError: It can't be imported, and the cause says why; or it is a factory of
            another distribution.
        BlockedPluginError: A loss of an earlier version's pickle, which looks for no plugins, is
            of a package that `LOSSREG_BLOCK` or `LOSSREG_PLUGINS` leaves out.
    """
    if not module and provider.distribution != BUILTIN:
        state, rule = Selection.from_environment().state(provider.distribution, "")
        if state != "active":
            loss = f"{provider.distribution}/{spec.name}"
            raise BlockedPluginError.of(loss, provider, rule)
    target = load_from(provider, spec.target, f"Loss {spec.name!r}")
    package = _factory_package(target)
    if module and package is not None and package not in _packages(provider, module):
        raise BrokenPluginError(
            f"Loss {spec.name!r} of {provider} can't be used: its target {spec.target!r} is a "
            f"factory of {package or 'no package'!r}, and a factory must be code of the plugin's "
            "own distribution. A loss function of (y_true, y_pred) and a keras.losses.Loss "
            "subclass may come from anywhere. Whoever maintains the package: write a factory of "
            "your own that calls it."
        )
    return target


def _factory_package(target: Any) -> str | None:
    """Return the top-level package whose code a factory is; None for what isn't a factory."""
    if isinstance(target, type) and "Loss" in keras_bases(target):
        return None
    try:
        if Signature(target).is_function:
            return None
    except SpecError:
        # It can't be called, and `Entry.signature` says why.
        return None
    while isinstance(target, functools.partial):
        target = target.func
    # A builtin such as dict.fromkeys has no module.
    return (getattr(target, "__module__", None) or "").partition(".")[0]


def _packages(provider: Provider, module: str) -> set[str]:
    """Return the top-level packages of a plugin's distribution."""
    try:
        files = importlib_metadata.distribution(provider.distribution).files or []
    except (importlib_metadata.PackageNotFoundError, OSError, ValueError):
        files = []
    # An editable installation doesn't list its code.
    return {module.partition(".")[0], *(file.parts[0].removesuffix(".py") for file in files)}


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
        with stdout_to_stderr():
            return import_target(target)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise BrokenPluginError(
            f"{what} of {provider} can't be used: its target {target!r} can't be imported "
            f"({error_line(error)}). Repair or update that package."
        ) from error
