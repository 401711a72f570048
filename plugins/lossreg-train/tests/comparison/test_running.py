"""Tasks in a pool: what is kept, what dies, and what a killed driver loses. Nothing is trained."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from lossreg import LossregError
from lossreg_train.comparison import plan
from lossreg_train.comparison.cells import Cell, Results
from lossreg_train.comparison.driver import compare
from lossreg_train.comparison.pools import ExecutorPool, Here, environment
from lossreg_train.comparison.running import Runner, Task


def double(shared, number):
    return {"status": "done", "value": 2 * number + (shared or 0)}


def task(number, **changed):
    return Task(**{"key": f"{number:032x}", "function": double, "argument": number, **changed})


def values(ended):
    return {each.task.argument: each.result.get("value") for each in ended}


def test_every_task_has_its_result_and_a_file(tmp_path):
    results = Results(tmp_path / "cells")
    assert values(Runner(Here(), results).run(map(task, range(5)))) == {n: 2 * n for n in range(5)}
    assert [results.read(task(n).key)["value"] for n in range(5)] == [0, 2, 4, 6, 8]
    assert not list(tmp_path.glob("**/*unfinished*"))


def test_a_task_with_a_result_is_not_run_again(tmp_path):
    results = Results(tmp_path)
    results.write(task(1).key, {"status": "done", "value": "kept"})
    ended = list(Runner(Here(), results).run(map(task, range(3))))
    assert values(ended) == {0: 0, 1: "kept", 2: 4}
    assert [each.is_known for each in ended] == [False, True, False]


@pytest.mark.parametrize("content", ["", '{"status": "do', "[]", '{"key": "other"}'])
def test_a_file_that_is_not_whole_counts_as_none(tmp_path, content):
    results = Results(tmp_path)
    results.write(task(1).key, {"status": "done"})
    (file,) = tmp_path.glob("*/*.json")
    file.write_text(content)
    assert results.read(task(1).key) is None
    assert list(results) == []


def test_what_a_killed_process_left_is_removed(tmp_path):
    results = Results(tmp_path)
    results.write(task(1).key, {"status": "done"})
    (file,) = tmp_path.glob("*/*.json")
    file.with_suffix(".unfinished-7").touch()
    results.remove_unfinished()
    assert [*tmp_path.glob("*/*")] == [file]


def test_a_failed_check_is_not_kept(tmp_path):
    failed = task(1, function=lambda shared, n: {"status": "failed"}, keep_failure=False)
    assert len(list(Runner(Here(), Results(tmp_path)).run([failed]))) == 1
    assert list(Results(tmp_path)) == []


def test_the_key_of_a_cell_depends_on_everything_in_it():
    base = {"work": "w", "loss": {"name": "a"}, "providers": ("p 1",), "rate": 1.0}
    base |= {"repeat": 0, "fold": 0, "seed": 1}
    other = {"work": "v", "loss": {"name": "b"}, "providers": ("p 2",), "rate": 2.0}
    other |= {"repeat": 1, "fold": 1, "seed": 2}
    keys = {Cell(**{**base, name: value}).key for name, value in other.items()}
    assert len(keys | {Cell(**base).key}) == 8
    assert Cell(**base).key == Cell(**dict(reversed(base.items()))).key


class Fragile:
    """A pool that dies while it runs certain tasks, as one whose processes run out of memory."""

    def __init__(self, deadly, size=3):
        self.size, self.deadly = size, deadly
        self.opened, self.alive = 1, True
        self.running = []

    def submit(self, function, argument):
        if not self.alive:
            raise BrokenProcessPool("a child died")
        future = Future()
        self.running.append((future, argument))
        if argument in self.deadly:
            self.alive = False
            for each, _ in self.running:
                each.set_exception(BrokenProcessPool("a child died"))
        elif len(self.running) == self.size or not self.deadly:
            for each, number in self.running:
                each.set_result(double(None, number))
            self.running = []
        else:
            # The others come later; this one ends now.
            self.running.pop()
            future.set_result(double(None, argument))
        return future

    def reopen(self):
        self.opened, self.alive, self.running = self.opened + 1, True, []
        return True


def test_only_the_task_that_kills_its_process_alone_is_to_blame(tmp_path):
    pool = Fragile(deadly={3})
    ended = list(Runner(pool, Results(tmp_path)).run(map(task, range(8))))
    failed = [each for each in ended if each.result["status"] == "failed"]
    assert [each.task.argument for each in failed] == [3]
    assert "most likely it ran out of memory" in failed[0].result["reason"]
    assert values(ended) == {**{n: 2 * n for n in range(8)}, 3: None}
    assert pool.opened >= 2


def test_an_executor_of_the_program_that_breaks_is_reported(tmp_path):
    class Broken(ThreadPoolExecutor):
        def submit(self, *arguments):
            raise BrokenProcessPool("a child died")

    pool = ExecutorPool(Broken(1), tmp_path / "work", 1)
    with pytest.raises(LossregError, match="The executor broke: a child died. The results so far"):
        list(Runner(pool, Results(tmp_path)).run([task(1)]))


def test_after_the_deadline_only_known_results_come(tmp_path):
    results = Results(tmp_path)
    results.write(task(7).key, {"status": "done", "value": 14})
    runner = Runner(Here(), results, deadline=time.monotonic() - 1)
    assert values(runner.run(map(task, range(9)))) == {7: 14}


def test_a_worker_has_its_share_of_the_threads_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert environment(3)["OMP_NUM_THREADS"] == "3"
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert "OMP_NUM_THREADS" not in environment(3)


NAMES = ("binary_crossentropy", "focal", "hinge")


def fake_check(shared, loss):
    return {"status": "done", "step": 1.0, "has_schedule": False, "versions": {}}


def fake_cell(shared, cell):
    """Return scores that the cell alone decides."""
    random = np.random.default_rng([cell.seed, len(str(cell.loss))])
    return {
        "status": "done",
        "scores": {"average_precision": random.uniform(0.8, 0.9)},
        "slices": {},
        "reliability": [],
        "rate": 0.1,
        "epoch": 2,
        "values": list(random.uniform(size=20)),
        "losses": list(random.uniform(size=20)),
        "step": 0.001,
        "seconds": 0.1,
    }


@pytest.fixture
def untrained(monkeypatch):
    """Replace the trainings, which need Keras, by numbers; all else is real."""
    monkeypatch.setattr(plan, "run_check", fake_check)
    monkeypatch.setattr(plan, "run_cell", fake_cell)


def shown(result):
    return [(standing.loss, standing.values) for standing in result.ranking], result.pairs


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_20_random_moments_the_table_is_that_of_an_uninterrupted_run(
    config, tmp_path, untrained
):
    options = {"folds": 4, "repeats": 10}
    began = time.monotonic()
    whole = compare(config(), NAMES, folder=tmp_path / "whole", **options)
    took = time.monotonic() - began
    random = np.random.default_rng(8)
    results = Results(tmp_path / "killed" / "cells")
    kills = 0
    for number in range(20):
        before = len(list(results))
        child = os.fork()
        if not child:
            try:
                compare(config(), NAMES, folder=tmp_path / "killed", **options)
            finally:
                os._exit(0)
        # Half of them at the beginning, and half once there is a result more.
        while (
            number % 2
            and len(list(results)) == before
            and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        ):
            time.sleep(0.001)
        time.sleep(random.uniform(0, took / 20))
        os.kill(child, signal.SIGKILL)
        kills += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    assert kills >= 15
    assert len(list(results)) >= 5
    resumed = compare(config(), NAMES, folder=tmp_path / "killed", **options)
    assert shown(resumed) == shown(whole)
    assert not list(tmp_path.glob("**/*unfinished*"))


MEMORY = """
import json, re, sys
import test_running as test
from lossreg_train.comparison import plan
from lossreg_train.comparison.cells import Results
from lossreg_train.comparison.driver import compare

plan.run_check, plan.run_cell = test.fake_check, test.fake_cell
Results.write = lambda self, key, result: None
result = compare(json.loads(sys.argv[1]), test.NAMES, folder="runs", folds=5, repeats=5_000)
assert result.done == 100_000, result.done
assert "keras" not in sys.modules
# Not ru_maxrss, which begins at what the process had that started this one.
print(re.search("VmHWM: *(\\d+)", open("/proc/self/status").read().replace("\\t", " "))[1])
"""


@pytest.mark.fresh
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_driver_with_100_000_results_takes_less_than_500_mb(config, tmp_path):
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", MEMORY, json.dumps(config())],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    kilobytes = int(result.stdout)
    assert kilobytes < 500_000


WORKERS = """
import sys
from pathlib import Path
import tasks_of_test
from lossreg_train.comparison.cells import Results
from lossreg_train.comparison.pools import Processes
from lossreg_train.comparison.running import Runner, Task

class Work:
    key = "w"

if __name__ == "__main__":
    pool = Processes(2, Path("work"), threads=1)
    pool.share(Work())
    tasks = [
        Task(key=f"{n:032x}", function=getattr(tasks_of_test, sys.argv[1]), argument=n)
        for n in range(6)
    ]
    for ended in Runner(pool, Results(Path(sys.argv[1]))).run(tasks):
        print(ended.task.argument, ended.result["status"], ended.result.get("pid"), flush=True)
    pool.close(now=False)
"""
TASKS = """
import os, time

def work(shared, number):
    time.sleep(0.05)
    threads = os.environ["OMP_NUM_THREADS"]
    assert threads == "1", threads
    return {"status": "done", "pid": os.getpid()}

def die(shared, number):
    if number == 2:
        os._exit(9)
    return work(shared, number)

def sleep(shared, number):
    print("asleep", os.getpid(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def workers(tmp_path):
    """A function that starts a driver with two real processes, and returns it."""
    (tmp_path / "driver.py").write_text(WORKERS)
    (tmp_path / "tasks_of_test.py").write_text(TASKS)

    def start(name):
        environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        return subprocess.Popen(
            [sys.executable, "driver.py", name],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.mark.fresh
def test_two_processes_take_many_tasks_and_replace_one_that_dies(workers):
    lines = workers("work").communicate()[0].split("\n")
    rows = [line.split() for line in lines if line]
    assert [row[1] for row in rows] == ["done"] * 6
    assert len({row[2] for row in rows}) <= 2
    lines = workers("die").communicate()[0].split("\n")
    status = {int(row[0]): row[1] for row in map(str.split, lines) if row}
    assert status == {**dict.fromkeys(range(6), "done"), 2: "failed"}


@pytest.mark.fresh
def test_the_processes_of_a_killed_driver_end_too(workers):
    driver = workers("sleep")
    pids = [int(driver.stdout.readline().split()[1]) for _ in range(2)]
    driver.kill()
    driver.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(map(is_alive, pids)):
        time.sleep(0.05)
    assert not any(map(is_alive, pids))


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # A zombie has ended; whoever adopted it hasn't asked yet.
    return state != "Z"
