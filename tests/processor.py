"""How long something may take: processor time on a machine with nothing else to do."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST_SECONDS = 2
"""For whatever a stranger sends: what SECURITY.md promises."""

# What `_work` takes on the machine of benchmarks/README.md with nothing else at work.
_QUIET_SECONDS = 0.057


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Check the processor time of a block.

    Where other programs share a core and its caches, and on a slow machine, the same work takes
    longer; the limit grows as much as the time of work that is known.
    """
    start = time.process_time()
    yield
    took = time.process_time() - start
    if took >= seconds:
        slowness = statistics.median(_work() for _ in range(9)) / _QUIET_SECONDS
        assert took < seconds * max(1, slowness), f"{took:.1f} s, on {slowness:.2f} times the time"


def _work() -> float:
    start = time.process_time()
    for _ in range(10):
        sorted({str(i): i for i in range(20_000)})
    return time.process_time() - start
