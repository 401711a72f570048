"""The hooks that a plugin can implement: all there are."""

from collections.abc import Iterable

import pluggy

from .spec import LossSpec

PROJECT = "lossreg"
"""Name of pluggy's project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def lossreg_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
    """Return the losses that this plugin offers.

    It is called once, at discovery, and must import neither Keras nor the
    modules that the specs' targets name.
    """
