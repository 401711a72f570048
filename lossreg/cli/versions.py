"""`lossreg --version`: the versions of everything, without importing it."""

import os
from pathlib import Path

from ..registry import PluginRecord, installed, installed_version
from .output import in_columns

_DEFAULT_BACKEND = "tensorflow"


def report() -> str:
    """Return the versions of lossreg, Keras, its backend and the plugins."""
    backend, chosen_by = keras_backend()
    rows = [
        [distribution, installed_version(distribution) or "not installed", note]
        for distribution, note in (
            ("lossreg", ""),
            ("keras", ""),
            (backend, f"Keras' backend, {chosen_by}"),
        )
    ]
    for record in installed().plugins:
        if not record.provider.is_builtin:
            provider = record.provider
            rows.append(
                [provider.distribution, provider.version or "?", f"plugin, {_state(record)}"]
            )
    return "\n".join(in_columns(rows))


def keras_backend() -> tuple[str, str]:
    """Return the backend that Keras will use, and what chose it.

    Only an imported Keras knows its backend, so this reads what Keras would read.
    """
    if named := os.environ.get("KERAS_BACKEND"):
        return named, "by KERAS_BACKEND"
    home = os.environ.get("KERAS_HOME")
    file = Path(home) / "keras.json" if home else Path.home() / ".keras" / "keras.json"
    import json

    try:
        named = json.loads(file.read_text(encoding="utf-8"))["backend"]
    except (OSError, ValueError, LookupError, TypeError):
        # Keras also uses its default if it can't read the file.
        return _DEFAULT_BACKEND, "by default"
    return str(named), "by keras.json"


def _state(record: PluginRecord) -> str:
    if record.error is not None:
        return f"{record.state}: fails to {record.stage} ({type(record.error).__name__})"
    if record.rule:
        return f"{record.state} by {record.rule}"
    losses, commands = len(record.losses), len(record.commands)
    offers = [f"{losses} loss{'' if losses == 1 else 'es'}"] * bool(losses or not commands)
    offers += [f"{commands} command{'' if commands == 1 else 's'}"] * bool(commands)
    return f"{record.state}: {', '.join(offers)}"
