"""What is wrong with the installed plugins, for `lossreg doctor`."""

import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .entry import Entry
from .errors import BrokenPluginError
from .provider import FRAMEWORKS, PluginRecord
from .registry import Registry

SLOW = 1.0
"""Seconds of import from which a plugin is called slow: a listing should take a blink."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know about a plugin; an error means that losses don't work."""

    record: PluginRecord
    severity: Severity
    message: str


def examine(registry: Registry) -> list[Finding]:
    """Return what is to say about every plugin, in their order.

    It imports every loss module, as using the losses would.
    """
    return [finding for record in registry.plugins for finding in _findings(record, registry)]


def _findings(record: PluginRecord, registry: Registry) -> Iterator[Finding]:
    def found(severity: Severity, message: str) -> Finding:
        return Finding(record=record, severity=severity, message=message)

    if record.state == "broken":
        fault = f"{type(record.error).__name__}: {record.error}"
        yield found("error", f"It fails to {record.stage}: {fault}. Repair or update the package.")
    elif record.state != "active":
        yield found("note", f"It is left out by {record.rule}.")
    if record.seconds > SLOW:
        yield found(
            "warning",
            f"It takes {record.seconds:.1f} s to import, which every listing pays. "
            "Its plugin module should import lossreg and nothing heavy.",
        )
    if record.heavy:
        yield found(
            "warning",
            f"Its plugin module imports {', '.join(record.heavy)}, which every listing pays. "
            "Import it where it is used.",
        )
    exposed = _exposed(record.location) if record.location else None
    if exposed:
        yield found("warning", f"It was found in {record.location}, {exposed}.")
    light = [name for name in FRAMEWORKS if name not in sys.modules]
    for name in record.losses:
        entry = registry.get(f"{record.provider.distribution}/{name}")
        unusable = _unusable(entry) if entry else None
        if unusable:
            yield found("error", unusable)
    pulled = [name for name in light if name in sys.modules]
    if pulled:
        yield found(
            "warning",
            f"Its loss modules import {', '.join(pulled)}, so that showing or checking a "
            "parameter takes seconds. 'from lossreg.lazy import keras, ops' imports at first use.",
        )


def _unusable(entry: Entry) -> str | None:
    """Return why a loss can't be used, or None."""
    try:
        entry.signature.model  # noqa: B018 - reading it checks the signature
    except BrokenPluginError as error:
        return str(error)
    return None


def _exposed(location: str) -> str | None:
    """Return why others may have put a plugin into its folder, or None."""
    folder = Path(location).resolve()
    if folder == Path.cwd() and folder != Path(sys.prefix):
        return "the current directory: whoever can write there can run code here"
    try:
        mode = folder.stat().st_mode
    except OSError:
        return None
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "which others than its owner can write to"
    return None
