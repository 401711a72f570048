"""What surrounds the import of a plugin's code. Nothing is imported here."""

import contextlib
import importlib.abc
import sys
import threading
from collections.abc import Iterator
from typing import Any

from .plugin import FRAMEWORKS


class _Printing:
    """How many imports run, and the stdout that they may not write to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.imports = 0
        self.stdout: Any = None


_printing = _Printing()


@contextlib.contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Let what is printed meanwhile go to stderr: stdout is for data, such as JSON.

    Several threads may be in here at once; `contextlib.redirect_stdout` would not restore it.
    """
    with _printing.lock:
        if not _printing.imports:
            _printing.stdout, sys.stdout = sys.stdout, sys.stderr
        _printing.imports += 1
    try:
        yield
    finally:
        with _printing.lock:
            _printing.imports -= 1
            if not _printing.imports:
                sys.stdout = _printing.stdout


class _Heavy(Exception):  # noqa: N818 - it is no error
    """Raised in place of an import. It is no ImportError, which modules catch."""


class _NoFrameworks(importlib.abc.MetaPathFinder):
    """A finder that refuses the frameworks to one thread."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.refused = False

    def find_spec(self, name: str, *_: Any) -> None:
        if name in FRAMEWORKS and threading.get_ident() == self.thread:
            self.refused = True
            raise _Heavy(f"{name} takes seconds to import")


@contextlib.contextmanager
def without_frameworks() -> Iterator[_NoFrameworks]:
    """Refuse to import Keras or a backend in this thread, unless it is imported already.

    Yields:
        Something whose `refused` says whether an import was refused.
    """
    finder = _NoFrameworks()
    sys.meta_path.insert(0, finder)
    try:
        yield finder
    finally:
        sys.meta_path.remove(finder)
