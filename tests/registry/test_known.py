"""The losses of packages that may not be installed."""

import importlib.util
from pathlib import Path

import pytest

from lossreg import Registry
from lossreg.errors import NotInstalledError
from lossreg.registry import known_packages

SCRIPT = Path(__file__).parents[2] / "scripts" / "known_losses.py"


def test_the_table_is_what_the_specs_of_the_packages_say():
    spec = importlib.util.spec_from_file_location("known_losses", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = script.FILE.read_text(encoding="utf-8")
    assert written == script.known_losses(), "run: python scripts/known_losses.py"


@pytest.mark.parametrize(
    ("name", "package"),
    [("giou", "lossreg-detection"), ("TripletHardLoss", "lossreg-metric"), ("nobody", None)],
)
def test_a_loss_of_a_package_is_known_in_any_spelling(name, package):
    assert known_packages(name) == ([package] if package else [])


def test_a_loss_that_is_not_installed_says_which_package_has_it():
    with pytest.raises(NotInstalledError, match="Install it: pip install lossreg-segmentation$"):
        Registry().lookup("lovasz_softmax")
