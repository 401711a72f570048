"""Time and memory of several ways to do one thing, side by side."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

RUNS = 15


def times(
    ways: Mapping[str, Callable[[], object]],
    runs: int = RUNS,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Return the median seconds of each way, run in turn so that all share a busy moment.

    By `time.process_time` they are those of the processor, on all its cores together.
    """
    for way in ways.values():
        way()
        way()
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            start = clock()
            way()
            taken[name].append(clock() - start)
    return {name: statistics.median(each) for name, each in taken.items()}


def in_fresh_process(module: str, *args: str) -> str:
    """Return what `python -m module args` prints last."""
    done = subprocess.run(
        [sys.executable, "-m", module, *args], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"python -m {module} {' '.join(args)} failed:\n{done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]


def extra_memory(step: Callable[[], object], steps: int = 5) -> int:
    """Return the bytes that steps add to this process: peak RSS less RSS before the first."""
    before = _status("VmRSS")
    # 5 resets the peak, so that what importing took isn't counted.
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")
    for _ in range(steps):
        step()
    return _status("VmHWM") - before


def _status(key: str) -> int:
    with open("/proc/self/status") as file:  # noqa: PTH123
        line = next(line for line in file if line.startswith(key))
    return int(line.split()[1]) * 1024


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned text, the first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def gradient_step(loss: Any, y_true: Any, y_pred: Any, *, jit: bool) -> Callable[[], float]:
    """Return one step: value and gradient of a loss on TensorFlow; it returns the value."""
    import tensorflow as tf

    # AutoGraph is for Python's `if` and `for` over tensors; no loss has any.
    @tf.function(jit_compile=jit, autograph=False)
    def value_and_gradient(y_true: Any, y_pred: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(y_pred)
            value = loss(y_true, y_pred)
        return value, tape.gradient(value, y_pred)

    def once() -> float:
        value, gradient = value_and_gradient(y_true, y_pred)
        # Reading a number waits for the step to end.
        float(tf.reshape(gradient, (-1,))[0])
        return float(value)

    return once
