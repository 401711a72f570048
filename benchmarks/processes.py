"""How long commands take as processes of their own."""

import os
import resource
import statistics
import subprocess
import tempfile
import time


def seconds(commands: dict[str, list[str]], runs: int, **variables: str) -> dict[str, float]:
    """Return the median seconds of each command, run in turn."""
    with tempfile.TemporaryDirectory() as cache:
        # Compiled code, as an installed package has it, whatever this shell says of it.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache, **variables}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for run in range(runs + 1):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, env=environment, check=True, capture_output=True)
                if run:  # the first one compiles
                    taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in taken.items()}


def processor_seconds(command: list[str]) -> float:
    """Return what a command takes of the processor, in all its processes and on all cores."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
