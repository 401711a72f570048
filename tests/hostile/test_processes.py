"""Commands as processes whose streams, folders and disks fail: a sentence and an exit code."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lossreg

pytestmark = pytest.mark.fresh

PACKAGE = Path(lossreg.__file__).parent

# A shell opens and closes streams, and sets limits.
COMMAND = f'lossreg() {{ {sys.executable} -m lossreg "$@"; }}'


def shell(command, folder, **env):
    """Return what a shell command wrote, and its exit code."""
    return subprocess.run(
        ["bash", "-c", f"{COMMAND}; {command}"],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        check=False,
    )


def sentence(result):
    """Return the message of a command that failed, which is all that it wrote to stderr."""
    text = result.stderr.decode()
    assert "Traceback" not in text
    assert "Exception ignored" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("Error: ")]
    assert result.returncode == 2
    return line


@pytest.mark.parametrize("command", ["list huber", "list huber --json", "--version"])
@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        pytest.param(">/dev/full", "No space left on device", id="full"),
        pytest.param(">&-", "stdout is closed", id="closed"),
    ],
)
def test_data_that_cant_be_written_is_an_error(tmp_path, command, stream, reason):
    assert reason in sentence(shell(f"lossreg {command} {stream}", tmp_path))


@pytest.mark.parametrize("stream", ["2>/dev/full", "2>&-"])
@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("list huber", 0, id="nothing to report"),
        pytest.param("list nowhere", 0, id="a message"),
        pytest.param("show nowhere", 2, id="an error"),
    ],
)
def test_a_message_that_cant_be_written_changes_nothing(tmp_path, stream, command, code):
    result = shell(f"lossreg {command} {stream}", tmp_path)
    assert (result.returncode, result.stderr) == (code, b"")
    assert bool(result.stdout) == (command == "list huber")


def test_a_closed_stream_gets_no_file(tmp_path):
    # A file that is opened next would have the number of the closed stream, and a library in C
    # writes to that number.
    program = """
import os, click
from lossreg.cli import main
def save():
    with open("model", "w") as file:
        file.write("whole")
        file.flush()
        for number in (1, 2):
            os.write(number, b"noise")
type(main)(name="lossreg", commands={"save": click.Command("save", callback=save)})(["save"])
"""
    (tmp_path / "program.py").write_text(program)
    result = shell(f"{sys.executable} program.py <&- >&- 2>&-", tmp_path)
    assert result.returncode == 0
    assert (tmp_path / "model").read_text() == "whole"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "ascii"])
def test_an_encoding_takes_any_text(tmp_path, encoding):
    name = "\N{SNOWMAN} \N{GRINNING FACE} é.yaml"
    (tmp_path / name).write_text("loss: mze", encoding="utf-8")
    command = "lossreg validate *.yaml"
    result = shell(command, tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="1")
    assert result.returncode == 1
    assert result.stderr.endswith(b"1 file checked: 1 fault in 1.\n")
    written = result.stdout.decode(encoding if encoding != "ascii" else "utf-8")
    assert written.startswith(("\\u2603 \\U0001f600 ", name))
    (fault,) = json.loads(
        shell(f"{command} --json", tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="1").stdout
    )
    assert fault["file"] == name


def test_a_file_name_that_is_no_text_is_json(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.yaml"
    Path(os.fsdecode(name)).write_text("loss: mze")
    result = shell("lossreg validate *.yaml --json", tmp_path)
    (fault,) = json.loads(result.stdout)
    assert os.fsencode(fault["file"]) == b"\xff.yaml"
    result = shell("lossreg validate *.yaml", tmp_path)
    assert result.stdout.startswith(b"\\udcff.yaml: loss: ".replace(b": loss", b":1:7: loss"))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("list huber", 0, id="list"),
        pytest.param("--version", 0, id="version"),
        pytest.param("validate here.yaml", 1, id="validate"),
        pytest.param("doctor", None, id="doctor"),
        pytest.param("new acme-losses", 2, id="new"),
    ],
)
def test_a_folder_that_was_deleted_meanwhile_ends_nothing_else(tmp_path, command, code):
    result = shell(f"mkdir gone; cd gone; rmdir ../gone; lossreg {command}", tmp_path)
    assert b"Traceback" not in result.stderr
    assert result.returncode == (result.returncode if code is None else code)
    assert result.returncode in (0, 1, 2)


def test_a_package_is_written_from_a_zip(tmp_path):
    archive = tmp_path / "site.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(PACKAGE.rglob("*")):
            if "__pycache__" not in path.parts:
                file.write(path, path.relative_to(PACKAGE.parent))
    result = shell("lossreg new acme-losses", tmp_path, PYTHONPATH=str(archive))
    assert result.returncode == 0, result.stderr
    assert len([file for file in (tmp_path / "acme-losses").rglob("*") if file.is_file()]) == 11


def test_a_copy_without_its_templates_writes_nothing(tmp_path):
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as file:
        for path in sorted(PACKAGE.rglob("*.*")):
            if path.suffix in (".py", ".json"):
                file.write(path, path.relative_to(PACKAGE.parent))
    result = shell("lossreg new acme-losses", tmp_path, PYTHONPATH=str(tmp_path / "site.zip"))
    assert "lacks the files of the new package" in sentence(result)
    assert not (tmp_path / "acme-losses").exists()


def test_a_full_disk_leaves_the_users_own_folder(tmp_path):
    (tmp_path / "acme-losses").mkdir()
    # No file may be larger than one block, 1024 bytes; the licence is.
    result = shell("ulimit -f 1; lossreg new acme-losses", tmp_path)
    assert "'acme-losses' can't be written (File too large)" in sentence(result)
    assert [path.name for path in tmp_path.rglob("*")] == ["acme-losses"]
