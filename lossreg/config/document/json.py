"""JSON as plain data. Places are found only when somebody asks."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

from ...errors import Fault, Path
from .reading import (
    DEEPEST,
    EMPTY,
    TOO_DEEP,
    NotFinite,
    Place,
    Position,
    Reading,
    faults,
    number,
    position_at,
    repeated,
)

# The closing quote is optional, so that a string without it isn't tried from each of its quotes.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_RULES = (
    "JSON has strings and keys in double quotes, no comments, and no comma after the last entry."
)


def read(text: str) -> Reading:
    """Return the data of JSON."""
    if not text.strip():
        return Reading(faults=[Fault(message=EMPTY + '{"loss": "huber"}')])
    too_deep = _too_deep(text)
    if too_deep:
        return Reading(faults=[too_deep])
    repeats: list[bool] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            repeats.append(True)
        return found

    try:
        data = json.loads(
            text,
            object_pairs_hook=mapping,
            parse_constant=NotFinite,
            parse_float=partial(number, kind=float),
            parse_int=partial(number, kind=int),
        )
    except json.JSONDecodeError as error:
        at = Position(error.lineno, error.colno)
        return Reading(faults=[at.fault(f"This can't be read as JSON: {error.msg}. {_RULES}")])
    scanner = _Scanner(text)
    places = cache(scanner.scan)
    found = [_placed(fault, places()) for fault in faults(data)]
    if repeats:
        places()
        found += scanner.repeats
    return Reading(data=data, faults=found, places=places)


def _placed(fault: Fault, place: Place) -> Fault:
    position = place.find(fault.path, key=fault.at_key)
    return replace(fault, line=position.line, column=position.column)


def _too_deep(text: str) -> Fault | None:
    """Return the fault of JSON that is nested deeper than json can read.

    json calls itself for each bracket, in C, and would end the process where the
    interpreter's limit is high.
    """
    depth = 0
    for token in _TOKEN.finditer(text):
        if token.group() in ("[", "{"):
            depth += 1
            if depth > DEEPEST:
                return position_at(text, token.start()).fault(TOO_DEEP)
        elif token.group() in ("]", "}"):
            depth -= 1
    return None


class _Scanner:
    """Finds the places of valid JSON, and the keys that a mapping has twice."""

    def __init__(self, text: str) -> None:
        self.tokens: Iterator[re.Match[str]] = _TOKEN.finditer(text)
        self.lines = [0, *(end.end() for end in re.finditer("\n", text))]
        self.repeats: list[Fault] = []

    def scan(self) -> Place:
        """Return the places of the whole."""
        return self.place(next(self.tokens), ())

    def place(self, token: re.Match[str], path: Path) -> Place:
        """Return the places of the value that begins with a token."""
        place = Place(self.position(token))
        if token.group() == "{":
            self.mapping(place, path)
        elif token.group() == "[":
            index = 0
            for entry in self.tokens:
                if entry.group() == "]":
                    break
                if entry.group() != ",":
                    place.inner[index] = self.place(entry, (*path, index))
                    index += 1
        return place

    def mapping(self, place: Place, path: Path) -> None:
        first: dict[str, Position] = {}
        for token in self.tokens:
            if token.group() == "}":
                break
            if token.group() == ",":
                continue
            key, at = json.loads(token.group()), self.position(token)
            here = (*path, key)
            if first.setdefault(key, at) is not at:
                self.repeats.append(at.fault(repeated(key, first[key]), here, at_key=True))
            next(self.tokens)
            # json, too, keeps the last of several values.
            place.inner[key] = self.place(next(self.tokens), here)
            place.inner[key].key = at

    def position(self, token: re.Match[str]) -> Position:
        line = bisect_right(self.lines, token.start())
        return Position(line, token.start() - self.lines[line - 1] + 1)
