"""What the package says of itself, and what the core says of it."""

from lossreg.registry import PACKAGES
from lossreg_focal.plugin import lossreg_losses


def test_the_core_knows_every_name_of_this_package():
    offered = {name for spec in lossreg_losses() for name in spec.names}
    known = {name for name, package in PACKAGES.items() if package == "lossreg-focal"}
    assert known == offered
