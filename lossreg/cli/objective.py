"""`lossreg objective`: what the training of a config minimizes, term by term."""

from pathlib import Path

import click

from .backend import keras_needed, quiet_backend
from .fit import say
from .output import console, to_terminal, write_json


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

    These are the losses and the penalties of weights and activities, with their share of the
    total, and whether the weights satisfy their constraints: before training, with the
    weights that the config's seed gives, or with those of a trained model.

    \b
    Examples:
      lossreg objective digits.yaml
      lossreg objective digits.yaml --model runs/digits/model.keras
      lossreg objective digits.yaml --json | jq '.terms[] | {name, share}'
    """
    quiet_backend()
    # They import numpy and pydantic, which the help doesn't need.
    from .. import experiment
    from ..builder.objective.report import objective as terms
    from ..builder.training.trial import prepare, read_data

    said = experiment.read(config)
    found = read_data(said)
    say("Importing Keras ...")
    with keras_needed():
        trial = prepare(said, found, model)
        samples = trial.data.train
        result = terms(trial.model, samples.x, samples.y, said.fit.batch_size)
    if as_json:
        write_json(result.as_dict())
    elif to_terminal():
        with console() as terminal:
            terminal.print(result)
    else:
        click.echo(str(result))
