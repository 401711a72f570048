"""`lossreg fit` and `lossreg objective`: training from a config, and what it minimizes."""

import contextlib
import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lossreg.cli import (
    console,
    in_columns,
    keras_needed,
    quiet_backend,
    to_terminal,
    write,
    write_json,
)

if TYPE_CHECKING:
    from .fit import Run

_FOLDER = Path("runs")


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The folder that the run is written to.  [default: runs/ and the config's name]",
)
@click.option("--epochs", type=click.IntRange(1), help="Replaces the config's number of epochs.")
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
@click.pass_context
def fit(
    ctx: click.Context, config: Path, output: Path | None, epochs: int | None, force: bool
) -> None:
    """Train the model of CONFIG on the data that it names.

    The data are checked against the model and the loss before the first step. The folder
    gets the trained model (model.keras), a row for each epoch with every term of the
    objective (history.csv), its curves (curves.png), and the config with every default and
    the versions of what made the run (config.yaml). Fitting that config repeats the run.
    Ctrl-C ends the training early and keeps the epochs so far, as SIGTERM and SIGHUP do. An
    earlier run stays until the new one is whole.

    It needs Keras and a backend.

    \b
    Examples:
      lossreg fit digits.yaml
      lossreg fit digits.yaml --epochs 50 -o runs/digits-long
      lossreg fit runs/digits/config.yaml -o runs/digits-again
    """
    quiet_backend()
    # It imports numpy and pydantic, which the help doesn't need.
    from . import fit as training

    # Keras writes its progress to stdout, which is for data.
    with contextlib.redirect_stdout(sys.stderr), keras_needed():
        run = training.fit(
            config,
            output or _FOLDER / config.stem,
            epochs=epochs,
            force=force,
            verbose=1 if sys.stderr.isatty() else 2,
            report=_report,
        )
    write("\n".join(in_columns(_table(run))))
    names = ", ".join(file.name for file in run.folder.files)
    _report(f"Wrote {names} into {run.folder.path}.")
    if not all(map(isfinite, run.epochs[-1].logs.values())):
        _report(
            "The training diverged. Try a lower learning_rate of the optimizer, or clipnorm=1, "
            "to keep it finite."
        )
    if run.stopped_by is not None:
        _report(f"Interrupted in epoch {len(run.epochs)} of {run.wanted}.")
        # As shells count.
        ctx.exit(128 + run.stopped_by)


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--model",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A saved model, .keras or .weights.h5, whose weights to take.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the terms as JSON.")
def objective(config: Path, model: Path | None, as_json: bool) -> None:
    """Show each term of what training CONFIG minimizes, on the samples to train on.

    The terms are the losses and the penalties of weights and activities, with their share of
    the total. Constraints are listed with whether the weights satisfy them. The weights are
    the initial weights that the config's seed gives, or those of a trained model.

    \b
    Examples:
      lossreg objective digits.yaml
      lossreg objective digits.yaml --model runs/digits/model.keras
      lossreg objective digits.yaml --json | jq '.terms[] | {name, share}'
    """
    quiet_backend()
    # They import numpy and pydantic, which the help doesn't need.
    from lossreg.config import read_experiment
    from lossreg.objectives import objective as terms

    from .trial import prepare, read_data

    experiment = read_experiment(config)
    dataset = read_data(experiment)
    for note in dataset.notes:
        _report(note)
    _report("Importing Keras ...")
    with keras_needed():
        trial = prepare(experiment, dataset, model)
        samples = trial.data.train
        result = terms(
            trial.model,
            samples.x,
            samples.y,
            experiment.fit.batch_size,
            sample_weight=samples.weight,
        )
    if as_json:
        write_json(result.as_dict())
    elif to_terminal():
        with console() as terminal:
            terminal.print(result)
    else:
        write(str(result))


def _report(message: str) -> None:
    """Write a message for the user who waits."""
    write(message, err=True)


def _table(run: "Run") -> list[list[str]]:
    """Return the last epoch's loss and metrics, on both parts of the data."""
    last = run.epochs[-1]
    rows = [[f"EPOCH {len(run.epochs)}", "TRAINED ON", "HELD OUT"]]
    logs = {name: value for name, value in last.row.items() if name in last.logs}
    for name, value in logs.items():
        if not name.startswith("val_"):
            rows.append([name, f"{value:.4f}", f"{logs.get(f'val_{name}', float('nan')):.4f}"])
    return rows
