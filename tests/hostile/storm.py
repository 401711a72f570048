"""The thread storm: `python -m hostile.storm SECONDS`; it writes what went wrong, if anything did.

64 threads register, replace, refresh, look up and list at the same time. Each thread knows what
it has registered, and so what a look-up must find from then on.
"""

import itertools
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import lossreg
from lossreg.errors import AmbiguousLossError, RegistrationError

THREADS = 64


def made(owner: int, version: int) -> Callable[..., float]:
    """Return a loss whose value says who made it, and when."""

    def loss(y_true: float, y_pred: float, *, scale: float = 1.0) -> float:
        return owner * 1_000_000 + version

    loss.__qualname__ = f"storm_{owner}_{version}"
    return loss


def value_of(name: str) -> float:
    """Return the value of a loss by each way that remembers what it found."""
    (value,) = {
        lossreg.bind(identifier, **params).entry.target(0, 0)
        for identifier, params in ((name, {}), (name, {"scale": 2.0}), (f"1 * '{name}'", {}))
    }
    return value


def replace_own(owner: int, version: int) -> None:
    """Replace the loss that only this thread has: the new one is there at once."""
    name = f"storm_own_{owner}"
    lossreg.register(made(owner, version), name=name, replace=True)
    assert value_of(f"local/{name}") == owner * 1_000_000 + version, "a stale loss"
    assert [spec.name for spec in lossreg.list_losses(name)] == [name], "a lost loss"


def add_new(owner: int, version: int) -> None:
    """Register a loss that stays, and find an earlier one again."""
    if version < 20:
        lossreg.register(made(owner, version), name=f"storm_kept_{owner}_{'x' * (version + 1)}")
    else:
        earlier = version % 20
        name = f"storm_kept_{owner}_{'x' * (earlier + 1)}"
        assert value_of(name) == owner * 1_000_000 + earlier, "a lost registration"


def replace_common(owner: int, version: int) -> None:
    """Replace a loss that every thread replaces, and find one of them."""
    lossreg.register(made(owner, version), name="storm_common", replace=True)
    assert lossreg.bind("storm_common").entry.target(0, 0) >= 0


WON: list[int] = []


def claim(owner: int, version: int) -> None:
    """Register a name that every thread wants: one gets it."""
    try:
        lossreg.register(made(owner, version), name="storm_claim")
    except RegistrationError:
        return
    WON.append(owner)


def read(owner: int, version: int) -> None:
    """Look up and list what no thread changes."""
    assert lossreg.bind("huber", delta=2).params == {"delta": 2.0}
    assert lossreg.list_losses("*hinge")
    assert len(lossreg.list_losses()) >= 22
    assert lossreg.plugins()[0].provider.is_builtin
    try:
        lossreg.bind(f"storm_nosuch_{owner % 3}")
    except AmbiguousLossError:
        raise
    except lossreg.UnknownLossError:
        pass


def refresh(owner: int, version: int) -> None:
    """Discover all plugins again, some of the time."""
    lossreg.refresh()
    time.sleep(0.05)


ACTIONS = (replace_own, add_new, replace_common, claim, read)


def storm(seconds: float) -> list[str]:
    """Return the errors of all threads."""
    errors: list[str] = []
    end = time.monotonic() + seconds
    barrier = threading.Barrier(THREADS)

    def run(owner: int) -> None:
        barrier.wait()
        versions: Iterator[int] = itertools.count()
        try:
            while time.monotonic() < end:
                version = next(versions)
                for action in (refresh,) if owner < 2 else ACTIONS:
                    action(owner, version)
        except BaseException:
            errors.append(traceback.format_exc())

    threads = [threading.Thread(target=run, args=(owner,)) for owner in range(THREADS)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    if len(set(WON)) != 1:
        errors.append(f"{len(WON)} threads got one name: {WON}")
    lost = [owner for owner in range(2, THREADS) if not lossreg.list_losses(f"storm_own_{owner}")]
    return errors + [f"the losses of threads {lost} are lost"] * bool(lost)


if __name__ == "__main__":
    found = storm(float(sys.argv[1]))
    print("\n".join(found[:5]))
    # Threads that hang don't keep the process.
    sys.stdout.flush()
    os._exit(bool(found))
