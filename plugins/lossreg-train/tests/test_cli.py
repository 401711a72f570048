"""`lossreg fit` and `lossreg objective`: what they report before they import Keras."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.fresh

CONFIG = """\
model:
  - Input: {shape: [1]}
  - Dense: {units: 1}
compile: {loss: mse}
data: {file: rows.csv, target: y}
"""

# Runs all commands in one process, and prints what each wrote and what was imported by then.
RUN = """
import json, sys
from click.testing import CliRunner
from lossreg.cli import main

for arguments in json.loads(sys.argv[1]):
    result = CliRunner().invoke(main, arguments)
    heavy = sorted({"keras", "tensorflow", "jax"} & {*sys.modules})
    print(json.dumps([result.exit_code, result.stdout, result.stderr, heavy]))
"""


def run(folder, *commands, without=()):
    """Return the exit code, stdout, stderr and the imported frameworks of each command."""
    blocked = folder / "blocked"
    blocked.mkdir()
    for package in without:
        (blocked / f"{package}.py").write_text("raise ImportError('not here')")
    code = f"import sys; sys.path.insert(0, {str(blocked)!r})\n{RUN}"
    result = subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rows.csv").write_text("x,y\n" + "\n".join(f"{i},{2 * i}" for i in range(9)))
    (tmp_path / "good.yaml").write_text(CONFIG)
    (tmp_path / "bad.yaml").write_text(CONFIG.replace("loss: mse", "loss: mze"))
    (tmp_path / "lost.yaml").write_text(CONFIG.replace("rows.csv", "row.csv"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    return tmp_path


def test_what_shows_without_keras_is_reported_without_it(folder):
    results = run(
        folder,
        ["fit", "--help"],
        ["fit", "bad.yaml"],
        ["fit", "lost.yaml"],
        ["objective", "lost.yaml"],
        ["fit", "good.yaml", "-o", "full"],
        ["fit", "good.yaml", "-o", "/proc/runs/first"],
        ["fit", "nowhere.yaml"],
        ["objective", "good.yaml", "--model", "nowhere.keras"],
    )
    messages = [
        "",
        "bad.yaml:4:17: compile.loss: ",
        "lost.yaml:5:14: data.file: There is no file 'row.csv' in '.'. Did you mean 'rows.csv'?",
        "lost.yaml:5:14: data.file: ",
        "The folder 'full' isn't empty",
        "The run can't be written into '/proc/runs/first': '/proc' takes no files",
        "There is no such file",
        "nowhere.keras",
    ]
    for (code, out, err, heavy), message in zip(results, messages, strict=True):
        assert message in err
        assert heavy == []
        assert (code, bool(out)) == ((2, False) if message else (0, True))
    assert not (folder / "runs").exists()


def test_a_missing_package_is_named_before_keras_is_imported(folder):
    ((code, out, err, heavy),) = run(folder, ["fit", "good.yaml"], without=["matplotlib"])
    assert (code, out, heavy) == (2, "", [])
    assert "The curves of a run need matplotlib" in err
    assert "pip install 'lossreg[fit]'" in err


def test_a_csv_file_needs_pandas(folder):
    ((code, out, err, heavy),) = run(folder, ["objective", "good.yaml"], without=["pandas"])
    assert (code, out, heavy) == (2, "", [])
    assert "Reading a CSV file needs pandas" in err
    assert "pip install 'lossreg[fit]'" in err
