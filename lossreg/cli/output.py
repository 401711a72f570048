"""How commands write and end: JSON, columns, colours, errors and exit codes."""

import contextlib
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..loss import Entry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 + SIGINT, as shells count."""

_PIPED_WIDTH = 100
_WIDEST = 120  # longer lines are hard to read


class Unusable(click.ClickException):
    """Why a command can't do what it was asked to, as a sentence."""

    exit_code = 2


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
    click.echo(json.dumps(data, indent=indent, ensure_ascii=False, default=repr))


def as_data(entry: Entry) -> dict[str, Any]:
    """Return a loss and its provider as data for JSON."""
    return {
        "name": entry.spec.name,
        "qualified_name": entry.qualified_name,
        **vars(entry.spec),
        "provider": vars(entry.provider),
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
        click.echo("\n".join(in_columns([header, *lines])))
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

    if to_terminal():
        found = Console(highlight=False)
        yield found if found.width <= _WIDEST else Console(highlight=False, width=_WIDEST)
        return
    # rich fills the cells of a table with blanks, which don't belong in a file.
    buffer = io.StringIO()
    yield Console(file=buffer, width=_PIPED_WIDTH, color_system=None, highlight=False)
    click.echo("\n".join(line.rstrip() for line in buffer.getvalue().splitlines()))


def styled(text: str, terminal: bool) -> "Text":
    """Return a string with its `code` in another style on a terminal, else in backticks."""
    from rich.text import Text

    if not terminal:
        return Text(text)
    result = Text()
    for index, part in enumerate(re.split(r"`([^`]+)`", text)):
        result.append(part, style="cyan" if index % 2 else "")
    return result
