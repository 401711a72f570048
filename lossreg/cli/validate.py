"""`lossreg validate` and `lossreg schema`: configs checked before anything is trained."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..config import Document, load_document
from ..errors import ConfigError, Fault, fault_lines, key_path
from ..loss import did_you_mean
from ..registry import stdout_to_stderr
from .backend import keras_needed, quiet_backend
from .loss_places import loss_places
from .output import write, write_json


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--build",
    is_flag=True,
    help="Import Keras and check layers, regularizers, optimizers and metrics too.",
)
@click.option(
    "--at",
    metavar="KEY.PATH",
    help="Check the loss at this place in another program's config: train.loss",
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Refuse a config that names a file outside of this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the faults as JSON.")
@click.pass_context
def validate(
    ctx: click.Context,
    files: tuple[Path, ...],
    build: bool,
    at: str | None,
    root: Path | None,
    as_json: bool,
) -> None:
    """Check configs and report every fault: FILE:LINE:COLUMN: key.path: what to do.

    A file with `model:` is checked as a whole, its losses with their parameters. In a file
    with `loss:` alone, which belongs to another program, only the loss is checked; the other
    keys are ignored. The exit code is 1 if there are faults.

    \b
    Examples:
      lossreg validate config.yaml
      lossreg validate configs/*.yaml --build
      lossreg validate train.toml --at trainer.loss --json
    """
    if build and at:
        raise click.UsageError("--build checks a whole model, and --at a loss alone. Give one.")
    if root and at:
        raise click.UsageError(
            "--root is for the files that a model's config names, and --at checks a loss alone. "
            "Give one."
        )
    if build:
        quiet_backend()
    # What a factory or Keras prints isn't ours to write to stdout.
    with stdout_to_stderr():
        found = {file: _faults(file, at, build, root) for file in files}
    if as_json:
        write_json([_as_data(file, fault) for file, faults in found.items() for fault in faults])
    else:
        for file, faults in found.items():
            if faults:
                write(fault_lines(faults, str(file)))
    wrong = sum(bool(faults) for faults in found.values())
    write(_summary(len(found), wrong, sum(map(len, found.values()))), err=True)
    ctx.exit(bool(wrong))


def _summary(files: int, wrong: int, faults: int) -> str:
    checked = f"{files} file{'s' * (files > 1)} checked"
    if not faults:
        return f"{checked}: no faults."
    return f"{checked}: {faults} fault{'s' * (faults > 1)} in {wrong}."


def _faults(file: Path, at: str | None, build: bool, root: Path | None) -> Sequence[Fault]:
    """Return everything that is wrong in a file."""
    try:
        read = load_document(file)
        if at is not None:
            _check_loss(read, tuple(at.split(".")))
        elif not isinstance(read.data, dict) or read.data.keys() & {"model", "compile"}:
            _check_model(read, build, root)
        elif "loss" in read.data:
            _check_loss(read, ("loss",))
        else:
            return [Fault(message=_neither(read.data))]
    except ConfigError as error:
        return error.faults or [Fault(message=str(error))]
    return []


def _neither(data: dict[str, Any]) -> str:
    """Return what is wrong with a config without a model and without a loss."""
    near = next(filter(None, (did_you_mean(key, ("model", "loss")) for key in data)), "")
    deeper = _deeper(data) or " If the loss is deeper, give --at KEY.PATH."
    return f"It has neither 'model' nor 'loss'.{near}{deeper}"


def _deeper(data: Any) -> str:
    """Return where the loss of another program's config may be, as advice."""
    places = [".".join(map(str, path)) for path in loss_places(data)]
    if not places:
        return ""
    if len(places) == 1:
        return f" The loss may be at {places[0]}: give --at {places[0]}."
    return f" The loss may be at {', '.join(places[:-1])} or {places[-1]}: give one to --at."


def _check_loss(read: Document, path: tuple[str, ...]) -> None:
    # It imports pydantic, which a file that can't be read doesn't need.
    from ..config import examine, located

    value: Any = read.data
    found: list[str | int] = []
    for part in path:
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            found.append(int(part))
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            found.append(part)
            value = value[part]
        else:
            near = did_you_mean(part, value if isinstance(value, dict) else ())
            message = f"There is no {part!r} here.{near or _deeper(read.data)}"
            raise located([Fault(message=message, path=tuple(found))], read)
    _, faults = examine(value, tuple(found))
    if faults:
        raise located(faults, read)


def _check_model(read: Document, build: bool, root: Path | None) -> None:
    if build:
        if sys.stderr.isatty():
            write("Importing Keras ...", err=True)
        from ..model import build_data

        with keras_needed():
            build_data(read.data, read, root)
    else:
        from ..config import examine_experiment, located

        experiment, _, faults = examine_experiment(read.data, read, root)
        if experiment is None:
            raise located(faults, read)


def _as_data(file: Path, fault: Fault) -> dict[str, Any]:
    return {"file": str(file), **dataclasses.asdict(fault), "key_path": key_path(fault.path)}


@click.command()
def schema() -> None:
    """Print the JSON Schema (2020-12) of a config, with every installed loss.

    With it, editors of YAML, TOML and JSON complete and check a config. Keras isn't imported.

    \b
    Examples:
      lossreg schema > lossreg.schema.json
      and as the first line of a YAML file, for most editors:
      # yaml-language-server: $schema=lossreg.schema.json
    """
    from ..config import experiment_schema

    with stdout_to_stderr():
        found = experiment_schema()
    write_json(found)
