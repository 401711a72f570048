"""`lossreg show`: all about one loss."""

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import click

from .. import discovery
from ..entry import Entry
from ..errors import LossLookupError
from ..options import OPTIONS
from ..params import Parameter, documented_arguments
from . import docstring
from .completion import complete_loss
from .output import as_data, console, styled, to_terminal, write_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@click.command()
@click.argument("name", shell_complete=complete_loss)
@click.option("--json", "as_json", is_flag=True, help="Write all of it as JSON.")
def show(name: str, as_json: bool) -> None:
    """Show a loss: parameters, documentation, and how to use it.

    NAME is a name in any spelling, an alias, or a qualified name. Keras is not imported,
    unless the loss's own package imports it.

    \b
    Examples:
      lossreg show focal
      lossreg show BinaryCrossentropy
      lossreg show keras/huber --json
    """
    entry = discovery.installed().lookup(name)
    if as_json:
        parameters = [dataclasses.asdict(p) for p in entry.signature.parameters]
        write_json(
            {**as_data(entry), "parameters": parameters, "options": OPTIONS, "doc": entry.doc}
        )
    else:
        # All that may fail, before the first line is written.
        parts = entry.signature.parameters, docstring.parse(entry.doc)
        with console() as out:
            _draw(out, entry, *parts)


def python_use(entry: Entry) -> str:
    """Return a line of Python that makes the loss."""
    values = example(entry).items()
    arguments = "".join(f", {name}={'...' if v is ... else repr(v)}" for name, v in values)
    return f'loss = lossreg.get_loss("{shortest_name(entry)}"{arguments})'


def config_use(entry: Entry) -> str:
    """Return a line of YAML whose value `get_loss` takes."""
    # Quoted, since a comma or a slash means something else to YAML.
    values = example(entry).items()
    arguments = ", ".join(f"{name}={'...' if v is ... else repr(v)}" for name, v in values)
    name = shortest_name(entry)
    call = name if name.isidentifier() else repr(name)
    return f'loss: "{call}({arguments})"' if arguments else f'loss: "{call}"'


def example(entry: Entry) -> dict[str, Any]:
    """Return parameters to show a call with: what must be given, or one that may be."""
    parameters = entry.signature.parameters
    chosen: dict[str, Any] = {p.name: ... for p in parameters if p.required}
    numbers = [p for p in parameters if type(p.default) in (int, float) and p.name != "axis"]
    if not chosen and numbers:
        best = next((p for p in numbers if p.default), numbers[0])
        chosen[best.name] = best.default
    if any(p.name == "from_logits" for p in parameters):
        # The exact form, and what a last layer without activation needs.
        chosen["from_logits"] = True
    return chosen


def shortest_name(entry: Entry) -> str:
    """Return the plain name where it means this loss, else the qualified one."""
    try:
        found = discovery.installed().lookup(entry.spec.name)
    except LossLookupError:
        return entry.qualified_name
    return entry.spec.name if found is entry else entry.qualified_name


def default(parameter: Parameter) -> str:
    """Return a parameter's default as Python writes it."""
    return "required" if parameter.required else repr(parameter.default)


def source(entry: Entry) -> str:
    """Return the file and line of a loss, as editors open it."""
    target = inspect.unwrap(entry.target)
    try:
        file = inspect.getsourcefile(target)
        line = inspect.getsourcelines(target)[1]
    except (OSError, TypeError):
        # A compiled or generated loss has none.
        return ""
    return f"{file}:{line}"


def _draw(out: "Console", entry: Entry, parameters: Any, doc: docstring.Docstring) -> None:
    from rich.padding import Padding
    from rich.text import Text

    terminal = to_terminal()
    spec = entry.spec

    def write(text: Any) -> None:
        out.print(Padding(text, (0, 0, 0, 2), expand=False))

    def head(text: str) -> None:
        out.print()
        out.print(Text(text, style="bold green"))

    out.print(Text(spec.name, style="bold"))
    write(Text(spec.summary))
    out.print()
    facts = _grid()
    for what, value in {
        "aliases": ", ".join(spec.aliases),
        "offered by": str(entry.provider),
        "qualified name": entry.qualified_name,
        "task": ", ".join(spec.task),
        "labels": spec.y_true,
        "predictions": spec.y_pred,
        "weights": "refused: samples depend on each other" if spec.couples_batch else "",
        "function": spec.target,
        "file": source(entry),
    }.items():
        if value:
            facts.add_row(Text(what, style="dim"), Text(value, overflow="fold"))
    write(facts)

    head("Parameters")
    if parameters:
        write(_parameters(parameters, out.width, terminal))
    else:
        write(Text("None."))
    out.print()
    write(styled(f"Like every loss it takes Keras' options {', '.join(OPTIONS)}.", terminal))

    if doc.text:
        head("Documentation")
    for index, paragraph in enumerate(docstring.paragraphs(doc.text)):
        if index:
            out.print()
        write(styled(paragraph, terminal))
    arrays = documented_arguments(entry.doc)
    shapes = [f"`{name}`: {arrays[name]}" for name in ("y_true", "y_pred") if name in arrays]
    if shapes:
        head("Arrays")
    for shape in shapes:
        write(styled(shape, terminal))
    for heading, content in doc.sections.items():
        if heading != "Args":
            head(heading)
            for paragraph in docstring.paragraphs(content):
                write(styled(paragraph, terminal))

    head("Use")
    uses = _grid()
    uses.add_row(Text("Python", style="dim"), Text(python_use(entry), style="cyan"))
    uses.add_row(Text("YAML", style="dim"), Text(config_use(entry), style="cyan"))
    write(uses)


def _parameters(parameters: tuple[Parameter, ...], width: int, terminal: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim" if terminal else "")
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("default", no_wrap=True)
    table.add_column("allowed", max_width=width // 4)
    table.add_column("meaning")
    for parameter in parameters:
        table.add_row(
            parameter.name,
            Text(default(parameter)),
            Text(parameter.allowed),
            styled(parameter.doc, terminal),
        )
    return table


def _grid() -> "Table":
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    return grid
