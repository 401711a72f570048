"""The lists in the documentation are those of the code."""

import ast
import re
from pathlib import Path

import generate
import pages
import pytest
import tolerances

import lossreg
from lossreg import errors
from lossreg.cli import main
from lossreg.registry import discover
from lossreg.testing import limits

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
    constants = constants_of(tolerances)
    constants |= constants.pop("BY_DTYPE")
    assert constants.pop("float32") == constants["FLOAT32"]
    assert limits_on_the_page("The limits") == constants


def test_the_limits_of_the_kit_on_the_page_are_those_of_its_checks():
    assert limits_on_the_page("What the checks of a plugin allow") == constants_of(limits)


def constants_of(module):
    return {name: value for name, value in vars(module).items() if name.isupper()}


def limits_on_the_page(title):
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \|", section("accuracy.md", title), re.MULTILINE)
    return {name: eval(limit) for name, limit in rows}


COMMANDS = {name: main.get_command(None, name) for name in main.list_commands(None)}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_is_documented(command):
    page = text("cli.md")
    assert re.search(rf"^\$ lossreg {command}\b", page, re.MULTILINE)
    for parameter in COMMANDS[command].params:
        # -o, or the long form where there is no short one.
        shortest = min(parameter.opts, key=len) if parameter.param_type_name == "option" else ""
        assert shortest in page


def test_every_key_of_a_config_is_in_the_committed_table():
    lines = generate.config_keys()
    assert generate.filled(text("config.md"), "config keys", lines) == text("config.md")


def test_the_committed_list_of_losses_is_that_of_the_packages():
    packages = {path.parent.name for path in (ROOT / "plugins").glob("*/pyproject.toml")}
    entries = [e for e in discover().entries() if e.provider.distribution in {"keras", *packages}]
    # Without one of our packages the list would be shorter.
    pytest.importorskip("lossreg_segmentation")
    assert generate.index(entries) == text("all-losses.md")


def test_every_error_has_its_causes_and_the_way_out():
    kinds = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    found = dict(
        re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text("errors.md"), re.MULTILINE | re.DOTALL)
    )
    # Its base has every error of the page.
    assert found.keys() == kinds - {"LossregError"}
    without = {"LossLookupError"}
    assert {name for name, section in found.items() if "```text" not in section} == without


@pytest.mark.parametrize(("translated", "original"), generate.TRANSLATIONS.items())
def test_a_translation_has_the_same_programs(translated, original):
    assert pages.blocks(f"docs/{translated}") == pages.blocks(f"docs/{original}")
    assert len(re.findall("^```", text(translated), re.MULTILINE)) == len(
        re.findall("^```", text(original), re.MULTILINE)
    )
    headings = [re.findall("^#+ ", text(page), re.MULTILINE) for page in (translated, original)]
    assert headings[0] == headings[1]


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_every_page_is_in_the_contents(page):
    assert page == "index.md" or f"\n{page.removesuffix('.md')}\n" in text("index.md")


SHOWN = [*sorted(path.name for path in DOCS.glob("*.md")), *generate.TRANSLATIONS, "../README.md"]


@pytest.mark.parametrize("page", SHOWN)
def test_every_command_on_a_page_exists(page):
    for target in re.findall(r"^make (\w+)", text(page), re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in re.findall(r"^\$ (?:\w+=\S+ )?lossreg ([a-z]+)", text(page), re.MULTILINE):
        # A page may add a command of its own.
        assert command in COMMANDS or f'{{"{command}": ' in text(page)


@pytest.mark.parametrize("page", SHOWN)
def test_everything_that_a_page_installs_is_ours(page):
    import tomllib

    extras = {}
    for file in (ROOT / "pyproject.toml", *(ROOT / "plugins").glob("*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        extras[project["name"]] = {"", *project.get("optional-dependencies", {})}
    for line in re.findall(r"pip install ((?:[\"']?lossreg[\w\[\],-]*[\"']? ?)+)", text(page)):
        for package, extra in re.findall(r"(lossreg[\w-]*)(?:\[([\w,]+)\])?", line):
            assert set(extra.split(",")) <= extras[package], line
