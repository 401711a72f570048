"""The comparison itself: `compare` checks the losses, runs the cells and reports.

It imports no Keras, unless the trainings run in its process.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, Unpack

from lossreg.errors import LossregError

from .candidates import Candidate, all_fitting, candidates, tell_apart
from .cells import Results
from .plan import Plan, check
from .pools import ExecutorPool, Here, Pool, Processes
from .progress import Progress
from .report import Comparison
from .running import Runner
from .subjects import Options, Subject, make_work, of_config, of_function


def compare(
    model: "str | os.PathLike[str] | Mapping[str, Any] | Callable[[], Any]",
    losses: Any = None,
    metrics: Any = None,
    *,
    data: Any = None,
    folder: "str | os.PathLike[str] | None" = None,
    budget: float | None = None,
    workers: int | None = None,
    executor: "Executor | Pool | None" = None,
    show: Callable[[Progress], None] = lambda _: None,
    report: Callable[[str], None] = lambda _: None,
    **options: Unpack[Options],
) -> Comparison:
    """Compare losses on the same folds, seeds and budget, and say what is noise.

    Every training has a result file in the folder. A comparison that was interrupted or killed
    goes on where it stopped, if it is started again.

    >>> result = compare(
    ...     build,
    ...     ["mse", "huber"],
    ...     ["rmse"],
    ...     data=(x, y),
    ...     folder=folder,
    ...     folds=2,
    ...     repeats=1,
    ...     epochs=2,
    ...     learning_rate="fixed",
    ... )  # doctest: +SKIP
    >>> sorted(standing.expression for standing in result.ranking)  # doctest: +SKIP
    ['huber', 'mean_squared_error']

    Args:
        model: A config with `data`, as `build_model` takes it; or a function that returns a
            compiled model, whose loss is replaced.
        losses: Losses as `get_loss` takes them, the baseline first; or "auto" for the config's
            loss and all others that fit. By default, what the config's section `compare` lists.
        metrics: What the losses are judged by: names such as "average_precision" or
            "recall_at_precision(0.95)", metrics of Keras, or functions of `(y_true, y_pred)`.
            The first one decides.
        data: For a function: `(x, y)` or `(x, y, weight)`, or a mapping with `x`, `y` and
            possibly `weight`, `group`, `time` and `slices` (a mapping from names to columns).
        folder: Where the results and the report are written.
        budget: Seconds after which no training is begun any more.
        workers: Processes of this machine to train in. By default this process trains.
        executor: Any executor of `concurrent.futures` to train in, whose workers can read the
            folder; or a pool, such as `RayPool()`.
        show: Is called with the progress after each training.
        report: Is called with each message for the user who waits.
        options: Settings of the section `compare`, in place of the config's.

    Returns:
        The comparison; its report is in the folder.

    Raises:
        ConfigError: The config or its data are wrong.
        LossregError: A loss that was named doesn't fit, or the data have too few rows.
    """
    started = time.monotonic()
    if isinstance(model, str | os.PathLike | Mapping):
        subject = of_config(model, metrics, options)
    else:
        subject = of_function(model, losses, data, metrics, options)
    subject.folds.check()
    named = subject.compare.losses if losses is None else losses
    is_auto = isinstance(named, str) and named == "auto"
    found = _candidates(subject, named)
    work = make_work(subject)
    path = Path(folder) if folder is not None else Path("runs") / f"compare-{subject.title}"
    results = Results(path / "cells")
    results.remove_unfinished()
    pool = _pool(path, workers, executor)
    runner = Runner(pool, results, None if budget is None else started + budget)
    is_stopped = True
    try:
        with _stopping():
            pool.share(work)
            checked = check(runner, work, found, is_auto, report)
            plan = Plan(subject, work, checked)
            try:
                plan.run(runner, show)
                is_stopped = False
            except KeyboardInterrupt:
                report("Stopping, and writing the report of what is there ...")
    finally:
        pool.close(now=is_stopped)
    comparison = plan.comparison(path, time.monotonic() - started, is_stopped=is_stopped)
    comparison.write()
    return comparison


def _candidates(subject: Subject, named: Any) -> list[Candidate]:
    """Return the losses that are named, or all that may fit."""
    if isinstance(named, str) and named == "auto":
        labels = subject.samples.y
        if isinstance(labels, dict):
            raise LossregError("'auto' is for a model with one output. Name the losses.")
        return tell_apart(all_fitting(subject.reference, labels.ndim, labels.shape[-1]))
    is_one = isinstance(named, str | Mapping) or callable(named)
    return tell_apart(candidates([named] if is_one else named, subject.reference))


def _pool(path: Path, workers: int | None, executor: "Executor | Pool | None") -> Pool:
    """Return where cells run."""
    folder = path / "work"
    if executor is not None and workers is not None:
        raise LossregError("Give 'workers' or 'executor', and not both.")
    if isinstance(executor, Executor):
        # Two for each worker, so that none waits for the driver.
        return ExecutorPool(executor, folder, 2 * getattr(executor, "_max_workers", 8))
    if executor is not None:
        return executor
    if workers is None:
        return Here()
    if workers < 1:
        raise LossregError(f"'workers' must be at least 1, got {workers}.")
    return Processes(workers, folder, max(1, (os.cpu_count() or 1) // workers))


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """Let the signals that end a process end the trainings, and not the report."""
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals in the main thread only.
        yield
        return

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    names = ("SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    taken = {n: handler for n, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
