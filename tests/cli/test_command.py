import json
import warnings

import click
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from lossreg.cli import main
from lossreg.cli.versions import keras_backend
from lossreg.errors import ParameterError, PluginWarning


def run(*arguments, **more):
    return CliRunner().invoke(main, arguments, **more)


@pytest.fixture
def command():
    """Return a function that runs a subcommand of the test's own."""

    def run_it(function):
        group = type(main)(name="lossreg", commands={"it": click.Command("it", callback=function)})
        return CliRunner().invoke(group, ["it"])

    return run_it


@pytest.mark.parametrize(
    "arguments", [(), ("list",), ("show",), ("plot",), ("explore",), ("new",), ("check",)]
)
def test_every_help_has_examples(arguments):
    result = run(*arguments, "--help")
    assert result.exit_code == 0
    assert "Examples:\n    lossreg " in result.stdout


def test_an_error_is_a_paragraph_on_stderr_and_exit_code_2(command):
    def fail():
        raise ParameterError("It must be so. Do this.")

    result = command(fail)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: It must be so. Do this.\n"


def test_an_interrupt_exits_as_shells_expect(command):
    def interrupt():
        raise KeyboardInterrupt

    result = command(interrupt)
    assert (result.exit_code, result.output) == (130, "")


def test_a_plugin_warning_is_one_line_on_stderr(command):
    result = command(lambda: warnings.warn("It is\nbroken.", PluginWarning, stacklevel=1))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "lossreg: It is broken.\n"


def test_the_version_names_keras_its_backend_and_the_plugins():
    result = run("--version", env={"KERAS_BACKEND": "jax"})
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in result.stdout.splitlines()}
    assert {"lossreg", "keras", "jax"} <= set(lines)
    assert lines["jax"].endswith("Keras' backend, by KERAS_BACKEND")


def test_the_backend_is_read_from_keras_own_file(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert keras_backend() == ("tensorflow", "by default")
    (tmp_path / "keras.json").write_text("{broken")
    assert keras_backend() == ("tensorflow", "by default")
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "torch"}))
    assert keras_backend() == ("torch", "by keras.json")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["show", "log_c"], {"log_cosh"}, id="a name"),
        pytest.param(["plot", "ms"], {"mse", "msle"}, id="aliases"),
        pytest.param(["show", "keras/hu"], {"keras/huber"}, id="a qualified name"),
        pytest.param(["list", "--plugin", "ker"], {"keras"}, id="a plugin"),
        pytest.param(["list", "--labels", "one"], {"one_hot"}, id="a kind of labels"),
    ],
)
def test_the_shell_completes(words, expected):
    completion = BashComplete(main, {}, "lossreg", "_LOSSREG_COMPLETE")
    found = completion.get_completions(words[:-1], words[-1])
    assert {item.value for item in found} == expected
