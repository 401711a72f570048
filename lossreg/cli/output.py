"""How commands write and end: streams, JSON, columns, colours, errors and exit codes.

Whatever a package or a file says reaches the terminal through `write` or `console`, which make it
printable.
"""

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import printable
from ..loss import Entry

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment
    from rich.text import Text

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as shells count."""

_PIPED_WIDTH = 100
_WIDEST = 120  # longer lines are hard to read


class Unusable(click.ClickException):
    """Why a command can't do what it was asked to, as a sentence."""

    exit_code = 2


class _Messages(io.TextIOBase):
    """A stream to stderr. A message that can't be written is dropped, and ends nothing."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        # A RuntimeError: a signal came while another message was written.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._stream.write(text)
            self._stream.flush()
            return len(text)
        _drop(self._stream)
        return len(text)

    def isatty(self) -> bool:
        return bool(self._stream.isatty())

    def fileno(self) -> int:
        return int(self._stream.fileno())

    @property
    # typeshed has an attribute, and CPython a property.
    def encoding(self) -> Any:  # type: ignore[override]
        return self._stream.encoding


class _Closed(io.TextIOBase):
    """A stdout that was closed before the program began."""

    def write(self, text: str) -> int:
        del text
        raise OSError(errno.EBADF, "stdout is closed")


@contextlib.contextmanager
def streams() -> Iterator[None]:
    """Let commands write to stdout and stderr, whatever these are.

    What an encoding lacks is escaped. A message that can't be written to stderr is dropped. Only
    `sys.stdout` leads to stdout meanwhile: what code in C or a child process writes goes to stderr.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        # The next files that are opened would take their numbers, and get what libraries in C
        # write to stdout and stderr.
        while os.open(os.devnull, os.O_RDWR) <= 2:
            pass
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stderr(_Messages(sys.stderr or nowhere)),
        _alone(sys.stdout or _Closed()) as data,
        contextlib.redirect_stdout(data),
    ):
        yield


@contextlib.contextmanager
def _alone(stream: Any) -> Iterator[Any]:
    """Give a stream to where stdout leads, while the descriptor of stdout leads to stderr."""
    if not isinstance(stream, io.TextIOWrapper) or stream is not sys.__stdout__:
        # A test, or a program that calls the command, has put another one there.
        yield stream
        return
    stream.flush()
    # A child process doesn't inherit the copy, and so can't keep a pipe open.
    copy = os.fdopen(os.dup(1), "w", encoding=stream.encoding, errors=stream.errors)
    os.dup2(2, 1)
    try:
        yield copy
    finally:
        # What C has buffered would follow when the process ends.
        with contextlib.suppress(ImportError, OSError, TypeError):
            import ctypes

            ctypes.CDLL(None).fflush(None)
        os.dup2(copy.fileno(), 1)
        with contextlib.suppress(OSError, ValueError):
            copy.close()


def _drop(stream: Any) -> None:
    """Lead a stream that failed to nowhere, or Python would fail again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def drop_stdout() -> None:
    """Give stdout up if what was written to it can't leave, as on a full disk."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _drop(sys.stdout)


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give the path of a file to write, which takes the place of another once it is whole."""
    unfinished = path.with_name(f".unfinished-{os.getpid()}{path.suffix}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write(text: str, *, err: bool = False) -> None:
    """Write a string and a line break to stdout, or as a message to stderr, made printable."""
    click.echo(printable(text), err=err)


def to_terminal() -> bool:
    """Return whether a person reads stdout."""
    return sys.stdout.isatty()


def write_json(data: Any) -> None:
    """Write data to stdout as JSON, for another program."""
    # Only commands with `--json` need it.
    import json

    # Indenting takes ten times as long, and helps only a person.
    indent = 2 if to_terminal() else None
    # The default of a factory's parameter may be any Python object. JSON gets its repr.
    # JSON escapes what isn't ASCII, and so any terminal and any encoding takes it.
    click.echo(json.dumps(data, indent=indent, default=repr))


def as_data(entry: Entry) -> dict[str, Any]:
    """Return a loss and its provider as data for JSON."""
    return {
        "name": entry.spec.name,
        "qualified_name": entry.qualified_name,
        **vars(entry.spec),
        "provider": {
            "distribution": entry.provider.distribution,
            "version": entry.provider.version,
        },
    }


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for each row, with its cells aligned and never cut.

    >>> in_columns([["NAME", "FOR"], ["log_cosh", "regression"]])
    ['NAME      FOR', 'log_cosh  regression']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def write_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], column: str, styles: Mapping[str, str]
) -> None:
    """Write a table to stdout: in columns, or on a terminal with one column in colours.

    Args:
        header: The heading of each column.
        rows: The cells of each row.
        column: Heading of the column in colours.
        styles: The rich style of the cells there, by what they begin with; others are red.
    """
    if not to_terminal():
        lines = [[" ".join(cell.split()) for cell in row] for row in rows]
        write("\n".join(in_columns([header, *lines])))
        return
    from rich.table import Table
    from rich.text import Text

    coloured = list(header).index(column)
    table = Table(*header, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        cells = [Text(cell) for cell in row]
        found = (style for start, style in styles.items() if row[coloured].startswith(start))
        cells[coloured].stylize(next(found, "red"))
        table.add_row(*cells)
    with console() as terminal:
        terminal.print(table)


@contextlib.contextmanager
def console() -> "Iterator[Console]":
    """Give a rich console for stdout, which follows NO_COLOR and the terminal's width."""
    # Importing rich takes longer than a listing.
    from rich.console import Console
    from rich.segment import Segment

    class Printing(Console):
        """A console that makes each string printable; only rich itself writes escapes."""

        def render(
            self, renderable: "RenderableType", options: "ConsoleOptions | None" = None
        ) -> "Iterator[Segment]":
            for segment in super().render(renderable, options):
                if segment.control:
                    yield segment
                else:
                    yield Segment(printable(segment.text), segment.style)

    if to_terminal():
        found = Printing(highlight=False)
        yield found if found.width <= _WIDEST else Printing(highlight=False, width=_WIDEST)
        return
    # rich fills the cells of a table with blanks, which don't belong in a file.
    buffer = io.StringIO()
    yield Console(file=buffer, width=_PIPED_WIDTH, color_system=None, highlight=False)
    write("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()))


def styled(text: str, terminal: bool) -> "Text":
    """Return a string with its `code` in another style on a terminal, else in backticks."""
    from rich.text import Text

    if not terminal:
        return Text(text)
    result = Text()
    for index, part in enumerate(re.split(r"`([^`]+)`", text)):
        result.append(part, style="cyan" if index % 2 else "")
    return result
