"""The versions that made a run, and how they differ from the installed versions."""

import sys
from collections.abc import Mapping

from lossreg.lazy import keras
from lossreg.loss import Bound
from lossreg.registry import FRAMEWORKS, installed_version

_BACKENDS = {*FRAMEWORKS} - {"keras"}


def collect(bound: Bound) -> dict[str, str]:
    """Return the versions of everything that decides a run's numbers, by distribution."""
    names = ("lossreg", "keras", keras.config.backend(), "numpy")
    found = {name: _version(name) or "?" for name in names}
    for loss in bound.losses():
        if not loss.provider.is_local:
            found.setdefault(loss.provider.distribution, loss.provider.version)
    return found


def differences(recorded: Mapping[str, str]) -> list[str]:
    """Return how the versions of a run differ from the versions here, a string for each.

    Args:
        recorded: What `collect` returned for the run.
    """
    found = []
    backend = keras.config.backend()
    for distribution, version in recorded.items():
        here = _version(distribution)
        if distribution in _BACKENDS and distribution != backend:
            found.append(f"{distribution} {version}, and the backend here is {backend}")
        elif here != version:
            found.append(f"{distribution} {version}, here {here or 'not installed'}")
    return found


def _version(distribution: str) -> str | None:
    # A distribution of another name, such as tensorflow-cpu, may have installed the backend.
    if distribution == keras.config.backend() and distribution in sys.modules:
        return str(getattr(sys.modules[distribution], "__version__", "?"))
    return installed_version(distribution)
