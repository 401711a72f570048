"""The losses of one distribution, and what their checks share."""

from collections.abc import Callable
from typing import Any, TypeVar

from lossreg import names
from lossreg.errors import ParameterError
from lossreg.registry import Registry

from .results import ConformanceError, NotApplicableError
from .subject import Subject

Found = TypeVar("Found")


class Suite:
    """The losses of one distribution, each with its inputs.

    Args:
        registry: Where the losses are.
        distribution: The distribution that offers them.

    Raises:
        ParameterError: It offers none.
        BrokenPluginError: It is installed and broken.
    """

    def __init__(self, registry: Registry, distribution: str) -> None:
        self.registry = registry
        self.distribution = names.normalize_distribution(distribution)
        entries = registry.entries(plugin=self.distribution)
        if not entries:
            self._refuse()
        self.subjects = {entry.spec.name: Subject(entry, self) for entry in entries}
        self._cache: dict[Callable[..., Any], Any] = {}

    @property
    def modules(self) -> list[str]:
        """The distribution's plugin modules.

        Raises:
            NotApplicableError: It isn't installed, as a plugin is; no other process finds it.
        """
        found = [r.module for r in self.registry.plugins if self._offers(r.provider.distribution)]
        if not found:
            raise NotApplicableError("it isn't installed, so no other process can find it")
        return found

    def cached(self, find: Callable[["Suite"], Found]) -> Found:
        """Return what a function finds out about all losses at once, the first time only."""
        if find not in self._cache:
            try:
                self._cache[find] = find(self)
            except (ConformanceError, NotApplicableError) as error:
                # Another process that fails costs seconds, and would fail again.
                self._cache[find] = error
        found = self._cache[find]
        if isinstance(found, ConformanceError | NotApplicableError):
            raise found
        return found  # type: ignore[no-any-return]  # as it was put there

    def _offers(self, distribution: str) -> bool:
        return distribution == self.distribution

    def _refuse(self) -> None:
        """Raise the error that tells why there is no loss."""
        if any(self._offers(record.provider.distribution) for record in self.registry.plugins):
            # It says whether the plugin is broken or blocked, and by what.
            self.registry.lookup(f"{self.distribution}/any")
        known = sorted({entry.provider.distribution for entry in self.registry.entries()})
        raise ParameterError(
            f"No plugin named {self.distribution!r} is installed."
            f"{names.did_you_mean(self.distribution, known)} "
            "Give the name of a distribution; 'lossreg plugins' shows what is installed."
        )
