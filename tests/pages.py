"""The programs of a page of the documentation, run from top to bottom."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "---- block ----"


# A program that is deprecated, on a page or in a module of ours, fails: whoever makes warnings
# errors couldn't run the page. Keras' own slips, such as those of its saving, are its own.
_STRICT = """
import sys as _sys
import warnings as _warnings


def _refuse(message, category, filename, lineno, file=None, line=None):
    frame = _sys._getframe(1)
    inside = ("/numpy/", "/keras/src/backend/", "/keras/src/ops/", "/warnings.py")
    while frame.f_back and any(part in frame.f_code.co_filename for part in inside):
        frame = frame.f_back
    name = frame.f_globals.get("__name__", "")
    if issubclass(category, DeprecationWarning) and name.startswith(("__main__", "lossreg")):
        raise message


_warnings.showwarning = _refuse
_warnings.simplefilter("always", DeprecationWarning)
"""


class Program(NamedTuple):
    """A program, what the page says that it prints (None for nothing said), and what it prints."""

    source: str
    says: str | None
    prints: str


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block of a page."""
    return _BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def run(page: str, folder: Path, variables: Mapping[str, str] | None = None) -> list[Program]:
    """Run the Python blocks of a page in a folder, as one program that isn't deprecated.

    Args:
        page: The page, seen from the repository.
        folder: Where the program runs.
        variables: Environment variables that it has besides ours.
    """
    programs, expected = [], []
    for kind, text in blocks(page):
        if kind == "python":
            programs.append(text)
            expected.append(None)
        elif kind == "text":
            expected[-1] = text.strip()
    # A page whose blocks are no longer found would pass.
    assert programs
    script = folder / "page.py"
    script.write_text(_STRICT + "".join(f"print({_MARK!r})\n{program}\n" for program in programs))
    done = subprocess.run(
        [sys.executable, script],
        cwd=folder,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [part.strip() for part in done.stdout.split(f"{_MARK}\n")[1:]]
    return list(map(Program, programs, expected, printed))
