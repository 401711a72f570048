"""A package from `lossreg new`, as generated: installed, checked, listed."""

import json
import subprocess

import environment
import pytest

pytestmark = pytest.mark.fresh


@pytest.fixture(scope="module")
def activated(tmp_path_factory):
    return environment.make(tmp_path_factory.mktemp("new") / "env")


def run(command, folder, variables):
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_new_package_installs_passes_its_checks_and_is_listed(tmp_path, activated):
    typed = run("lossreg new acme-losses", tmp_path, activated)
    ran = run(typed, tmp_path, activated)
    assert " passed" in ran.splitlines()[-1]
    assert "xfailed" not in ran
    assert "warning" not in ran
    package = tmp_path / "acme-losses"
    run("ruff check .", package, activated)
    run("ruff format --check .", package, activated)
    run("mypy", package, activated)
    (loss,) = json.loads(run("lossreg list --plugin acme-losses --json", tmp_path, activated))
    assert loss["qualified_name"] == "acme-losses/tilted"
    assert json.loads(run("lossreg doctor --json", tmp_path, activated))["findings"] == []


def test_a_built_wheel_holds_the_marker_for_types_and_the_entry_point(tmp_path, activated):
    run("lossreg new north-losses --loss tukey", tmp_path, activated)
    run("python -m pip wheel -q --no-deps -w dist ./north-losses", tmp_path, activated)
    names = run("python -m zipfile -l dist/*.whl", tmp_path, activated).split()
    assert "north_losses/py.typed" in names
    assert "north_losses-0.1.0.dist-info/entry_points.txt" in names
    assert "north_losses-0.1.0.dist-info/licenses/LICENSE" in names


def test_long_names_keep_the_layout_that_ruff_wants(tmp_path, activated):
    name = "the-losses-of-the-north-sea-institute-of-oceanography"
    loss = "weighted_by_the_price_of_a_tide_that_nobody_had_expected"
    run(f"lossreg new {name} --loss {loss}", tmp_path, activated)
    run("ruff check . && ruff format --check . && mypy", tmp_path / name, activated)
