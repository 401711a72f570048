"""`lossreg fit`: the model of a config, trained."""

import contextlib
import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .backend import keras_needed, quiet_backend
from .output import in_columns

if TYPE_CHECKING:
    from ..builder.training.fit import Run

_INTERRUPTED = 130  # 128 + SIGINT, as shells count
_FOLDER = Path("runs")


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The folder that the run is written to.  [default: runs/ and the config's name]",
)
@click.option("--epochs", type=click.IntRange(1), help="In place of those that the config says.")
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
@click.pass_context
def fit(
    ctx: click.Context, config: Path, output: Path | None, epochs: int | None, force: bool
) -> None:
    """Train the model of CONFIG on the data that it names.

    The data are checked against the model and the loss before the first step. The folder
    gets the trained model (model.keras), a row for each epoch with every term of the
    objective (history.csv), its picture (curves.png), and the config with every default and
    the versions of what made the run (config.yaml): fitting that repeats the run. Ctrl-C
    ends the training early and keeps what was reached.

    It needs pandas and matplotlib, which "pip install 'lossreg[fit]'" installs, and Keras
    with its backend.

    \b
    Examples:
      lossreg fit digits.yaml
      lossreg fit digits.yaml --epochs 50 -o runs/digits-long
      lossreg fit runs/digits/config.yaml -o runs/digits-again
    """
    quiet_backend()
    # It imports numpy and pydantic, which the help doesn't need.
    from ..builder.training import fit as training

    # Keras writes its progress to stdout, which is for data.
    with contextlib.redirect_stdout(sys.stderr), keras_needed():
        run = training.fit(
            config,
            output or _FOLDER / config.stem,
            epochs=epochs,
            force=force,
            verbose=1 if sys.stderr.isatty() else 2,
            say=say,
        )
    click.echo("\n".join(in_columns(_table(run))))
    names = ", ".join(file.name for file in run.folder.files)
    click.echo(f"Wrote {names} into {run.folder.path}.", err=True)
    if not all(map(isfinite, run.epochs[-1].logs.values())):
        click.echo(
            "The training diverged: a lower learning_rate of the optimizer, or clipnorm=1, "
            "may keep it finite.",
            err=True,
        )
    if run.interrupted:
        click.echo(f"Interrupted in epoch {len(run.epochs)} of {run.wanted}.", err=True)
        ctx.exit(_INTERRUPTED)


def say(message: str) -> None:
    """Write a message for whoever waits."""
    click.echo(message, err=True)


def _table(run: "Run") -> list[list[str]]:
    """Return the last epoch's loss and metrics, of both parts of the data."""
    last = run.epochs[-1]
    rows = [[f"EPOCH {len(run.epochs)}", "TRAINED ON", "HELD OUT"]]
    logs = {name: value for name, value in last.row.items() if name in last.logs}
    for name, value in logs.items():
        if not name.startswith("val_"):
            rows.append([name, f"{value:.4f}", f"{logs.get(f'val_{name}', float('nan')):.4f}"])
    return rows
