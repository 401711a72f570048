"""Losses and commands of known packages, which may not be installed. Nothing is imported here."""

import functools
import json
from collections.abc import Mapping
from importlib import resources

from ..loss import key

COMMANDS = dict.fromkeys(("compare", "fit", "objective"), "lossreg-train")
"""The distribution to install for a subcommand."""

# Written by scripts/known_losses.py from the specs of the packages. lossreg may be in a zip.
_FILE = resources.files(__package__) / "known.json"


@functools.cache
def known_losses() -> Mapping[str, list[str]]:
    """Return the names and aliases of the losses of each known distribution."""
    losses: Mapping[str, list[str]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return losses


def known_packages(loss: str) -> list[str]:
    """Return the distributions that are known to offer a loss.

    >>> known_packages("FocalLoss")
    ['lossreg-focal']
    """
    asked = key(loss)
    return [
        package for package, names in known_losses().items() if asked in {key(n) for n in names}
    ]
