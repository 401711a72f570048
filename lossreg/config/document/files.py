"""A config file as plain data with positions: `load_document`, and `parse_document`."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path as File
from typing import Any, Literal, get_args

from ...errors import ConfigError, Fault, Path
from ...loss import suggest
from .reading import UNPRINTABLE, Place, Position, Reading, position_at

Kind = Literal["yaml", "toml", "json"]

LARGEST = 64 * 1024
"""The most bytes of a config: about two thousand lines, which are read within a second.

On a slow machine with Python 3.11, the worst 64 KiB of YAML found (5,000 values in brackets,
then a string of 15,000 lines) take 0.5 s, of TOML 0.4 s, of JSON 0.2 s, and 30 usual lines of
YAML 5 ms. Without `reading.DEEPEST`, 64 KiB of open brackets take YAML's parser 270 s.
"""

_KINDS: dict[str, Kind] = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json"}
_SUFFIXES = ".yaml, .yml, .toml or .json"


@dataclass(frozen=True, kw_only=True)
class Document:
    """The data of a config: dicts, lists, strings, numbers, true, false and null.

    Args:
        data: The data.
        source: The file, or another origin.
        places: Returns the places of everything, if the format has them.
    """

    data: Any
    source: str
    places: Callable[[], Place] | None = field(default=None, repr=False, compare=False)

    def position(self, path: Path, *, key: bool = False) -> Position | None:
        """Return where a value begins, or where its key does.

        Args:
            path: Keys and indexes that lead to it. If it isn't there, the position is that
                of the nearest key, or entry of a list, that would hold it.
            key: Whether to return the key's position.

        Returns:
            Line and column, from 1; None for TOML, whose parser doesn't tell.
        """
        return None if self.places is None else self.places().find(path, key=key)


def load_document(path: str | os.PathLike[str]) -> Document:
    """Return the data of a file, whose suffix is `.yaml`, `.yml`, `.toml` or `.json`.

    Raises:
        ConfigError: It can't be read, or can't be a config; names every fault found.
    """
    file, source = File(path), str(path)
    kind = _KINDS.get(file.suffix.lower())
    try:
        about = file.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(file, kind, error) from None
    if stat.S_ISDIR(about.st_mode):
        raise _error(source, f"This is a folder. Name a file in it that ends in {_SUFFIXES}.")
    if kind is None:
        raise _error(source, f"A config's file ends in {_SUFFIXES}. Rename it.")
    if not stat.S_ISREG(about.st_mode):
        raise _error(source, "This isn't a regular file. Name a file that holds the config.")
    _check_size(about.st_size, source)
    try:
        with file.open("rb") as opened:
            # A file in /proc has no size, and another file may grow meanwhile.
            content = opened.read(LARGEST + 1)
    except OSError as error:
        raise _unreadable(file, kind, error) from None
    return parse_document(content, kind=kind, source=source)


def _unreadable(file: File, kind: Kind | None, error: OSError | ValueError) -> ConfigError:
    """Return the error for a file that the system can't read."""
    if kind is None:
        return _error(str(file), f"A config's file ends in {_SUFFIXES}, and this one doesn't.")
    if isinstance(error, FileNotFoundError):
        return _error(str(file), f"There is no such file.{_near(file)} Check the path.")
    # A path with NUL is a ValueError.
    why = error.strerror if isinstance(error, OSError) else str(error)
    return _error(str(file), f"It can't be read: {why}. Check the path and its permissions.")


def _near(file: File) -> str:
    """Return " Did you mean ...?" with the nearest config in the folder, or an empty string."""
    try:
        # A folder of data may have millions of files, and a folder of configs has few.
        with os.scandir(file.parent) as found:
            entries = [File(entry.name) for entry in islice(found, 1000)]
    except OSError:
        return ""
    configs = {entry.stem: entry.name for entry in entries if entry.suffix.lower() in _KINDS}
    nearest = suggest(file.stem, configs, most=1)
    return f" Did you mean {configs[nearest[0]]!r}?" if nearest else ""


def parse_document(text: str | bytes, *, kind: Kind, source: str = "config") -> Document:
    """Return the data of a text.

    >>> parse_document("loss: huber(delta=2)", kind="yaml").data
    {'loss': 'huber(delta=2)'}

    Args:
        text: At most `LARGEST` characters, or bytes of UTF-8.
        kind: The text's format.
        source: The text's name in errors.

    Raises:
        ConfigError: It can't be read, or can't be a config; names every fault found.
    """
    if kind not in get_args(Kind):
        raise ConfigError(f"A config is 'yaml', 'toml' or 'json', got kind={kind!r}.")
    _check_size(len(text), source)
    if isinstance(text, bytes):
        text = _decoded(text, source)
    text = text.removeprefix("\ufeff")
    sign = UNPRINTABLE.search(text)
    if sign:
        message = f"A config can't have the character {sign.group()!r}. Remove it."
        raise _error(source, message, position_at(text, sign.start()))
    reading = _reader(kind)(text)
    if reading.faults:
        found = sorted(reading.faults, key=lambda fault: (fault.line or 0, fault.column or 0))
        raise ConfigError.of(found, source)
    return Document(data=reading.data, source=source, places=reading.places)


def _reader(kind: Kind) -> Callable[[str], Reading]:
    # Only one reader is needed, and its parser is slow to import.
    match kind:
        case "yaml":
            from .yaml import read as read_yaml

            return read_yaml
        case "toml":
            from .toml import read as read_toml

            return read_toml
        case "json":
            from .json import read as read_json

            return read_json


def _check_size(size: int, source: str) -> None:
    if size > LARGEST:
        raise _error(
            source,
            f"It has {size:,} bytes, and a config may have {LARGEST:,}. Move data to another file, "
            "and name that file in the config.",
        )


def _decoded(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = f"The byte 0x{content[error.start]:02x} at offset {error.start} isn't UTF-8"
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            message += ": the file is UTF-16"
        before = content[: error.start].decode().removeprefix("\ufeff")
        at = position_at(before, len(before))
        raise _error(source, f"{message}. Save the file as UTF-8.", at) from None


def _error(source: str, message: str, at: Position | None = None) -> ConfigError:
    fault = Fault(message=message) if at is None else at.fault(message)
    return ConfigError.of([fault], source)
