"""Cells as tasks of Ray, on a cluster that exists or one that is started here."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lossreg.errors import LossregError

from .pools import environment

if TYPE_CHECKING:
    from .work import Work


class RayPool:
    """Runs tasks on the nodes of a Ray cluster.

    The work goes to each node once, into its object store, and the processes of a node share it.
    Ray repeats the tasks of a node that is lost.

    >>> compare(build, ["mse", "huber"], data=(x, y), executor=RayPool(cpus=2))  # doctest: +SKIP

    Args:
        address: Of the cluster, as `ray.init` takes it: "auto" for the one of this machine. By
            default one is started, unless the program is connected to one.
        cpus: The CPUs of each training.
        gpus: The GPUs of each training; a share of one if below 1.
    """

    def __init__(self, address: str | None = None, *, cpus: float = 1, gpus: float = 0) -> None:
        try:
            import ray
        except ImportError as error:
            raise LossregError(
                "Trainings on Ray need ray, which isn't installed. "
                "Install it: pip install 'lossreg-train[ray]'"
            ) from error
        self._ray = ray
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            try:
                ray.init(address=address, log_to_driver=False, include_dashboard=False)
            except (ConnectionError, ValueError) as error:
                raise LossregError(
                    f"There is no Ray cluster at {address!r} ({error}). Start one with 'ray start "
                    "--head', or leave the address out to start one for this comparison."
                ) from error
        self._cpus, self._gpus = cpus, gpus
        self._run = ray.remote(_run).options(
            num_cpus=cpus,
            num_gpus=gpus,
            max_retries=-1,
            runtime_env={"env_vars": environment(max(1, int(cpus)))},
        )
        self._work: Any = None

    @property
    def size(self) -> int:
        """Twice what the cluster has room for, so that no node waits for the driver."""
        have = self._ray.cluster_resources()
        rooms = [have.get("CPU", 0) / self._cpus] if self._cpus else []
        rooms += [have.get("GPU", 0) / self._gpus] if self._gpus else []
        return max(1, 2 * int(min(rooms, default=1)))

    def share(self, work: "Work") -> None:
        """Put the work into the object store."""
        self._work = self._ray.put(work)

    def submit(self, function: Callable[..., Any], argument: Any) -> "Future[Any]":
        """Start a task."""
        future: Future[Any] = self._run.remote(self._work, function, argument).future()
        return future

    def reopen(self) -> bool:
        """Return False: Ray replaces processes and repeats tasks itself."""
        return False

    def close(self, *, now: bool) -> None:
        """Leave the cluster, if this pool joined it."""
        del now
        self._work = None
        if self._is_ours:
            self._ray.shutdown()


def _run(work: "Work", function: Callable[..., Any], argument: Any) -> Any:
    return function(work, argument)
