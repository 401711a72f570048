"""How commands write: JSON, columns, and a terminal's width and colours."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..entry import Entry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_PIPED_WIDTH = 100
_WIDEST = 120  # longer lines are hard to read


def to_terminal() -> bool:
    """Return whether a person reads stdout."""
    return sys.stdout.isatty()


def write_json(data: Any) -> None:
    """Write data to stdout for another program."""
    # Only `--json` needs it.
    import json

    # Indenting takes ten times as long, which only a person's eyes are worth.
    indent = 2 if to_terminal() else None
    # A default that JSON has no form for, as a factory may have one, is written as Python has it.
    click.echo(json.dumps(data, indent=indent, ensure_ascii=False, default=repr))


def as_data(entry: Entry) -> dict[str, Any]:
    """Return a loss and its provider as JSON has them."""
    return {
        "name": entry.spec.name,
        "qualified_name": entry.qualified_name,
        **vars(entry.spec),
        "provider": vars(entry.provider),
    }


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for each row, its cells aligned and never cut.

    >>> in_columns([["NAME", "FOR"], ["log_cosh", "regression"]])
    ['NAME      FOR', 'log_cosh  regression']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


@contextlib.contextmanager
def console() -> "Iterator[Console]":
    """Give rich's console for stdout; it knows NO_COLOR and the terminal's width."""
    # rich takes longer to import than a listing to run.
    from rich.console import Console

    if to_terminal():
        found = Console(highlight=False)
        yield found if found.width <= _WIDEST else Console(highlight=False, width=_WIDEST)
        return
    # The cells of a table are filled with blanks, which a file should not keep.
    buffer = io.StringIO()
    yield Console(file=buffer, width=_PIPED_WIDTH, color_system=None, highlight=False)
    click.echo("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()))


def styled(text: str, terminal: bool) -> "Text":
    """Return a text whose `code` is set apart: by style on a terminal, else by backticks."""
    from rich.text import Text

    if not terminal:
        return Text(text)
    result = Text()
    for index, part in enumerate(re.split(r"`([^`]+)`", text)):
        result.append(part, style="cyan" if index % 2 else "")
    return result
