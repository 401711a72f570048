"""Every program in the documentation runs, and prints what the page says."""

import re

import fake_packages
import generate
import keras
import numpy as np
import pages
import pytest
from tolerances import FLOAT32

import lossreg

PAGES = ["README.md", *(f"docs/{name}.md" for name in ("index", "quickstart", "tutorials"))]
PAGES += [f"docs/{name}.md" for name in ("objective", "data-checks", "imbalanced-case")]
PAGES += ["docs/errors.md", "docs/other-packages.md"]


@pytest.mark.fresh
@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_says(page, tmp_path):
    pytest.importorskip("lossreg_focal")
    # What one of the pages says about where its programs run.
    is_errors = page == "docs/errors.md"
    variables = fake_packages.install(tmp_path / "site") if is_errors else None
    for program in pages.run(page, tmp_path, variables):
        assert program.says in (None, program.prints), program.source


def test_the_loss_of_the_readme_is_the_paper_s():
    [source] = [text for _, text in pages.blocks("README.md") if "def confidence_penalty" in text]
    names: dict = {}
    exec(compile(source, "README.md", "exec"), names)
    # Logits 0, ln 2, 0 are probabilities 1/4, 1/2, 1/4. Pereyra et al., 2017, section 3:
    # the cross-entropy less the entropy, both by hand.
    logits = np.array([[0.0, np.log(2.0), 0.0]], "float32")
    labels = np.array([[0.0, 1.0, 0.0]], "float32")
    entropy = np.log(2.0) / 2 + np.log(4.0) / 2
    found = names["confidence_penalty"](labels, logits, weight=0.5)
    assert np.allclose(found, np.log(2.0) - 0.5 * entropy, rtol=FLOAT32)


def rows_of_the_tutorials():
    """Return the names of each row of the table of built-in losses, and its line."""
    text = (pages.ROOT / "docs" / "tutorials.md").read_text(encoding="utf-8")
    table = text.partition("| The tutorials' names |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    return [(re.findall(r"`(\w+)`", names), line.strip(" `")) for names, line in rows]


@pytest.mark.parametrize(("names", "line"), rows_of_the_tutorials(), ids=lambda part: str(part))
def test_every_name_of_the_tutorials_means_the_loss_of_its_line(names, line):
    loss = eval(line, {"get_loss": lossreg.get_loss})
    for name in names:
        assert lossreg.get_loss(name) == loss
    theirs = getattr(
        keras.losses, next(name for name in names[::-1] if hasattr(keras.losses, name))
    )
    y_true, y_pred = np.array([[0.0, 1.0]]), np.array([[0.25, 0.75]])
    if loss.params.get("axis") is not None and "sparse" in names[0]:
        y_true = np.array([1])
    value = theirs()(y_true, y_pred) if isinstance(theirs, type) else theirs(y_true, y_pred)
    assert float(np.mean(value)) == pytest.approx(float(loss(y_true, y_pred)), rel=FLOAT32)


# What the pages show of Keras is that of one version.
shown_of_keras = pytest.mark.skipif(
    not keras.__version__.startswith("3.15."), reason="The pages show Keras 3.15."
)


@shown_of_keras
def test_the_names_that_a_config_can_have_are_those_of_the_committed_table():
    names = generate.with_keras("measured.write_keras_names()")
    text = (pages.ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert generate.filled(text, "keras names", generate.names_by_kind(names)) == text


@shown_of_keras
@pytest.mark.fresh
@pytest.mark.parametrize("name", generate.PICTURES)
def test_a_committed_picture_is_what_the_losses_draw(name):
    drawn = generate.with_keras(f"measured.write_picture('{generate.PICTURES[name]}')")
    committed = (pages.ROOT / "docs" / "pictures" / name).read_text(encoding="utf-8")
    number = re.compile(r"-?\d+\.\d+")
    assert number.sub("", drawn) == number.sub("", committed)
    # The last digit of a pixel's tenth differs between processors.
    here, there = ([*map(float, number.findall(text))] for text in (drawn, committed))
    assert here == pytest.approx(there, abs=0.11)


def test_the_sample_of_a_page_of_a_loss_is_a_program_that_prints_what_it_says(capsys):
    import measured

    from lossreg.registry import installed

    for name in ("keras/huber", "lossreg-focal/sparse_focal", "lossreg-imbalance/logit_adjusted"):
        sample = measured.sample(installed().lookup(name))
        exec(sample["program"], {"np": np, "lossreg": lossreg})
        assert capsys.readouterr().out.strip() == sample["prints"]
