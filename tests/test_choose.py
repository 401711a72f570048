import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from lossreg.loss import Labels
from lossreg.registry import discover

PAGE = Path(__file__).parents[1] / "docs" / "choose.md"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the page: what it says of one loss, and under which heading."""

    heading: str
    task: str
    labels: str
    last_layer: str
    loss: str
    package: str


def first_code(cell):
    found = re.search(r"`([^`]+)`", cell)
    return found[1] if found else ""


def read_rows(page):
    """Return the rows of all tables; a section's heading names the task where no column does."""
    rows, heading, columns = [], "", []
    for line in page.splitlines():
        if line.startswith("#"):
            heading = line
        if not line.startswith("|"):
            columns = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not columns:
            columns = cells
        elif not line.startswith("|-"):
            row = dict(zip(columns, cells, strict=True))
            package = re.search(r"from `([^`]+)`", row["Loss"])
            rows.append(
                Row(
                    heading=heading,
                    task=first_code(row.get("Task", heading)),
                    labels=first_code(row["Labels"]),
                    last_layer=row["Last layer"],
                    loss=first_code(row["Loss"]),
                    package=package[1] if package else "keras",
                )
            )
    return rows


ROWS = read_rows(PAGE.read_text(encoding="utf-8"))
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.task}: {row.loss}")
# The tasks of the losses that are installed.
TASKS = {task for entry in discover().entries() for task in entry.spec.task} - {"unspecified"}
every_task = pytest.mark.parametrize("task", sorted(TASKS))


@pytest.fixture(scope="module")
def registry():
    return discover()


@pytest.fixture(scope="module")
def packages(registry):
    return {plugin.provider.distribution for plugin in registry.plugins if not plugin.error}


@pytest.fixture
def bound(row, registry, packages):
    """Return the loss of a row, with the parameters that the page writes."""
    if row.package not in packages:
        pytest.skip(f"{row.package} isn't installed")
    call = ast.parse(row.loss, mode="eval").body
    if isinstance(call, ast.Name):
        return registry.bind(call.id)
    params = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    return registry.bind(call.func.id, **params)


@every_row
def test_a_row_names_a_loss_with_legal_parameters_by_its_canonical_name(row, bound):
    assert row.loss.partition("(")[0] == bound.name
    assert row.package == bound.provider.distribution


@every_row
def test_a_row_has_the_task_and_the_labels_of_its_loss(row, bound):
    assert row.task in bound.spec.task
    assert row.labels in bound.spec.forms
    assert row.labels in get_args(Labels)


@every_row
def test_a_last_layer_has_an_activation_where_the_loss_takes_no_logits(row, bound):
    probabilities = bound.spec.y_pred == "probabilities" and not bound.params.get("from_logits")
    assert bool(re.search("sigmoid|softmax", row.last_layer)) == probabilities
    assert ("softplus" in row.last_layer) == (bound.spec.y_pred == "positive")


@every_task
def test_the_section_of_a_task_has_the_losses_that_the_command_line_lists(task, registry, packages):
    compared = packages & {row.package for row in ROWS}
    section = {
        row.loss.partition("(")[0]
        for row in ROWS
        if f"(`{task}`)" in row.heading and row.package in compared
    }
    listed = {
        entry.spec.name
        for entry in registry.entries(task=task)
        if entry.provider.distribution in compared
    }
    keras = {entry.spec.name for entry in registry.entries(task=task, plugin="keras")}
    # A collection has a page of its own, and here what one begins with.
    assert keras <= section <= listed


@every_task
def test_the_first_table_has_a_row_for_every_task(task):
    assert task in {row.task for row in ROWS if row.heading == "## Start here"}
