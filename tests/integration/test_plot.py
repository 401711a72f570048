import math

import numpy as np
import pytest
from click.testing import CliRunner
from tolerances import CANCELLATION, FLOAT32

from lossreg import bind, list_losses
from lossreg.cli import main
from lossreg.cli.curves import curve, setting
from lossreg.errors import ParameterError

DRAWN = [
    spec.name
    for spec in list_losses(plugin="keras")
    if not spec.couples_batch and not {"metric_learning", "sequence"} & set(spec.task)
]
ONE_NUMBER = {"dice", "tversky"}  # for a whole batch


def traced(name, over="logit", **params):
    loss = bind(name, **params)
    return curve(loss, setting(loss.entry, over), with_gradient=True)


@pytest.mark.parametrize("name", sorted(set(DRAWN) - ONE_NUMBER))
def test_every_elementwise_built_in_has_a_finite_curve_and_gradient(name):
    drawn = traced(name)
    assert np.isfinite(drawn.value).all()
    assert np.isfinite(drawn.gradient).all()
    assert drawn.unit
    # The better the prediction the smaller the loss, so the slope points down somewhere.
    assert drawn.gradient.min() < 0


@pytest.mark.parametrize("name", sorted(ONE_NUMBER))
def test_a_loss_of_the_whole_batch_has_no_curve(name):
    with pytest.raises(ParameterError, match="one value for a whole batch"):
        traced(name)


def test_binary_crossentropy_is_drawn_from_logits():
    drawn = traced("binary_crossentropy", from_logits=True)
    middle = len(drawn.x) // 2
    assert drawn.x[middle] == 0
    assert drawn.value[middle] == pytest.approx(math.log(2), rel=FLOAT32)
    # d/dx log(1 + exp(-x)) = -1 / (1 + exp(x))
    assert drawn.gradient == pytest.approx(
        -1 / (1 + np.exp(drawn.x)), rel=FLOAT32, abs=CANCELLATION
    )


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_two_classes_are_drawn_over_the_logit_of_the_true_one(name, from_logits):
    drawn = traced(name, from_logits=from_logits)
    assert drawn.value == pytest.approx(np.log1p(np.exp(-drawn.x)), rel=FLOAT32, abs=CANCELLATION)


def test_over_the_probability_cross_entropy_is_its_logarithm():
    drawn = traced("binary_crossentropy", "probability", from_logits=True)
    assert drawn.value == pytest.approx(-np.log(drawn.x), rel=FLOAT32, abs=CANCELLATION)


def test_the_gradient_has_the_kinks_of_the_loss():
    drawn = traced("huber", delta=0.5)
    assert drawn.gradient == pytest.approx(
        np.clip(drawn.x, -0.5, 0.5), rel=FLOAT32, abs=CANCELLATION
    )


def test_plot_writes_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.png"
    arguments = ["plot", "huber", "--sweep", "delta=0.5,2", "--grad", "-o", str(path)]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (0, "")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert result.stderr.endswith(f"Wrote {path}.\n")


def test_a_picture_says_what_it_shows(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.svg"
    arguments = ["plot", "huber", "--sweep", "delta=0.5,2", "--grad", "-o", str(path)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    picture = path.read_text()
    # matplotlib leaves each text as a comment beside its outlines.
    for text in ("loss (squared units of the labels)", "error: prediction", "delta=0.5", "delta=2"):
        assert text in picture


def test_the_focal_curves_are_those_of_the_paper():
    pytest.importorskip("lossreg_focal")
    for gamma in (0.0, 0.5, 5.0):
        drawn = traced("focal", "probability", gamma=gamma, alpha=None, from_logits=True)
        p = drawn.x
        assert drawn.value == pytest.approx(
            -((1 - p) ** gamma) * np.log(p), rel=FLOAT32, abs=CANCELLATION
        )
