"""Packages in a temporary folder, as an installer leaves them."""

import itertools
from pathlib import Path

SPEC = """
from lossreg import LossSpec, hookimpl

def spec(name, target=None):
    target = target or f"{__package__}.losses:{name}"
    fields = {"task": ("binary",), "y_true": "binary", "y_pred": "logits"}
    return LossSpec(name=name, target=target, summary="A.", **fields)
"""

GOOD = """
@hookimpl
def lossreg_losses():
    return [spec("good")]
"""

LOSSES = """
from typing import Annotated
from annotated_types import Ge

def good(y_true, y_pred, *, gamma: Annotated[float, Ge(0)] = 2.0):
    return gamma

def variadic(y_true, y_pred, **kwargs): ...
def untyped(y_true, y_pred, *, gamma=2.0): ...
def reserved(y_true, y_pred, *, reduction: str = "sum"): ...
"""

_serial = itertools.count()


def install(
    site: Path,
    plugin: str = GOOD,
    *,
    distribution: str = "acme-losses",
    point: str = "acme",
    losses: str = LOSSES,
    package: str | None = None,
    module: str | None = None,
    metadata: bool = True,
    entry_points: str | bytes | None = None,
) -> str:
    """Put a distribution into a site folder and return the name of its package.

    The package has a name of its own, so that one test can't import another's.
    """
    package = package or f"acme_{next(_serial)}"
    folder = site / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "plugin.py").write_text(SPEC + plugin)
    (folder / "losses.py").write_text(losses)
    info = site / f"{distribution.replace('-', '_')}-1.2.0.dist-info"
    info.mkdir()
    if metadata:
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.2.0\n")
    text = entry_points or f"[lossreg]\n{point} = {module or package + '.plugin'}\n"
    (info / "entry_points.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return package
