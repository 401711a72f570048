"""The names that saved files have for our classes, and for the losses that ours replace.

Keras looks them up among its custom objects, so they are put there right after Keras is imported.
This module imports Keras. Any module of ours may be the one that imports Keras, and is half-made
then, so that our classes are imported only when a file is loaded.
"""

import importlib
import warnings
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import keras

from ..errors import AmbiguousLossError, PluginWarning
from ..loss import OPTIONS, PROJECT, REDUCTIONS, Entry
from ..registry import Registry, when_discovered
from . import SAVED_CLASSES


def register_names(registry: Registry) -> None:
    """Let Keras find the losses of a registry by their old names, and the layers that they take.

    A name that Keras knows already keeps its meaning.
    """
    known = keras.saving.get_custom_objects()
    claims: dict[str, list[Entry]] = defaultdict(list)
    for entry in registry.entries():
        for name in entry.spec.saved_as:
            claims[name].append(entry)
    for name, entries in claims.items():
        known.setdefault(name, _reader(name, entries))
    for head in {e.spec.head for e in registry.entries() if e.spec.head is not None}:
        # Importing the module registers the layer with Keras. A broken one is a finding of
        # `lossreg doctor`, and no reason for every other file not to load.
        try:
            importlib.import_module(head.partition(":")[0])
        except Exception:  # noqa: S112 - somebody's code, which may raise anything
            continue


def _reader(name: str, entries: list[Entry]) -> Any:
    """Return what Keras takes for a saved name: a class, or a function for the name of one."""
    called = name.rpartition(">")[2]
    return _class(name, entries) if called[:1].isupper() else _function(name, entries)


def _own_class(name: str) -> type:
    """Return what stands for a class of ours until its module is imported."""

    class Own:
        __doc__ = f"Reads what {name} saved."

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            """Return the object of a config."""
            return getattr(importlib.import_module(__package__), name).from_config(config)

    return Own


def _class(name: str, entries: list[Entry]) -> type:
    """Return a class whose `from_config` reads what another package wrote."""

    class Saved:
        __doc__ = f"Reads a loss that was saved as {name!r}."

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            """Return our loss for the config of the other one."""
            from .loss import RegisteredLoss

            options = {key: value for key, value in config.items() if key in OPTIONS}
            # "auto", in Keras 2, is what Keras 3 does by default.
            if options.get("reduction") not in REDUCTIONS:
                options.pop("reduction", None)
            params = {key: value for key, value in config.items() if key not in OPTIONS}
            return RegisteredLoss(_only(name, entries).bind(params), **options)

    return Saved


def _function(name: str, entries: list[Entry]) -> Callable[[Any, Any], Any]:
    def saved(y_true: Any, y_pred: Any) -> Any:
        from .function import RegisteredFunction

        return RegisteredFunction(_only(name, entries).bind({}))(y_true, y_pred)

    saved.__name__ = saved.__qualname__ = name.rpartition(">")[2]
    return saved


def _only(name: str, entries: list[Entry]) -> Entry:
    """Return the one loss that was saved under a name.

    Raises:
        AmbiguousLossError: Several packages say so.
    """
    if len(entries) > 1:
        offers = " and by ".join(str(entry.provider) for entry in entries)
        raise AmbiguousLossError(
            f"The file has the loss {name!r}, which is offered by {offers}. Keep one of them from "
            "loading by LOSSREG_BLOCK, or load the model with compile=False."
        )
    return entries[0]


for name in SAVED_CLASSES:
    keras.saving.get_custom_objects().setdefault(f"{PROJECT}>{name}", _own_class(name))
with warnings.catch_warnings():
    # A broken plugin must not keep a program that makes errors of warnings from importing Keras.
    warnings.simplefilter("always", PluginWarning)
    when_discovered(register_names)
