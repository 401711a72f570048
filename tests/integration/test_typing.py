"""A user's program has the types of what it gets, by `mypy --strict`."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.fresh

# Each expression of a user's program, with the type that mypy reveals.
REVEALED = {
    'lossreg.get_loss("mse")': "RegisteredLoss",
    'lossreg.get_loss("mse").params': "dict[str, Any]",
    'lossreg.get_loss("mse", reduction="sum").config()': "dict[str, Any]",
    'lossreg.get_loss(["mse", "mae"])': "RegisteredLoss",
    'lossreg.get_loss(lossreg.bind("mse"))': "RegisteredLoss",
    "lossreg.get_loss(error, scale=2.0)": "RegisteredLoss",
    'lossreg.get_loss({"name": "mse"})': "RegisteredLoss | dict[str, RegisteredLoss | None]",
    "lossreg.get_loss(None)": "None",
    'lossreg.get_loss_fn("mse")': "def (Any, Any) -> Any",
    'lossreg.bind("mse")': "BoundLoss | BoundSum",
    "lossreg.bind(error)": "BoundLoss",
    'lossreg.bind({"name": "mse"})': "BoundLoss | BoundSum | BoundOutputs",
    'lossreg.Registry().get_loss("mse")': "RegisteredLoss",
    'lossreg.Registry().bind("mse")': "BoundLoss | BoundSum",
    "lossreg.to_config(error)": "dict[str, Any]",
    'lossreg.LossConfig("mse").canonical': "dict[str, Any]",
    "lossreg.list_losses()": "list[LossSpec]",
    'lossreg.check_data("mse", [1.0], [2.0])': "list[Finding]",
    "lossreg.objective(model, [1.0])": "Objective",
    "lossreg.objective(model, [1.0]).total": "float",
    'lossreg.build_model("model.yaml")': "Any",
    "error": "def (y_true: object, y_pred: object, *, scale: float =) -> float",
    "other_error": "def (y_true: object, y_pred: object) -> int",
}
SLIPS = [
    "lossreg.get_loss(3)",
    'lossreg.list_losses(y_true="integers")',
    'lossreg.register(y_pred="logit")',
]
PROGRAM = """\
import lossreg

@lossreg.register(y_true="real")
def error(y_true: object, y_pred: object, *, scale: float = 1.0) -> float:
    return scale

@lossreg.register
def other_error(y_true: object, y_pred: object) -> int:
    return 1

def show(model: object) -> None:
"""


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """Return the lines that mypy reports for the program."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("user")
    expressions = [*(f"reveal_type({expression})" for expression in REVEALED), *SLIPS]
    (folder / "program.py").write_text(PROGRAM + "".join(f"    {e}\n" for e in expressions))
    options = ["--strict", "--config-file", "", "--cache-dir", "cache"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "program.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_what_a_user_gets_has_its_type(reported):
    found = re.findall(r'Revealed type is "(.*)"', "\n".join(reported))
    # The modules of the names are our own business.
    types = [re.sub(r"\b(?:\w+\.)+(?=\w)", "", line) for line in found]
    assert dict(zip(REVEALED, types, strict=True)) == REVEALED


def test_a_wrong_argument_is_an_error_and_nothing_else_is(reported):
    first = PROGRAM.count("\n") + len(REVEALED) + 1
    errors = {int(line.split(":")[1]) for line in reported if " error: " in line}
    assert errors == set(range(first, first + len(SLIPS)))
