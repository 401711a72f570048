"""What surrounds the import of a plugin's code. Nothing is imported here."""

import contextlib
import importlib.abc
import os
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from ..errors import SpecError
from .plugin import FRAMEWORKS

_PATIENCE = 1.0
"""Seconds between two looks at what a thread is doing that others wait for."""


def lock_across_forks() -> Any:
    """Return a reentrant lock for which a fork waits, so that it is free in the child."""
    lock = threading.RLock()
    # Windows has no fork.
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock


class _Import:
    """A plugin that a thread imports, and the error if lossreg is used meanwhile."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.before = set(threading.enumerate())
        self.error: SpecError | None = None

    def misuse(self) -> SpecError:
        self.error = misuse()
        return self.error


_imports: dict[int, _Import] = {}
"""What each thread imports of plugins. Others read it while it changes."""


def misuse() -> SpecError:
    """Return the error of a plugin that uses lossreg before all plugins are known."""
    return SpecError(
        "it uses lossreg while it is imported, when the losses aren't known yet. Move what needs "
        "a loss into a loss, a command or a function, and register losses by lossreg_losses()"
    )


@contextlib.contextmanager
def watched(module: str) -> Iterator[None]:
    """Raise at the end if a plugin's module, or a thread that it waits for, uses lossreg."""
    here = threading.get_ident()
    current = _imports[here] = _Import(module)
    try:
        yield
    except BaseException as error:
        if current.error is None or isinstance(error, KeyboardInterrupt):
            raise
        raise current.error from error
    finally:
        del _imports[here]
    if current.error is not None:
        raise current.error


def refuse_misuse() -> None:
    """Raise if this thread is importing a plugin.

    Raises:
        SpecError: It is; the plugin will be broken, with this error.
    """
    current = _imports.get(threading.get_ident()) if _imports else None
    if current is not None:
        raise current.misuse()


@contextlib.contextmanager
def held(lock: Any) -> Iterator[None]:
    """Hold the lock of discovery, unless that would wait for a plugin that waits for us.

    Raises:
        SpecError: This thread belongs to the import of a plugin.
    """
    refuse_misuse()
    before: FrameType | None = None
    while not lock.acquire(timeout=_PATIENCE):
        for thread, current in [*_imports.items()]:
            if _runs(current.module):
                raise current.misuse()
            # A plugin that waits for a thread of its own, by `join` or for a result, stands in
            # the same line of this module for as long.
            frame = sys._current_frames().get(thread)
            if frame is None or frame.f_globals.get("__name__") != "threading":
                continue
            if frame is before and threading.current_thread() not in current.before:
                raise current.misuse()
            before = frame
    try:
        yield
    finally:
        lock.release()


def _runs(module: str) -> bool:
    """Return whether this thread is in the code of a module that isn't wholly imported."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_unfinished(spec):
        if frame.f_globals.get("__name__") == module:
            return True
        frame = frame.f_back
    return False


def is_unfinished(spec: Any) -> bool:
    """Return whether the module of a spec is being imported."""
    # Python's own `import` reads it.
    return bool(getattr(spec, "_initializing", False))


class _Printing:
    """How many imports run, and the stdout that they may not write to."""

    def __init__(self) -> None:
        self.lock = lock_across_forks()
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
