"""The health of plugins: what `lossreg doctor` reports about them. It changes nothing."""

import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..errors import BrokenPluginError
from .loading import stdout_to_stderr
from .plugin import FRAMEWORKS, PluginRecord
from .registry import Registry
from .targets import load_from

SLOW = 1.0
"""Seconds of import from which a plugin is reported as slow, since every listing pays them."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, kw_only=True)
class PluginFinding:
    """A message about a plugin. An error means that losses or commands don't work."""

    record: PluginRecord
    severity: Severity
    message: str


def examine_plugins(registry: Registry) -> list[PluginFinding]:
    """Return the findings about all plugins, in their order.

    This imports every module of a loss.
    """
    return [finding for record in registry.plugins for finding in _findings(record, registry)]


def _findings(record: PluginRecord, registry: Registry) -> Iterator[PluginFinding]:
    def found(severity: Severity, message: str) -> PluginFinding:
        return PluginFinding(record=record, severity=severity, message=message)

    if record.state == "broken":
        message = f"It fails to {record.stage}: {record.fault}. Repair or update the package."
        yield found("error", message)
    elif record.state != "active":
        yield found("note", f"{record.rule} keeps it from loading.")
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
    if record.leftovers:
        yield found(
            "warning",
            f"Metadata of other versions is left in {record.location}: "
            f"{', '.join(record.leftovers)}. {record.provider} counts, which is the newest. "
            f"Install it again: pip install --force-reinstall {record.provider.distribution}",
        )
    if record.provider.is_builtin and _uses_keras_2():
        yield found("warning", _KERAS_2)
    version = record.provider.version
    if record.provider.is_builtin and version and not _is_mended(version):
        yield found("warning", f"Keras {version} has {_HOLES}")
    exposed = _exposed(record.location) if record.location else None
    if exposed:
        yield found("warning", f"It was found in {record.location}, {exposed}.")
    light = [name for name in FRAMEWORKS if name not in sys.modules]
    for name in record.losses:
        entry = registry.get(f"{record.provider.distribution}/{name}")
        try:
            if entry is not None:
                with stdout_to_stderr():
                    entry.model  # noqa: B018 - reading it checks the signature
        except BrokenPluginError as error:
            yield found("error", str(error))
    imported = [name for name in light if name in sys.modules]
    if imported:
        yield found(
            "warning",
            f"Its loss modules import {', '.join(imported)}, so that showing or checking a "
            "parameter takes seconds, and the schema doesn't describe their parameters. "
            "'from lossreg.lazy import keras, ops' imports at first use.",
        )
    for name, target in record.commands.items():
        try:
            load_from(record.provider, target, f"Command {name!r}")
        except BrokenPluginError as error:
            yield found("error", str(error))


_KERAS_2 = (
    "Keras 2 is in use (tf_keras, or TF_USE_LEGACY_KERAS, which makes tensorflow.keras Keras 2). "
    "lossreg is for Keras 3: in a model of Keras 2, weights and masks of a loss become one factor "
    "for the batch. Unset TF_USE_LEGACY_KERAS, and build and compile models with 'import keras'."
)


# Keras' advisories CVE-2026-0897, CVE-2026-1462, CVE-2026-1669 and GHSA-hqp4-2352-xf5r, and the
# releases 3.12.4 and 3.15.1 of July 2026, which mend the last ones.
_HOLES = (
    "published holes: a stranger's model file can read files, exhaust the memory or run code when "
    "it is loaded, in safe mode too. Install 3.15.1 or newer, or 3.12.4, before you load such a "
    "file: pip install --upgrade keras"
)


def _is_mended(version: str) -> bool:
    """Return whether a version of Keras has no hole that was known when this was written.

    >>> _is_mended("3.12.4"), _is_mended("3.13.2"), _is_mended("3.15.1"), _is_mended("4.0")
    (True, False, True, True)
    """
    release = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    return release >= (3, 15, 1) or (3, 12, 4) <= release < (3, 13)


def _uses_keras_2() -> bool:
    # As TensorFlow 2.21 reads the variable.
    return "tf_keras" in sys.modules or os.environ.get("TF_USE_LEGACY_KERAS") in {
        "1",
        "true",
        "True",
    }


def _exposed(location: str) -> str | None:
    """Return why others may have put a plugin into a folder, or None."""
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
