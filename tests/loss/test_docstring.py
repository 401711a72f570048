from lossreg.loss import paragraphs, unit
from lossreg.loss import parse_docstring as parse

DOC = """Sum of two.

`a + b`, where
both are numbers:

    1 + 2

Args:
    a: First,
        as always.

Returns:
    Units per sample,

    always.

More prose.
"""


def test_a_docstring_comes_apart_into_prose_and_sections():
    doc = parse(DOC)
    assert doc.summary == "Sum of two."
    assert doc.text == "`a + b`, where\nboth are numbers:\n\n    1 + 2\n\nMore prose."
    assert doc.sections == {
        "Args": "a: First,\n    as always.",
        "Returns": "Units per sample,\n\nalways.",
    }


def test_only_prose_is_filled():
    assert paragraphs(parse(DOC).text) == [
        "`a + b`, where both are numbers:",
        "    1 + 2",
        "More prose.",
    ]


def test_fenced_code_keeps_its_lines():
    assert paragraphs("```\na\n\nb\n```\n\nnow\nprose")[-1] == "now prose"
    assert "\n\n".join(paragraphs("```\na\n\nb\n```")) == "```\na\n\nb\n```"


def test_a_loss_without_documentation_is_empty():
    assert parse("").sections == {}
    assert unit("") == ""
