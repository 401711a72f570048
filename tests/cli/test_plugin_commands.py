"""The commands of plugins: declared, listed and run, with packages of the test's own."""

import json
import os
import subprocess
import sys
import warnings

import pytest
import sites
from click.shell_completion import BashComplete
from click.testing import CliRunner

from lossreg.cli import main
from lossreg.errors import PluginWarning
from lossreg.registry import Selection, discover, process
from lossreg.registry.discovery import builtin, installed_plugins

PLUGIN = """
@hookimpl
def lossreg_commands():
    return {"greet": f"{__package__}.cli:greet"}
"""
CLI = '''
import click
from lossreg import ParameterError

@click.command()
@click.argument("name")
def greet(name):
    """Greet NAME, who is new here."""
    if name == "nobody":
        raise ParameterError("Nobody can't be greeted. Name somebody.")
    click.echo(f"Hello, {name}.")
'''


def install(site, plugin=PLUGIN, *, cli=CLI, **more):
    """Put a package with commands into a site folder and return its name."""
    package = sites.install(site, plugin, **more)
    (site / package / "cli.py").write_text(cli)
    return package


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return a site folder, from which packages can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    imported = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - imported:
        if name.startswith("acme_"):
            del sys.modules[name]


@pytest.fixture
def run(site, monkeypatch):
    """Return a function that runs the command where only the packages of the site are installed."""

    def run_it(*arguments, **selection):
        names = {path.name.partition("-")[0].replace("_", "-") for path in site.glob("*.dist-info")}
        plugins = [p for p in installed_plugins() if p.provider.distribution in names]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PluginWarning)
            registry = discover([builtin(), *plugins], Selection(**selection))
        monkeypatch.setattr(process, "_registry", registry)
        return CliRunner().invoke(main, arguments, prog_name="lossreg")

    return run_it


def record():
    """Return what discovery found at the only plugin."""
    return process.installed().plugins[1]


def test_a_command_runs_like_one_of_the_core(site, run):
    install(site)
    assert run("greet", "Ada").stdout == "Hello, Ada.\n"
    result = run("greet", "nobody")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: Nobody can't be greeted. Name somebody.\n"
    assert run("greet", "--help").stdout.startswith("Usage: lossreg greet [OPTIONS] NAME\n")


def test_a_command_is_imported_when_it_runs(site, run):
    package = install(site)
    assert run("list", "huber").exit_code == 0
    assert record().commands == {"greet": f"{package}.cli:greet"}
    assert f"{package}.cli" not in sys.modules
    run("greet", "Ada")
    assert f"{package}.cli" in sys.modules


@pytest.mark.parametrize(
    ("plugin", "fault"),
    [
        pytest.param("def lossreg_commands(): return {}", "lacks '@lossreg.hookimpl'", id="bare"),
        pytest.param("@hookimpl\ndef lossreg_commands(x): return {}", "x", id="a parameter"),
        pytest.param(
            "@hookimpl\ndef lossreg_command(): return {}", "unknown hook", id="misspelled"
        ),
        pytest.param("@hookimpl\ndef lossreg_commands(): 1 / 0", "division by zero", id="raises"),
        pytest.param(
            "@hookimpl\ndef lossreg_commands(): return ['greet']",
            "must return a mapping of names to targets, such as {'fit': 'acme_train.cli:fit'}, "
            "got ['greet']",
            id="a list",
        ),
        pytest.param(
            "@hookimpl\ndef lossreg_commands(): return {'Greet': 'acme.cli:greet'}",
            "a command must be named in lower case, such as 'fit', got 'Greet'",
            id="a name",
        ),
        pytest.param(
            "@hookimpl\ndef lossreg_commands(): return {'greet': 'acme.cli'}",
            "the target of command 'greet' must read 'package.module:attribute', got 'acme.cli'",
            id="a target",
        ),
        pytest.param(
            "@hookimpl\ndef lossreg_commands(): return {'greet': print}",
            "the target of command 'greet' must read 'package.module:attribute', got <built-in",
            id="a function",
        ),
    ],
)
def test_a_wrong_declaration_breaks_its_plugin_and_no_other(site, run, plugin, fault):
    sites.install(site, plugin, distribution="bad-losses")
    install(site, distribution="good-losses")
    assert run("greet", "Ada").stdout == "Hello, Ada.\n"
    assert (record().state, record().stage) == ("broken", "declare")
    assert fault in str(record().error)
    assert record().commands == {}


BROKEN = [
    pytest.param("import nosuchmodule", "ModuleNotFoundError: No module named", id="import"),
    pytest.param("raise SystemExit(3)", "SystemExit: 3", id="exit"),
    pytest.param("", "AttributeError: module", id="no attribute"),
    pytest.param("def greet(): ...", "must be a click command, got function", id="a function"),
]


@pytest.mark.parametrize(("cli", "fault"), BROKEN)
def test_a_broken_command_is_a_sentence_and_harms_no_other(site, run, cli, fault):
    install(site, cli=cli)
    result = run("greet", "Ada")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: Command 'greet' of acme-losses 1.2.0 can't be used: ")
    assert fault in result.stderr
    assert result.stderr.endswith("Repair or update that package.\n")
    assert run("list", "huber").exit_code == 0
    # The help says why.
    result = run("--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Commands of acme-losses 1.2.0:\n  greet  Command 'greet' of" in result.stdout
    assert "  list " in result.stdout
    # A shell that completes a line can't.
    complete = BashComplete(main, {}, "lossreg", "_LOSSREG_COMPLETE").get_completions
    assert complete([], "gre") == []
    assert complete(["greet"], "A") == []


def test_the_help_lists_commands_with_their_package(site, run):
    install(site)
    sites.install(site, distribution="other-losses", point="other")
    listed = run("--help").stdout
    core, _, others = listed.partition("\nCommands:\n")[2].partition("\nCommands of ")
    assert others == "acme-losses 1.2.0:\n  greet  Greet NAME, who is new here.\n"
    assert [line.split()[0] for line in core.splitlines()][:2] == ["check", "doctor"]


def test_a_command_that_two_packages_offer_is_an_error_that_names_both(site, run):
    install(site)
    install(site, distribution="other-losses", point="other")
    result = run("greet", "Ada")
    assert (result.exit_code, result.stdout) == (2, "")
    offered = "Command 'greet' is offered by acme-losses 1.2.0 and by other-losses 1.2.0."
    assert result.stderr.startswith(f"Error: {offered}")
    assert " ".join(run("--help").stdout.split()).count(offered) == 2
    assert run("greet", "Ada", block=frozenset({"other-losses"})).stdout == "Hello, Ada.\n"


def test_two_entry_points_may_name_one_module(site, run):
    package = install(site)
    points = f"[lossreg]\none = {package}.plugin\ntwo = {package}.plugin\n"
    (site / "acme_losses-1.2.0.dist-info" / "entry_points.txt").write_text(points)
    assert run("greet", "Ada").stdout == "Hello, Ada.\n"


def test_a_plugin_takes_no_command_of_the_core(site, run):
    install(site, PLUGIN.replace('"greet"', '"list"'))
    assert "huber" in run("list", "huber").stdout
    assert "Commands of" not in run("--help").stdout


def test_an_unknown_command_is_an_error_with_the_nearest(site, run):
    install(site)
    result = run("gret", "Ada")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "Error: There is no command 'gret'. Did you mean 'greet'? 'lossreg --help' lists all.\n"
    )


@pytest.mark.parametrize("command", ["fit", "objective"])
def test_a_known_command_says_what_to_install(run, command):
    result = run(command, "config.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"Error: Command '{command}' is offered by 'lossreg-train', which isn't installed. "
        "Install it: pip install lossreg-train\n"
    )


@pytest.mark.parametrize(
    ("plugin", "selection", "why"),
    [
        pytest.param("raise OSError", {}, "it doesn't load", id="broken"),
        pytest.param(
            PLUGIN,
            {"block": frozenset({"acme"})},
            "LOSSREG_BLOCK=acme keeps it from loading",
            id="blocked",
        ),
    ],
)
def test_a_plugin_that_is_left_out_might_offer_an_unknown_command(
    site, run, plugin, selection, why
):
    install(site, plugin, distribution="lossreg-train")
    for command in ("greet", "fit"):
        message = run(command, "Ada", **selection).stderr
        assert message.startswith(f"Error: There is no command '{command}'.")
        assert message.endswith(f" lossreg-train 1.2.0 might offer it, but {why}.\n")


def test_a_plugin_without_losses_is_listed_as_any_other(site, run):
    package = install(site)
    row = run("plugins").stdout.splitlines()[2].split()
    assert row[:6] == ["acme-losses", "1.2.0", "acme", "active", "0", "1"]
    data = json.loads(run("plugins", "--json").stdout)[1]
    assert (data["losses"], data["commands"]) == ([], {"greet": f"{package}.cli:greet"})
    assert run("--version").stdout.endswith("plugin, active: 1 command\n")
    result = run("list", "--plugin", "acme-losses")
    assert (result.exit_code, result.stdout) == (0, "")


def test_doctor_examines_commands(site, run):
    site.chmod(0o755)
    install(site)
    assert run("doctor").exit_code == 0
    install(site, cli="", distribution="bad-losses")
    result = run("doctor", "--json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert (result.exit_code, finding["severity"]) == (1, "error")
    assert finding["message"].startswith("Command 'greet' of bad-losses 1.2.0 can't be used: ")


@pytest.mark.fresh
@pytest.mark.parametrize(
    ("options", "variables"),
    [
        pytest.param(["--no-plugins"], {}, id="--no-plugins"),
        pytest.param([], {"LOSSREG_BLOCK": "acme-losses"}, id="LOSSREG_BLOCK"),
        pytest.param([], {"LOSSREG_PLUGINS": "lossreg-focal"}, id="LOSSREG_PLUGINS"),
    ],
)
def test_the_rules_for_plugins_hold_for_their_commands(tmp_path, options, variables):
    install(tmp_path)
    results = [
        subprocess.run(
            [sys.executable, "-m", "lossreg", *given, "greet", "Ada"],
            env={**os.environ, "PYTHONPATH": str(tmp_path), **more},
            capture_output=True,
            text=True,
            check=False,
        )
        for given, more in (([], {}), (options, variables))
    ]
    assert [result.stdout for result in results] == ["Hello, Ada.\n", ""]
    assert "There is no command 'greet'." in results[1].stderr


@pytest.mark.fresh
def test_a_shell_that_completes_a_line_gets_no_message(tmp_path):
    sites.install(tmp_path, "raise OSError", distribution="bad-losses")
    install(tmp_path)
    asked = {"_LOSSREG_COMPLETE": "bash_complete", "COMP_WORDS": "lossreg gr", "COMP_CWORD": "1"}
    # The name of the program decides the name of the variable.
    program = "import sys; sys.argv[0] = 'lossreg'; from lossreg.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path), **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("plain,greet\n", "")


@pytest.mark.fresh
def test_a_command_of_the_core_discovers_no_plugin(tmp_path):
    package = install(tmp_path)
    program = (
        "import sys; from lossreg.cli import main\n"
        "main(['list', '--help'], standalone_mode=False)\n"
        f"assert {package + '.plugin'!r} not in sys.modules\n"
        "main(['list', 'huber'], standalone_mode=False)\n"
        f"assert {package + '.plugin'!r} in sys.modules\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
