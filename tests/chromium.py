"""What the tests of the explorer's page share."""

from pathlib import Path

BUILD = Path(__file__).parents[1] / "build" / "explorer"
"""Where the page and its pictures are, to look at."""


def drawn(page):
    """Wait until what was changed is drawn, and the address says so."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 160)))")


def script(name):
    """Return a function that runs in the page."""
    return (Path(__file__).parent / "browser" / name).read_text(encoding="utf-8")
