"""`lossreg --version`: what runs here, told without importing it."""

import os
from pathlib import Path

import importlib_metadata

from .. import discovery
from ..provider import PluginRecord
from .output import in_columns

_DEFAULT_BACKEND = "tensorflow"


def report() -> str:
    """Return the versions of lossreg, Keras, its backend and the plugins."""
    backend, chosen_by = keras_backend()
    rows = [
        ["lossreg", _version("lossreg"), ""],
        ["keras", _version("keras"), ""],
        [backend, _version(backend), f"Keras' backend, {chosen_by}"],
    ]
    for record in discovery.installed().plugins:
        if not record.provider.is_builtin:
            provider = record.provider
            rows.append(
                [provider.distribution, provider.version or "?", f"plugin, {_state(record)}"]
            )
    return "\n".join(in_columns(rows))


def keras_backend() -> tuple[str, str]:
    """Return the backend that Keras will take, and what chose it.

    Keras says it only once it is imported, so this reads what Keras reads.
    """
    if named := os.environ.get("KERAS_BACKEND"):
        return named, "by KERAS_BACKEND"
    home = os.environ.get("KERAS_HOME")
    file = Path(home) / "keras.json" if home else Path.home() / ".keras" / "keras.json"
    import json

    try:
        named = json.loads(file.read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, LookupError, TypeError):
        # Keras, too, goes on with its default where it can't read the file.
        return _DEFAULT_BACKEND, "by default"
    return str(named), "by keras.json"


def _version(distribution: str) -> str:
    try:
        return importlib_metadata.version(distribution)
    except importlib_metadata.PackageNotFoundError:
        return "not installed"


def _state(record: PluginRecord) -> str:
    if record.error is not None:
        return f"{record.state}: fails to {record.stage} ({type(record.error).__name__})"
    if record.rule:
        return f"{record.state} by {record.rule}"
    count = len(record.losses)
    return f"{record.state}: {count} loss{'' if count == 1 else 'es'}"
