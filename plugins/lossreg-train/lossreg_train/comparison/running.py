"""The run of a comparison: tasks go through a pool, and each result is written as it comes."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Any

from lossreg.errors import LossregError

from .cells import Result, Results
from .pools import Pool

_DIED = (
    "The process died, alone and without a word: most likely it ran out of memory. Try a smaller "
    "batch_size, or fewer workers."
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """Something that a worker does, with a result that is kept.

    Args:
        key: Names the result.
        function: Runs in the worker; takes the work and the argument.
        argument: A cell, or the loss to check.
        keep_failure: Whether a result that says why it failed is kept too.
    """

    key: str
    function: Callable[..., Result]
    argument: Any
    keep_failure: bool = True


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A task that has ended.

    Args:
        task: The task.
        result: Its result.
        is_known: Whether an earlier run had it.
    """

    task: Task
    result: Result
    is_known: bool = False


class Runner:
    """Runs tasks in a pool, as many at once as it takes.

    Args:
        pool: Where they run.
        results: Where results are kept. A task that has one isn't run.
        deadline: When no more tasks are begun, in seconds of `time.monotonic`.
    """

    def __init__(self, pool: Pool, results: Results, deadline: float | None = None) -> None:
        self._pool, self._results, self._deadline = pool, results, deadline
        self._running: dict[Future[Result], Task] = {}
        # What ran when a process died. Each runs alone: the one that kills it then is to blame.
        self._suspects: list[Task] = []

    @property
    def is_late(self) -> bool:
        """Whether the time is over."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def run(self, tasks: Iterable[Task]) -> Iterator[Ended]:
        """Yield each task when it has ended, in the order in which they come."""
        waiting = iter(tasks)
        more = True
        while more or self._running or self._suspects:
            while more and not self._suspects and len(self._running) < self._pool.size:
                task = next(waiting, None)
                if task is None:
                    more = False
                elif (known := self._results.read(task.key)) is not None:
                    yield Ended(task=task, result=known, is_known=True)
                elif not self.is_late:
                    self._start(task)
            if self._suspects and not self._running:
                self._start(self._suspects.pop())
            yield from self._ended()

    def _start(self, task: Task) -> None:
        try:
            self._running[self._pool.submit(task.function, task.argument)] = task
        except BrokenExecutor as error:
            # A process died since; this task hasn't begun.
            self._suspects.append(task)
            self._reopen(error)

    def _ended(self) -> Iterator[Ended]:
        """Yield the tasks that have ended, at least one if any runs."""
        alone = len(self._running) == 1
        for future in wait(self._running, return_when=FIRST_COMPLETED).done:
            task = self._running.pop(future)
            try:
                result = future.result()
            except BrokenExecutor as error:
                broken = [task, *self._running.values()]
                self._running.clear()
                self._reopen(error)
                if not alone:
                    self._suspects += broken
                    return
                result = {"status": "failed", "reason": _DIED}
            if task.keep_failure or result["status"] == "done":
                self._results.write(task.key, result)
            yield Ended(task=task, result=result)

    def _reopen(self, error: BrokenExecutor) -> None:
        if not self._pool.reopen():
            raise LossregError(
                f"The executor broke: {error}. The results so far are kept; run it again to go on."
            ) from error
