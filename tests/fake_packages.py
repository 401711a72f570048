"""The packages that `docs/errors.md` says are installed where its programs run."""

from collections.abc import Mapping
from pathlib import Path

import sites

_PLUGIN = """
@hookimpl
def lossreg_losses():
    return [spec("{name}")]
"""

_LOSSES = """
def {name}(y_true, y_pred):
    return y_true - y_pred
"""


def install(site: Path) -> Mapping[str, str]:
    """Put the packages into a folder, and return the variables with which they are found."""
    for distribution, name in (
        ("acme-losses", "tilted"),
        ("other-losses", "tilted"),
        ("blocked-losses", "hidden"),
    ):
        sites.install(
            site,
            _PLUGIN.format(name=name),
            distribution=distribution,
            package=distribution.replace("-", "_"),
            losses=_LOSSES.format(name=name),
        )
    sites.install(site, "import vanished\n", distribution="broken-losses", package="broken_losses")
    return {"PYTHONPATH": str(site), "LOSSREG_BLOCK": "blocked-losses"}
