"""Who offers a loss: a distribution, and the names that no distribution may have."""

from dataclasses import dataclass

BUILTIN = "keras"
"""The distribution of the built-in losses."""

LOCAL = "local"
"""The distribution in the names of losses that this process registered."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A distribution and its version.

    Args:
        distribution: Its name, as PyPI compares it.
        version: Its version, or an empty string.
        is_builtin: Whether it offers Keras' own losses. A name can't claim it.
    """

    distribution: str
    version: str
    is_builtin: bool = False

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}".strip()

    @property
    def is_local(self) -> bool:
        """Whether this process registered the loss."""
        return self.distribution == LOCAL
