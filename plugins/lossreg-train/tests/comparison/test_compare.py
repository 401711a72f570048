"""Comparisons in this process: what is trained, what is judged, and what is reported."""

import json
import math
import shutil

import keras
import numpy as np
import pytest
from tolerances import BY_DTYPE, FLOAT32

import lossreg
from lossreg import ConfigError, LossregError
from lossreg_train import Metric, compare
from lossreg_train.comparison import learner as learners
from lossreg_train.comparison import running
from lossreg_train.comparison.cells import Results

pytestmark = pytest.mark.slow

FIXED = {"learning_rate": "fixed"}
PAIR = ["binary_crossentropy", "binary_focal_crossentropy(gamma=3)"]


def cells(folder):
    """Return the results of the trainings in a folder, in an order that doesn't change."""
    found = [result for result in Results(folder / "cells") if "scores" in result]
    return sorted(found, key=lambda r: (str(r["loss"]), r["seed"]))


def without_times(result):
    return {name: value for name, value in result.items() if name not in ("seconds", "step")}


@pytest.fixture(scope="module")
def pair(config, tmp_path_factory):
    """A comparison of two losses."""
    return compare(config(), PAIR, folder=tmp_path_factory.mktemp("pair"), **FIXED)


@pytest.fixture
def copied(pair, tmp_path):
    """The folder of that comparison, to change."""
    return shutil.copytree(pair.folder, tmp_path / "pair")


@pytest.fixture
def again(tmp_path):
    """A function that compares, in a folder that is named by a number."""
    count = iter(range(99))

    def run(*arguments, **options):
        return compare(*arguments, folder=tmp_path / f"runs-{next(count)}", **options)

    return run


def test_a_comparison_trains_each_loss_on_each_fold_and_the_baseline_twice(pair):
    assert (pair.done, pair.planned) == (6, 6)
    assert {standing.loss for standing in pair.ranking} == {
        "binary_crossentropy",
        "binary_focal_crossentropy(gamma=3.0)",
    }
    assert pair.baseline == "binary_crossentropy"
    assert pair.noise.runs == 2
    assert all(standing.runs == 2 for standing in pair.ranking)
    assert all(standing.config["params"]["from_logits"] for standing in pair.ranking)
    best = pair.ranking[0]
    assert pair.config_line == f"loss: {best.expression}"
    lossreg.get_loss(best.expression)


def test_all_losses_have_the_same_folds_seeds_weights_and_batches(config, again):
    # The same loss under two names of a sum has the same result to the last bit.
    result = again(
        config(), ["binary_crossentropy", "1 * binary_crossentropy + 0 * hinge"], **FIXED
    )
    by_fold = {}
    for cell in cells(result.folder):
        by_fold.setdefault((cell["fold"], cell["seed"]), []).append(cell["scores"])
    same = [scores for scores in by_fold.values() if len(scores) == 2]
    assert len(same) == 2
    assert all(first == second for first, second in same)
    # The baseline once more, with other seeds.
    assert len(by_fold) == 4


def test_a_result_depends_on_its_cell_and_not_on_what_was_trained_before(
    config, again, monkeypatch
):
    network = [{"Input": {"shape": [2]}}, {"Dense": {"units": 4}}, {"Dropout": {"rate": 0.5}}]
    made = config(
        model=[*network, {"Dense": {"units": 1}}],
        compile={"loss": "binary_crossentropy(from_logits=True)", "optimizer": "adam(0.05)"},
    )
    one_by_one = {cell["key"]: cell for cell in cells(again(made, PAIR, **FIXED).folder)}
    # Each in a model of its own, and in another order.
    monkeypatch.setattr(learners, "_is_in_variables", lambda model: False)
    monkeypatch.setattr(learners, "_kept", type(learners._kept)())
    anew = {cell["key"]: cell for cell in cells(again(made, PAIR[::-1], **FIXED).folder)}
    # The second training of the baseline isn't among them, since the baseline differs.
    shared = one_by_one.keys() & anew.keys()
    assert len(shared) == 4
    for key in shared:
        assert without_times(one_by_one[key]) == without_times(anew[key])


def test_models_that_learn_by_adapting_are_made_anew():
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    adapted = keras.Sequential([keras.Input((2,)), keras.layers.Normalization()])

    class Own(keras.layers.Layer):
        def call(self, x):
            return x

    own = keras.Sequential([keras.Input((2,)), Own()])
    found = [learners._is_in_variables(model) for model in (plain, adapted, own)]
    assert found == [True, False, False]


def test_each_training_is_kept_and_goes_on_where_it_stopped(config, pair, copied):
    files = sorted((copied / "cells").glob("*/*.json"))
    # Six trainings, and the check of each loss.
    assert len(files) == 8
    for file in files[::3]:
        file.unlink()
    files[1].write_text(files[1].read_text()[:40])
    stamps = {file: file.stat().st_mtime_ns for file in files if file.exists()}
    calls = []
    again = compare(config(), PAIR, folder=copied, show=lambda p: calls.append(p.done), **FIXED)
    assert calls == [0, 1, 2, 3, 4, 5, 6]
    assert again.pairs == pair.pairs
    kept = [file for file, stamp in stamps.items() if file.stat().st_mtime_ns == stamp]
    assert len(kept) == len(stamps) - 1


@pytest.mark.parametrize(
    "changed",
    [
        {"fit": {"epochs": 3, "batch_size": 16}},
        {"compile": {"loss": "binary_crossentropy(from_logits=True)", "optimizer": "sgd(0.2)"}},
        {"data": {"seed": 5}},
        {"compare": {"folds": 2, "repeats": 1, "metrics": ["f1"]}},
    ],
)
def test_a_changed_config_is_a_new_cell(config, copied, changed):
    compare(config(**changed), PAIR[:1], folder=copied, **FIXED)
    # The baseline on each fold, with both seeds.
    assert len(cells(copied)) == 6 + 4


def test_more_repeats_add_to_those_that_are_there(config, copied):
    result = compare(config(), PAIR, folder=copied, repeats=2, **FIXED)
    assert result.planned == 12
    assert len(cells(copied)) == 12


def test_losses_that_take_other_predictions_are_refused(config, again):
    with pytest.raises(LossregError, match="'dice' takes probabilities, and the model returns log"):
        again(config(), ["dice"])
    with pytest.raises(LossregError, match="'binary_crossentropy.*' is named twice"):
        again(config(), ["bce", "binary_crossentropy"])


def test_auto_takes_what_fits_and_says_what_does_not(config, again):
    result = again(config(), "auto", learning_rate="fixed", epochs=1)
    losses = {standing.loss for standing in result.ranking}
    assert "binary_focal_crossentropy" in losses
    # Other labels, other predictions, other tasks.
    assert not losses & {"categorical_crossentropy", "mean_squared_error", "dice", "kl_divergence"}
    assert result.baseline == "binary_crossentropy"


def test_a_loss_that_fails_is_a_result_with_its_reason(config, again):
    @lossreg.register(y_true="binary", y_pred="logits")
    def broken(y_true, y_pred, *, after: float = 0.0):
        return (y_pred - y_true) ** 2 / 0.0

    result = again(config(), ["binary_crossentropy", "broken"], learning_rate="fixed")
    standing = result.ranking[-1]
    assert (standing.loss, standing.runs, standing.failed) == ("broken", 0, 2)
    (reason,) = standing.failures
    assert "The training diverged: the loss or a prediction was infinite or NaN" in reason
    assert result.pair("binary_crossentropy", "broken").verdict == "undecided"
    assert "broken" not in result.config_line
    assert "The training diverged" in (result.folder / "report.html").read_text()


def test_the_learning_rate_is_calibrated_by_the_size_of_the_first_steps(config, again):
    # A thousandth of the loss has gradients a thousandth as large, and with SGD needs a rate that
    # is about a thousand times as high; Adam scales its steps by itself.
    losses = ["binary_crossentropy", "0.001 * binary_crossentropy"]
    assert first_rates(again(config(), losses)) == pytest.approx([0.1, 100], rel=0.1)
    adam = {"loss": "binary_crossentropy(from_logits=True)", "optimizer": "adam(0.1)"}
    rates = first_rates(again(config(compile=adam), losses))
    assert rates == pytest.approx([0.1, 0.1], rel=0.2)


def first_rates(result):
    """Return the calibrated rate of each loss, before the search."""
    return sorted({cell["tried"][0]["rate"] for cell in cells(result.folder)})


def test_a_fixed_rate_is_that_of_the_optimizer(config, again):
    for cell in cells(again(config(), PAIR, learning_rate="fixed").folder):
        assert cell["rate"] == pytest.approx(0.1, rel=FLOAT32)
        assert len(cell["tried"]) == 1


def test_a_search_tries_three_rates_and_judges_them_on_samples_trained_on(config, again):
    for cell in cells(again(config(), PAIR[:1]).folder):
        rates = [tried["rate"] for tried in cell["tried"]]
        assert rates == pytest.approx([0.1, 0.1 / math.sqrt(10), 0.1 * math.sqrt(10)], rel=1e-2)
        best = max(tried["value"] for tried in cell["tried"])
        assert cell["values"][cell["epoch"] - 1] == pytest.approx(best, abs=1e-5)
        chosen = next(tried for tried in cell["tried"] if tried["value"] == best)
        assert cell["rate"] == chosen["rate"]


def test_a_schedule_is_not_searched(config, again):
    decay = {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": 0.5}
    schedule = {"SGD": {"learning_rate": {"ExponentialDecay": decay}}}
    made = {"loss": "binary_crossentropy(from_logits=True)", "optimizer": schedule}
    result = again(config(compile=made), PAIR)
    assert "The learning rate is a schedule, and so it isn't searched." in result.notes
    assert result.ranking[0].rate is None


def test_training_stops_early_and_keeps_the_best_epoch(config, again):
    # The check of the loss, and then each training: its epochs, and the samples tested on.
    script = iter([0.0, *[0.1, 0.3, 0.3, 0.2, 0.1, 0.7] * 4])

    def scripted(y_true, y_pred):
        return next(script)

    made = config(fit={"epochs": 50, "batch_size": 16})
    result = again(made, PAIR[:1], [scripted], patience=2, **FIXED)
    for cell in cells(result.folder):
        # A later epoch that is as good is taken, and two worse ones end the training.
        assert (cell["epoch"], cell["values"]) == (3, [0.1, 0.3, 0.3, 0.2, 0.1])
        assert cell["scores"] == {"scripted": 0.7}


@pytest.mark.parametrize(
    ("values", "is_said"),
    [
        pytest.param([0.1, 0.2, 0.3], True, id="better at the end"),
        pytest.param([0.1, 0.3, 0.3], False, id="as good as before"),
        pytest.param([0.1, 0.3, 0.2], False, id="worse at the end"),
    ],
)
def test_a_training_that_was_too_short_is_said(config, again, values, is_said):
    # The check of the loss, and then each training: its epochs, and the samples tested on.
    script = iter([0.0, *[*values, 0.7] * 4])

    def scripted(y_true, y_pred):
        return next(script)

    made = config(fit={"epochs": 3, "batch_size": 16})
    notes = " ".join(again(made, PAIR[:1], [scripted], **FIXED).notes)
    advice = "best after the last of 3 epochs in most runs, and may get better still. Train longer"
    assert (f"binary_crossentropy was {advice}, such as 6 epochs" in notes) == is_said


def test_few_runs_are_said_to_be_few(config, again, pair):
    assert (
        "Each loss has 2 runs. With fewer than 5, only large differences can be told from noise. "
        "Take more folds or repeats." in pair.notes
    )
    made = config(compare={"folds": 5, "repeats": 1}, fit={"epochs": 1, "batch_size": 16})
    assert "told from noise" not in " ".join(again(made, PAIR[:1], **FIXED).notes)


def test_the_samples_of_a_fold_are_reported_by_class(pair):
    assert pair.samples.test == (60, 60)
    assert pair.samples.train[0] + pair.samples.stop[0] == 60
    assert list(pair.classes) == ["0", "1"]
    assert sum(counts.test[0] for counts in pair.classes.values()) == 60


def test_slices_and_several_metrics_are_reported(config, again):
    made = config(compare={"folds": 2, "repeats": 1, "slices": ["site"]})
    result = again(made, PAIR[:1], ["f1", "calibration_error"], **FIXED)
    (standing,) = result.ranking
    assert set(standing.scores) == {"f1", "calibration_error"}
    assert set(standing.slices["site"]) == {"north", "south"}
    assert result.higher_is_better == [True, False]
    page = (result.folder / "report.html").read_text()
    assert "north" in page
    assert "Calibration" in page


def test_groups_of_the_config_are_kept_together(config, again):
    made = config(data={"group": "patient"})
    result = again(made, PAIR[:1], **FIXED)
    assert "whole groups" in result.folds


def test_the_report_is_data_too(pair):
    data = json.loads((pair.folder / "report.json").read_text())
    assert data["config"] == pair.config_line
    assert data["verdict"] == pair.verdict
    assert [each["loss"] for each in data["ranking"]] == [each.loss for each in pair.ranking]
    assert len(data["ranking"][0]["values"]) == 2
    assert str(pair).splitlines()[0].startswith("LOSS")
    page = (pair.folder / "report.html").read_text()
    assert "http" not in page
    assert "<script" not in page


def build():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(80, 2)).astype("float32")
    return x, x @ [1.0, -2.0] + rng.normal(size=80)


def worst(y_true, y_pred):
    return float(np.abs(y_true - y_pred).max())


def test_a_function_that_builds_a_model_stands_for_a_config(data, again):
    losses = ["mse", "huber(0.5)", "mae"]
    lowest = Metric(worst, higher_is_better=False)
    result = again(
        build,
        losses,
        ["rmse", lowest],
        data=data,
        folds=2,
        repeats=1,
        epochs=3,
        batch_size=8,
        **FIXED,
    )
    assert result.title == "build"
    assert {standing.loss for standing in result.ranking} == {
        "mean_squared_error",
        "huber(delta=0.5)",
        "mean_absolute_error",
    }
    assert result.higher_is_better == [False, False]
    means = [standing.scores["rmse"].mean for standing in result.ranking]
    assert means == sorted(means)
    # The margin is a share of what the baseline reaches.
    base = next(s for s in result.ranking if s.verdict is None).scores["rmse"].mean
    assert result.margin == pytest.approx(0.01 * base, rel=BY_DTYPE["float64"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((build, ["mse"]), r"needs data=\(x, y\)"),
        ((3, ["mse"]), "A model must be a config or a function"),
        ((lambda: 3, ["mse"]), "The function must return a compiled keras.Model, got int"),
    ],
)
def test_a_function_is_checked(data, again, arguments, message):
    given = {} if "needs data" in message else {"data": data}
    with pytest.raises(LossregError, match=message):
        again(*arguments, **given)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "'folds' must be an integer >= 2, got 1"),
        ({"learning_rate": "best"}, "'learning_rate' must be 'search' or 'fixed'"),
        ({"folds": 60}, "60 folds need at least"),
        ({"metrics": "avg_precision"}, "average_precision"),
        ({"metrics": "rmsee"}, "rmse"),
        ({"metrics": ["f1", "f1"]}, "The metric 'f1' is named twice"),
        ({"workers": 0}, "'workers' must be at least 1"),
        ({"slices": ["sight"]}, "no array 'sight'. Did you mean 'site'"),
        ({"losses": ["focl"]}, "No loss named 'focl'"),
        ({"losses": ["categorical_crossentropy"]}, "categorical_crossentropy"),
    ],
)
def test_mistakes_are_found_before_the_first_training(config, tmp_path, options, message):
    losses = options.pop("losses", PAIR)
    with pytest.raises((ConfigError, LossregError), match=message):
        compare(config(), losses, folder=tmp_path / "a", **options)
    assert not cells(tmp_path / "a")


def test_without_time_for_the_checks_nothing_is_compared(config, again):
    with pytest.raises(LossregError, match="The budget is over, and no loss was checked"):
        again(config(), PAIR, budget=1e-9)


def test_after_the_budget_no_training_begins_and_the_report_says_so(config, tmp_path, monkeypatch):
    # Two checks and three trainings begin in time.
    late = iter([False] * 5 + [True] * 9)
    monkeypatch.setattr(running.Runner, "is_late", property(lambda self: next(late)))
    result = compare(config(), PAIR, folder=tmp_path / "a", budget=50, **FIXED)
    assert (result.done, result.planned) == (3, 6)
    assert not result.is_stopped
    assert "had no more time" in (tmp_path / "a" / "report.html").read_text()


def test_a_signal_ends_the_trainings_and_the_report_has_what_is_there(config, tmp_path):
    def interrupt(progress):
        if progress.done == 3:
            raise KeyboardInterrupt

    result = compare(config(), PAIR, folder=tmp_path / "a", show=interrupt, **FIXED)
    assert (result.is_stopped, result.done, result.planned) == (True, 3, 6)
    assert "was stopped after 3 of 6" in (tmp_path / "a" / "report.html").read_text()
    assert compare(config(), PAIR, folder=tmp_path / "a", **FIXED).is_complete
