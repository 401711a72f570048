"""Threads and processes that use the registry at the same time as plugins are found."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import sites

pytestmark = pytest.mark.fresh

SECONDS = os.environ.get("LOSSREG_STORM", "20")
TESTS = Path(__file__).parents[1]


def run(program, *, site, seconds=60):
    """Return what a program in a process of its own wrote; it must end in time."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    # Those of this test, whatever else is installed.
    plugins = [info.name.partition("-")[0].replace("_", "-") for info in site.glob("*.dist-info")]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": path, "LOSSREG_PLUGINS": ",".join(plugins)},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_in_a_storm_of_threads_nothing_fails_is_lost_or_stale():
    done = subprocess.run(
        [sys.executable, "-m", "hostile.storm", SECONDS],
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=float(SECONDS) + 240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# A plugin that takes a while to import, so that something else happens meanwhile.
SLOW = (
    """
import time
time.sleep(1)
"""
    + sites.GOOD
)

FORK = """
    import os, sys, threading, time, lossreg
    from lossreg.registry import installed
    thread = threading.Thread(target=installed)
    thread.start()
    time.sleep(0.3)
    child = os.fork()
    if child == 0:
        names = [record.provider.distribution for record in lossreg.plugins()]
        print("acme-losses" in names, lossreg.bind("good").params, flush=True)
        lossreg.register(lambda y_true, y_pred: 0.0, name="of_the_child")
        lossreg.refresh()
        print(lossreg.bind("of_the_child").name, flush=True)
        os._exit(0)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert lossreg.bind("good").params
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_while_another_thread_discovers_gives_a_child_that_works(tmp_path):
    sites.install(tmp_path, SLOW)
    done = run(FORK, site=tmp_path)
    assert done.stdout.splitlines() == ["True {'gamma': 2.0}", "of_the_child"]


# What a plugin may do with lossreg while it is imported, and must not.
MISUSES = {
    "it binds": "import lossreg\nlossreg.bind('huber')",
    "it lists": "import lossreg\nlossreg.list_losses()",
    "it registers": "import lossreg\nlossreg.register(lambda y_true, y_pred: 0.0, name='mine')",
    "it refreshes": "import lossreg\nlossreg.refresh()",
    "it catches the error": (
        "import lossreg\ntry:\n    lossreg.bind('huber')\nexcept Exception: pass"
    ),
    "in its hook": None,
    "in a thread that it joins": (
        "import threading, lossreg\n"
        "thread = threading.Thread(target=lossreg.bind, args=('huber',))\n"
        "thread.start()\nthread.join()"
    ),
    "in a pool that it waits for": (
        "import lossreg\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor() as pool:\n"
        "    pool.submit(lossreg.bind, 'huber').result()"
    ),
}
IN_HOOK = """
import lossreg
@hookimpl
def lossreg_losses():
    lossreg.bind("huber")
    return [spec("good")]
"""
USE = """
    import json, warnings, lossreg
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = lossreg.bind("other").params
        again = lossreg.bind("huber", delta=2).params
    states = {r.provider.distribution: (r.state, r.stage, r.fault) for r in lossreg.plugins()}
    print(json.dumps([first, again, states, [str(each.message) for each in caught]]))
"""


@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES)
def test_a_plugin_that_uses_lossreg_while_it_is_imported_is_an_error_of_its_own(tmp_path, misuse):
    plugin = f"{misuse}\n{sites.GOOD}" if misuse else IN_HOOK
    sites.install(tmp_path, plugin, distribution="bad-losses")
    losses = sites.LOSSES.replace("good", "other")
    sites.install(tmp_path, sites.GOOD.replace("good", "other"), point="other", losses=losses)
    first, again, states, (warning,) = json.loads(run(USE, site=tmp_path).stdout)
    assert (first, again) == ({"gamma": 2.0}, {"delta": 2.0})
    assert states["acme-losses"][0] == "active"
    state, stage, fault = states["bad-losses"]
    assert (state, stage) == ("broken", "import" if misuse else "declare")
    assert "it uses lossreg while it is imported" in fault
    assert "bad-losses" in warning


def test_a_program_that_imports_such_a_plugin_itself_gets_the_same_error(tmp_path):
    package = sites.install(tmp_path, f"{MISUSES['it binds']}\n{sites.GOOD}")
    program = f"""
    import warnings
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        import {package}.plugin
        import lossreg
        print([record.fault for record in lossreg.plugins() if record.state == "broken"])
        print(len(caught), lossreg.bind("huber").params)
    """
    first, second = run(program, site=tmp_path).stdout.splitlines()
    assert "it uses lossreg while it is imported" in first
    assert second == "1 {'delta': 1.0}"


def test_a_thread_of_a_plugin_may_use_lossreg_when_the_plugin_does_not_wait(tmp_path):
    plugin = (
        """
import threading, lossreg
def later():
    # In one piece: the program prints at the same time.
    print(f"{lossreg.bind('good').params}\\n", end="")
threading.Thread(target=later).start()
"""
        + sites.GOOD
    )
    sites.install(tmp_path, plugin)
    program = "import lossreg; print(f'{lossreg.bind(\"huber\").name}\\n', end='')"
    done = run(program, site=tmp_path)
    assert sorted(done.stdout.splitlines() + done.stderr.splitlines()) == [
        "huber",
        "{'gamma': 2.0}",
    ]


def test_a_loss_module_that_binds_while_another_thread_waits_for_it_meets_no_deadlock(tmp_path):
    losses = f"import time, lossreg\ntime.sleep(1)\nlossreg.bind('huber')\n{sites.LOSSES}"
    package = sites.install(tmp_path, losses=losses)
    program = f"""
    import importlib, threading, time, lossreg
    lossreg.plugins()
    targets = [lambda: importlib.import_module("{package}.losses"), lambda: lossreg.bind("good")]
    threads = [threading.Thread(target=target, daemon=True) for target in targets]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join(10)
    print([thread.is_alive() for thread in threads])
    """
    assert run(program, site=tmp_path).stdout.splitlines()[-1] == "[False, False]"
