"""The programs of `docs/` that make the site: formulas, pictures and the pages of losses."""

# ruff: noqa: RUF001 - formulas hold signs that look like letters

import doctest
import html
import re

import formulas
import handwritten
import loss_page
import pictures
import pytest

from lossreg.registry import discover

ENTRIES = discover().entries()
EVERY = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.qualified_name)


@pytest.mark.parametrize("module", [formulas, pictures])
def test_the_examples_run(module):
    assert doctest.testmod(module).failed == 0


def plain(code):
    """Return a formula's MathML as text: roots, fractions and indexes by their tags."""
    written = formulas.mathml(code)
    assert written is not None
    written = re.sub(r"</?(?:math|mi|mn|mo|mrow|mtext)(?: [^>]*)?>", "", written)
    return html.unescape(written.replace("<", "[").replace(">", "]"))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("alpha * log(p_t)", "α·log[msub]pt[/msub]"),
        ("a - (b - c)", "a−(b−c)"),
        ("a - (b + c) * d", "a−(b+c)·d"),
        ("(a + b) - c", "a+b−c"),
        ("a * -b", "a·(−b)"),
        ("-a * b", "−a·b"),
        ("log(a) * b", "(loga)·b"),
        ("a * sum(b)", "a·∑b"),
        ("(a + b) / c", "[mfrac]a+bc[/mfrac]"),
        ("(1 - p)**gamma", "[msup](1−p)γ[/msup]"),
        ("a**b**c", "[msup]a[msup]bc[/msup][/msup]"),
        ("(a**b)**c", "[msup]([msup]ab[/msup])c[/msup]"),
        ("|y_true - y_pred|", "|[msub]ytrue[/msub]−[msub]ypred[/msub]|"),
        ("sum(a * b)", "∑(a·b)"),
        ("sum_j(s_ij)", "[munder]∑j[/munder][msub]sij[/msub]"),
        ("sum_{i != j}(C_ij**2)", "[munder]∑i ≠ j[/munder][msup][msub]Cij[/msub]2[/msup]"),
        ("mean(max(1 - y, 0)**2)", "mean([msup]max(1−y,0)2[/msup])"),
        ("mean_c(x)", "[msub]meanc[/msub](x)"),
        ("sqrt(x)", "[msqrt]x[/msqrt]"),
        ("exp(-x)", "[msup]e−x[/msup]"),
        ("log(y!)", "logy!"),
        ("e >= 0", "e≥0"),
        ("gamma(y + r)", "Γ(y+r)"),
        ("1e-7", "[msup]10−7[/msup]"),
        ("w = 1 / n", "w=[mfrac]1n[/mfrac]"),
        ("a if y > 0 else b", "{[mtable][mtr][mtd]a[/mtd][mtd]if y>0[/mtd][/mtr][mtr][mtd]b[/mtd]"
         "[mtd]otherwise[/mtd][/mtr][/mtable]"),
    ],
)  # fmt: skip
def test_a_formula_is_written_as_in_a_book(code, expected):
    assert plain(code) == expected


@pytest.mark.parametrize(
    "code",
    [
        "from_logits=True",
        'mode="iou"',
        "(batch, ..., classes)",
        "keras.ops.mean(x)",
        "gamma",
        "q=0",
    ],
)
def test_what_is_no_formula_stays_code(code):
    assert not formulas.is_formula(code)


@pytest.mark.parametrize("code", ["sum(", "softmax(x)_y", "import os", "lambda: x", "f'{x}'"])
def test_what_can_not_be_read_is_none(code):
    assert formulas.mathml(code) is None


def test_a_picture_has_no_numbers_beyond_its_frame_and_says_what_it_shows():
    line = pictures.Line(label="a < b", x=[0, 1, 2], y=[0.0, float("nan"), 4.0])
    panel = pictures.Panel(title="t", x_label="x", lines=[line])
    svg = pictures.draw([panel], "A line.")
    assert 'aria-label="A line."' in svg
    assert "nan" not in svg
    [path] = re.findall(r'<path d="M([\d. L]+)" fill="none"', svg)
    points = [tuple(map(float, point.split())) for point in path.split("L")]
    assert points == [
        (pictures.LEFT, pictures.HEIGHT - pictures.BOTTOM),
        (pictures.WIDTH - pictures.RIGHT, pictures.TOP),
    ]


@EVERY
def test_a_page_of_a_loss_is_complete(entry):
    page = loss_page.page(entry, ENTRIES, "<svg></svg>", {"program": "p", "prints": "q"})
    for heading in ("Curve", "When to use it", "Parameters", "Arrays", "Returns", "Source"):
        # A loss of somebody's class has the docstring that it has.
        assert f"\n## {heading}\n" in page or entry.provider.distribution == "lossreg-addons"
    assert "\nloss: " in page
    for name in entry.spec.names:
        assert name in page
    if entry.doc.partition("\n\n")[2].startswith("`"):
        assert "\n## Formula\n" in page


def test_most_formulas_are_typeset():
    pages = [loss_page.page(entry, ENTRIES) for entry in ENTRIES]
    typeset = sum("```{formula}" in page for page in pages)
    assert typeset > 0.75 * len(pages)


def test_a_page_repeats_what_other_pages_say():
    assert "Both labels" not in handwritten.warnings("focal")
    assert any("equally frequent" in point for point in handwritten.warnings("logit_adjusted"))
    assert handwritten.reasons("active_passive") == ["Gives up on labels that it finds absurd."]
    assert ("PyTorch `BCEWithLogitsLoss(pos_weight=3)`" in
            [row[0] for row in handwritten.elsewhere("weighted_binary_crossentropy")])  # fmt: skip
    assert handwritten.guide("ldam") == "imbalance.md"


def test_links_of_a_repeated_text_lead_to_the_same_page():
    assert (
        handwritten.moved("[a](noise.md) [b](https://x.org)")
        == "[a](../../noise.md) [b](https://x.org)"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("focal", "imbalanced"),
        ("logit_adjusted", "long tail"),
        ("active_passive", "label noise"),
        ("huber", "outliers"),
    ],
)
def test_a_loss_has_the_words_that_readers_search(name, words):
    [entry] = [entry for entry in ENTRIES if entry.spec.name == name]
    assert words in " ".join(loss_page.key_words(entry))
