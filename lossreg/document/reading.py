"""What the text of a config says: plain data, where each piece stands, and what is wrong.

YAML, TOML and JSON are read by a module each, and all of them return a `Reading`.
"""

import datetime
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..fault import Fault, Path
from ..names import shown

DEEPEST = 50
"""Lists and mappings within each other; a config that Keras wrote has about ten."""

EMPTY = "There is nothing in it, and a config has keys with values. Write, for example: "
TOO_DEEP = (
    f"Lists and mappings are nested more than {DEEPEST} deep here, which is more than a config "
    "needs. Is a bracket not closed?"
)

# More digits than the largest float has; int() itself takes quadratic time.
_MOST_DIGITS = 400
# What isn't printable in YAML 1.2: nothing that a terminal should be sent, or a file named.
# In three classes, because re takes 5 ms to compile them as one.
UNPRINTABLE = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|[\ud800-\udfff]|[\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: line and character of the line, both from 1."""

    line: int
    column: int


def position_at(text: str, offset: int) -> Position:
    """Return the position of a character."""
    line = text.count("\n", 0, offset) + 1
    return Position(line, offset - text.rfind("\n", 0, offset))


@dataclass(slots=True)
class Place:
    """Where a value stands, where its key does, and the same for what it holds."""

    value: Position
    key: Position | None = None
    inner: "dict[str | int, Place]" = field(default_factory=dict)

    def find(self, path: Path, *, key: bool = False) -> Position:
        """Return the position of a value or key below; of what would hold it if it isn't there."""
        place = self
        for part in path:
            inner = place.inner.get(part)
            if inner is None:
                # A block's value begins with its first entry; the key stands for the whole.
                return place.key or place.value
            place = inner
        return place.key if key and place.key else place.value


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Data, everything that is wrong with them, and their places where the format tells."""

    data: Any = None
    faults: list[Fault] = field(default_factory=list)
    places: Callable[[], Place] | None = None


@dataclass(frozen=True, slots=True)
class NotFinite:
    """Stands in data for a number that a float can't hold, as it was written."""

    written: str


def number(written: str, kind: Callable[[str], int | float]) -> int | float | NotFinite:
    """Return the number that a text writes, if it is finite.

    >>> number("1e3", float), number("1e400", float)
    (1000.0, NotFinite(written='1e400'))
    """
    if kind is int and len(written) > _MOST_DIGITS:
        return NotFinite(written)
    value = kind(written)
    return value if abs(value) <= sys.float_info.max else NotFinite(written)


def objection(value: Any) -> str | None:
    """Return what is wrong with a value that is no list or mapping, or None."""
    match value:
        case None | bool():
            return None
        case str():
            found = UNPRINTABLE.search(value)
            return found and (
                f"The text {shown(value)} has the character {found.group()!r}; texts have "
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
                f"{value} is a date or a time, and a config has texts, numbers, true, false, "
                f'lists and mappings. Quote it for a text: "{value}".'
            )
        case _:
            raise AssertionError(f"no parser makes {value!r}")
    return None


def _not_finite(written: str) -> str:
    short = written if len(written) <= 20 else f"{written[:20]}..."
    return f"{short} isn't a finite number. Give one of at most {sys.float_info.max:.1e} in size."


def repeated(key: str, first: Position) -> str:
    """Return what is wrong with a key that stands in a mapping for the second time."""
    return (
        f"The key {shown(key)} stands here again; the first is at line {first.line}, column "
        f"{first.column}. A mapping has each key once: remove one of the two."
    )


def faults(data: Any, path: Path = ()) -> Iterator[Fault]:
    """Yield what is wrong with the keys and values of data, without their places."""
    if len(path) == DEEPEST and isinstance(data, dict | list):
        yield Fault(path=path[:1], message=TOO_DEEP)
    elif isinstance(data, dict):
        for key, value in data.items():
            said = objection(key)
            if said:
                yield Fault(path=(*path, key), at_key=True, message=said)
            yield from faults(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from faults(value, (*path, index))
    else:
        said = objection(data)
        if said:
            yield Fault(path=path, message=said)
