"""The page: one file of HTML with everything in it. It needs no network."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import importlib_metadata

from ..errors import LossregError
from ..registry import installed
from .script import script_data

_PROCESSES = 2
_PARTS = {
    "style": "explorer.css",
    "numbers": "numbers.js",
    "explorer": "explorer.js",
    "playground": "playground.js",
}


class ExplorerError(LossregError):
    """The page can't be made: what is missing, or what failed."""


@dataclass(frozen=True, kw_only=True)
class ExplorerPage:
    """The page of the loss explorer.

    Args:
        html: The page.
        drawn: The losses that it draws.
        left_out: The losses that it doesn't draw; it lists them with the reasons.
    """

    html: str
    drawn: Sequence[str]
    left_out: Sequence[str]

    def __str__(self) -> str:
        one = len(self.drawn) == 1
        losses = f"{len(self.drawn)} loss{'' if one else 'es'}"
        if not self.left_out:
            return f"It draws {losses}, and leaves out none."
        return f"It draws {losses}, and leaves out {len(self.left_out)}: it lists the reasons."


def explorer_page(packages: Sequence[str] = ()) -> ExplorerPage:
    """Return the page of the loss explorer.

    Args:
        packages: The distributions whose losses it has; none for all that are installed.

    Raises:
        ExplorerError: JAX isn't installed, or no loss is a curve.
    """
    if importlib.util.find_spec("jax") is None:
        raise ExplorerError(
            "The explorer traces losses with JAX, which isn't installed. "
            "Install it: pip install 'lossreg[explore]'"
        )
    drawn, left_out = _build(packages)
    if not drawn:
        named = ", ".join(packages) or "the installed packages"
        raise ExplorerError(f"No loss of {named} is a curve. 'lossreg list' shows what they offer.")
    order = [entry.qualified_name for entry in installed().entries()]
    shown = [name for name in order if name in drawn]
    others = [name for name in order if name in left_out]
    html = fill_page([drawn[name] for name in shown], [(name, left_out[name]) for name in others])
    return ExplorerPage(html=html, drawn=shown, left_out=others)


def fill_page(losses: Sequence[str], left_out: Sequence[tuple[str, str]]) -> str:
    """Return the page with some losses.

    Args:
        losses: Each as a JavaScript object.
        left_out: Names of those that aren't drawn, with the reason.
    """
    data = [
        "const LOSSES=[" + ",\n".join(losses) + "];",
        f"const LEFT_OUT={script_data(left_out)};",
        f"const ORIGIN={script_data(_origin())};",
    ]
    page = _part("explorer.html")
    for name, file in _PARTS.items():
        page = page.replace("{{" + name + "}}", _part(file), 1)
    # Last, since the text of a package may hold anything.
    return page.replace("{{data}}", "\n".join(data), 1)


def _part(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _origin() -> str:
    versions = [
        f"{name} {importlib_metadata.version(name)}" for name in ("lossreg", "keras", "jax")
    ]
    return f"Made with {', '.join(versions)}."


def _build(packages: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the JavaScript of each loss that is drawn, and the reason for each that isn't."""
    count = min(_PROCESSES, os.cpu_count() or 1)
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
    }
    # Keras has one backend in a process, and this one may run on another.
    processes = [
        subprocess.Popen(  # noqa: S603 - our own module, and names of packages
            [sys.executable, "-m", f"{__package__}.build", *packages, str(place), str(count)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        for place in range(count)
    ]
    drawn: dict[str, str] = {}
    left_out: dict[str, str] = {}
    for process in processes:
        out, err = process.communicate()
        if process.returncode:
            reason = err.strip().rpartition("\n")[2]
            raise ExplorerError(f"Tracing the losses failed: {reason}")
        result: dict[str, Any] = json.loads(out)
        drawn.update(result["drawn"])
        left_out.update(result["left_out"])
    return drawn, left_out
