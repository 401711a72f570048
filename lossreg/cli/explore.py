"""`lossreg explore`: a page in which one moves the parameters of losses."""

import time
from pathlib import Path

import click

from ..explorer import explorer_page
from ..registry import list_losses
from .completion import complete_plugin
from .output import Unusable, beside, write


@click.command()
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...", shell_complete=complete_plugin)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("explorer.html"),
    show_default=True,
    help="The page.",
)
def explore(packages: tuple[str, ...], output: Path) -> None:
    """Write a page that draws every loss of each PACKAGE, or of all that are installed.

    Sliders move the parameters, and the page computes value, gradient and curvature anew. It is
    one file and needs no network. Making it needs JAX, which "pip install 'lossreg[explore]'"
    installs, and takes up to a minute. Keras' own losses are in the package 'keras'.

    \b
    Examples:
      lossreg explore
      lossreg explore keras lossreg-focal -o focal.html
    """
    for package in packages:
        # This raises for an unknown package.
        list_losses(plugin=package)
    if not output.parent.is_dir():
        raise Unusable(f"There is no folder {str(output.parent)!r} for the page. Create it first.")
    start = time.perf_counter()
    page = explorer_page(packages)
    with beside(output) as file:
        file.write_text(page.html, encoding="utf-8")
    size, seconds = len(page.html.encode()) / 1000, time.perf_counter() - start
    write(f"Wrote {output}: {size:.0f} KB, in {seconds:.0f} s. {page}", err=True)
