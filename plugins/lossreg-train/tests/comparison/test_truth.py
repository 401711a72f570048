"""Comparisons that are judged by other labels than they are trained on."""

import keras
import numpy as np
import pytest

from lossreg import ConfigError, LossregError
from lossreg_train import compare
from lossreg_train.comparison.subjects import of_config, of_function

LOSS = ["binary_crossentropy(from_logits=True)"]
FIXED = {"learning_rate": "fixed"}
ROWS = 96


@pytest.fixture(scope="module")
def columns():
    """Three classes that a feature tells, and labels of which every fourth is the next class."""
    rng = np.random.default_rng(4)
    row = np.arange(ROWS)
    kind = row % 3
    x = np.eye(3)[kind] * 3 + 0.2 * rng.normal(size=(ROWS, 3))
    noisy = (kind + (row % 4 == 0)) % 3
    return {"x": x.astype("float32"), "noisy": noisy, "kind": kind}


@pytest.fixture
def config(columns, tmp_path):
    """A function that returns a config of these data, some of its arrays and keys replaced."""

    def make(*, arrays=None, compare=None, **data):
        file = tmp_path / "rows.npz"
        np.savez(file, **{**columns, **(arrays or {})})
        return {
            "model": [{"Input": {"shape": [3]}}, {"Dense": {"units": 3}}],
            "compile": {
                "loss": "sparse_categorical_crossentropy(from_logits=True)",
                "optimizer": "adam(0.1)",
            },
            "data": {"file": str(file), "features": "x", "target": "noisy", **data},
            "fit": {"epochs": 8, "batch_size": 16},
            "compare": {"folds": 2, "repeats": 1, "metrics": ["accuracy"], **(compare or {})},
        }

    return make


def refused(config):
    """Return the messages of what a config is refused for."""
    with pytest.raises(ConfigError) as caught:
        of_config(config, None, {})
    return [str(fault) for fault in caught.value.faults]


def scores(result):
    return [standing.scores["accuracy"].mean for standing in result.ranking]


def test_only_the_scores_on_the_test_samples_are_of_the_truth(config, columns):
    judged = compare(config(truth="kind"), ["sparse_categorical_crossentropy"], folder="a", **FIXED)
    by_noise = compare(config(), ["sparse_categorical_crossentropy"], folder="b", **FIXED)
    # What the training itself saw is the same to the last bit.
    assert judged.ranking[0].losses == by_noise.ranking[0].losses
    assert judged.ranking[0].curve == by_noise.ranking[0].curve
    assert scores(by_noise)[0] < 0.8
    assert scores(judged)[0] > 0.95
    assert "judged by 'kind' and trained on 'noisy'" in " ".join(judged.notes)


def test_a_truth_that_is_the_target_changes_no_number(config):
    plain = compare(config(), ["sparse_categorical_crossentropy"], folder="a", **FIXED)
    same = compare(config(truth="noisy"), ["sparse_categorical_crossentropy"], folder="b", **FIXED)
    assert scores(plain) == scores(same)
    assert plain.ranking[0].values == same.ranking[0].values


def test_a_truth_of_strings_has_the_classes_of_the_target(config, columns):
    names = np.array(["ash", "beech", "cedar"])
    strings = {"noisy": names[columns["noisy"]], "kind": names[columns["kind"]]}
    named = compare(
        config(arrays=strings, truth="kind"),
        ["sparse_categorical_crossentropy"],
        folder="a",
        **FIXED,
    )
    numbered = compare(
        config(truth="kind"), ["sparse_categorical_crossentropy"], folder="b", **FIXED
    )
    assert scores(named) == scores(numbered)
    # A truth needn't have every class.
    few = of_config(
        config(arrays={**strings, "kind": names[np.zeros(ROWS, int)]}, truth="kind"), None, {}
    )
    assert np.unique(few.samples.truth).tolist() == [0]


def test_a_truth_that_does_not_fit_is_refused(config, columns):
    missing = refused(config(truth="kinds"))
    assert any("has no array 'kinds'. Did you mean 'kind'?" in message for message in missing)
    one_hot = np.eye(3)[columns["kind"]]
    (shape,) = refused(config(arrays={"kind": one_hot}, truth="kind"))
    assert "The truth is of shape [3] in each row, and the target of shape [1]." in shape
    feature = refused(config(truth="x"))
    assert any("'x' is a feature and the truth. Leave one out." in each for each in feature)
    gaps = columns["kind"].astype(float)
    gaps[5] = np.nan
    (gap,) = refused(config(arrays={"kind": gaps}, truth="kind"))
    assert "The truth needs a value in each row" in gap
    short = refused(config(arrays={"kind": columns["kind"][:-1]}, truth="kind"))
    assert any("All arrays must have the same number of rows" in message for message in short)
    (form,) = refused(config(truth={"label": "kind"}))
    assert "'truth' must have the form of 'target'. Name one column, or a list." in form


def test_a_truth_has_no_other_classes_than_the_target(config, columns):
    names = np.array(["ash", "beech", "cedar"])
    other = {"noisy": names[columns["noisy"]], "kind": np.full(ROWS, "oak")}
    (message,) = refused(config(arrays=other, truth="kind"))
    assert "The truth holds 'oak', and the classes of the target are 'ash', 'beech'" in message
    # Numbers are checked against the outputs of the model.
    numbers = config(arrays={"kind": columns["kind"] + 1}, truth="kind")
    with pytest.raises(LossregError, match=r"(?s)data\.truth.*0 to 2"):
        compare(numbers, ["sparse_categorical_crossentropy"], **FIXED)


def test_without_features_the_truth_of_a_table_is_none_of_them(tmp_path, columns):
    table = np.column_stack([columns["x"], columns["noisy"], columns["kind"]])
    file = tmp_path / "rows.csv"
    np.savetxt(file, table, delimiter=",", header="a,b,c,noisy,kind", comments="")
    config = {
        "model": [{"Input": {"shape": [3]}}, {"Dense": {"units": 3}}],
        "compile": {"loss": "sparse_categorical_crossentropy(from_logits=True)"},
        "data": {"file": str(file), "target": "noisy", "truth": "kind"},
    }
    assert of_config(config, None, {}).samples.x.shape == (ROWS, 3)


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile(keras.optimizers.Adam(0.1))
    return model


def test_a_function_takes_a_truth_beside_its_labels(columns):
    losses = ["sparse_categorical_crossentropy(from_logits=True)"]
    data = {"x": columns["x"], "y": columns["noisy"], "truth": columns["kind"]}
    options = {"folds": 2, "repeats": 1, "epochs": 8, "batch_size": 16, **FIXED}
    judged = compare(build, losses, ["accuracy"], data=data, folder="a", **options)
    data.pop("truth")
    by_noise = compare(build, losses, ["accuracy"], data=data, folder="b", **options)
    assert judged.ranking[0].losses == by_noise.ranking[0].losses
    assert scores(judged)[0] > scores(by_noise)[0] + 0.1


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        (np.zeros((ROWS, 3)), r"of shape \(96, 1\), and those to judge by of shape \(96, 3\)"),
        (np.zeros(5), r"of shape \(96, 1\), and those to judge by of shape \(5, 1\)"),
        ({"label": np.zeros(ROWS)}, "must have the form of 'y'"),
    ],
    ids=["another shape", "fewer rows", "other outputs"],
)
def test_the_truth_of_a_function_has_the_form_of_its_labels(columns, truth, message):
    data = {"x": columns["x"], "y": columns["noisy"], "truth": truth}
    with pytest.raises(LossregError, match=message):
        of_function(build, LOSS, data, ["accuracy"], {})


def test_the_truth_of_a_function_has_classes_that_the_model_has(columns):
    data = {"x": columns["x"], "y": columns["noisy"], "truth": columns["kind"] + 1}
    losses = ["sparse_categorical_crossentropy(from_logits=True)"]
    with pytest.raises(LossregError, match=r"(?s)The truth: .*0 to 2"):
        compare(build, losses, ["accuracy"], data=data, folds=2, epochs=1, **FIXED)


def test_without_patience_every_epoch_is_trained_and_the_last_is_kept(config):
    made = config(compare={"patience": 0})
    made["fit"]["epochs"] = 9
    result = compare(made, ["sparse_categorical_crossentropy"], folder="a", **FIXED)
    assert result.ranking[0].epochs == 9
    assert len(result.ranking[0].curve) == 9
