"""Every config in the documentation is what it says."""

import json
import sys
import tomllib

import hydra
import pages
import pytest
from omegaconf import OmegaConf

import lossreg
from lossreg.config import load_document
from lossreg.model import build_data

PAGE = "docs/config.md"
CONFIGS = [
    (kind, text)
    for page in ("README.md", PAGE)
    for kind, text in pages.blocks(page)
    if kind in ("yaml", "toml", "json")
]


def test_the_page_has_configs():
    # One whose blocks are no longer found would pass the tests below.
    assert len(CONFIGS) > 15


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return a folder in which the page's programs have run, and the programs."""
    pytest.importorskip("lossreg_focal")
    folder = tmp_path_factory.mktemp("page")
    return folder, pages.run(PAGE, folder)


@pytest.mark.fresh
def test_the_programs_print_what_the_page_says(page):
    for program in page[1]:
        assert program.says in (None, program.prints), program.source


@pytest.mark.fresh
@pytest.mark.parametrize(("kind", "text"), CONFIGS)
def test_a_config_has_no_faults_and_builds(page, kind, text):
    # Where the page's programs have written what a config names.
    file = page[0] / f"config.{kind}"
    file.write_text(text, encoding="utf-8")
    found = load_document(file)
    if "model" in found.data:
        assert build_data(found.data, found).built
    elif "_target_" in found.data["loss"]:
        config = OmegaConf.create(text)
        assert hydra.utils.instantiate(config.loss) == lossreg.get_loss("focal", gamma=2)
    else:
        assert lossreg.get_loss(found.data["loss"])


def test_the_three_formats_say_the_same():
    for kind, text in CONFIGS[-2:]:
        data = tomllib.loads(text) if kind == "toml" else json.loads(text)
        assert lossreg.bind(data["loss"]) == lossreg.bind("focal", gamma=2)


def test_every_key_of_a_config_is_in_the_generated_table():
    sys.path.insert(0, str(pages.ROOT / "docs"))
    try:
        import generate
    finally:
        sys.path.pop(0)
    table = "\n".join(generate.config_keys())
    for name in ("model", "compile", "data", "fit"):
        assert f"`{name}`" in table
    for name in (
        *("compile.loss", "compile.optimizer", "compile.metrics", "compile.loss_weights"),
        *("data.file", "data.target", "data.features", "data.classes", "data.split", "data.seed"),
        *("data.weight", "fit.epochs", "fit.batch_size", "fit.class_weight"),
    ):
        assert f"`{name}`" in table
