"""The checks from the command line, on packages of the test's own."""

import json
import os
import subprocess
import sys

import pytest
import sites

from lossreg.testing.run import CHECKS

pytestmark = pytest.mark.fresh

SOUND = '''
from typing import Annotated
from annotated_types import Gt
from lossreg.lazy import ops

def good(y_true, y_pred, *, weight: Annotated[float, Gt(0)] = 2.0):
    """A.

    `weight * mean(log(1 + exp(x)) - y * x)` over the last axis.

    Args:
        y_true: 0 or 1, shape `(batch, outputs)`.
        y_pred: Logits, same shape.
        weight: What a mistake costs.

    Returns:
        Nats per sample, shape `(batch,)`.

    Source:
        Good, 1952, section 8.
    """
    y = ops.cast(y_true, y_pred.dtype)
    return weight * ops.mean(ops.softplus(y_pred) - y * y_pred, axis=-1)
'''


@pytest.fixture
def site(tmp_path):
    """A folder with a package whose loss is sound, and one whose loss has no source."""
    folder = tmp_path / "site"
    sites.install(folder, losses=SOUND)
    bare = SOUND.replace("good", "bare").replace("Source:", "Seen in:")
    plugin = sites.GOOD.replace("good", "bare")
    sites.install(folder, plugin, losses=bare, distribution="bare-losses", point="bare")
    return folder


def check(site, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "lossreg", "check", *arguments],
        env={**os.environ, "PYTHONPATH": str(site), "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=site.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_sound_package_has_a_row_for_each_loss_and_check(site):
    result = check(site, "Acme_Losses")
    assert result.returncode == 0, result.stdout
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["LOSS", "CHECK", "STATE", "MESSAGE"]
    assert [row.split()[:2] for row in rows] == [["good", name] for name in CHECKS]
    assert "good  float16                 passed" in rows
    assert result.stderr.splitlines()[-1].startswith("1 loss checked: ")
    assert "WARNING:tensorflow" not in result.stderr


def test_a_broken_promise_is_named_and_the_exit_code_is_1(site):
    result = check(site, "bare-losses", "--json")
    assert result.returncode == 1
    results = json.loads(result.stdout)
    (failed,) = [one for one in results if one["state"] == "failed"]
    assert (failed["loss"], failed["check"]) == ("bare", "docstring")
    assert "Source" in failed["message"]
    assert "1 failed" in result.stderr.splitlines()[-1]


def test_a_package_that_is_not_installed_is_a_mistake(site):
    result = check(site, "acme-loses")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: No plugin named 'acme-loses' is installed.")
    assert "Did you mean 'acme-losses'" in result.stderr
