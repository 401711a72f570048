"""`lossreg list`: every loss on a line of its own."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

import click

from .. import api, discovery
from ..entry import Entry
from ..spec import Labels, Task
from .completion import complete_loss, complete_plugin
from .output import as_data, console, in_columns, to_terminal, write_json

if TYPE_CHECKING:
    from rich.console import Console


@click.command("list")
@click.argument("pattern", default="*", shell_complete=complete_loss)
@click.option("--task", type=click.Choice(get_args(Task)), help="What the loss is for.")
@click.option("--labels", type=click.Choice(get_args(Labels)), help="What its labels are.")
@click.option(
    "--plugin",
    metavar="PACKAGE",
    shell_complete=complete_plugin,
    help="The package that offers it; Keras' own losses are from 'keras'.",
)
@click.option("--json", "as_json", is_flag=True, help="Write all that is known, as JSON.")
def list_(
    pattern: str, task: Task | None, labels: Labels | None, plugin: str | None, as_json: bool
) -> None:
    """List the losses that match PATTERN, or all.

    PATTERN is a shell pattern for a name or an alias; quote it. Keras is not imported.
    Where nothing matches, stderr says so, and the exit code is 0 all the same.

    \b
    Examples:
      lossreg list
      lossreg list '*focal*' --task multiclass
      lossreg list --labels integer --plugin keras
      lossreg list --json | jq -r '.[].qualified_name'
    """
    # It knows the plugins, and raises for one that isn't there.
    api.list_losses(plugin=plugin)
    registry = discovery.installed()
    entries = registry.entries(pattern, task=task, y_true=labels, plugin=plugin)
    if as_json:
        write_json([as_data(entry) for entry in entries])
    elif entries and to_terminal():
        with console() as terminal:
            _draw(entries, terminal)
    elif entries:
        click.echo("\n".join(_table(entries)))
    if not entries:
        filters = {"task": task, "labels": labels, "plugin": plugin}
        given = [f"--{option} {value}" for option, value in filters.items() if value]
        click.echo(_nothing(pattern, given), err=True)


def _nothing(pattern: str, filters: list[str]) -> str:
    """Return what to tell whoever asked for losses that aren't there."""
    registry = discovery.installed()
    said = f"No loss matches {' '.join([repr(pattern), *filters])}."
    wider = f"*{pattern}*"
    if filters and registry.entries(pattern):
        count = len(registry.entries(pattern))
        return f"{said} Without {' '.join(filters)} there {'is' if count == 1 else 'are'} {count}."
    if registry.entries(wider):
        return f"{said} {wider!r} matches {len(registry.entries(wider))}."
    return f"{said} 'lossreg list' shows all {len(registry.entries())}."


def _table(entries: Sequence[Entry]) -> list[str]:
    """Return aligned lines, whole however long, for a pipe or a file."""
    header = ["NAME", "TASK", "LABELS", "PREDICTIONS", "PROVIDER", "SUMMARY"]
    rows = [
        [
            entry.spec.name,
            ",".join(entry.spec.task),
            entry.spec.y_true,
            entry.spec.y_pred,
            str(entry.provider),
            entry.spec.summary,
        ]
        for entry in entries
    ]
    return in_columns([header, *rows])


def _draw(entries: Sequence[Entry], terminal: "Console") -> None:
    """Write the losses of each provider, in lines that fit the terminal."""
    from rich.padding import Padding
    from rich.text import Text

    facts = in_columns(
        [
            [e.spec.name, ", ".join(e.spec.task), f"{e.spec.y_true} labels", _predictions(e)]
            for e in entries
        ]
    )
    wide = max(map(len, facts)) <= terminal.width
    # The built-ins stay first: sorting keeps the order of equals.
    lines = sorted(zip(entries, facts, strict=True), key=lambda line: _group(line[0]))
    for _, group in itertools.groupby(lines, key=lambda line: _group(line[0])):
        losses = list(group)
        count = f"{len(losses)} loss{'' if len(losses) == 1 else 'es'}"
        provider = str(losses[0][0].provider)
        terminal.print(Text.assemble((provider, "bold green"), (f"  {count}", "dim")))
        for entry, fact in losses:
            name, spec = entry.spec.name, entry.spec
            kinds = f"{', '.join(spec.task)}: {spec.y_true} labels, {_predictions(entry)}"
            beside, below = (fact.removeprefix(name), "") if wide else ("", kinds)
            terminal.print(Text.assemble((name, "bold"), (beside, "cyan")))
            terminal.print(Padding(Text(spec.summary), (0, 0, 0, 2), expand=False))
            if below:
                terminal.print(Padding(Text(below, style="cyan"), (0, 0, 0, 2), expand=False))
        terminal.print()
    terminal.print("'lossreg show NAME' says all about one.", style="dim")


def _group(entry: Entry) -> tuple[bool, str]:
    return (not entry.provider.is_builtin, entry.provider.distribution)


def _predictions(entry: Entry) -> str:
    kind = entry.spec.y_pred
    return f"{kind} predictions" if kind in ("real", "positive", "unspecified") else kind
