"""`lossreg check`: whether a package's losses keep the promises that lossreg makes."""

import dataclasses
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from .backend import quiet_backend
from .completion import complete_plugin
from .output import write, write_json, write_table

if TYPE_CHECKING:
    from ..testing import Result

# The states in the order of the summary.
_STYLES = {
    "passed": "green",
    "failed": "bold red",
    "expected failure": "yellow",
    "not run": "yellow",
    "not applicable": "dim",
}


@click.command()
@click.argument("distribution", shell_complete=complete_plugin)
@click.option("--loss", help="Check this loss only.")
@click.option("--check", "name", help="Run this check only.")
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "jax", "torch"]),
    help="Run on this backend; by default on Keras' own.",
)
@click.option("--verbose", is_flag=True, help="Show what a framework said too.")
@click.option("--json", "as_json", is_flag=True, help="Write the results as JSON.")
@click.pass_context
def check(
    ctx: click.Context,
    distribution: str,
    loss: str | None,
    name: str | None,
    backend: str | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Run every check on every loss of DISTRIBUTION, one row for each.

    It runs what '@loss_checks' of lossreg.testing runs in a package's tests, with Keras
    and its backend. The exit code is 1 where a check fails.

    \b
    Examples:
      lossreg check acme-losses
      lossreg check acme-losses --loss bell --check float16 --backend torch
      lossreg check acme-losses --json | jq '.[] | select(.state == "failed")'
    """
    quiet_backend()
    if backend is not None:
        # Keras reads it once, when it is imported.
        os.environ["KERAS_BACKEND"] = backend
    # It imports numpy, which no listing needs.
    from ..testing import import_keras_lean, run_checks

    import_keras_lean()
    results = _run(run_checks(distribution, loss=loss, check=name))
    if as_json:
        write_json([dataclasses.asdict(result) for result in results])
    else:
        rows = [[r.loss, r.check, r.state, _message(r, verbose)] for r in results]
        write_table(["LOSS", "CHECK", "STATE", "MESSAGE"], rows, "STATE", _STYLES)
    write(_summary(results), err=True)
    ctx.exit(any(result.state == "failed" for result in results))


def _run(results: "Iterable[Result]") -> "list[Result]":
    """Return all results; a terminal shows the latest one meanwhile."""
    if not sys.stderr.isatty():
        return list(results)
    from rich.console import Console

    found = []
    with Console(stderr=True).status("Importing Keras ...") as status:
        for result in results:
            found.append(result)
            status.update(f"{result.loss}: {result.check}")
    return found


def _message(result: "Result", verbose: bool) -> str:
    more = verbose and result.details
    return f"{result.message}\n{result.details}" if more else result.message


def _summary(results: "Sequence[Result]") -> str:
    losses = len({result.loss for result in results})
    states = [result.state for result in results]
    counts = [f"{states.count(state)} {state}" for state in _STYLES if state in states]
    return f"{losses} loss{'es' * (losses > 1)} checked: {', '.join(counts)}."
