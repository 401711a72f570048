"""`lossreg show`: everything about one loss. It computes no loss."""

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

import click

from ..errors import LossLookupError
from ..loss import OPTIONS, Entry, Parameter, documented_arguments, paragraphs, parse_docstring
from ..registry import installed
from .completion import complete_loss
from .output import as_data, console, styled, to_terminal, write_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@click.command()
@click.argument("name", shell_complete=complete_loss)
@click.option("--json", "as_json", is_flag=True, help="Write everything that is known, as JSON.")
def show(name: str, as_json: bool) -> None:
    """Show a loss: parameters, documentation, and how to use it.

    NAME is a name in any spelling, an alias, or a qualified name. Keras is not imported,
    unless the package of the loss imports it.

    \b
    Examples:
      lossreg show focal
      lossreg show BinaryCrossentropy
      lossreg show keras/huber --json
    """
    entry = installed().lookup(name)
    if as_json:
        parameters = [dataclasses.asdict(p) for p in entry.signature.parameters]
        write_json(
            {**as_data(entry), "parameters": parameters, "options": OPTIONS, "doc": entry.doc}
        )
    else:
        with console() as out:
            _draw(out, entry)


def python_use(entry: Entry) -> str:
    """Return a line of Python that creates the loss, or compiles a model with it."""
    if entry.signature.memory.with_params({}):
        call = config_use(entry).removeprefix("loss: ")
        return f'model = lossreg.compile(model, "adam", loss={call})'
    arguments = ", ".join([f'"{shortest_name(entry)}"', *example_arguments(entry)])
    return f"loss = lossreg.get_loss({arguments})"


def config_use(entry: Entry) -> str:
    """Return a line of YAML that configures the loss."""
    arguments = ", ".join(example_arguments(entry))
    name = shortest_name(entry)
    call = name if name.isidentifier() else repr(name)
    # In quotes, since a comma and a slash have a meaning in YAML.
    return f'loss: "{call}({arguments})"' if arguments else f'loss: "{call}"'


def example_arguments(entry: Entry) -> list[str]:
    """Return the arguments of an example: those that are required, or one other."""
    parameters = [p for p in entry.signature.parameters if p.name != "from_logits"]
    chosen = [f"{p.name}=..." for p in parameters if p.required]
    numbers = [p for p in parameters if type(p.default) in (int, float) and p.name != "axis"]
    if not chosen and numbers:
        best = next((p for p in numbers if p.default), numbers[0])
        chosen = [f"{best.name}={best.default!r}"]
    if len(parameters) < len(entry.signature.parameters):
        # The exact form, for a last layer without an activation.
        chosen.append("from_logits=True")
    return chosen


def shortest_name(entry: Entry) -> str:
    """Return the plain name if it means this loss, or else the qualified name."""
    try:
        found = installed().lookup(entry.spec.name)
    except LossLookupError:
        return entry.qualified_name
    return entry.spec.name if found is entry else entry.qualified_name


def default(parameter: Parameter) -> str:
    """Return the default of a parameter as Python code, or "required"."""
    return "required" if parameter.required else repr(parameter.default)


def _needs(entry: Entry) -> str:
    """Return what a loss needs beside labels and predictions, or an empty string."""
    memory = entry.signature.memory
    always = memory.with_params({}).names
    names = [
        name if name in always else f"{name}, with {memory.inputs[name].when}"
        for name in memory.names
    ]
    return f"{'; '.join(names)}. Train with lossreg.compile" if names else ""


def source(entry: Entry) -> str:
    """Return the file and line of a loss, separated by a colon, or an empty string."""
    target = inspect.unwrap(entry.target)
    try:
        file = inspect.getsourcefile(target)
        line = inspect.getsourcelines(target)[1]
    except (OSError, TypeError):
        # A compiled or generated loss has no source.
        return ""
    return f"{file}:{line}"


def _draw(out: "Console", entry: Entry) -> None:
    from rich.padding import Padding
    from rich.text import Text

    spec, terminal = entry.spec, to_terminal()
    # These may raise, and nothing is written yet.
    parameters, doc = entry.signature.parameters, parse_docstring(entry.doc)

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
        "labels": " or ".join(spec.forms),
        "predictions": spec.y_pred,
        "one value per": spec.per,
        "takes": f"the output of the layer {spec.head}" if spec.head else "",
        "must hold": ", ".join(spec.rules),
        "needs": _needs(entry),
        "weights": "not supported: samples depend on each other"
        if spec.couples and not entry.signature.memory.reduces
        else "",
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
    write(styled(f"Every loss also takes Keras' options {', '.join(OPTIONS)}.", terminal))

    arguments = documented_arguments(entry.doc)
    arrays = [f"`{name}`: {arguments[name]}" for name in ("y_true", "y_pred") if name in arguments]
    sections = {"Documentation": paragraphs(doc.text), "Arrays": ["\n".join(arrays)]}
    sections |= {name: paragraphs(text) for name, text in doc.sections.items() if name != "Args"}
    for heading, content in sections.items():
        if any(content):
            head(heading)
            write(styled("\n\n".join(content), terminal))

    if spec.exceptions:
        head("Exceptions")
        reasons = _grid()
        for check, reason in spec.exceptions.items():
            reasons.add_row(Text(check, style="dim"), Text(reason))
        write(reasons)

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
