"""Which versions made a run, and how they differ from those that are installed."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import importlib_metadata

from ...binding import Bound
from ...entry import BoundLoss, BoundSum
from ...lazy import keras


def used(bound: Bound | None) -> dict[str, str]:
    """Return the versions of all that decides a run's numbers, by distribution."""
    found = {name: installed(name) or "?" for name in ("lossreg", "keras", _backend(), "numpy")}
    for loss in losses(bound):
        if not loss.provider.is_local:
            found.setdefault(loss.provider.distribution, loss.provider.version)
    return found


def installed(distribution: str) -> str | None:
    """Return the version of a distribution, or None where it isn't installed."""
    # tensorflow-cpu and its kin are distributions of another name.
    if distribution == _backend() and distribution in sys.modules:
        return str(getattr(sys.modules[distribution], "__version__", "?"))
    try:
        return importlib_metadata.version(distribution)
    except importlib_metadata.PackageNotFoundError:
        return None


def differences(said: Mapping[str, str]) -> list[str]:
    """Return how the versions of a run differ from those here, one text for each.

    Args:
        said: What `used` returned for that run.
    """
    found = []
    backend = _backend()
    for distribution, version in said.items():
        here = installed(distribution)
        if distribution in _BACKENDS and distribution != backend:
            found.append(f"{distribution} {version}, and the backend here is {backend}")
        elif here != version:
            found.append(f"{distribution} {version}, here {here or 'not installed'}")
    return found


_BACKENDS = ("tensorflow", "jax", "torch")


def _backend() -> str:
    return str(keras.config.backend())


def losses(bound: Any) -> Iterator[BoundLoss]:
    """Yield the losses that a bound loss adds up, those of every output."""
    if isinstance(bound, BoundLoss):
        yield bound
    elif isinstance(bound, BoundSum):
        for term in bound.terms:
            yield term.loss
    elif isinstance(bound, Mapping):
        for each in bound.values():
            yield from losses(each)
