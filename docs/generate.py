"""What the site takes from the code: a page for each loss, their index, lists, a figure."""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated

from lossreg.cli.page import config_use, default, python_use
from lossreg.config import Experiment
from lossreg.config.experiment import SECTIONS
from lossreg.errors import printable
from lossreg.loss import (
    OPTIONS,
    documented_arguments,
    key,
    parse_docstring,
    type_words,
)
from lossreg.registry import installed

# The first figure of the paper, with the gradient below.
FIGURE = ["focal", "--sweep", "gamma=0,0.5,1,2,5", "--sweep", "alpha=none", "--grad"]


def write_pages(folder: Path) -> None:
    """Write `index.md` and a page for each installed loss; what is gone is removed."""
    entries = installed().entries()
    pages = {Path("index.md"): index(entries)}
    pages |= {Path(f"{entry.qualified_name}.md"): page(entry) for entry in entries}
    for path, text in pages.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # A docstring of another's package may hold anything.
        text = printable(text)
        # An unchanged page keeps its date, and Sphinx doesn't read it again.
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for file in folder.rglob("*.md"):
        if file.relative_to(folder) not in pages:
            file.unlink()


def write_lists(folder: Path) -> None:
    """Write the lists that a page includes."""
    folder.mkdir(exist_ok=True)
    (folder / "config-keys.md").write_text("\n".join(config_keys()), encoding="utf-8")
    (folder / "keras-names.md").write_text("\n".join(keras_names()), encoding="utf-8")


def config_keys() -> list[str]:
    """Return the table of a config's keys."""
    rows = []
    for name, field in Experiment.model_fields.items():
        rows.append([f"`{name}`", "", "", f"{field.description}"])
        section = SECTIONS.get(name)
        for inner, about in section.model_fields.items() if section else ():
            default = "required" if about.is_required() else f"`{written(about.default)}`"
            rows.append([f"`{name}.{inner}`", default, takes(about), about.description])
    return table(["Key", "Default", "Allowed", "Meaning"], rows)


def takes(field) -> str:
    """Return what a key's type allows, where it is one of Python's own."""
    words = type_words(Annotated[(field.annotation, *(field.metadata or [None]))])
    # Losses and parts have forms that the page describes.
    return "" if "Part" in words or "LossConfig" in words else words


def written(value) -> str:
    """Return a default as a config has it."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def keras_names() -> list[str]:
    """Return what a config can name, by kind."""
    program = (
        "import json, typing; from lossreg.model.arguments import Kind\n"
        "from lossreg.model.keras_names import known\n"
        "print(json.dumps({kind: sorted(known(kind)) for kind in typing.get_args(Kind)}))"
    )
    # In a process of its own, as the figure is.
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    kinds = json.loads(result.stdout)
    return table(
        ["Kind", "Names"],
        # One spelling of each: Keras exports L1 and l1.
        [
            [kind, ", ".join(f"`{name}`" for name in {key(name): name for name in names}.values())]
            for kind, names in kinds.items()
        ],
    )


def draw(path: Path) -> None:
    """Draw the focal loss with the command that the pages tell."""
    run("plot", *FIGURE, "-o", str(path))


def write_explorer(path: Path) -> None:
    """Write the page of the loss explorer."""
    run("explore", "-o", str(path))


def run(*arguments: str) -> None:
    """Run a command of lossreg."""
    command = [sys.executable, "-m", "lossreg", *arguments]
    # In a process of its own: TensorFlow logs to stderr, where Sphinx' warnings belong.
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{result.stderr}")


def index(entries) -> str:
    """Return the page that lists all losses by package."""
    # The built-ins stay first: sorting keeps the order of equals.
    ordered = sorted(entries, key=lambda e: (not e.provider.is_builtin, e.provider.distribution))
    lines = [
        "# All losses",
        "",
        "Every loss of the packages that this site was built with. `lossreg list` shows those that",
        "are installed where you are, and [](../choose.md) helps to find the right one.",
    ]
    for provider, group in itertools.groupby(ordered, key=lambda e: e.provider):
        losses = list(group)
        lines += ["", f"## {provider}", ""]
        lines += table(
            ["Loss", "When to use it"],
            [[f"[`{e.spec.name}`]({e.qualified_name}.md)", use(e)] for e in losses],
        )
    lines += ["", "```{toctree}", ":hidden:", ""]
    lines += [f"{entry.spec.name} <{entry.qualified_name}>" for entry in ordered]
    return "\n".join([*lines, "```", ""])


def use(entry) -> str:
    """Return when to use a loss, and below it what it takes."""
    spec = entry.spec
    task = ", ".join(f"`{task}`" for task in spec.task)
    labels = " or ".join(f"`{form}`" for form in spec.forms)
    return f"{spec.summary}<br>{task}: {labels} labels, `{spec.y_pred}` predictions"


def page(entry) -> str:
    """Return the page of one loss."""
    spec, doc = entry.spec, parse_docstring(entry.doc)
    facts = {
        "Aliases": ", ".join(f"`{alias}`" for alias in spec.aliases),
        "Offered by": str(entry.provider),
        "Qualified name": f"`{entry.qualified_name}`",
        "Task": ", ".join(spec.task),
        "Labels": " or ".join(spec.forms),
        "Predictions": spec.y_pred,
        "One value per": spec.per,
        "Takes": f"the output of the layer `{spec.head}`" if spec.head else "",
        "Must hold": ", ".join(f"`{rule}`" for rule in spec.rules),
        "Weights": "not supported: samples depend on each other" if spec.couples else "",
        "Function": f"`{spec.target}`",
    }
    lines = [f"# {spec.name}", "", escaped(spec.summary), ""]
    lines += table(["", ""], [[name, value] for name, value in facts.items() if value])
    lines += ["", "```python", python_use(entry), "```", ""]
    lines += ["## Parameters", ""]
    if entry.signature.parameters:
        lines += table(
            ["Name", "Default", "Allowed", "Meaning"],
            [
                [f"`{p.name}`", f"`{default(p)}`", p.allowed, p.doc]
                for p in entry.signature.parameters
            ],
        )
    else:
        lines += ["None."]
    options = ", ".join(f"`{option}`" for option in OPTIONS)
    lines += ["", f"Every loss also takes Keras' options {options}.", ""]
    if doc.text:
        lines += ["## Documentation", "", doc.text, ""]
    arguments = documented_arguments(entry.doc)
    arrays = [[f"`{a}`", arguments[a]] for a in ("y_true", "y_pred") if a in arguments]
    if arrays:
        lines += ["## Arrays", "", *table(["", ""], arrays), ""]
    for heading, text in doc.sections.items():
        if heading != "Args":
            lines += [f"## {heading}", "", linked(text), ""]
    if spec.exceptions:
        rows = [[f"`{check}`", reason] for check, reason in spec.exceptions.items()]
        lines += ["## Exceptions", "", *table(["Check", "Why it can't pass"], rows), ""]
    lines += ["## In a config", "", "```yaml", config_use(entry), "```", ""]
    return "\n".join(lines)


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    cells = [header, ["---"] * len(header), *([escaped(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def escaped(text: str) -> str:
    """Return a text that Markdown takes as it is, `code` and line breaks apart."""
    parts = re.split(r"(`[^`]*`|<br>)", text)
    plain = (re.sub(r"([<*|])", r"\\\1", part) for part in parts[::2])
    code = (part.replace("|", r"\|") for part in parts[1::2])
    return "".join(itertools.chain(*itertools.zip_longest(plain, code, fillvalue="")))


def linked(text: str) -> str:
    """Return a text whose papers are links."""
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
