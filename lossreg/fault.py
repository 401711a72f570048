"""One thing that is wrong in a config: where, and what to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a place in a config."""

_PLAIN = re.compile(r"[\w/-]+")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong in a config.

    Args:
        message: What is wrong, what is allowed and what to do next.
        path: Where.
        at_key: Whether the key is wrong, and not its value.
        line: Line of the file, from 1, where its format tells.
        column: Character of that line, from 1.
    """

    message: str
    path: Path = ()
    at_key: bool = False
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"{key_path(self.path)}: {self.message}" if self.path else self.message


def key_path(path: Path) -> str:
    """Return a path as one reads it.

    >>> key_path(("model", 0, "Dense", "units"))
    'model[0].Dense.units'
    """
    text = ""
    for part in path:
        if isinstance(part, int) or not _PLAIN.fullmatch(part):
            text += f"[{part!r}]"
        else:
            text += f".{part}" if text else part
    return text


def listed(faults: Sequence[Fault], source: str | None = None) -> str:
    """Return faults as lines, each with its place in the file if there is one.

    >>> print(listed([Fault(message="Not here.", path=("loss",), line=2, column=7)], "a.yaml"))
    a.yaml:2:7: loss: Not here.
    """
    lines = []
    for fault in faults:
        places = [source, fault.line, fault.column]
        where = ":".join(str(place) for place in places if place is not None)
        lines.append(f"{where}: {fault}" if where else str(fault))
    return "\n".join(lines)
