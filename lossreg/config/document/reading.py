"""What is read of a config: plain data, their places, and what is wrong with them.

YAML, TOML and JSON have a module each, which returns a `Reading`.
"""

import datetime
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ...errors import Fault, Path
from ...loss import shown

DEEPEST = 50
"""Lists and mappings within each other; a config that Keras wrote has about ten."""

EMPTY = "There is nothing in it, and a config has keys with values. Write, for example: "
TOO_DEEP = (
    f"Lists and mappings are nested more than {DEEPEST} deep here, which is more than a config "
    "needs. Close each bracket."
)

# More digits than the largest float has; int() itself takes quadratic time.
_MOST_DIGITS = 400
# The characters that YAML 1.2 calls not printable, which no terminal or file name should get.
# Three classes, because re takes 5 ms to compile them as one.
UNPRINTABLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|[\ud800-\udfff]|[\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: line and character of the line, both from 1."""

    line: int
    column: int

    def fault(self, message: str, path: Path = (), *, at_key: bool = False) -> Fault:
        """Return the fault that is here."""
        place = {"line": self.line, "column": self.column}
        return Fault(path=path, at_key=at_key, message=message, **place)


def position_at(text: str, offset: int) -> Position:
    """Return the position of a character."""
    line = text.count("\n", 0, offset) + 1
    return Position(line, offset - text.rfind("\n", 0, offset))


@dataclass(slots=True)
class Place:
    """The position of a value and of its key, and the places of its entries."""

    value: Position
    key: Position | None = None
    inner: "dict[str | int, Place]" = field(default_factory=dict)

    def find(self, path: Path, *, key: bool = False) -> Position:
        """Return the position of a value or key, or of the nearest one that would hold it."""
        place = self
        for part in path:
            inner = place.inner.get(part)
            if inner is None:
                # A block's value begins with its first entry. The key stands for the whole.
                return place.key or place.value
            place = inner
        return place.key if key and place.key else place.value


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Data, everything that is wrong with them, and their places if the format has them."""

    data: Any = None
    faults: list[Fault] = field(default_factory=list)
    places: Callable[[], Place] | None = None


@dataclass(frozen=True, slots=True)
class NotFinite:
    """A number that a float can't hold, as it was written; it stands in data for the number."""

    written: str


def number(written: str, kind: Callable[[str], int | float]) -> int | float | NotFinite:
    """Return the number that a string writes, if it is finite.

    >>> number("1e3", float), number("1e400", float)
    (1000.0, NotFinite(written='1e400'))
    """
    if kind is int and len(written) > _MOST_DIGITS:
        return NotFinite(written)
    value = kind(written)
    return value if abs(value) <= sys.float_info.max else NotFinite(written)


def objection(value: Any) -> str | None:
    """Return what is wrong with a value that isn't a list or mapping, or None."""
    match value:
        case None | bool():
            return None
        case str():
            found = UNPRINTABLE.search(value)
            return found and (
                f"The string {shown(value)} has the character {found.group()!r}; strings have "
                "printable characters, tabs and line ends. Remove it."
            )
        case int():
            if abs(value) > sys.float_info.max:
                # str() refuses integers of thousands of digits, which TOML has as 0xfff...
                return _not_finite(str(value) if value.bit_length() < 2000 else f"{value:#x}")
        case float():
            if not math.isfinite(value):
                return _not_finite(str(value))
        case NotFinite(written):
            return _not_finite(written)
        case datetime.date() | datetime.time():
            return (
                f"{value} is a date or a time, and a config has strings, numbers, true, false, "
                f'lists and mappings. Quote it to make a string: "{value}".'
            )
        case _:
            raise AssertionError(f"no parser makes {value!r}")
    return None


def _not_finite(written: str) -> str:
    short = written if len(written) <= 20 else f"{written[:20]}..."
    return f"{short} isn't a finite number. Give one of at most {sys.float_info.max:.1e} in size."


def repeated(key: str, first: Position) -> str:
    """Return what is wrong with a key that a mapping has a second time."""
    return (
        f"The key {shown(key)} is here a second time; the first is at line {first.line}, column "
        f"{first.column}. A mapping has each key once: remove one of the two."
    )


def faults(data: Any, path: Path = ()) -> Iterator[Fault]:
    """Yield what is wrong with the keys and values of data, without their places."""
    if len(path) == DEEPEST and isinstance(data, dict | list):
        yield Fault(path=path[:1], message=TOO_DEEP)
    elif isinstance(data, dict):
        for key, value in data.items():
            message = objection(key)
            if message:
                yield Fault(path=(*path, key), at_key=True, message=message)
            yield from faults(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from faults(value, (*path, index))
    else:
        message = objection(data)
        if message:
            yield Fault(path=path, message=message)
