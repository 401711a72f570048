import ast
import json

import pytest
from click.testing import CliRunner

import lossreg
from lossreg.cli import main
from lossreg.cli.page import config_use, example_arguments, python_use
from lossreg.loss import Entry, LossSpec, Provider
from lossreg.registry import installed


def run(*arguments):
    return CliRunner().invoke(main, ["show", *arguments])


def words(result):
    return " ".join(result.stdout.split())


@pytest.mark.parametrize("name", ["huber", "Huber", "HUBER", "huber_loss", "keras/huber"])
def test_any_spelling_shows_the_loss(name):
    result = run(name)
    assert result.exit_code == 0
    assert result.stdout.startswith("huber\n  Squared for small errors")


def test_the_page_tells_parameters_documentation_and_provider():
    page = words(run("tversky"))
    for part in (
        "offered by keras",
        "qualified name keras/tversky",
        "task segmentation",
        "labels binary",
        "predictions probabilities",
        "function lossreg.builtin.overlap:tversky",
        "alpha 0.5 a number >= 0 Price of false positives",
        "beta 0.5 a number >= 0 Price of false negatives",
        "Keras' options name, reduction, dtype",
        "where Keras returns 0.2308",
        "`y_pred`: Probabilities in [0, 1], same shape.",
        "Salehi et al., 2017, arXiv:1706.05721.",
    ):
        assert part in page


def test_a_loss_without_parameters_says_so():
    assert "Parameters None. Every loss" in words(run("log_cosh"))


def test_a_loss_that_couples_the_batch_says_that_it_takes_no_weights():
    assert "weights not supported" in words(run("circle"))


def test_a_piped_page_has_no_colours_and_no_trailing_blanks():
    lines = run("huber").stdout.splitlines()
    assert not any("\x1b" in line for line in lines)
    assert lines == [line.rstrip() for line in lines]


def test_json_has_parameters_options_and_documentation():
    loss = json.loads(run("huber", "--json").stdout)
    assert loss["qualified_name"] == "keras/huber"
    assert loss["options"] == ["name", "reduction", "dtype"]
    assert loss["doc"].startswith("Squared for small errors")
    (delta,) = loss["parameters"]
    assert delta.pop("doc")
    assert delta == {"name": "delta", "allowed": "a number > 0", "required": False, "default": 1.0}


def test_an_unknown_name_is_one_paragraph_with_the_nearest_names():
    result = run("hubert")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: No loss named 'hubert'. Did you mean 'huber'")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("", "The name of a loss is empty.", id="empty"),
        pytest.param("log cosh", "Write 'log_cosh'.", id="blanks"),
        pytest.param("x" * 10_000, "it has 10000 characters", id="10,000 characters"),
        pytest.param("acme/swift", "pip install acme", id="a package that isn't installed"),
    ],
)
def test_a_name_that_can_not_be_shown_says_why(name, message):
    result = run(name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert len(result.stderr) < 400


@pytest.mark.parametrize("name", [spec.name for spec in lossreg.list_losses(plugin="keras")])
def test_the_python_line_of_every_built_in_binds(name):
    line = python_use(installed().lookup(name))
    call = ast.parse(line).body[0].value
    params = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    assert lossreg.bind(ast.literal_eval(call.args[0]), **params).name == name


@pytest.mark.parametrize("name", [spec.name for spec in lossreg.list_losses(plugin="keras")])
def test_the_yaml_line_of_every_built_in_binds(name):
    yaml = pytest.importorskip("yaml")
    config = yaml.safe_load(config_use(installed().lookup(name)))["loss"]
    assert lossreg.bind(config).name == name


def test_a_required_parameter_stands_in_the_example():
    def needs(y_true, y_pred, *, shape: int, scale: float = 2.0): ...

    entry = Entry(
        spec=LossSpec(
            name="needs",
            target="acme.losses:needs",
            summary="Needs a shape.",
            task=("regression",),
            y_true="real",
            y_pred="real",
        ),
        provider=Provider(distribution="acme", version="1.0"),
        load=lambda: needs,
    )
    assert example_arguments(entry) == ["shape=..."]
    # Nobody offers it here, so only the qualified name could ever mean it.
    assert python_use(entry) == 'loss = lossreg.get_loss("acme/needs", shape=...)'
    assert config_use(entry) == "loss: \"'acme/needs'(shape=...)\""
