import json

import pytest
from click.testing import CliRunner

from lossreg.cli import main
from lossreg.loss import LossSpec


def run(*arguments):
    return CliRunner().invoke(main, ["list", *arguments])


def names(result):
    return [line.split()[0] for line in result.stdout.splitlines()[1:]]


def test_a_line_tells_all_about_a_loss_and_is_never_cut():
    header, line = run("mean_absolute_error", "--plugin", "keras").stdout.splitlines()
    assert header.split() == ["NAME", "TASK", "LABELS", "PREDICTIONS", "PROVIDER", "SUMMARY"]
    assert line.startswith("mean_absolute_error  regression  real")
    assert line.endswith(
        "Absolute error for regression: robust to outliers, in the labels' own unit."
    )
    assert len(line) > 120


def test_a_pattern_matches_names_and_aliases():
    assert names(run("mse", "--plugin", "keras")) == ["mean_squared_error"]
    assert names(run("*hinge", "--plugin", "keras")) == [
        "categorical_hinge",
        "hinge",
        "squared_hinge",
    ]


def test_filters_are_joined_with_and():
    found = names(run("--task", "multiclass", "--labels", "integer", "--plugin", "keras"))
    assert found == ["categorical_generalized_cross_entropy", "sparse_categorical_crossentropy"]


def test_json_has_the_whole_spec_and_the_provider():
    result = run("kl_divergence", "--json")
    (loss,) = json.loads(result.stdout)
    assert set(LossSpec.__dataclass_fields__) <= set(loss)
    assert loss["name"] == "kl_divergence"
    assert loss["qualified_name"] == "keras/kl_divergence"
    assert loss["aliases"] == ["kld", "kullback_leibler_divergence"]
    assert loss["provider"]["distribution"] == "keras"


def test_nothing_found_is_a_message_and_no_failure():
    result = run("no_such_thing")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("No loss matches 'no_such_thing'. 'lossreg list' shows all ")


def test_nothing_found_in_json_is_an_empty_list():
    result = run("no_such_thing", "--json")
    assert json.loads(result.stdout) == []
    assert "No loss matches" in result.stderr


def test_a_part_of_a_name_leads_to_the_pattern():
    assert "'*cosh*' matches" in run("cosh").stderr


def test_a_task_is_a_word_that_finds_its_losses():
    assert names(run("sequence", "--plugin", "keras")) == names(
        run("--task", "sequence", "--plugin", "keras")
    )


def test_a_word_of_the_summary_or_of_a_package_finds_losses():
    assert "huber" in names(run("outliers", "--plugin", "keras"))
    assert {"logit_adjusted", "ldam"} <= set(names(run("imbalance")))


def test_predictions_are_a_filter_too():
    found = json.loads(run("--y-pred", "quantiles", "--json").stdout)
    assert "pinball" in {loss["name"] for loss in found}
    assert {loss["y_pred"] for loss in found} == {"quantiles"}


def test_a_filter_that_leaves_nothing_is_named():
    result = run("huber", "--task", "sequence", "--labels", "real")
    expected = "No loss matches 'huber' --task sequence --labels real. "
    assert result.stderr == f"{expected}Without --task sequence --labels real there is 1.\n"


def test_an_unknown_plugin_is_an_error_with_the_nearest_name():
    result = run("--plugin", "kears")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no plugin 'kears'. Did you mean 'keras'?" in result.stderr


@pytest.mark.parametrize(("option", "choice"), [("--task", "multiclass"), ("--labels", "one_hot")])
def test_an_unknown_choice_is_an_error_that_lists_them(option, choice):
    result = run(option, "nonsense")
    assert (result.exit_code, result.stdout) == (2, "")
    assert choice in result.stderr


def test_help_says_what_happens_when_nothing_matches():
    assert "exit code is 0" in " ".join(run("--help").stdout.split())
