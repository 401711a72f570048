"""Packages that misbehave in every way: one warning, and everything else works."""

import functools
import json
import os
import subprocess
import sys
import warnings

import pytest
import sites

from lossreg.errors import BrokenPluginError, PluginWarning
from lossreg.registry import Selection, discover, examine_plugins
from lossreg.registry.discovery import builtin, installed_plugins


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put packages into a site folder of this test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("PYDANTIC_DISABLE_PLUGINS", raising=False)
    imported = set(sys.modules)
    yield functools.partial(sites.install, tmp_path)
    for name in set(sys.modules) - imported:
        if name.startswith("acme_"):
            del sys.modules[name]


def found(tmp_path):
    """Discover the built-ins and the packages of this test only."""
    plugins = [p for p in installed_plugins() if p.location == str(tmp_path)]
    return discover([builtin(), *plugins], Selection())


SUBCLASS = """
import dataclasses
class Mine(LossSpec):
    {body}
@hookimpl
def lossreg_losses():
    fields = dataclasses.asdict(spec("good"))
    return [Mine(**{{name: value for name, value in fields.items()}})]
"""
ENDLESS = """
@hookimpl
def lossreg_losses():
    number = 0
    while True:
        number += 1
        yield spec(f"good{number}")
"""
MISBEHAVING = {
    "a spec whose names raise": SUBCLASS.format(
        body="@property\n    def names(self): raise SystemExit"
    ),
    "a spec that equals nothing": SUBCLASS.format(body="def __eq__(self, other): raise OSError"),
    "a spec with another __init__": SUBCLASS.format(
        body="def __init__(self, **fields): self.__dict__.update(fields)"
    ),
    "a summary of 10 MB": '@hookimpl\ndef lossreg_losses():\n    s = spec("good")\n'
    '    return [type(s)(**{**vars(s), "summary": "x" * 10**7})]\n',
    "a million aliases": '@hookimpl\ndef lossreg_losses():\n    s = spec("good")\n'
    '    return [type(s)(**{**vars(s), "aliases": tuple(f"a{i}" for i in range(10**6))})]\n',
    "losses without end": ENDLESS,
    "an error whose class raises": (
        "class Meta(type):\n    def __getattribute__(cls, name): raise SystemExit\n"
        "class Mute(Exception, metaclass=Meta):\n    def __str__(self): raise GeneratorExit\n"
        "raise Mute"
    ),
    "an error that is a megabyte": "raise ValueError('x' * 10**6)",
    "commands that can't be read": (
        "from collections.abc import Mapping\nclass Odd(Mapping):\n"
        "    def __len__(self): return 1\n    def __iter__(self): raise SystemExit\n"
        "    def __getitem__(self, name): raise SystemExit\n"
        "@hookimpl\ndef lossreg_commands(): return Odd()"
    ),
    "an attribute that exits": (
        "class Plugin:\n    def __getattr__(self, name): raise SystemExit\n"
        "    def __dir__(self): raise SystemExit\nimport sys\nsys.modules[__name__] = Plugin()"
    ),
}


@pytest.mark.parametrize("plugin", MISBEHAVING.values(), ids=MISBEHAVING)
def test_a_plugin_that_misbehaves_is_one_warning_and_one_row(install, tmp_path, plugin):
    install(plugin, distribution="bad-losses")
    install()
    with pytest.warns(PluginWarning) as caught:
        registry = found(tmp_path)
    (warning,) = caught
    assert "bad-losses 1.2.0 fails to" in str(warning.message)
    assert len(str(warning.message)) < 1000
    assert registry.bind("good").params == {"gamma": 2.0}
    rows = [row for row in examine_plugins(registry) if row.severity == "error"]
    assert [row.record.provider.distribution for row in rows] == ["bad-losses"]


# What stands in the loss module, and is read at the first use of the loss.
TARGETS = {
    "a type that exits": "def bad(y_true, y_pred, *, gamma: 'exit(3)' = 1): ...",
    "a type that is cancelled": (
        "import asyncio\nclass Type:\n    @classmethod\n"
        "    def __get_pydantic_core_schema__(cls, *_): raise asyncio.CancelledError\n"
        "def bad(y_true, y_pred, *, gamma: Type = 1): ..."
    ),
    "a signature that exits": (
        "class Bad:\n    @property\n    def __signature__(self): raise SystemExit\n"
        "    def __call__(self): ...\nbad = Bad()"
    ),
    "an attribute that exits": (
        "class Bad:\n    def __getattribute__(self, name): raise SystemExit\n"
        "    def __call__(self): ...\nbad = Bad()"
    ),
    "a check that exits": (
        "from typing import Annotated\nfrom pydantic import AfterValidator\n"
        "def check(value): raise SystemExit\n"
        "def bad(y_true, y_pred, *, gamma: Annotated[float, AfterValidator(check)]): ..."
    ),
    "a module that exits": "raise SystemExit(0)",
    "no module": "from nosuchmodule import bad",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_loss_that_misbehaves_is_an_error_of_its_own(install, tmp_path, target):
    both = "@hookimpl\ndef lossreg_losses(): return [spec('good'), spec('bad', '{own}.bad:bad')]"
    package = install(both.replace("'{own}", "__package__ + '"))
    (tmp_path / package / "bad.py").write_text(target)
    registry = found(tmp_path)
    with pytest.raises(BrokenPluginError) as refused:
        registry.bind("bad", gamma=2.0)
    assert "Loss 'bad' of acme-losses 1.2.0 can't be used" in str(refused.value)
    assert len(str(refused.value)) < 1000
    assert registry.bind("good").params == {"gamma": 2.0}
    rows = [row.message for row in examine_plugins(registry) if row.severity == "error"]
    assert len(rows) == (next(k for k, v in TARGETS.items() if v == target) != "a check that exits")


needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")


@needs_pipes
@pytest.mark.parametrize("name", ["entry_points.txt", "METADATA"])
def test_metadata_that_is_a_pipe_is_not_read(install, tmp_path, name):
    install(distribution="bad-losses")
    install()
    file = tmp_path / "bad_losses-1.2.0.dist-info" / name
    file.unlink()
    os.mkfifo(file)
    with pytest.warns(
        PluginWarning, match=f"{name} isn't a regular file of at most 4 MB"
    ) as caught:
        registry = found(tmp_path)
    assert len(caught) == 1
    assert registry.bind("good").params == {"gamma": 2.0}


def test_metadata_of_gigabytes_is_not_read(install, tmp_path):
    install(distribution="bad-losses")
    with (tmp_path / "bad_losses-1.2.0.dist-info" / "entry_points.txt").open("ab") as file:
        file.truncate(2**32)
    with pytest.warns(PluginWarning, match="isn't a regular file of at most 4 MB"):
        found(tmp_path)


def test_a_good_plugin_gives_no_warning(install, tmp_path):
    install()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(tmp_path).bind("good").params == {"gamma": 2.0}


PRINTING = "print('from the plugin')\n" + sites.GOOD
PRINTING_LOSSES = """
print("from the losses")
class Type:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        print("from a type")
        return handler(float)

def good(y_true, y_pred, *, gamma: Type = 2.0):
    return gamma
"""
DAMAGED = b"[lossreg]\n\xff\xfe"
COMMANDS = {
    "list": ["list", "--json"],
    "show": ["show", "acme-losses/good", "--json"],
    "plugins": ["plugins", "--json"],
    "doctor": ["doctor", "--json"],
    "why": ["why", "good", "--json"],
    "validate": ["validate", "config.json", "--json"],
    "schema": ["schema"],
}


@pytest.mark.fresh
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_json_stays_json_whatever_packages_do(tmp_path, command):
    sites.install(tmp_path, PRINTING, losses=PRINTING_LOSSES)
    sites.install(tmp_path, MISBEHAVING["an error whose class raises"], distribution="bad-losses")
    sites.install(tmp_path, distribution="worse-losses", entry_points=DAMAGED)
    sites.install(tmp_path, distribution="other", entry_points=DAMAGED.replace(b"lossreg", b"x"))
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "piped-1.0.dist-info" / "entry_points.txt"
        pipe.parent.mkdir()
        os.mkfifo(pipe)
    (tmp_path / "config.json").write_text('{"loss": "good(gamma=3)"}')
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    env = {name: value for name, value in os.environ.items() if not name.startswith("LOSSREG_")}
    done = subprocess.run(
        [sys.executable, "-m", "lossreg", *command],
        cwd=tmp_path,
        env={**env, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout) is not None
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("lossreg: The plugin")]
    for name in ("bad-losses", "worse-losses", "other", "piped"):
        assert sum(f" of {name} 1." in line for line in told) == 1
    assert done.returncode in (0, 1)
