import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from lossreg.cli import main

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.fixture
def validate(tmp_path, monkeypatch):
    """Return a function that writes files and validates them."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **files):
        for name, text in files.items():
            Path(name.replace("_", ".")).write_text(text)
        names = [name.replace("_", ".") for name in files]
        return CliRunner().invoke(main, ["validate", *names, *arguments])

    return run


WHOLE = """\
model:
  - Input: {shape: [4]}
  - Dense:
      units: 2
      kernel_regularizer: l2(0.01
compile:
  optimizer: adam
  loss:
    sum:
      - focl
      - name: huber
        params: {dleta: 2, delta: -1}
  epochs: 3
data: {file: x.csv, target: y, split: 2}
fti: {}
"""


def test_every_fault_of_a_file_is_told_at_once_with_its_place(validate):
    result = validate(a_yaml=WHOLE)
    assert result.exit_code == 1
    places = [line.split(": ", 2)[:2] for line in result.stdout.splitlines()]
    assert places == [
        ["a.yaml:5:27", "model[1].Dense.kernel_regularizer"],
        ["a.yaml:10:9", "compile.loss.sum[0]"],
        ["a.yaml:12:18", "compile.loss.sum[1].params.dleta"],
        ["a.yaml:12:35", "compile.loss.sum[1].params.delta"],
        ["a.yaml:13:3", "compile.epochs"],
        ["a.yaml:14:39", "data.split"],
        ["a.yaml:15:1", "fti"],
    ]
    assert result.stderr == "1 file checked: 7 faults in 1.\n"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("a.yaml:10:9", "No loss named 'focl'. Did you mean 'focal'"),
        ("a.yaml:12:18", "it has no parameter 'dleta'. Did you mean 'delta'? It takes delta"),
        ("a.yaml:12:35", "'delta' must be a number > 0, got -1"),
        (
            "a.yaml:13:3",
            "'epochs' isn't one of loss, optimizer, metrics, loss_weights, teacher. It",
        ),
        ("a.yaml:14:39", "must be a number in (0, 1), got 2."),
        ("a.yaml:15:1", "'fti' isn't one of model, compile, data, fit, compare, versions. Did you"),
    ],
)
def test_a_fault_says_what_is_allowed_and_the_nearest_name(validate, place, message):
    [line] = [line for line in validate(a_yaml=WHOLE).stdout.splitlines() if place in line]
    assert message in line


def test_the_same_faults_are_told_as_json(validate):
    faults = json.loads(validate("--json", a_yaml=WHOLE).stdout)
    assert len(faults) == 7
    assert faults[1]["file"] == "a.yaml"
    assert (faults[1]["line"], faults[1]["column"]) == (10, 9)
    assert faults[1]["path"] == ["compile", "loss", "sum", 0]
    assert faults[1]["message"].startswith("No loss named 'focl'")


def test_json_of_a_good_file_is_an_empty_list(validate):
    result = validate("--json", a_yaml="loss: mse")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_json_and_toml_are_read_too(validate):
    result = validate(a_json='{"loss":\n  "focl"}', b_toml='loss = "focl"')
    assert [line.partition(": No loss")[0] for line in result.stdout.splitlines()] == [
        "a.json:2:3: loss",
        "b.toml: loss",
    ]
    assert result.stderr == "2 files checked: 2 faults in 2.\n"


def test_of_a_trainers_config_the_loss_is_checked_and_nothing_else(validate):
    assert validate(a_yaml="loss: focal(gamma=2)\ngpus: 3\n").exit_code == 0
    result = validate(a_yaml="loss: focal(gama=2)\ngpus: 3\n")
    assert result.exit_code == 1
    assert "a.yaml:1:7: loss: Loss 'focal': it has no parameter 'gama'." in result.stdout


def test_a_loss_may_stand_anywhere_in_a_trainers_config(validate):
    text = "stages:\n  - {steps: 3}\n  - {steps: 5, loss: {name: hubre}}\n"
    result = validate("--at", "stages.1.loss", a_yaml=text)
    assert result.stdout.startswith("a.yaml:3:29: stages[1].loss.name: No loss named 'hubre'.")
    assert validate("--at", "stages.1.los", a_yaml=text).stdout == (
        "a.yaml:3:5: stages[1]: There is no 'los' here. Did you mean 'loss'?\n"
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("training: {criterion: focal(gamma=2), lr: 0.1}", "training.criterion"),
        ("stages: [{steps: 3}, {train_loss: {name: mse}}]", "stages.1.train_loss"),
        ("net: {a: 1}\ncost: huber\nmetrics: [auc]", "cost"),
        ("trainer: {loss: focla, loss_weight: 2}", "trainer.loss"),
    ],
)
def test_where_the_loss_may_be_is_proposed(validate, text, place):
    advice = f"The loss may be at {place}: give --at {place}."
    assert advice in validate(a_yaml=text).stdout
    assert advice in validate("--at", "no.where", a_yaml=text).stdout


def test_several_places_are_proposed_the_readable_first(validate):
    text = "a: {loss: {w: 1}}\nb: {loss: mse}\nc: {loss: huber}\n"
    assert "The loss may be at b.loss, c.loss or a.loss: give one to --at." in (
        validate(a_yaml=text).stdout
    )


def test_a_wrong_value_leads_to_the_page_of_the_loss(validate):
    result = validate(a_yaml="loss: {name: huber, params: {delta: -1}}")
    assert result.stdout.endswith(
        "'delta' must be a number > 0, got -1 (int). 'lossreg show huber' says more.\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("los: mse", "a.yaml: It has neither 'model' nor 'loss'. Did you mean 'loss'?"),
        ("trainer: {}", "give --at KEY.PATH"),
        ("- mse", "A config is a mapping with the keys model, compile"),
        ("3", "mapping with the keys model, compile, data, fit, compare, versions, got 3."),
        ("", "a.yaml"),
        ("loss: 3", "a.yaml:1:7: loss: A loss can't be 3 (int)."),
        ("loss:", "loss: A loss can't be None"),
        ("model: [Flatten]", "compile: 'compile' is missing: the loss, the optimizer"),
        ("model: 3\ncompile: {loss: mse}", "a.yaml:1:8: model: 'model' must be a list of layers"),
        (
            "model: [Flatten]\ncompile: 3",
            "'compile' must be a mapping with the keys loss, optimizer, metrics, loss_weights",
        ),
        (
            "model: [Lambda]\ncompile: {loss: mse}",
            "a.yaml:1:9: model[0]: A config can't have 'Lambda'",
        ),
    ],
)
def test_what_is_no_config_says_what_one_is(validate, text, message):
    result = validate(a_yaml=text)
    assert result.exit_code == 1
    assert message in result.stdout


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "compile: {loss: mse, loss_weights: 3}",
            "compile.loss_weights: 'loss_weights' must be null, a list of numbers, or a mapping "
            "from output names to numbers, got 3.",
        ),
        ("compile: {loss: mse, loss_weights: [1, x]}", "to numbers; its entry 2 is 'x'."),
        ("compile: {loss: mse, loss_weights: {a: x}}", "to numbers; its entry 'a' is 'x'."),
        (
            "compile: {loss: mse}\ndata: {file: a, target: 3}",
            "'target' must be a name, a list of names, or a mapping from output names to these, "
            "got 3.",
        ),
        ("compile: {loss: mse}\ndata: {file: a, target: [b, 3]}", "; its entry 2 is 3."),
        ("compile: {loss: mse}\nversions: {keras: 3}", "to strings; its entry 'keras' is 3."),
        ("compile: {loss: mse}\nfit: {epochs: 0}", "'epochs' must be an integer >= 1, got 0."),
    ],
)
def test_a_wrong_value_is_told_once_and_as_an_entry_only_if_it_is_one(validate, section, message):
    [line] = validate(a_yaml=f"model: [Flatten]\n{section}").stdout.splitlines()
    assert line.endswith(message)


def test_a_file_that_is_not_there_is_a_fault_and_the_others_are_checked(validate):
    result = validate("nosuch.yaml", a_yaml="loss: focl")
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        "a.yaml",
        "nosuch.yaml",
    ]


def test_a_model_and_a_single_loss_are_not_checked_together(validate):
    result = validate("--build", "--at", "loss", a_yaml="loss: mse")
    assert result.exit_code == 2
    assert "--build checks a whole model" in result.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_have_no_faults(path):
    result = CliRunner().invoke(main, ["validate", str(path)])
    assert (result.exit_code, result.stdout) == (0, "")


def test_the_schema_is_written_as_json():
    result = CliRunner().invoke(main, ["schema"])
    assert json.loads(result.stdout)["$defs"]["Loss"]


@pytest.mark.parametrize("flags", [[], ["--build"]])
@pytest.mark.parametrize(
    "file",
    ["/etc/hostname", "../outside.json", "a/../../outside.json", "out/x.json", "around"],
)
@pytest.mark.parametrize("key", ["model", "data"])
def test_with_a_root_no_file_outside_of_it_is_named(validate, tmp_path, key, file, flags):
    (tmp_path / "root").mkdir()
    (tmp_path / "root/out").symlink_to(tmp_path)
    (tmp_path / "root/around").symlink_to("around")
    named = f'"{file}"'
    text = (
        f"model: {named}\ncompile: {{loss: mse}}\n"
        if key == "model"
        else f"model: [Dense(1)]\ncompile: {{loss: mse}}\ndata: {{file: {named}, target: y}}\n"
    )
    (tmp_path / "root/a.yaml").write_text(text)
    result = validate("root/a.yaml", "--root", "root", *flags)
    assert result.exit_code == 1
    assert "isn't in the folder that files must be in" in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_with_a_root_files_in_it_may_be_named(validate, tmp_path):
    (tmp_path / "root/data").mkdir(parents=True)
    (tmp_path / "root/data/link.json").symlink_to(tmp_path / "root/other.json")
    text = "compile: {loss: mse}\ndata: {file: data/../x.csv, target: y}\n"
    (tmp_path / "root/a.yaml").write_text(f"model: data/link.json\n{text}")
    assert validate("root/a.yaml", "--root", "root").exit_code == 0
