"""The events that ruamel.yaml's parser makes of a text.

This module takes 30 ms to import, and only a text of YAML needs it: ruamel.yaml always
imports all of itself.
"""

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scanner import Scanner

from .reading import DEEPEST, Position


def events(text: str) -> Iterator[Any]:
    """Yield what the parser finds; nothing is constructed from it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    return yaml.parse(text)  # type: ignore[no-any-return]  # ruamel.yaml leaves it untyped


def position(mark: Any) -> Position:
    """Return the position of ruamel.yaml's mark, which counts from 0."""
    return Position(mark.line + 1, mark.column + 1)


class TooDeep(Exception):  # noqa: N818 - it becomes a fault, and no user sees it
    """A bracket opens within more lists and mappings than there may be."""

    def __init__(self, at: Position) -> None:
        super().__init__()
        self.at = at


class _Scanner(Scanner):
    """Stops at such a bracket before the parser has told of the first one.

    ruamel.yaml 0.19.1 looks a thousand characters ahead for the end of a key, and at each
    of them takes time for each open bracket.
    """

    def fetch_flow_collection_start(self, *args: Any, **kwargs: Any) -> None:
        if self.flow_level + len(self.indents) >= DEEPEST:
            raise TooDeep(position(self.reader.get_mark()))
        super().fetch_flow_collection_start(*args, **kwargs)
