import pytest
from click.testing import CliRunner
from fakes import ACME, plain, spec

from lossreg.cli import main
from lossreg.cli.curves import setting
from lossreg.cli.figure import read_sweeps
from lossreg.cli.output import beside
from lossreg.errors import ParameterError
from lossreg.loss import Entry


def run(*arguments):
    return CliRunner().invoke(main, ["plot", *arguments])


def test_values_are_read_as_configs_have_them():
    assert read_sweeps(("a=1, 0.5,-2e-1", "b=none,true,False", "c=mean")) == {
        "a": [1, 0.5, -0.2],
        "b": [None, True, False],
        "c": ["mean"],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--sweep", "delta"], "got 'delta'", id="no values"),
        pytest.param(["--sweep", "delta=1,,2"], "got 'delta=1,,2'", id="an empty value"),
        pytest.param(["--sweep", "=1"], "got '=1'", id="no name"),
        pytest.param(["--sweep", "delta=1", "--sweep", "delta=2"], "swept twice", id="twice"),
        pytest.param(["--sweep", "dleta=1"], "Did you mean 'delta'?", id="a typo"),
        pytest.param(["--sweep", "delta=-1"], "'delta' must be a number > 0, got -1", id="range"),
        pytest.param(["--sweep", "delta=two"], "got 'two' (str)", id="a word for a number"),
        pytest.param(["--sweep", "delta=nan"], "got 'nan' (str)", id="not a number"),
        pytest.param(
            ["--sweep", "delta=1,2,3,4,5,6,7,8,9,10,11,12,13"], "13 curves", id="too many"
        ),
        pytest.param(["--over", "probability"], "takes no probability", id="no probability"),
        pytest.param(["-o", "missing/x.png"], "no folder 'missing'", id="no folder"),
    ],
)
def test_a_wrong_plot_is_refused_before_keras_is_imported(arguments, message):
    result = run("huber", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("name", ["circle", "ctc", "cosine_similarity"])
def test_a_loss_without_a_curve_says_which_have_one(name):
    result = run(name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"Loss '{name}' can't be drawn" in result.stderr
    assert "regression, yes-or-no, or classes" in result.stderr


def test_a_picture_of_an_unknown_kind_is_refused_before_keras_is_imported():
    pytest.importorskip("matplotlib")
    result = run("huber", "-o", "x.xyz")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "must end in .png, .svg or .pdf, got 'x.xyz'. Write it as -o x.png" in result.stderr


def made_up(**fields):
    return Entry(spec=spec("made_up", **fields), provider=ACME, load=lambda: plain)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "label"),
    [
        ("binary", "logits", "logit"),
        ("integer", "probabilities", "logit of the true class, the other's being 0"),
        ("sign", "real", "prediction"),
        ("one_hot", "real", "prediction for the true class, the other's being 0"),
        ("real", "real", "error: prediction - label"),
        ("count", "real", "error: prediction - label"),
        ("positive", "positive", "prediction"),
    ],
)
def test_what_runs_along_x_follows_from_labels_and_predictions(y_true, y_pred, label):
    assert setting(made_up(y_true=y_true, y_pred=y_pred), "logit").label == label


@pytest.mark.parametrize(
    "fields",
    [
        {"y_true": "unspecified"},
        {"y_pred": "unspecified"},
        {"y_true": "integer", "y_pred": "embeddings"},
        {"y_true": "sequence", "y_pred": "logits"},
        {"couples_batch": True},
    ],
)
def test_what_has_no_curve_is_refused(fields):
    with pytest.raises(ParameterError, match="Loss 'made_up' can't be drawn"):
        setting(made_up(**fields), "logit")


def test_a_picture_that_fails_leaves_the_earlier_one(tmp_path):
    path = tmp_path / "huber.png"
    path.write_text("earlier")

    def fail():
        with beside(path) as unfinished:
            unfinished.write_text("hal")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert [file.read_text() for file in tmp_path.iterdir()] == ["earlier"]
    with beside(path) as unfinished:
        unfinished.write_text("whole")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["whole"]
