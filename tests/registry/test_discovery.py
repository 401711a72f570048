"""Discovery on packages that lie in a temporary folder, as an installer leaves them."""

import functools
import itertools
import shutil
import sys
import threading
import types
import warnings

import pytest
import sites
from importlib_metadata import Distribution
from sites import GOOD

from lossreg import UnknownLossError
from lossreg.errors import BlockedPluginError, BrokenPluginError, PluginWarning
from lossreg.registry import Selection, discover, discovery
from lossreg.registry.discovery import builtin, installed_plugins
from lossreg.registry.loading import stdout_to_stderr


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put packages into a site folder of this test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = set(sys.modules)
    yield functools.partial(sites.install, tmp_path)
    for name in set(sys.modules) - imported:
        if name.startswith("acme_"):
            del sys.modules[name]


def found(tmp_path, **selection):
    """Discover the built-ins and the packages of this test only."""
    names = {path.name.partition("-")[0].replace("_", "-") for path in tmp_path.glob("*.dist-info")}
    plugins = [p for p in installed_plugins() if p.provider.distribution in names]
    return discover([builtin(), *plugins], Selection(**selection))


def test_an_installed_plugin_is_found_with_its_provenance(install, tmp_path):
    package = install()
    registry = found(tmp_path)
    assert registry.bind("good", gamma=3).params == {"gamma": 3.0}
    assert str(registry.lookup("good").provider) == "acme-losses 1.2.0"
    record = registry.plugins[1]
    assert (record.entry_point, record.module) == ("acme", f"{package}.plugin")
    assert (record.state, record.stage, record.losses) == ("active", None, ("good",))
    assert record.heavy == ()


def test_a_loss_module_is_imported_at_first_use(install, tmp_path):
    package = install()
    registry = found(tmp_path)
    assert f"{package}.losses" not in sys.modules
    registry.bind("good")
    assert f"{package}.losses" in sys.modules


BROKEN = [
    pytest.param("import nosuchmodule", "import", "No module named 'nosuchmodule'", id="import"),
    pytest.param("def x(:", "import", "invalid syntax", id="syntax"),
    pytest.param("raise SystemExit(3)", "import", "SystemExit: 3", id="exit"),
    pytest.param("raise GeneratorExit", "import", "(GeneratorExit)", id="any exception"),
    pytest.param(
        "import asyncio\nraise asyncio.CancelledError", "import", "CancelledError", id="cancelled"
    ),
    pytest.param(
        "class Mute(Exception):\n    def __str__(self): raise SystemExit\nraise Mute",
        "import",
        "Mute: its message can't be read",
        id="no message",
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(): raise GeneratorExit",
        "declare",
        "(GeneratorExit)",
        id="a hook that raises any exception",
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses():\n    yield spec('good')\n    raise SystemExit(4)",
        "declare",
        "SystemExit: 4",
        id="a generator that exits",
    ),
    pytest.param("", "declare", "implements no hook. Write '@lossreg.hookimpl'", id="no hook"),
    pytest.param(
        "def lossreg_losses(): return []", "declare", "lacks '@lossreg.hookimpl'", id="undecorated"
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_loses(): return []", "declare", "unknown hook", id="misspelled"
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(): raise OSError('disk')", "declare", "disk", id="raises"
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(): return None", "declare", "not iterable", id="None"
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(): return [spec('good'), 'focal']",
        "declare",
        "must return LossSpecs, got 'focal' among them",
        id="a wrong thing",
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(): return [spec('Good Loss')]",
        "declare",
        "name must be lower snake case",
        id="illegal name",
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(): return [spec('good'), spec('good')]",
        "declare",
        "offers two losses named 'good'",
        id="a name twice",
    ),
    pytest.param(
        "@hookimpl\ndef lossreg_losses(extra): return []", "declare", "extra", id="wrong signature"
    ),
]


@pytest.mark.parametrize(("plugin", "stage", "fault"), BROKEN)
def test_a_broken_plugin_is_one_warning_and_harms_no_other(install, tmp_path, plugin, stage, fault):
    install(plugin, distribution="bad-losses")
    install()
    with pytest.warns(PluginWarning, match=r"of bad-losses 1\.2\.0 fails to") as caught:
        registry = found(tmp_path)
    assert len(caught) == 1
    assert registry.bind("good").params == {"gamma": 2.0}
    assert registry.bind("huber", delta=2).params == {"delta": 2.0}
    record = next(r for r in registry.plugins if r.provider.distribution == "bad-losses")
    assert (record.state, record.stage) == ("broken", stage)
    with pytest.raises(BrokenPluginError) as refused:
        registry.lookup("bad-losses/anything")
    assert fault in str(refused.value)
    assert refused.value.__cause__ is record.error
    with pytest.raises(UnknownLossError, match=r"bad-losses 1\.2\.0 might offer it, but"):
        registry.lookup("nosuch")


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        pytest.param({"metadata": False}, "fails to find", id="no METADATA"),
        pytest.param({"entry_points": b"[lossreg]\n\xff\xfe"}, "fails to find", id="no text"),
        pytest.param({"entry_points": "[lossreg]\nacme\n"}, "fails to", id="no module"),
        pytest.param({"module": "acme_nosuch"}, "No module named", id="a module that isn't there"),
    ],
)
def test_a_damaged_installation_is_one_warning(install, tmp_path, damage, fault):
    install(distribution="bad-losses", **damage)
    install()
    with pytest.warns(PluginWarning, match=fault) as caught:
        registry = found(tmp_path)
    assert len(caught) == 1
    assert "bad-losses" in str(caught[0].message)
    assert registry.bind("good").params == {"gamma": 2.0}


@pytest.mark.parametrize(
    ("name", "fields", "fault"),
    [
        ("variadic", "", "it takes '**kwargs'; declare each parameter"),
        ("untyped", "", "its parameter 'gamma' has no type"),
        ("reserved", "", "it declares 'reduction', which Keras takes for every loss"),
        ("nosuch", "", "can't be imported (AttributeError"),
        ("lost", ", target='acme_nosuch:lost'", "can't be imported (ModuleNotFoundError"),
    ],
)
def test_a_broken_loss_fails_when_it_is_asked_for(install, tmp_path, name, fields, fault):
    install(f"@hookimpl\ndef lossreg_losses(): return [spec('good'), spec({name!r}{fields})]")
    registry = found(tmp_path)
    assert registry.bind("good").params == {"gamma": 2.0}
    with pytest.raises(BrokenPluginError) as caught:
        registry.bind(name)
    assert fault in str(caught.value)
    assert "acme-losses 1.2.0" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("stage", ["import", "hook"])
def test_ctrl_c_in_a_plugin_ends_the_program(install, tmp_path, stage):
    hook = "@hookimpl\ndef lossreg_losses(): raise KeyboardInterrupt"
    install("raise KeyboardInterrupt" if stage == "import" else hook)
    with pytest.raises(KeyboardInterrupt):
        found(tmp_path)


# What a target can be, and whether a plugin may have it. `{own}` is the plugin's package.
TARGETS = [
    pytest.param("{own}.losses:good", None, id="a loss function of its own"),
    pytest.param("acme_foreign:loss", None, id="a loss function from elsewhere"),
    pytest.param("{own}.made:factory", None, id="a factory of its own"),
    pytest.param("{own}.made:partial", None, id="a partial of its own factory"),
    pytest.param("{own}.made:Maker", None, id="a class of its own"),
    pytest.param("{own}.made:maker", None, id="an object of its own class"),
    pytest.param("acme_foreign:Loss", None, id="a Loss subclass from elsewhere"),
    pytest.param("os:system", "'posix'", id="a function of the system"),
    pytest.param("subprocess:Popen", "'subprocess'", id="a class of the system"),
    pytest.param("keras.config:enable_unsafe_deserialization", "'keras'", id="Keras' safe mode"),
    pytest.param("{own}.made:system", "'posix'", id="imported into its own module"),
    pytest.param("{own}.made:hidden", "'posix'", id="behind a partial"),
    pytest.param("acme_foreign:factory", "'acme_foreign'", id="another package's factory"),
    pytest.param("lossreg:register", "'lossreg'", id="ours"),
]
MADE = """
import functools, os
from os import system
def factory(scale=1.0): return lambda y_true, y_pred: scale
partial = functools.partial(factory, scale=2.0)
hidden = functools.partial(os.system)
class Maker:
    def __init__(self, scale=1.0): ...
    def __call__(self, scale=1.0): ...
maker = Maker()
"""
FOREIGN = """
def loss(y_true, y_pred, *, scale: float = 1.0): return scale
def factory(scale=1.0): return lambda y_true, y_pred: scale
class Loss:
    __module__ = "keras.losses"
    def __init__(self, scale=1.0): ...
class Loss(Loss):
    __module__ = "acme_foreign"
"""


@pytest.mark.parametrize(("target", "package"), TARGETS)
def test_a_factory_is_the_plugins_own_code(install, tmp_path, monkeypatch, target, package):
    plugin = (
        f"@hookimpl\ndef lossreg_losses(): return [spec('x', {target!r}.format(own=__package__))]"
    )
    own = install(plugin)
    (tmp_path / own / "made.py").write_text(MADE)
    (tmp_path / "acme_foreign.py").write_text(FOREIGN)
    if target.startswith("keras."):
        # Keras takes seconds to import.
        config = types.ModuleType("keras.config")
        exec("def enable_unsafe_deserialization(): ...", vars(config))
        monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
        monkeypatch.setitem(sys.modules, "keras.config", config)
    registry = found(tmp_path)
    assert registry.plugins[1].state == "active"
    if package is None:
        assert registry.bind("x").name == "x"
        return
    with pytest.raises(BrokenPluginError) as caught:
        registry.bind("x")
    message = str(caught.value)
    assert f"is a factory of {package}, and a factory must be code of the plugin's own" in message
    assert "write a factory of your own that calls it" in message


def test_a_factory_may_be_in_any_package_of_its_distribution(install, tmp_path):
    plugin = "@hookimpl\ndef lossreg_losses(): return [spec('x', 'acme_core.made:factory')]"
    install(plugin)
    core = tmp_path / "acme_core"
    core.mkdir()
    (core / "made.py").write_text(MADE)
    registry = found(tmp_path)
    with pytest.raises(BrokenPluginError, match="is a factory of 'acme_core'"):
        registry.bind("x")
    # An installer lists the files of a distribution.
    record = tmp_path / "acme_losses-1.2.0.dist-info" / "RECORD"
    record.write_text("acme_core/made.py,,\n../../bin/acme,,\n")
    assert found(tmp_path).bind("x").name == "x"


@pytest.mark.parametrize("name", ["keras", "Keras", "local", "lossreg", "LossReg"])
def test_a_distribution_cannot_claim_a_name_that_means_other_losses(install, tmp_path, name):
    package = install(GOOD.replace("good", "huber"), distribution=name)
    (plugin,) = [p for p in installed_plugins() if p.location == str(tmp_path)]
    for selection in (Selection(), Selection(only=frozenset()), Selection(block={name.lower()})):
        with pytest.warns(PluginWarning) as caught:
            registry = discover([builtin(), plugin], selection)
        assert f"can't be named {name.lower()!r}, which means other losses" in str(
            caught[0].message
        )
        record = registry.plugins[1]
        assert (record.state, record.stage) == ("broken", "find")
        assert f"{package}.plugin" not in sys.modules
        assert registry.bind("huber", delta=2).provider.is_builtin
        assert registry.bind("keras/huber", delta=2).params == {"delta": 2.0}


def test_built_in_is_what_comes_with_lossreg_and_no_name(install, tmp_path):
    install(entry_points="[lossreg]\nkeras = acme_nosuch\n")
    registry = found(tmp_path, only=frozenset())
    assert [record.provider.is_builtin for record in registry.plugins] == [True, False]
    assert registry.plugins[1].state == "skipped"


# The newest first; a directory lists them in any order.
VERSIONS = [
    ["1.10.0", "1.9.0", "1.2.0"],
    ["2.0", "2.0rc2", "2.0rc1", "2.0b3", "1.9"],
    ["2.0.post1", "2.0.0", "2.0.dev1"],
    ["10.0.0", "9.9.9"],
]


@pytest.mark.parametrize("versions", VERSIONS)
def test_the_newest_of_leftover_metadata_counts_in_every_order(install, tmp_path, versions):
    package = install(metadata=False)
    shutil.rmtree(tmp_path / "acme_losses-1.2.0.dist-info")
    for version in versions:
        info = tmp_path / f"acme_losses-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: acme-losses\nVersion: {version}\n")
        module = f"{package}.plugin" if version == versions[0] else "acme_nosuch"
        (info / "entry_points.txt").write_text(f"[lossreg]\nacme = {module}\n")
    folders = [Distribution.at(tmp_path / f"acme_losses-{v}.dist-info") for v in versions]
    for order in itertools.permutations(folders):
        (record,) = discovery._plugins(list(order))
        assert record.provider.version == versions[0]
        assert record.leftovers == tuple(sorted(versions[1:]))
        assert record.module == f"{package}.plugin"


def test_metadata_of_an_interrupted_installation_does_not_count(install, tmp_path):
    install()
    (tmp_path / "acme_losses-9.0.dist-info").mkdir()
    (record,) = [p for p in installed_plugins() if p.location == str(tmp_path)]
    assert (record.provider.version, record.leftovers) == ("1.2.0", ("9.0",))


def test_a_plugin_that_a_newer_version_no_longer_has_is_gone(install, tmp_path):
    install()
    info = tmp_path / "acme_losses-1.3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: acme-losses\nVersion: 1.3.0\n")
    assert [p for p in installed_plugins() if p.location == str(tmp_path)] == []


OBJECT = """
class Plugin:
    @hookimpl
    def lossreg_losses(self):
        return [spec("good")]
class Static:
    @staticmethod
    @hookimpl
    def lossreg_losses():
        return [spec("good")]
class Forgot:
    def lossreg_losses(self):
        return [spec("good")]
plugin = Plugin()
class Holder:
    inner = plugin
"""


@pytest.mark.parametrize("attribute", ["Plugin", "Static", "plugin", "Holder.inner"])
@pytest.mark.parametrize("extra", ["", " [fast]"])
def test_an_entry_point_may_name_an_object_and_extras(install, tmp_path, attribute, extra):
    package = install(OBJECT, package="acme_object")
    points = f"[lossreg]\nacme = {package}.plugin:{attribute}{extra}\n"
    (tmp_path / "acme_losses-1.2.0.dist-info" / "entry_points.txt").write_text(points)
    registry = found(tmp_path)
    record = registry.plugins[1]
    assert (record.module, record.attribute) == (f"{package}.plugin", attribute)
    assert record.losses == ("good",)
    assert registry.bind("good", gamma=3).params == {"gamma": 3.0}


def test_an_entry_point_may_name_extras_of_a_module(install, tmp_path):
    package = install(package="acme_extra")
    points = f"[lossreg]\nacme = {package}.plugin [fast]\n"
    (tmp_path / "acme_losses-1.2.0.dist-info" / "entry_points.txt").write_text(points)
    assert found(tmp_path).bind("good").name == "good"


def test_an_object_without_a_marker_is_told(install, tmp_path):
    install(OBJECT, package="acme_unmarked", module="acme_unmarked.plugin:Forgot")
    message = "'lossreg_losses' in 'Forgot' in module 'acme_unmarked.plugin' lacks"
    with pytest.warns(PluginWarning, match=message):
        found(tmp_path)


def test_an_entry_point_that_stands_twice_is_one_plugin(install, tmp_path):
    package = install()
    line = f"acme = {package}.plugin\n"
    info = tmp_path / "acme_losses-1.2.0.dist-info"
    (info / "entry_points.txt").write_text(f"[lossreg]\n{line}{line}\n[lossreg]\n{line}")
    assert len(found(tmp_path).plugins) == 2


def test_what_a_plugin_prints_goes_to_stderr(install, tmp_path, capsys):
    hook = "@hookimpl\ndef lossreg_losses():\n    print('hook')\n    return [spec('good')]"
    install("print('module')\n" + hook, losses="print('loss')\n" + sites.LOSSES)
    found(tmp_path).bind("good")
    print("data")
    written = capsys.readouterr()
    assert (written.out, written.err) == ("data\n", "module\nhook\nloss\n")


def test_stdout_is_restored_when_many_threads_load():
    stdout = sys.stdout
    barrier = threading.Barrier(THREADS)

    def load():
        barrier.wait()
        for _ in range(ROUNDS):
            with stdout_to_stderr():
                assert sys.stdout is sys.stderr

    threads = [threading.Thread(target=load) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.stdout is stdout


def test_two_distributions_may_share_an_entry_points_name(install, tmp_path):
    install(distribution="acme-losses", point="same")
    other = GOOD.replace("good", "other")
    install(other, distribution="other-losses", point="same")
    registry = found(tmp_path)
    assert registry.lookup("good").provider.distribution == "acme-losses"
    assert registry.lookup("other").provider.distribution == "other-losses"


def test_two_entry_points_may_name_one_module(install, tmp_path):
    package = install()
    points = f"[lossreg]\none = {package}.plugin\ntwo = {package}.plugin\n"
    (tmp_path / "acme_losses-1.2.0.dist-info" / "entry_points.txt").write_text(points)
    registry = found(tmp_path)
    assert [record.state for record in registry.plugins] == ["active"] * 3
    assert registry.lookup("good").qualified_name == "acme-losses/good"


def test_a_hook_may_return_any_iterable(install, tmp_path):
    install("@hookimpl\ndef lossreg_losses():\n    yield spec('good')")
    assert found(tmp_path).lookup("good").spec.name == "good"


def test_the_order_of_the_plugins_is_that_of_their_names(install, tmp_path):
    for distribution in ("c-losses", "a-losses", "b-losses"):
        install(distribution=distribution)
    plugins = [p for p in installed_plugins() if p.provider.distribution.endswith("-losses")]
    for order in itertools.permutations(plugins):
        names = [record.provider.distribution for record in discover(order).plugins]
        assert names == ["a-losses", "b-losses", "c-losses"]


def test_frameworks_that_a_plugin_pulls_in_are_recorded(install, tmp_path, monkeypatch):
    heavy = "import sys, types\nsys.modules['jax'] = types.ModuleType('jax')\n"
    install(heavy + GOOD)
    # Another test may have imported the real one; monkeypatch puts it back, or removes this one.
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "jax")
    registry = found(tmp_path)
    assert registry.plugins[1].heavy == ("jax",)
    assert registry.bind("good").params == {"gamma": 2.0}


def test_what_is_installed_here_works():
    with warnings.catch_warnings():
        warnings.simplefilter("error", PluginWarning)
        registry = discover()
    assert {record.state for record in registry.plugins} == {"active"}
    assert registry.plugins[0].provider.is_builtin


@pytest.mark.parametrize("name", ["acme-losses", "Acme.Losses", "acme"])
def test_a_blocked_plugin_is_not_imported(install, tmp_path, name):
    package = install("raise AssertionError")
    environment = {"LOSSREG_BLOCK": f" {name} ,"}
    registry = found(tmp_path, block=Selection.from_environment(environment).block)
    assert f"{package}.plugin" not in sys.modules
    assert registry.plugins[1].state == "blocked"
    message = r"acme-losses 1\.2\.0 is installed, but LOSSREG_BLOCK=acme.* keeps it from loading"
    with pytest.raises(BlockedPluginError, match=message):
        registry.lookup("acme-losses/good")
    with pytest.raises(UnknownLossError, match=r"acme-losses 1\.2\.0 might offer it, but"):
        registry.lookup("nosuch")


def test_only_the_chosen_plugins_load(install, tmp_path):
    install()
    install(GOOD.replace("good", "other"), distribution="other-losses", point="other")
    registry = found(tmp_path, only=frozenset({"other"}))
    assert [record.state for record in registry.plugins] == ["active", "skipped", "active"]
    assert registry.lookup("other").provider.distribution == "other-losses"
    with pytest.raises(BlockedPluginError, match="LOSSREG_PLUGINS=other keeps it from"):
        registry.lookup("acme-losses/good")


def test_an_empty_choice_leaves_the_built_ins(install, tmp_path):
    install()
    assert Selection.from_environment({"LOSSREG_PLUGINS": ""}).only == frozenset()
    registry = found(tmp_path, only=frozenset())
    assert {entry.provider.distribution for entry in registry.entries()} == {"keras"}


def test_without_the_variables_every_plugin_loads():
    assert Selection.from_environment({}) == Selection(only=None, block=frozenset())


def test_a_rule_that_matches_nothing_warns(install, tmp_path):
    install()
    with pytest.warns(PluginWarning, match="LOSSREG_BLOCK names 'acne', which isn't an installed"):
        found(tmp_path, block=frozenset({"acne"}))


def test_the_built_ins_cannot_be_blocked(install, tmp_path):
    with pytest.warns(
        PluginWarning, match="LOSSREG_BLOCK names 'keras': the built-in losses can't"
    ):
        registry = found(tmp_path, block=frozenset({"keras"}))
    assert registry.bind("huber", delta=2).params == {"delta": 2.0}


ROUNDS = 200
THREADS = 64


def test_many_threads_may_ask_at_once(install, tmp_path):
    install(
        "import pathlib\npathlib.Path(__file__).with_name('runs').open('a').write('x')\n" + GOOD
    )
    plugins = [p for p in installed_plugins() if p.provider.distribution == "acme-losses"]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(ROUNDS):
            registry = discover([builtin(), *plugins])
            barrier = threading.Barrier(THREADS)
            bound = []

            def ask(registry=registry, barrier=barrier, bound=bound):
                barrier.wait()
                bound.append(registry.bind("good", gamma=3).params)

            threads = [threading.Thread(target=ask) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert bound == [{"gamma": 3.0}] * THREADS
    finally:
        sys.setswitchinterval(interval)
    (log,) = tmp_path.glob("acme_*/runs")
    assert log.read_text() == "x"
