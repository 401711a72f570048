"""A crowded environment: 400 distributions, 50 of them plugins with 20 losses each."""

import sys
import tempfile
from pathlib import Path

from .processes import seconds

DISTRIBUTIONS, PLUGINS, LOSSES = 400, 50, 20

PLUGIN = """
from lossreg import LossSpec, hookimpl

@hookimpl
def lossreg_losses():
    return [
        LossSpec(
            name=f"loss{{number}}_of_{index}",
            target=f"crowd_{index}.losses:loss{{number}}",
            summary="One of many.",
            task=("regression",),
            y_true="real",
            y_pred="real",
        )
        for number in range({losses})
    ]
"""

# What nobody can save: reading the entry points and importing the plugins' modules, which
# import lossreg.
BARE = """
import importlib, importlib_metadata
for point in importlib_metadata.entry_points(group="lossreg"):
    importlib.import_module(point.value)
"""


def crowd(site: Path) -> None:
    """Fill a site folder with distributions."""
    for index in range(DISTRIBUTIONS):
        info = site / f"crowd_{index}-1.0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: crowd-{index}\nVersion: 1.0\n\n{'Text. ' * 500}\n"
        (info / "METADATA").write_text(metadata)
        if index < PLUGINS:
            package = site / f"crowd_{index}"
            package.mkdir()
            (package / "__init__.py").touch()
            (package / "plugin.py").write_text(PLUGIN.format(index=index, losses=LOSSES))
            (info / "entry_points.txt").write_text(f"[lossreg]\nc = crowd_{index}.plugin\n")
        else:
            (info / "entry_points.txt").write_text("[console_scripts]\nx = y:z\n")


def rows(runs: int) -> list[list[str]]:
    """Return how a listing compares with the least that it must do."""
    with tempfile.TemporaryDirectory() as folder:
        crowd(Path(folder))
        command = [sys.executable, "-m", "lossreg", "list", "--json"]
        taken = seconds(
            {"list": command, "bare": [sys.executable, "-c", BARE]}, runs, PYTHONPATH=folder
        )
    ratio = taken["list"] / taken["bare"]
    what = f"lossreg list --json, {PLUGINS} plugins / their entry points and imports"
    return [[what, f"{ratio:.2f}", "<= 1.5", ""]]
