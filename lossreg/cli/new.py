"""`lossreg new`: a small complete package with one worked loss, to change and publish."""

import builtins
import importlib.util
import keyword
import re
import shutil
from pathlib import Path
from string import Template

import click
import importlib_metadata

from .. import discovery
from ..errors import LossNameError, RegistrationError
from ..known import PACKAGES
from ..names import is_canonical, key, normalize_distribution, parse, shown
from ..provider import BUILTIN, LOCAL

_TEMPLATE = Path(__file__).with_name("template")
_SUFFIX = ".template"

_DISTRIBUTION = re.compile(r"[a-z](?:[a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)
_LONGEST = 100  # half of a qualified name; folders take more
# Words of the registry, packages that exist, and a folder that the new package has beside its own.
_TAKEN = {BUILTIN, LOCAL, "lossreg", "tests", *PACKAGES.values()}
# What losses.py calls Keras' operations.
_OPERATIONS = "ops"


@click.command()
@click.argument("distribution")
@click.option(
    "--loss",
    metavar="NAME",
    default="pinball",
    show_default=True,
    help="What the worked loss is called: lower snake case, without 'loss'.",
)
def new(distribution: str, loss: str) -> None:
    """Write a small complete package of losses into the folder DISTRIBUTION.

    It holds one worked loss, its description for lossreg, and a test that holds it to
    what lossreg promises. Stdout gets the commands that install it and run the test.

    \b
    Examples:
      lossreg new acme-losses
      lossreg new acme-losses --loss tukey
    """
    package = _package(distribution)
    name = normalize_distribution(distribution)
    files = _files(name, package, _loss(loss, package))
    _write(files, Path(name))
    click.echo(f"Wrote {len(files)} files into {name}/. The next three commands:", err=True)
    click.echo(f"cd {name}\npython -m pip install --editable '.[dev]'\npytest")


def _package(distribution: str) -> str:
    """Return the name of the package that a distribution holds."""
    name = normalize_distribution(distribution)
    package = name.replace("-", "_")
    legal = len(distribution) <= _LONGEST and _DISTRIBUTION.fullmatch(distribution)
    if not legal or keyword.iskeyword(package):
        raise _refused(
            f"A package of losses can't be named {shown(distribution)}. A name has letters, digits "
            f"and dashes, {_LONGEST} at most, begins with a letter and is no word of Python's: "
            "'acme-losses'."
        )
    if name in _TAKEN or _is_module(package):
        raise _refused(
            f"{distribution!r} is taken: {package!r} means something to Python or lossreg here "
            f"already. Choose another, such as {f'my-{name}'!r}."
        )
    return package


def _is_module(package: str) -> bool:
    """Return whether a program here could already import a package of this name."""
    found = importlib.util.find_spec(package)
    # A folder without an __init__ is a module too, but nobody's.
    return found is not None and found.origin is not None


def _loss(text: str, package: str) -> str:
    """Return the canonical name of a loss that is still free."""
    asked = parse(text)
    loss = asked.loss
    if asked.distribution is not None:
        raise LossNameError(
            f"A package names its own losses without the distribution, got {text!r}. "
            f"Write {loss!r}; users may still ask for the qualified name."
        )
    is_word = keyword.iskeyword(loss) or hasattr(builtins, loss) or loss == _OPERATIONS
    if is_word or not is_canonical(loss):
        raise LossNameError(
            f"A loss can't be named {text!r}: it names a function, in lower snake case, and no "
            f"word of Python's or Keras'. Choose another: --loss {_own(loss, package)}"
        )
    offers = discovery.installed().explain(loss).offers
    if offers:
        raise RegistrationError(
            f"The name {loss!r} is taken by {' and '.join(repr(e.qualified_name) for e in offers)}"
            f". Choose another: --loss {_own(loss, package)}"
        )
    others = [other for name, other in PACKAGES.items() if key(name) == key(loss)]
    if others:
        raise RegistrationError(
            f"The name {loss!r} is taken by the package {others[0]!r}; with both installed it "
            f"would be ambiguous. Choose another: --loss {_own(loss, package)}"
        )
    return loss


def _own(loss: str, package: str) -> str:
    """Return a name that says whose loss it is."""
    return f"{package.partition('_')[0]}_{loss}"


def _files(distribution: str, package: str, loss: str) -> dict[str, str]:
    """Return the text of each file, by its path in the new folder."""
    version = importlib_metadata.version("lossreg").partition("+")[0]
    major, minor = re.findall(r"\d+", version)[:2]
    words = {
        "distribution": distribution,
        "package": package,
        "loss": loss,
        "bounds": f">={version},<{major}.{int(minor) + 1}",
    }
    files = {}
    for file in sorted(_TEMPLATE.rglob(f"*{_SUFFIX}")):
        path = file.relative_to(_TEMPLATE).as_posix().removesuffix(_SUFFIX)
        place = re.sub("^package/", f"{package}/", path)
        files[place] = Template(file.read_text(encoding="utf-8")).substitute(words)
    return files


def _write(files: dict[str, str], folder: Path) -> None:
    """Write all files, or none."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise _refused(
            f"{str(folder)!r} exists here and is not an empty folder. Nothing was written. "
            "Choose another name, or remove it."
        )
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _refused(
            f"{str(folder)!r} can't be written ({error.strerror}), and nothing was kept. "
            "Go to a folder of your own that has room."
        ) from error


def _refused(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="DISTRIBUTION")
