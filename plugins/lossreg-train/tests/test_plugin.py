"""What the package offers to the command, and what the core knows of it."""

import pytest
from click.testing import CliRunner

from lossreg.cli import main
from lossreg.registry import COMMANDS
from lossreg_train.plugin import lossreg_commands


def test_the_core_knows_every_command_of_this_package():
    known = {name for name, package in COMMANDS.items() if package == "lossreg-train"}
    assert known == set(lossreg_commands())


@pytest.mark.parametrize("command", lossreg_commands())
def test_every_help_has_examples(command):
    result = CliRunner().invoke(main, [command, "--help"])
    assert result.exit_code == 0
    assert f"Examples:\n    lossreg {command} " in result.stdout
