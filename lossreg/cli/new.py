"""`lossreg new`: a small complete package with one loss, to change and publish, or one loss more.

It installs nothing.
"""

import ast
import builtins
import contextlib
import importlib.resources
import importlib.util
import keyword
import re
import tomllib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

import click

from ..errors import LossNameError, RegistrationError
from ..loss import BUILTIN, LOCAL, is_canonical, normalize_distribution, parse, shown
from ..registry import installed, installed_version, known_losses, known_packages
from .output import Unusable, write

_SUFFIX = ".template"

_DISTRIBUTION = re.compile(r"[a-z](?:[a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
_LONGEST = 100  # half of a qualified name; folders take more
# Words of the registry, known packages, and a folder of the new package.
_TAKEN = {BUILTIN, LOCAL, "lossreg", "tests", *known_losses()}
# What Windows keeps for devices, in every folder.
_PORTS = {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
_DEVICES = {"con", "prn", "aux", "nul", *_PORTS}
# The name of Keras' operations in losses.py.
_OPERATIONS = "ops"


@click.command()
@click.argument("distribution")
@click.option(
    "--loss",
    metavar="NAME",
    help="The name of the loss: lower snake case, without 'loss'; 'tilted' if it isn't given.",
)
def new(distribution: str, loss: str | None) -> None:
    """Write a small complete package of losses into the folder DISTRIBUTION.

    The package has one loss, its description for lossreg, and tests of everything that
    lossreg promises. The commands that install it and run the tests are written to stdout.

    In a package that exists, or in the folder that it is in, --loss adds a loss with its
    description and a test.

    \b
    Examples:
      lossreg new acme-losses
      lossreg new acme-losses --loss tukey
    """
    name = normalize_distribution(distribution)
    there = _find_package(name)
    package = _package(distribution, exists=there is not None)
    if there is not None and loss is None:
        raise _bad_distribution(
            f"{str(there)!r} is a package already. Name a loss to add to it: --loss NAME"
        )
    asked = "tilted" if loss is None else loss
    loss = _loss(asked, package)
    files = _files(name, package, loss)
    if there is None:
        _write(files, Path(name))
        _report_name(asked, loss)
        write(f"Wrote {len(files)} files into {name}/. The next three commands:", err=True)
        write(f"cd {name}\npython -m pip install --editable '.[dev]'\npytest")
        return
    row_added = _add_loss(there, package, loss, files)
    _report_name(asked, loss)
    spec = f"a LossSpec into {package}/plugin.py"
    if row_added:
        spec += " and a row into README.md"
        then = "Change the row where the parameters change."
    else:
        then = "README.md has no table of losses, and wasn't changed."
    write(
        f"Wrote {package}/{loss}.py, tests/test_{loss}.py, {spec}. They hold the formula of "
        f"a tilted loss: replace the function, its docstring, the summary and the test. {then}",
        err=True,
    )
    write("pytest" if there == Path() else f"cd {there}\npytest")


def _report_name(asked: str, loss: str) -> None:
    """Say which name a loss has, and why, where it isn't the one that was given."""
    if asked != loss:
        write(
            f"The loss is named {loss!r}: names are in lower snake case, without 'loss'. "
            f"get_loss({asked!r}) finds it too.",
            err=True,
        )


def _add_loss(there: Path, package: str, loss: str, files: dict[str, str]) -> bool:
    """Add a loss to a package: a module, a test and a spec, from the files of a new package.

    Returns:
        Whether the table of losses in its README has a row for it too.
    """
    plugin = there / package / "plugin.py"
    changed = {plugin: _add_spec(plugin, files[f"{package}/plugin.py"], package, loss)}
    readme = there / "README.md"
    table = _add_row(readme, files["README.md"])
    if table is not None:
        changed[readme] = table
    added = {
        f"{package}/{loss}.py": files[f"{package}/losses.py"],
        f"tests/test_{loss}.py": files["tests/test_losses.py"],
    }
    for path in added:
        if (there / path).exists():
            raise _bad_distribution(
                f"{str(there / path)!r} already exists. Nothing was written. Give the loss another "
                f"name: --loss {_free_name(loss, package)}"
            )
    _write_all(added, there, changed)
    return table is not None


def _find_package(name: str) -> Path | None:
    """Return the folder of a package that exists, here or below, or None."""
    for folder in (Path(name), Path()):
        with contextlib.suppress(OSError, ValueError):
            project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
            found = project.get("project", {}).get("name", "")
            if isinstance(found, str) and normalize_distribution(found) == name:
                return folder
    return None


def _add_spec(plugin: Path, template: str, package: str, loss: str) -> str:
    """Return the text of a plugin module with one spec more, taken from that of a new package."""
    spec = template[template.index("        LossSpec(") : template.rindex("    ]\n")]
    spec = spec.replace(f"{package}.losses:", f"{package}.{loss}:")
    try:
        text = plugin.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError) as error:
        raise _cant_add(plugin, spec, f"it can't be read ({error})") from error
    names = {
        word.value.value
        for word in ast.walk(tree)
        if isinstance(word, ast.keyword) and word.arg == "name"
        if isinstance(word.value, ast.Constant)
    }
    if loss in names:
        raise RegistrationError(
            f"{str(plugin)!r} has a loss {loss!r} already. Choose another: "
            f"--loss {_free_name(loss, package)}"
        )
    lists = [
        node.value
        for hook in ast.walk(tree)
        if isinstance(hook, ast.FunctionDef) and hook.name == "lossreg_losses"
        for node in ast.walk(hook)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.List)
    ]
    lines = text.splitlines(keepends=True)
    # The bracket that closes the list stands alone on its line, as ruff writes it.
    last = lists[0].end_lineno if len(lists) == 1 else None
    if last is None or lines[last - 1].strip() != "]" or not lines[last - 2].rstrip().endswith(","):
        raise _cant_add(plugin, spec, "its hook lossreg_losses returns no list of one line a loss")
    return "".join([*lines[: last - 1], spec, *lines[last - 1 :]])


def _add_row(readme: Path, template: str) -> str | None:
    """Return the text of a README with one row more in its table of losses, or None without it."""
    head, _, row = (line for line in template.splitlines() if line.startswith("|"))
    try:
        lines = readme.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    if head not in lines:
        return None
    end = lines.index(head) + 1
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return "\n".join([*lines[:end], row, *lines[end:]]) + "\n"


def _cant_add(plugin: Path, spec: str, why: str) -> click.BadParameter:
    return _bad_distribution(
        f"No loss can be added to {str(plugin)!r}: {why}. Nothing was written. Add the spec "
        f"yourself:\n{spec.rstrip()}"
    )


def _package(distribution: str, *, exists: bool) -> str:
    """Return the import name of a distribution. Raise if a new one can't have its name."""
    name = normalize_distribution(distribution)
    package = name.replace("-", "_")
    legal = len(distribution) <= _LONGEST and _DISTRIBUTION.fullmatch(distribution)
    if not legal or keyword.iskeyword(package):
        raise _bad_distribution(
            f"A package of losses can't be named {shown(distribution)}. A name begins with a "
            f"letter, has at most {_LONGEST} letters, digits and dashes, and isn't a Python "
            "keyword: 'acme-losses'."
        )
    if name in _DEVICES:
        raise _bad_distribution(
            f"{distribution!r} is a device of Windows, and no folder can have its name there. "
            f"Choose another name, such as {f'my-{name}'!r}."
        )
    if not exists and (name in _TAKEN or _is_module(package)):
        raise _bad_distribution(
            f"{distribution!r} is taken: Python or lossreg already uses {package!r} here. "
            f"Choose another name, such as {f'my-{name}'!r}; to add a loss to your own package, "
            "change to its folder."
        )
    return package


def _is_module(package: str) -> bool:
    """Return whether a program can already import a package of this name."""
    found = importlib.util.find_spec(package)
    # A folder without an __init__ is a module too, but nobody owns it.
    return found is not None and found.origin is not None


def _loss(text: str, package: str) -> str:
    """Return the canonical name of a new loss. Raise if it can't be used."""
    asked = parse(text)
    loss = asked.loss
    if asked.distribution is not None:
        raise LossNameError(
            f"A package names its own losses without the distribution, got {text!r}. "
            f"Write {loss!r}; users can still use the qualified name."
        )
    is_word = keyword.iskeyword(loss) or hasattr(builtins, loss) or loss == _OPERATIONS
    if is_word or not is_canonical(loss):
        raise LossNameError(
            f"A loss can't be named {text!r}. A name is in lower snake case, and isn't one that "
            f"Python or Keras uses. Choose another: --loss {_free_name(loss, package)}"
        )
    offers = installed().explain(loss).offers
    if offers:
        raise RegistrationError(
            f"The name {loss!r} is taken by {' and '.join(repr(e.qualified_name) for e in offers)}"
            f". Choose another: --loss {_free_name(loss, package)}"
        )
    if others := known_packages(loss):
        raise RegistrationError(
            f"The name {loss!r} is taken by the package {others[0]!r}; with both installed it "
            f"would be ambiguous. Choose another: --loss {_free_name(loss, package)}"
        )
    return loss


def _free_name(loss: str, package: str) -> str:
    return f"{package.partition('_')[0]}_{loss}"


def _files(distribution: str, package: str, loss: str) -> dict[str, str]:
    """Return the content of each file, by its path in the new folder."""
    words = {"distribution": distribution, "package": package, "loss": loss, "bounds": _bounds()}
    # lossreg may be in a zip, where a template has no path.
    template = importlib.resources.files(__package__) / "template"
    files = {
        re.sub("^package/", f"{package}/", path): Template(text).substitute(words)
        for path, text in _templates(template, "")
    }
    if not files:
        raise Unusable(
            "This copy of lossreg lacks the files of the new package. Install lossreg instead: "
            "pip install lossreg"
        )
    return files


def _bounds() -> str:
    """Return the versions of lossreg that the package works with, or an empty string."""
    version = (installed_version("lossreg") or "").partition("+")[0]
    if not version:
        # A copy inside another package has no version.
        return ""
    major, minor = re.findall(r"\d+", version)[:2]
    return f">={version},<{major}.{int(minor) + 1}"


def _templates(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each template, without the suffix."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(_SUFFIX):
            yield path + entry.name.removesuffix(_SUFFIX), entry.read_text(encoding="utf-8")
        else:
            yield from _templates(entry, f"{path}{entry.name}/")


def _write(files: dict[str, str], folder: Path) -> None:
    """Write a new package, all of it or nothing: what was there before stays."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise _bad_distribution(
            f"{str(folder)!r} already exists, and isn't an empty folder. Nothing was written. "
            "Choose another name, or remove it."
        )
    _write_all(files, folder, {})


def _write_all(files: dict[str, str], folder: Path, changed: dict[Path, str]) -> None:
    """Write all new files, or none.

    Args:
        files: The text of each, by its path in the folder.
        folder: Where they are written.
        changed: Files that exist, and the new text of each, which takes its place last.
    """
    made: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            _make_folder(path.parent, made)
            _write_new(path, text, made)
        new = {path.with_name(f"{path.name}.new"): path for path in changed}
        for path, old in new.items():
            _write_new(path, changed[old], made)
        for path, old in new.items():
            path.replace(old)
    except BaseException as error:
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if not isinstance(error, OSError):
            raise
        raise _bad_distribution(
            f"{str(folder)!r} can't be written ({error.strerror}), and nothing was kept. "
            "Change to a folder that you can write to."
        ) from error


def _write_new(path: Path, text: str, made: list[Path]) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        made.append(path)
        file.write(text)


def _make_folder(path: Path, made: list[Path]) -> None:
    """Make a folder and those it is in, and add each to a list."""
    if not path.is_dir():
        if path.parent != path:
            _make_folder(path.parent, made)
        path.mkdir()
        made.append(path)


def _bad_distribution(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="DISTRIBUTION")
