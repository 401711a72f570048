"""The command as a process: what it imports, what goes to which stream, what it returns."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fresh

# What a listing must not import; drawing on a terminal may take rich.
HEAVY = ("keras", "tensorflow", "jax", "torch", "numpy", "pydantic", "rich", "difflib")


WHOLE = """
model: [{Dense: {units: 1, kernel_regularizer: l2(0.01)}}]
compile: {loss: focal(gamma=2), optimizer: adam(learning_rate=1e-3)}
"""


def run(*arguments, path=None, shell=None, **env):
    command = [sys.executable, "-m", "lossreg", *arguments]
    variables = {**os.environ, **env}
    if path is not None:
        variables["PYTHONPATH"] = str(path)
    return subprocess.run(
        shell or command, env=variables, capture_output=True, text=True, check=False
    )


def imported(*arguments):
    """Return the modules that a command has imported when it ends."""
    program = (
        "import sys; from lossreg.cli import main\n"
        f"main({[*arguments]!r}, standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(result.stderr.split())


def on_terminal(*arguments, columns=80, **env):
    """Return what a command writes to a terminal."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **env}
    variables = {name: value for name, value in variables.items() if value is not None}
    process = subprocess.Popen(
        [sys.executable, "-m", "lossreg", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=variables,
    )
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:
        pass  # how Linux tells that the other end is closed
    finally:
        os.close(ours)
        process.wait()
    return written.decode().replace("\r\n", "\n")


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture
def package(tmp_path):
    """Return a function that installs a package with an entry point into a folder."""

    def install(name, source):
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[lossreg]\n{module} = {module}\n")
        return tmp_path

    return install


def test_a_listing_imports_nothing_heavy():
    assert not imported("list").intersection(HEAVY)


@pytest.mark.parametrize(
    "arguments", [["show", "huber"], ["list", "--json"], ["show", "mse", "--json"]]
)
def test_names_and_signatures_import_no_framework(arguments):
    assert not imported(*arguments).intersection(HEAVY[:5])


@pytest.mark.parametrize("text", ["loss: focal(gamma=2)\n", WHOLE], ids=["a loss", "a model"])
def test_validating_a_config_imports_no_framework(text, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(text)
    assert not imported("validate", str(config)).intersection(HEAVY[:5])


def test_the_schema_imports_no_framework():
    assert not imported("schema").intersection(HEAVY[:5])


def test_the_versions_import_no_keras():
    program = "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    program += "from lossreg.cli import main; main(['--version'])"
    result = run(shell=[sys.executable, "-c", program])
    assert result.stdout.startswith("lossreg ")
    assert not {"keras", "tensorflow", "jax"}.intersection(result.stderr.split())


def test_a_wrong_plot_imports_no_keras():
    # A Keras that can't be imported would be noticed.
    program = "import sys; from lossreg.cli import main; sys.modules['keras'] = None\n"
    program += "main(['plot', 'huber', '--sweep', 'delta=-1'])"
    result = run(shell=[sys.executable, "-c", program])
    assert result.returncode == 2
    assert result.stderr.startswith("Error: Loss 'huber': 'delta' must be a number > 0")


def test_matplotlib_missing_says_what_to_install():
    program = "import sys; from lossreg.cli import main\n"
    program += "sys.modules['matplotlib'] = sys.modules['keras'] = None; main(['plot', 'huber'])"
    result = run(shell=[sys.executable, "-c", program])
    assert (result.returncode, result.stdout) == (2, "")
    assert "pip install 'lossreg[plot]'" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["plot", "huber"], id="plot"),
        pytest.param(["validate", "--build", "config.yaml"], id="validate"),
    ],
)
def test_keras_missing_says_what_to_install(arguments, tmp_path):
    (tmp_path / "config.yaml").write_text(WHOLE)
    program = "import os, sys; from lossreg.cli import main; sys.modules['keras'] = None\n"
    program += f"os.chdir({str(tmp_path)!r}); main({arguments})"
    result = run(shell=[sys.executable, "-c", program])
    assert (result.returncode, result.stdout) == (2, "")
    assert "pip install 'lossreg[tensorflow]'" in result.stderr
    assert "Traceback" not in result.stderr


def test_building_a_config_tells_nothing_of_the_processor(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(WHOLE)
    # Where it is set, TensorFlow is quiet without us.
    command = ["env", "-u", "TF_CPP_MIN_LOG_LEVEL", sys.executable, "-m", "lossreg"]
    result = run(shell=[*command, "validate", "--build", config])
    assert result.stderr.endswith("1 file checked: 1 fault in 1.\n")
    assert "cpu_feature_guard" not in result.stderr


def test_the_script_and_the_module_are_one_command():
    script = Path(sys.executable).with_name("lossreg")
    assert run(shell=[script, "list", "huber"]).stdout == run("list", "huber").stdout


def test_a_reader_that_stops_early_sees_no_error():
    command = f"{sys.executable} -m lossreg list | true"
    assert run(shell=["bash", "-c", command]).stderr == ""


def test_a_mistake_is_a_message_on_stderr_and_exit_code_2():
    result = run("show", "nonsense_name")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: No loss named 'nonsense_name'.")


def test_a_terminal_shows_every_loss_within_its_width():
    for columns in (60, 80, 120):
        lines = plain(on_terminal("list", columns=columns)).splitlines()
        assert max(map(len, lines)) <= columns
        assert "huber" in {line.split()[0] for line in lines if line}
        assert "multiclass" in {line.split("  ")[0] for line in lines}


def test_a_terminal_has_colours_unless_no_color_is_set():
    coloured = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert coloured.search(on_terminal("list", NO_COLOR=None))
    assert not coloured.search(on_terminal("list", NO_COLOR="1"))
    assert not coloured.search(on_terminal("show", "huber", NO_COLOR="1"))


def test_a_pipe_gets_neither_colours_nor_boxes():
    for arguments in (["list"], ["show", "huber"]):
        written = run(*arguments, FORCE_COLOR="").stdout
        assert "\x1b" not in written
        # Summaries may name Lovász; no line is drawn.
        assert not re.search("[\u2500-\u257f]", written)


def test_a_broken_plugin_is_one_line_on_stderr_and_the_rest_is_listed(package):
    path = package("acme-losses", "raise RuntimeError('no licence')")
    result = run("list", "huber", path=path)
    assert result.returncode == 0
    assert "huber" in result.stdout
    (line,) = result.stderr.splitlines()
    assert line.startswith("lossreg: The plugin 'acme_losses' of acme-losses 1.5 fails to import")
    assert "RuntimeError: no licence" in line


def test_warnings_as_errors_stop_no_command(package):
    path = package("acme-losses", "raise RuntimeError('no licence')")
    result = run("list", "huber", path=path, PYTHONWARNINGS="error")
    assert result.returncode == 0
    assert "Traceback" not in result.stderr


def test_the_version_tells_a_broken_plugin_from_a_working_one(package):
    path = package("acme-losses", "raise RuntimeError('no licence')")
    lines = run("--version", path=path).stdout.splitlines()
    (acme,) = [line for line in lines if line.startswith("acme-losses")]
    assert acme.split()[1] == "1.5"
    assert acme.endswith("plugin, broken: fails to import (RuntimeError)")


def test_the_version_names_the_rule_that_blocks_a_plugin(package):
    path = package("acme-losses", "raise RuntimeError('no licence')")
    result = run("--version", path=path, LOSSREG_BLOCK="acme-losses")
    assert "plugin, blocked by LOSSREG_BLOCK=acme-losses" in result.stdout
    assert result.stderr == ""


def test_a_loss_that_can_not_be_imported_is_no_traceback(package):
    source = """
import lossreg

@lossreg.hookimpl
def lossreg_losses():
    return [
        lossreg.LossSpec(
            name="swift", target="acme_missing:swift", summary="Swift.",
            task=("regression",), y_true="real", y_pred="real",
        )
    ]
"""
    path = package("acme-losses", source)
    assert "swift" in run("list", path=path).stdout
    result = run("show", "swift", path=path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "Loss 'swift' of acme-losses 1.5 can't be used" in result.stderr
    assert "Traceback" not in result.stderr
