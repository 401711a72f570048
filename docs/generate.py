"""What the site takes from the code: a page for each loss, the API reference, tables, pictures.

`python docs/generate.py` writes those that are committed; a build of the site makes the others.
"""

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import loss_page
import reference
from written import table

from lossreg.config import Experiment
from lossreg.config.sections import SECTIONS
from lossreg.errors import printable
from lossreg.loss import key, type_words
from lossreg.registry import installed

HERE = Path(__file__).parent
TRANSLATIONS = {
    "../README.zh-CN.md": "../README.md",
    "zh/quickstart.md": "quickstart.md",
    "zh/tutorials.md": "tutorials.md",
}
"""The pages in Chinese and those whose blocks of code they have, seen from this folder."""

PICTURES = {"focal.svg": "focal_picture", "front.svg": "front_picture"}


def write_site() -> None:
    """Write the pages that aren't committed, for a build of the site."""
    found = with_keras("measured.main()")
    write_pages(HERE / "losses", found)
    write(HERE / "api.md", reference.page(found["reference"]))
    run("-m", "lossreg", "explore", "-o", str(HERE / "_extra" / "explorer.html"))


def write_pages(folder: Path, found: dict[str, Any]) -> None:
    """Write a page for each installed loss; what is gone is removed."""
    entries = installed().entries()
    pages = {}
    for entry in entries:
        name = entry.qualified_name
        curves, sample = found["curves"].get(name, ""), found["samples"].get(name)
        pages[Path(f"{name}.md")] = loss_page.page(entry, entries, curves, sample)
    for path, text in pages.items():
        write(folder / path, text)
    for file in folder.rglob("*.md"):
        if file.relative_to(folder) not in pages:
            file.unlink()


def write(file: Path, text: str) -> None:
    """Write a file, unless it has this text already."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # A docstring of another's package may hold anything.
    text = printable(text)
    # An unchanged page keeps its date, and Sphinx doesn't read it again.
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


def write_committed() -> None:
    """Write what is generated and committed: the tables of pages, the list of losses, pictures."""
    write(HERE / "all-losses.md", index(installed().entries()))
    keras_names = with_keras("measured.write_keras_names()")
    config = (HERE / "config.md").read_text(encoding="utf-8")
    config = filled(config, "config keys", config_keys())
    write(HERE / "config.md", filled(config, "keras names", names_by_kind(keras_names)))
    for translated, original in TRANSLATIONS.items():
        write(HERE / translated, with_blocks(translated, original))
    for name, function in PICTURES.items():
        write(HERE / "pictures" / name, with_keras(f"measured.write_picture('{function}')"))


def with_keras(call: str) -> Any:
    """Return the JSON that a call in `measured` writes.

    It runs in a process of its own: TensorFlow logs to stderr, where Sphinx' warnings belong.
    """
    program = f"import sys; sys.path.insert(0, {str(HERE)!r}); import measured; {call}"
    return json.loads(run("-c", program))


def run(*arguments: str) -> str:
    """Return what a program of Python prints."""
    result = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise RuntimeError(f"{' '.join(arguments)}\n{result.stderr}")
    return result.stdout


def filled(text: str, mark: str, lines: list[str]) -> str:
    """Return a page with a generated table below its mark."""
    pattern = rf"(?<=^<!-- {mark}: python docs/generate.py writes them -->\n).*?(?=^<!-- end -->)"
    table_lines = "\n".join(["", *lines, "", ""])
    filled_text, count = re.subn(
        pattern, lambda _: table_lines, text, count=1, flags=re.MULTILINE | re.DOTALL
    )
    assert count == 1, mark
    return filled_text


def with_blocks(translated: str, original: str) -> str:
    """Return a translated page with the blocks of code of its original, in their order."""
    pattern = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    blocks = pattern.findall((HERE / original).read_text(encoding="utf-8"))
    text = (HERE / translated).read_text(encoding="utf-8")
    places = len(pattern.findall(text))
    if places != len(blocks):
        raise RuntimeError(
            f"docs/{translated} has {places} blocks, and docs/{original} has {len(blocks)}."
        )
    following = iter(blocks)
    return pattern.sub(lambda _: next(following), text)


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


def names_by_kind(kinds: dict[str, list[str]]) -> list[str]:
    """Return the table of what a config can name."""
    return table(
        ["Kind", "Names"],
        # One spelling of each: Keras exports L1 and l1.
        [
            [kind, ", ".join(f"`{name}`" for name in {key(name): name for name in names}.values())]
            for kind, names in kinds.items()
        ],
    )


def index(entries, *, linked: bool = False) -> str:
    """Return the page that lists all losses by package, with links to their pages on the site."""
    # The built-ins stay first: sorting keeps the order of equals.
    ordered = sorted(entries, key=lambda e: (not e.provider.is_builtin, e.provider.distribution))
    lines = [
        "# All losses",
        "",
        "Every loss of lossreg and of its collections. `lossreg list` shows those that are",
        "installed where you are, and [Which loss?](choose.md) helps to find the right one. The",
        "site has a page for each loss.",
    ]
    for provider, group in itertools.groupby(ordered, key=lambda e: e.provider.distribution):
        lines += ["", f"## {provider}", ""]
        rows = []
        for entry in group:
            name = f"`{entry.spec.name}`"
            name = f"[{name}](losses/{entry.qualified_name}.md)" if linked else name
            aliases = ", ".join(f"`{alias}`" for alias in entry.spec.aliases)
            rows.append([name, aliases, use(entry)])
        lines += table(["Loss", "Aliases", "When to use it"], rows)
    if linked:
        lines += ["", "```{toctree}", ":hidden:", ""]
        lines += [f"{entry.spec.name} <losses/{entry.qualified_name}>" for entry in ordered]
        lines += ["```"]
    return "\n".join([*lines, ""])


def use(entry) -> str:
    """Return when to use a loss, and below it what it takes."""
    spec = entry.spec
    task = ", ".join(f"`{task}`" for task in spec.task)
    labels = " or ".join(f"`{form}`" for form in spec.forms)
    return f"{spec.summary}<br>{task}: {labels} labels, `{spec.y_pred}` predictions"


if __name__ == "__main__":
    write_committed()
