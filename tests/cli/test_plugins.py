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
