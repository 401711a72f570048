"""Every config in the documentation is what it says."""

import json
import re
import shlex
import tomllib

import generate
import hydra
import jsonschema
import pages
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

import lossreg
from lossreg.config import experiment_schema, load_document
from lossreg.model import build_data

PAGES = ("docs/trainer.md", "docs/config.md", "docs/training.md")
CONFIGS = [
    (kind, text)
    for page in ("README.md", *PAGES)
    for kind, text in pages.blocks(page)
    if kind in ("yaml", "toml", "json")
]


def test_the_page_has_configs():
    # One whose blocks are no longer found would pass the tests below.
    assert len(CONFIGS) > 15


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Return a folder in which the pages' programs have run, and the programs."""
    pytest.importorskip("lossreg_focal")
    folder = tmp_path_factory.mktemp("page")
    # The third page has configs only.
    return folder, [program for page in PAGES[:2] for program in pages.run(page, folder)]


@pytest.mark.fresh
def test_the_programs_print_what_the_page_says(programs):
    for program in programs[1]:
        assert program.says in (None, program.prints), program.source


@pytest.mark.fresh
@pytest.mark.parametrize(("kind", "text"), CONFIGS)
def test_a_config_has_no_faults_and_builds(programs, kind, text):
    # Where the page's programs have written what a config names.
    file = programs[0] / f"config.{kind}"
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
    found = [config for config in CONFIGS if config[0] in ("toml", "json")]
    assert len(found) == 2
    for kind, text in found:
        data = tomllib.loads(text) if kind == "toml" else json.loads(text)
        assert lossreg.bind(data["loss"]) == lossreg.bind("focal", gamma=2)


def test_hydra_reads_the_page_s_command_lines_as_losses():
    page = (pages.ROOT / PAGES[0]).read_text(encoding="utf-8")
    lines = re.findall(r"^python train.py (.*)$", page, re.MULTILINE)
    assert len(lines) == 4
    parser = OverridesParser.create()
    values = [parser.parse_override(shlex.split(line)[0]).value() for line in lines]
    focal = lossreg.bind("focal", gamma=2)
    assert lossreg.bind(values[0]) == lossreg.bind("huber")
    assert lossreg.bind(values[1]) == lossreg.bind(values[3]) == focal
    assert lossreg.bind(values[2]) == lossreg.bind("dice + 0.5 * focal(gamma=2)")
    # What the quotes are for.
    with pytest.raises(HydraException, match="Unknown function 'focal'"):
        parser.parse_override("loss=focal(gamma=2)")


def test_the_schema_that_a_trainer_s_own_schema_embeds_is_there():
    schema = experiment_schema()
    assert schema["$defs"]["Loss"]
    own = {"$defs": schema["$defs"], "properties": {"loss": {"$ref": "#/$defs/Loss"}}}
    validator = jsonschema.Draft202012Validator(own)
    assert validator.is_valid({"loss": {"name": "huber", "params": {"delta": 2}}})
    assert not validator.is_valid({"loss": {"name": "huber", "params": {"delta": -2}}})


def test_every_key_of_a_config_is_in_the_generated_table():
    table = "\n".join(generate.config_keys())
    for name in ("model", "compile", "data", "fit"):
        assert f"`{name}`" in table
    for name in (
        *("compile.loss", "compile.optimizer", "compile.metrics", "compile.loss_weights"),
        *("data.file", "data.target", "data.features", "data.classes", "data.split", "data.seed"),
        *("data.weight", "fit.epochs", "fit.batch_size", "fit.class_weight"),
    ):
        assert f"`{name}`" in table
