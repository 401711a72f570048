"""The lists in the documentation are those of the code."""

import ast
import re
from pathlib import Path

import pytest
import tolerances

import lossreg
from lossreg.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def text(page):
    return (DOCS / page).read_text(encoding="utf-8")


def section(page, heading):
    """Return what stands under a heading of the second level."""
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text(page), re.MULTILINE | re.DOTALL)[1]


def first_column(page, heading):
    return set(re.findall(r"^\| `([\w./]+)`", section(page, heading), re.MULTILINE))


def test_every_public_name_has_its_reason_and_no_other():
    listed = first_column("architecture.md", "Public names")
    modules = {"lossreg.errors", "lossreg.lazy", "lossreg.numerics", "lossreg.testing"}
    assert listed - modules == set(lossreg.__all__)


def test_every_room_has_its_reason_and_no_other():
    rooms = {
        path.stem
        for path in (ROOT / "lossreg").iterdir()
        if (path.suffix == ".py" and not path.stem.startswith("__"))
        or (path / "__init__.py").exists()
    }
    assert first_column("architecture.md", "Rooms") == rooms
    assert len(rooms) == 14


def test_a_room_says_what_is_there_and_what_is_not():
    for init in (ROOT / "lossreg").glob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))


def test_every_dependency_has_its_reason():
    import tomllib

    lines = []
    for file in (ROOT / "pyproject.toml", *(ROOT / "plugins").glob("*/pyproject.toml")):
        text = file.read_text(encoding="utf-8")
        project = tomllib.loads(text)["project"]
        extras = project.get("optional-dependencies", {})
        lines += [*project["dependencies"], *extras.get("plot", []), *extras.get("jax", [])]
    # Packages of ours need each other for what they are.
    needed = {re.match(r"[\w-]+", line)[0] for line in lines if not line.startswith("lossreg")}
    table = section("architecture.md", "Dependencies")
    listed = set(re.findall(r"^\| ([a-z][\w-]+)", table, re.MULTILINE)) - {"package"}
    assert needed <= listed


def test_the_limits_on_the_page_are_those_of_the_tests():
    limits = {name: value for name, value in vars(tolerances).items() if name.isupper()}
    limits |= limits.pop("BY_DTYPE")
    assert limits.pop("float32") == limits["FLOAT32"]
    rows = re.findall(
        r"^\| `(\w+)` \| (\S+) \|", section("accuracy.md", "The limits"), re.MULTILINE
    )
    assert {name: eval(limit) for name, limit in rows} == limits


COMMANDS = {name: main.get_command(None, name) for name in main.list_commands(None)}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_is_documented(command):
    page = text("cli.md")
    assert re.search(rf"^\$ lossreg {command}\b", page, re.MULTILINE)
    for parameter in COMMANDS[command].params:
        # -o, or the long form where there is no short one.
        shortest = min(parameter.opts, key=len) if parameter.param_type_name == "option" else ""
        assert shortest in page


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_page_is_in_the_contents(page):
    assert page == "index.md" or f"\n{page.removesuffix('.md')}\n" in text("index.md")


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_command_on_a_page_exists(page):
    for command in re.findall(r"^\$ (?:\w+=\S+ )?lossreg ([a-z]+)", text(page), re.MULTILINE):
        # A page may add a command of its own.
        assert command in COMMANDS or f'{{"{command}": ' in text(page)
