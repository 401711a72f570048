"""`lossreg list`: the losses that match, without their parameters."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import click

from ..loss import OUTPUTS, Entry, Labels, Outputs, Task
from ..registry import installed, list_losses
from .completion import complete_loss, complete_plugin
from .output import as_data, console, in_columns, to_terminal, write, write_json

if TYPE_CHECKING:
    from rich.console import Console


@click.command("list")
@click.argument("pattern", default="*", shell_complete=complete_loss)
@click.option("--task", type=click.Choice(get_args(Task)), help="What the loss is for.")
@click.option("--labels", type=click.Choice(get_args(Labels)), help="The kind of its labels.")
@click.option("--y-pred", type=click.Choice(tuple(OUTPUTS)), help="The kind of its predictions.")
@click.option(
    "--plugin",
    metavar="PACKAGE",
    shell_complete=complete_plugin,
    help="The package that offers it; Keras' own losses are from 'keras'.",
)
@click.option("--json", "as_json", is_flag=True, help="Write everything that is known, as JSON.")
def list_(
    pattern: str,
    task: Task | None,
    labels: Labels | None,
    y_pred: Outputs | None,
    plugin: str | None,
    as_json: bool,
) -> None:
    """List the losses that match PATTERN, or all.

    PATTERN is a shell pattern for a name or an alias; quote it. A word that is no name finds
    the losses that have it in their summary, their tasks or the name of their package. Keras
    is not imported. If no loss matches, a message is written to stderr, and the exit code is 0.

    \b
    Examples:
      lossreg list
      lossreg list '*focal*' --task multiclass
      lossreg list imbalance
      lossreg list --labels integer --plugin keras
      lossreg list --json | jq -r '.[].qualified_name'
    """
    # This raises for an unknown plugin.
    list_losses(plugin=plugin)
    registry = installed()
    entries = registry.entries(pattern, task=task, y_true=labels, y_pred=y_pred, plugin=plugin)
    if as_json:
        write_json([as_data(entry) for entry in entries])
    elif entries and to_terminal():
        with console() as terminal:
            _draw(entries, terminal)
    elif entries:
        write("\n".join(_table(entries)))
    if not entries:
        filters = {"task": task, "labels": labels, "y-pred": y_pred, "plugin": plugin}
        given = [f"--{option} {value}" for option, value in filters.items() if value]
        write(_no_match(pattern, given), err=True)


def _no_match(pattern: str, filters: list[str]) -> str:
    """Return the message if no loss matches: which wider choice does."""
    registry = installed()
    message = f"No loss matches {' '.join([repr(pattern), *filters])}."
    if filters and (count := len(registry.entries(pattern))):
        verb = "is" if count == 1 else "are"
        return f"{message} Without {' '.join(filters)} there {verb} {count}."
    wider = f"*{pattern}*"
    if count := len(registry.entries(wider)):
        return f"{message} {wider!r} matches {count}."
    return f"{message} 'lossreg list' shows all {len(registry.entries())}."


def _table(entries: Sequence[Entry]) -> list[str]:
    """Return aligned lines of any length, for a pipe or a file."""
    header = ["NAME", "TASK", "LABELS", "PREDICTIONS", "PROVIDER", "SUMMARY"]
    rows = [
        [
            entry.spec.name,
            ",".join(entry.spec.task),
            " or ".join(entry.spec.forms),
            entry.spec.y_pred,
            str(entry.provider),
            entry.spec.summary,
        ]
        for entry in entries
    ]
    return in_columns([header, *rows])


def _draw(entries: Sequence[Entry], terminal: "Console") -> None:
    """Write the losses by task, each with its summary, in lines that fit the terminal."""
    from rich.table import Table
    from rich.text import Text

    order = get_args(Task)
    entries = sorted(entries, key=lambda e: order.index(e.spec.task[0]))
    width = max(len(entry.spec.name) for entry in entries)
    for task, group in itertools.groupby(entries, key=lambda e: e.spec.task[0]):
        losses = list(group)
        count = f"  {len(losses)} loss{'' if len(losses) == 1 else 'es'}"
        terminal.print(Text.assemble((task.replace("_", " "), "bold green"), (count, "dim")))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, width=width)
        table.add_column(overflow="fold")
        for entry in losses:
            summary = Text(entry.spec.summary)
            if not entry.provider.is_builtin:
                summary.append(f"  {entry.provider.distribution}", style="dim")
            table.add_row(Text(entry.spec.name, style="bold"), summary)
        terminal.print(table)
        terminal.print()
    terminal.print("'lossreg show NAME' shows everything about one of them.", style="dim")
