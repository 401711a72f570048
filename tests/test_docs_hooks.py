"""What the page for authors of plugins lists is what the code has."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from lossreg import LossSpec, NotInstalledError, Registry, hookspec
from lossreg.options import OPTIONS
from lossreg.selection import BLOCK, ONLY
from lossreg.spec import Labels, Outputs, Task
from lossreg.testing.run import CHECKS, promise

PAGE = (Path(__file__).parents[1] / "docs" / "write-a-plugin.md").read_text(encoding="utf-8")
MARK = f"{hookspec.PROJECT}_spec"  # what pluggy's marker leaves on a function


def signature(hook):
    """Return a function as the page writes it, without the modules of its types."""
    return hook.__name__ + re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(inspect.signature(hook)))


def table(heading):
    """Return what the first column of a table lists."""
    found = re.search(rf"^\| {heading} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return re.findall(r"^\| `(\w+)` \|", found[1], re.MULTILINE)


def test_each_hook_has_a_section_with_its_exact_signature_and_no_other():
    hooks = [hook for hook in vars(hookspec).values() if hasattr(hook, MARK)]
    assert hooks
    sections = re.findall(rf"^### `({hookspec.PROJECT}_.*)`$", PAGE, re.MULTILINE)
    assert sorted(sections) == sorted(signature(hook) for hook in hooks)


def test_the_fields_of_a_spec_are_listed_in_order():
    assert table("field") == [field.name for field in dataclasses.fields(LossSpec)]


@pytest.mark.parametrize(
    ("field", "literal"), [("`task`", Task), ("`y_true`", Labels), ("`y_pred`", Outputs)]
)
def test_the_words_of_a_field_are_listed(field, literal):
    assert table(field) == list(get_args(literal))


def test_the_checks_are_listed_with_what_they_promise():
    assert table("check") == list(CHECKS)
    rows = [f"| `{check}` | {promise(check)} |" for check in CHECKS]
    assert [row for row in rows if f"\n{row}\n" not in PAGE] == []


def test_the_names_that_a_parameter_can_not_have_are_listed():
    first, second, third = OPTIONS
    assert f"No parameter is called `{first}`, `{second}` or `{third}`." in PAGE


def test_the_variables_that_choose_plugins_are_named():
    assert f"`{BLOCK}=acme-losses`" in PAGE
    assert f"`{ONLY}=acme-losses`" in PAGE


def test_the_message_about_a_known_package_is_quoted():
    with pytest.raises(NotInstalledError) as caught:
        Registry().lookup("focal")
    assert f"\n{caught.value}\n" in PAGE
