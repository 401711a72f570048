"""What this package offers to lossreg."""

from collections.abc import Mapping

from lossreg import hookimpl


@hookimpl
def lossreg_commands() -> Mapping[str, str]:
    """Return the subcommands, each imported when it runs."""
    return {
        "compare": "lossreg_train.comparison.command:compare",
        "fit": "lossreg_train.cli:fit",
        "objective": "lossreg_train.cli:objective",
    }
