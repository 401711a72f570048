"""What the page for authors of plugins lists is what the code has."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import get_args

import pytest

from lossreg import LossSpec, Registry
from lossreg.errors import NotInstalledError
from lossreg.loss import LABELS, OPTIONS, OUTPUTS, PROJECT, Hooks, Task
from lossreg.loss.kinds import CONVERSIONS
from lossreg.registry import BLOCK, ONLY
from lossreg.testing.run import CHECKS, promise

PAGE = (Path(__file__).parents[1] / "docs" / "write-a-plugin.md").read_text(encoding="utf-8")
MARK = f"{PROJECT}_spec"  # what pluggy's marker leaves on a function


def signature(hook):
    """Return a function as the page writes it, without the modules of its types."""
    return hook.__name__ + re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(inspect.signature(hook)))


def table(heading):
    """Return what the first column of a table lists."""
    found = re.search(rf"^\| {heading} \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return re.findall(r"^\| `(\w+)` \|", found[1], re.MULTILINE)


def test_each_hook_has_a_section_with_its_exact_signature_and_no_other():
    hooks = [hook for name in vars(Hooks) if hasattr(hook := getattr(Hooks, name), MARK)]
    assert hooks
    sections = re.findall(rf"^### `({PROJECT}_.*)`$", PAGE, re.MULTILINE)
    assert sorted(sections) == sorted(signature(hook) for hook in hooks)


def test_the_fields_of_a_spec_are_listed_in_order():
    assert table("field") == [field.name for field in dataclasses.fields(LossSpec)]


@pytest.mark.parametrize(
    ("field", "words"), [("`task`", get_args(Task)), ("`y_true`", LABELS), ("`y_pred`", OUTPUTS)]
)
def test_the_words_of_a_field_are_listed(field, words):
    assert table(field) == list(words)


@pytest.mark.parametrize("kinds", [LABELS, OUTPUTS])
def test_each_kind_has_the_values_that_the_code_gives_it(kinds):
    rows = [f"| `{word}` | {kind.values} |" for word, kind in kinds.items()]
    assert [row for row in rows if f"\n{row}\n" not in PAGE] == []


def test_the_forms_of_labels_that_are_turned_into_others_are_listed():
    listed = re.findall(r'^\| `\("(\w+)", "(\w+)"\)` \|', PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(CONVERSIONS)


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
