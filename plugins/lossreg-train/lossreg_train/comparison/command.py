"""`lossreg compare`: which loss wins on the data of a config."""

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lossreg.cli import INTERRUPTED, console, keras_needed, to_terminal, write, write_json

if TYPE_CHECKING:
    from .pools import Pool
    from .report import Comparison

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class _Duration(click.ParamType[float]):
    """A duration in seconds, such as 90s, 20m or 1.5h."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Return the seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value).strip())
        if not found or not float(found[1]):
            self.fail(f"{value!r} isn't a duration. Write 90s, 20m or 1.5h.", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "s"]


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--loss",
    "named",
    multiple=True,
    help='A loss to compare, as "focal(gamma=2)"; the first is the baseline. Repeat it.',
)
@click.option("--losses", type=click.Choice(["auto"]), help="Compare every loss that fits.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help='What to judge by, as "recall_at_precision(0.95)"; the first decides. Repeat it.',
)
@click.option("--folds", type=click.IntRange(2), help="The folds of the cross-validation.")
@click.option("--repeats", type=click.IntRange(1), help="How often the folds are drawn.")
@click.option("--epochs", type=click.IntRange(1), help="Replaces the config's number of epochs.")
@click.option("--margin", type=click.FloatRange(0), help="A difference that doesn't matter.")
@click.option(
    "--learning-rate",
    type=click.Choice(["search", "fixed"]),
    help="Search for each loss, or take that of the optimizer.",
)
@click.option("--tune", type=click.IntRange(0), help="Trials that search a loss's parameters.")
@click.option("--budget", type=_Duration(), help="Begin no training after this time, as 20m.")
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes to train in."
)
@click.option("--on", "where", type=click.Choice(["ray"]), help="Train on a Ray cluster.")
@click.option("--address", help="The cluster, as auto; by default one is started here.")
@click.option("--cpus", type=click.FloatRange(0), default=1.0, help="With Ray: CPUs a training.")
@click.option("--gpus", type=click.FloatRange(0), default=0.0, help="With Ray: GPUs a training.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of results and report.  [default: runs/compare- and the config's name]",
)
@click.option("--json", "as_json", is_flag=True, help="Write the report as JSON.")
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    config: Path,
    named: tuple[str, ...],
    losses: str | None,
    metrics: tuple[str, ...],
    budget: float | None,
    workers: int,
    where: str | None,
    address: str | None,
    cpus: float,
    gpus: float,
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Compare losses on the data of CONFIG, and say which wins and what is noise.

    Every loss is trained on the same folds, from the same weights, with the same budget, its
    learning rate searched within the training samples. The losses are judged by metrics and never
    by their own values. A verdict on each pair says better, worse, equivalent or undecided.

    The folder gets a result for each training, and a report (report.html, report.json). Ctrl-C
    writes the report of what is there. The same command goes on where it stopped.

    \b
    Examples:
      lossreg compare is-8.yaml --loss binary_crossentropy --loss "focal(gamma=2)"
      lossreg compare is-8.yaml --losses auto --metric average_precision --budget 20m --workers 2
      lossreg compare is-8.yaml --losses auto --on ray --address auto
    """
    if named and losses:
        raise click.UsageError("Give --loss or --losses, and not both.")
    if where is None and address is not None:
        raise click.UsageError("--address is for --on ray.")
    # They import NumPy and pydantic, which the help doesn't need.
    from .driver import compare as run

    pool: Pool | None = None
    if where == "ray":
        from .on_ray import RayPool

        pool = RayPool(address, cpus=cpus, gpus=gpus)
    with contextlib.redirect_stdout(sys.stderr), keras_needed(), _shown() as show:
        result = run(
            config,
            list(named) or losses,
            list(metrics),
            folder=output,
            budget=budget,
            workers=None if pool else workers,
            executor=pool,
            show=show,
            report=_report,
            **{name: value for name, value in options.items() if value is not None},
        )
    _write(result, as_json)
    if result.is_stopped:
        ctx.exit(INTERRUPTED)


@contextlib.contextmanager
def _shown() -> Iterator[Any]:
    """Give what shows the progress: a table on a terminal, else a line now and then."""
    from .progress import Lines, Live

    if not sys.stderr.isatty():
        yield Lines(_report)
        return
    from rich.console import Console

    with Live(Console(stderr=True)) as live:
        yield live


def _write(result: "Comparison", as_json: bool) -> None:
    """Write the ranking and the verdict to stdout, and where the report is to stderr."""
    if as_json:
        write_json(result.as_dict())
    elif to_terminal():
        with console() as terminal:
            terminal.print(result)
    else:
        write(str(result))
    for note in result.notes:
        _report(note)
    for loss, reason in result.dropped.items():
        _report(f"Left out {loss}: {reason}")
    if not result.is_complete:
        _report(f"{result.done} of {result.planned} trainings are done. The same command goes on.")
    _report(f"The report is {result.folder / 'report.html'}.")


def _report(message: str) -> None:
    """Write a message for the user who waits."""
    write(message, err=True)
