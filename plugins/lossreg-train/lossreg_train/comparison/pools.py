"""Where cells run: in this process, in processes of this machine, or in any executor.

A pool is an executor with what a comparison must know of it: how many cells it takes at once, how
it gives the work to its workers, and how it is opened again after a process of it died.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lossreg.errors import PluginWarning

from .tasks import Shared

if TYPE_CHECKING:
    from .work import Work


class Pool(Protocol):
    """Takes tasks."""

    @property
    def size(self) -> int:
        """How many tasks run at once."""

    def share(self, work: "Work") -> None:
        """Give the workers the work, before the first task."""

    def submit(self, function: Callable[..., Any], argument: Any) -> "Future[Any]":
        """Start a task with the work and an argument."""

    def reopen(self) -> bool:
        """Start anew after a worker died; return False if that isn't this pool's to do."""

    def close(self, *, now: bool) -> None:
        """End the workers; `now` kills the tasks that run."""


class Here:
    """Runs each task in this process, when it is submitted."""

    size = 1

    def __init__(self) -> None:
        self._work: Work | None = None

    def share(self, work: "Work") -> None:
        """Keep the work."""
        self._work = work

    def submit(self, function: Callable[..., Any], argument: Any) -> "Future[Any]":
        """Run a task, and return its result as a future."""
        future: Future[Any] = Future()
        future.set_result(function(self._work, argument))
        return future

    def reopen(self) -> bool:
        """Return False: this process can't die and go on."""
        return False

    def close(self, *, now: bool) -> None:
        """Do nothing."""


class ExecutorPool:
    """Runs tasks in an executor of the user's program, whose workers can read a folder.

    Args:
        executor: The executor.
        folder: Where the work is written.
        size: How many tasks to give it at once.
    """

    def __init__(self, executor: Executor, folder: Path, size: int) -> None:
        self.size = size
        self._executor, self._folder = executor, folder
        self._shared: Shared = None

    def share(self, work: "Work") -> None:
        """Write the work into the folder."""
        from .sharing import write_work

        self._shared = (str(write_work(work, self._folder).resolve()), work.key)

    def submit(self, function: Callable[..., Any], argument: Any) -> "Future[Any]":
        """Start a task."""
        return self._executor.submit(function, self._shared, argument)

    def reopen(self) -> bool:
        """Return False: the executor is the program's."""
        return False

    def close(self, *, now: bool) -> None:
        """Remove the work. The executor stays open: it is the program's."""
        del now
        for file in self._folder.glob("*"):
            file.unlink()
        with contextlib.suppress(OSError):
            self._folder.rmdir()


class Processes:
    """Runs tasks in processes of this machine, each of which imports Keras once.

    Args:
        workers: The number of processes.
        folder: Where the work is written.
        threads: The threads of each process.
    """

    def __init__(self, workers: int, folder: Path, threads: int) -> None:
        self.size = workers
        self._folder, self._environment = folder, environment(threads)
        self._open()

    def _open(self) -> None:
        # The workers hold the reading end, and this process alone the writing end.
        self._read, self._write = multiprocessing.Pipe(duplex=False)
        self._executor = ProcessPoolExecutor(
            self.size,
            # A fork would copy the threads of a backend in a state that nothing can go on from.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._read,),
        )
        self._pool = ExecutorPool(self._executor, self._folder, self.size)

    def share(self, work: "Work") -> None:
        """Write the work into the folder."""
        self._work = work
        self._pool.share(work)

    def submit(self, function: Callable[..., Any], argument: Any) -> "Future[Any]":
        """Start a task, and a process for it if there are fewer than asked for."""
        with _environ(self._environment):
            return self._pool.submit(function, argument)

    def reopen(self) -> bool:
        """Replace all processes, since an executor that has lost one takes no more tasks."""
        self._end(now=True)
        self._open()
        self._pool.share(self._work)
        return True

    def close(self, *, now: bool) -> None:
        """End the processes, and remove the work."""
        self._end(now=now)
        self._pool.close(now=now)

    def _end(self, *, now: bool) -> None:
        if now:
            self._write.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._write.close()
        self._read.close()


def _begin(lives: Connection) -> None:
    """Begin a worker: it ends when the driver does, and leaves Ctrl-C to the driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What TensorFlow says of how often it compiled is no news here.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # The driver has shown it.
    warnings.filterwarnings("ignore", category=PluginWarning)
    threading.Thread(target=_end_with_driver, args=(lives,), daemon=True).start()


def _end_with_driver(lives: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lives.recv()
    # A worker in the middle of a training can't be asked to end.
    os._exit(1)


def environment(threads: int) -> dict[str, str]:
    """Return the variables that give a worker its share of the machine, those not set already."""
    wanted = {
        **dict.fromkeys(
            (
                *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
                *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
                # XLA's, for JAX on a CPU.
                "NPROC",
            ),
            str(threads),
        ),
        # Several workers may share a GPU, of which each would otherwise take all memory.
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return {name: value for name, value in wanted.items() if name not in os.environ}


@contextlib.contextmanager
def _environ(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that libraries read once, while a process starts that inherits them."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            os.environ.pop(name, None)
