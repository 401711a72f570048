"""The commands about plugins, as processes with packages of the test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sites

pytestmark = pytest.mark.fresh


def run(site, *arguments, **env):
    """Run lossreg in a folder of its own, with the packages of a site folder."""
    elsewhere = site.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    site.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "lossreg", *arguments],
        env={**os.environ, "PYTHONPATH": str(site), **env},
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "site"
    sites.install(folder)
    return folder


def test_doctor_finds_nothing_wrong_with_sound_plugins(site):
    result = run(site, "doctor")
    assert (result.returncode, result.stdout) == (0, "")
    assert "nothing is wrong" in result.stderr


def test_doctor_names_a_broken_plugin_and_exits_with_1(site):
    sites.install(site, "import nosuchmodule", distribution="bad-losses")
    result = run(site, "doctor")
    assert result.returncode == 1
    (row,) = [line for line in result.stdout.splitlines() if line.startswith("bad-losses")]
    assert "error" in row
    assert "fails to import: ModuleNotFoundError: No module named 'nosuchmodule'" in row
    warned = [line for line in result.stderr.splitlines() if line.startswith("lossreg: ")]
    assert len(warned) == 1
    assert "bad-losses 1.2.0" in warned[0]


def test_doctor_names_a_loss_that_breaks_the_rules(site):
    plugin = sites.GOOD.replace("good", "variadic")
    sites.install(site, plugin, distribution="bad-losses", point="bad")
    findings = json.loads(run(site, "doctor", "--json").stdout)["findings"]
    (finding,) = findings
    assert (finding["distribution"], finding["severity"]) == ("bad-losses", "error")
    assert "it takes '**kwargs'" in finding["message"]


def test_doctor_reports_a_plugin_that_imports_keras_and_it_works(site):
    plugin = "import keras\n" + sites.GOOD.replace("good", "slow")
    losses = sites.LOSSES.replace("good", "slow")
    sites.install(site, plugin, losses=losses, distribution="slow-losses", point="slow")
    result = run(site, "doctor")
    assert result.returncode == 0
    assert "Its plugin module imports keras" in result.stdout
    assert "s to import, which every listing pays" in result.stdout
    assert "warning" in result.stdout
    assert "error" not in result.stdout


def test_doctor_reports_a_plugin_of_the_current_directory(site):
    result = subprocess.run(
        [sys.executable, "-m", "lossreg", "doctor"],
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the current directory: whoever can write there can run code here" in result.stdout


def test_plugins_are_listed_with_their_state(site):
    sites.install(site, "import nosuchmodule", distribution="bad-losses")
    rows = run(site, "plugins").stdout.splitlines()
    assert rows[0].split()[-4:] == ["STATE", "LOSSES", "COMMANDS", "IMPORT"]
    assert rows[1].split()[:1] == ["keras"]
    assert any(row.split()[:4] == ["acme-losses", "1.2.0", "acme", "active"] for row in rows)
    assert any(row.split()[3:5] == ["broken", "(import)"] for row in rows)


def test_a_blocked_plugin_is_neither_loaded_nor_unknown(site):
    environment = {"LOSSREG_BLOCK": "acme-losses"}
    records = json.loads(run(site, "plugins", "--json", **environment).stdout)
    (record,) = [r for r in records if r["distribution"] == "acme-losses"]
    assert (record["state"], record["rule"]) == ("blocked", "LOSSREG_BLOCK=acme-losses")
    result = run(site, "show", "acme-losses/good", **environment)
    assert result.returncode == 2
    assert "LOSSREG_BLOCK=acme-losses keeps it from loading" in result.stderr


def test_no_plugins_leaves_the_built_ins(site):
    listed = json.loads(run(site, "--no-plugins", "list", "--json").stdout)
    assert {loss["provider"]["distribution"] for loss in listed} == {"keras"}


PRINTS = [
    "print('hello from the plugin')\n",
    "import os; os.write(1, b'hello from the plugin')\n",
    "import os; os.system('echo hello from the plugin')\n",
    # Python's own C library buffers until the process ends.
    "import ctypes; ctypes.CDLL(None).puts(b'hello from the plugin')\n",
]


@pytest.mark.parametrize("prints", PRINTS, ids=["Python", "descriptor", "child", "C"])
@pytest.mark.parametrize(
    "command", [["plugins"], ["doctor"], ["list"], ["show", "noisy"], ["why", "noisy"]]
)
def test_a_plugin_that_prints_leaves_json_alone(site, command, prints):
    plugin = prints + sites.GOOD.replace("good", "noisy")
    losses = prints + sites.LOSSES.replace("good", "noisy")
    sites.install(site, plugin, losses=losses, distribution="noisy-losses", point="noisy")
    result = run(site, *command, "--json")
    assert result.returncode == 0
    assert json.loads(result.stdout)
    assert "hello from the plugin" in result.stderr


ANYTHING = """
class MuteError(BaseException):
    def __str__(self):
        raise GeneratorExit
raise MuteError
"""


def test_an_error_that_cannot_be_printed_is_one_row(site):
    sites.install(site, ANYTHING, distribution="bad-losses", point="bad")
    result = run(site, "doctor", "--json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert finding["message"].startswith("It fails to import: MuteError: its message can't be read")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1


DAMAGED = [b"\xff\xfe\x00", b"[pydantic]\nno equals sign\n", b"[console_scripts\n\x80", b"=\n"]


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_entry_points_of_any_package_break_nothing(site, text):
    info = site / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_bytes(text)
    program = "import lossreg; print(lossreg.bind('good', gamma=3), lossreg.bind('mse'))"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "good(gamma=3.0) mean_squared_error()\n", result.stderr
    found = json.loads(run(site, "doctor", "--json").stdout)["findings"]
    assert {finding["distribution"] for finding in found} <= {"stranger"}
    assert len(found) <= 1


CLASS = """
import keras

class heavy(keras.losses.Loss):
    def __init__(self, scale=1.0, **options):
        super().__init__(**options)
"""


def test_the_schema_imports_no_keras_and_leaves_the_parameters_of_a_class_open(site):
    plugin = sites.GOOD.replace("good", "heavy")
    sites.install(site, plugin, losses=CLASS, distribution="heavy-losses", point="heavy")
    program = (
        "import sys\nfrom lossreg.cli import main\nmain(['schema'], standalone_mode=False)\n"
        "assert not {'keras', 'tensorflow', 'jax', 'torch'} & sys.modules.keys()\n"
        "import lossreg\nassert lossreg.get_loss('heavy', scale=2).params == {'scale': 2}"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout)["$defs"]
    assert "heavy" in schema["LossNames/heavy-losses/heavy"]["enum"]
    assert schema["LossParameters/heavy-losses/heavy"] == {
        "type": "object",
        "additionalProperties": True,
    }
    # A number, or one that changes during training.
    number, _ = schema["LossParameters/acme-losses/good"]["properties"]["gamma"]["anyOf"]
    assert number["minimum"] == 0
    found = json.loads(run(site, "doctor", "--json").stdout)["findings"]
    (finding,) = found
    assert "the schema doesn't describe their parameters" in finding["message"]


def test_doctor_goes_on_after_a_type_that_cannot_be_checked(site):
    losses = "import numpy\ndef array(y_true, y_pred, *, w: numpy.ndarray = None): ...\n"
    plugin = sites.GOOD.replace('[spec("good")]', '[spec("array"), spec("lost")]')
    sites.install(site, plugin, losses=losses, distribution="bad-losses", point="bad")
    result = run(site, "doctor", "--json")
    found = json.loads(result.stdout)["findings"]
    assert [finding["message"].partition(" of ")[0] for finding in found] == [
        "Loss 'array'",
        "Loss 'lost'",
    ]
    assert result.returncode == 1


def test_a_target_that_runs_a_command_runs_nothing(site, tmp_path):
    plugin = sites.GOOD.replace('spec("good")', 'spec("x", "os:system")')
    sites.install(site, plugin, distribution="bad-losses", point="bad")
    config = tmp_path / "config.yaml"
    config.write_text(f"loss: \"x(command='touch {tmp_path}/ran')\"\n")
    result = run(site, "validate", "--at", "loss", str(config))
    assert result.returncode == 1
    assert "a factory must be code of the plugin's own distribution" in result.stdout
    assert not (tmp_path / "ran").exists()
    (finding,) = json.loads(run(site, "doctor", "--json").stdout)["findings"]
    assert "a factory must be code of the plugin's own" in finding["message"]
    checked = run(site, "check", "bad-losses")
    assert checked.returncode == 1
    assert "a factory must be code of the plugin's own" in " ".join(checked.stdout.split())


def test_doctor_reports_keras_2(site):
    result = run(site, "doctor", TF_USE_LEGACY_KERAS="1")
    assert result.returncode == 0
    assert "Keras 2 is in use" in result.stdout


def test_why_explains_a_resolution(site):
    result = run(site, "why", "Acme_Losses/GoodLoss")
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "'Acme_Losses/GoodLoss' is read as 'acme-losses/good'.",
        "It is offered as 'acme-losses/good' by acme-losses 1.2.0.",
        "It means 'acme-losses/good': A qualified name means the loss of that distribution, "
        "'acme-losses'.",
    ]


def test_why_explains_an_ambiguous_name(site):
    sites.install(site, distribution="other-losses", point="other")
    result = run(site, "why", "good", "--json")
    assert result.returncode == 1
    explained = json.loads(result.stdout)
    assert explained["offers"] == ["acme-losses/good", "other-losses/good"]
    assert explained["means"] is None
    assert "Ask for 'acme-losses/good' or 'other-losses/good'" in explained["rule"]


def test_a_package_that_is_installed_while_the_program_runs_is_seen_after_refresh(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    program = f"""
import sys, lossreg
sys.path[:0] = [{str(site)!r}, {str(Path(sites.__file__).parent)!r}]
import pathlib, sites
lossreg.register(lambda y_true, y_pred: 0.0, name="mine")
try:
    lossreg.bind("good")
except lossreg.UnknownLossError:
    sites.install(pathlib.Path({str(site)!r}))
    lossreg.refresh()
    print(lossreg.bind("good", gamma=3), lossreg.bind("mine"))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.stdout == "good(gamma=3.0) mine()\n", result.stderr
