import ast
import re
import subprocess
import sys
import tomllib

import importlib_metadata
import pytest
from click.testing import CliRunner

from lossreg import LossSpec
from lossreg.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to write into, with the shell in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments):
    return CliRunner().invoke(main, ["new", *arguments])


def written(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_package_is_complete(folder):
    assert new("acme-losses").exit_code == 0
    assert written(folder / "acme-losses") == [
        ".github/workflows/test.yml",
        ".gitignore",
        "LICENSE",
        "README.md",
        "acme_losses/__init__.py",
        "acme_losses/losses.py",
        "acme_losses/plugin.py",
        "acme_losses/py.typed",
        "pyproject.toml",
        "tests/test_conformance.py",
        "tests/test_losses.py",
    ]


def test_the_commands_to_type_are_all_of_stdout(folder):
    result = new("acme-losses")
    assert result.stdout.splitlines() == [
        "cd acme-losses",
        "python -m pip install --editable '.[dev]'",
        "pytest",
    ]
    assert result.stderr.startswith("Wrote 11 files into acme-losses/.")


def test_the_package_depends_on_this_minor_release_and_has_the_entry_point(folder):
    new("acme-losses")
    text = (folder / "acme-losses" / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    version = importlib_metadata.version("lossreg")
    major, minor, *_ = version.split(".")
    assert f"lossreg>={version},<{major}.{int(minor) + 1}" in project["dependencies"]
    assert project["entry-points"]["lossreg"] == {"acme-losses": "acme_losses.plugin"}


def test_the_plugin_describes_the_loss_by_its_name(folder):
    new("acme-losses", "--loss", "tukey")
    package = folder / "acme-losses" / "acme_losses"
    plugin = {}
    exec((package / "plugin.py").read_text(), plugin)
    (spec,) = plugin["lossreg_losses"]()
    assert isinstance(spec, LossSpec)
    assert (spec.name, spec.target) == ("tukey", "acme_losses.losses:tukey")
    (function,) = (
        node
        for node in ast.parse((package / "losses.py").read_text()).body
        if isinstance(node, ast.FunctionDef)
    )
    assert function.name == "tukey"
    assert ast.get_docstring(function).splitlines()[0] == spec.summary


def test_no_placeholder_and_no_name_of_another_package_is_left(folder):
    new("north_sea.losses", "--loss", "tukey")
    package = folder / "north-sea-losses"
    for name in written(package):
        text = (package / name).read_text()
        assert "acme" not in text
        assert not re.search(r"\$\w", text)
        assert not text or text.endswith("\n")
    assert "${{ matrix.python }}" in (package / ".github/workflows/test.yml").read_text()


def test_an_empty_folder_is_filled(folder):
    (folder / "acme-losses").mkdir()
    assert new("acme-losses").exit_code == 0
    assert (folder / "acme-losses" / "pyproject.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["3d-losses"], "begins with a letter", id="a digit first"),
        pytest.param(["acme/losses"], "can't be named 'acme/losses'", id="a path"),
        pytest.param(["../acme"], "can't be named '../acme'", id="a path to elsewhere"),
        pytest.param([""], "can't be named ''", id="empty"),
        pytest.param(["a" * 101], "at most 100 letters", id="too long for a folder"),
        pytest.param(["acme losses"], "letters, digits and dashes", id="a blank"),
        pytest.param(["lambda"], "isn't a Python keyword", id="a keyword"),
        pytest.param(["json"], "'json' is taken", id="a module of Python"),
        pytest.param(["CON"], "'CON' is a device of Windows", id="a device"),
        pytest.param(["lpt9"], "Choose another name, such as 'my-lpt9'", id="a port"),
        pytest.param(["Tests"], "'Tests' is taken", id="the folder of its tests"),
        pytest.param(["lossreg-focal"], "'lossreg-focal' is taken", id="a known package"),
        pytest.param(["keras"], "'keras' is taken", id="the built-ins"),
        pytest.param(["acme", "--loss", "2d"], "can't be named '2d'", id="no name of a loss"),
        pytest.param(
            ["acme", "--loss", "yield"], "Choose another: --loss acme_yield", id="a keyword's name"
        ),
        pytest.param(
            ["acme", "--loss", "sum"], "Choose another: --loss acme_sum", id="a builtin's name"
        ),
        pytest.param(
            ["acme", "--loss", "ops"], "Choose another: --loss acme_ops", id="Keras' operations"
        ),
        pytest.param(["acme", "--loss", "keras/huber"], "Write 'huber'", id="a qualified name"),
    ],
)
def test_an_illegal_name_is_refused_and_nothing_is_written(folder, arguments, message):
    result = new(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert written(folder) == []


@pytest.mark.parametrize(
    ("loss", "taken", "another"),
    [
        pytest.param("huber", "'keras/huber'", "acme_huber", id="a built-in"),
        pytest.param("MSE", "'keras/mean_squared_error'", "acme_mse", id="its alias"),
        pytest.param("KLDivergenceLoss", "'keras/kl_divergence'", "acme_kl_", id="as spelled"),
        pytest.param("binary_focal", "lossreg-focal", "acme_binary_focal", id="a known loss"),
    ],
)
def test_the_name_of_another_loss_is_refused_with_one_that_is_free(folder, loss, taken, another):
    result = new("acme-losses", "--loss", loss)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "The name" in result.stderr
    assert taken in result.stderr
    assert f"Choose another: --loss {another}" in result.stderr
    assert written(folder) == []


def test_a_folder_that_holds_anything_is_left_as_it_is(folder):
    (folder / "acme-losses").mkdir()
    (folder / "acme-losses" / "thesis.tex").write_text("years of work")
    result = new("acme-losses")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'acme-losses' already exists, and isn't an empty folder" in result.stderr
    assert written(folder) == ["acme-losses/thesis.tex"]


@pytest.mark.fresh
def test_a_disk_that_is_full_keeps_nothing(folder):
    # No file may be larger than one block, 1024 bytes; the licence is.
    command = f"ulimit -f 1; {sys.executable} -m lossreg new acme-losses"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert "'acme-losses' can't be written (File too large)" in result.stderr
    assert list(folder.iterdir()) == []


def specs(folder):
    plugin = {}
    exec((folder / "acme_losses" / "plugin.py").read_text(), plugin)
    return [(spec.name, spec.target) for spec in plugin["lossreg_losses"]()]


@pytest.mark.parametrize("inside", [False, True])
def test_a_loss_is_added_to_a_package_that_exists(folder, monkeypatch, inside):
    new("acme-losses")
    package = folder / "acme-losses"
    before = written(package)
    if inside:
        monkeypatch.chdir(package)
    result = new("acme-losses", "--loss", "tukey")
    assert result.exit_code == 0
    assert written(package) == sorted([*before, "acme_losses/tukey.py", "tests/test_tukey.py"])
    assert specs(package) == [
        ("tilted", "acme_losses.losses:tilted"),
        ("tukey", "acme_losses.tukey:tukey"),
    ]
    assert "def tukey(" in (package / "acme_losses" / "tukey.py").read_text()
    assert '"acme-losses/tukey"' in (package / "tests" / "test_tukey.py").read_text()
    assert result.stdout.splitlines() == ([] if inside else ["cd acme-losses"]) + ["pytest"]


@pytest.mark.parametrize("exists", [False, True])
def test_a_name_that_is_spelled_otherwise_is_said_with_the_reason(folder, exists):
    if exists:
        new("acme-losses")
    result = new("acme-losses", "--loss", "MyTukeyLoss")
    assert (
        "The loss is named 'my_tukey': names are in lower snake case, without 'loss'. "
        "get_loss('MyTukeyLoss') finds it too." in result.stderr
    )


def test_a_name_that_is_kept_needs_no_word(folder):
    assert "is named" not in new("acme-losses", "--loss", "tukey").stderr


def test_each_loss_has_a_row_in_the_readme(folder):
    new("acme-losses")
    readme = folder / "acme-losses" / "README.md"
    before = readme.read_text()
    for loss in ("tukey", "tethered"):
        assert "and a row into README.md" in new("acme-losses", "--loss", loss).stderr
    rows = [line.split(" | ")[0] for line in readme.read_text().splitlines() if line[:1] == "|"]
    assert rows == ["| loss", "|---|---|---|", "| `tilted`", "| `tukey`", "| `tethered`"]
    without = [line for line in readme.read_text().splitlines() if line[:4] != "| `t"]
    assert without == [line for line in before.splitlines() if line[:4] != "| `t"]


@pytest.mark.parametrize("text", ["# Another table\n", None])
def test_a_readme_without_the_table_is_left_as_it_is(folder, text):
    new("acme-losses")
    readme = folder / "acme-losses" / "README.md"
    readme.unlink() if text is None else readme.write_text(text)
    result = new("acme-losses", "--loss", "tukey")
    assert "README.md has no table of losses, and wasn't changed" in result.stderr
    assert (readme.read_text() if readme.exists() else None) == text


@pytest.mark.parametrize(
    ("loss", "change", "message"),
    [
        pytest.param(None, None, "Name a loss to add to it: --loss NAME", id="no name"),
        pytest.param("tilted", None, "has a loss 'tilted' already", id="its own name"),
        pytest.param("tukey", ("return [", "return 1, ["), "returns no list", id="no list"),
        pytest.param("tukey", ("return [", "return (["), "it can't be read", id="no Python"),
        pytest.param("losses", None, "losses.py' already exists", id="the name of a module"),
    ],
)
def test_what_cant_be_added_changes_nothing(folder, loss, change, message):
    new("acme-losses")
    plugin = folder / "acme-losses" / "acme_losses" / "plugin.py"
    if change is not None:
        plugin.write_text(plugin.read_text().replace(*change))
    before = plugin.read_text(), written(folder)
    result = new("acme-losses", *(["--loss", loss] if loss else []))
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert (plugin.read_text(), written(folder)) == before
