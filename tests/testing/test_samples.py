"""Inputs that the kit draws for a spec."""

import sys
from typing import get_args

import numpy as np
import pytest
from fakes import spec
from tolerances import CANCELLATION, FLOAT32

from lossreg.loss import LABELS as KINDS
from lossreg.loss import OUTPUTS, Labels, Outputs
from lossreg.testing import ConformanceError, Example
from lossreg.testing.results import NotApplicableError
from lossreg.testing.samples import SITUATIONS, draw, situations


def is_one(numbers):
    return np.isclose(numbers, 1, rtol=FLOAT32)


# What each kind of labels and predictions is, as lossreg/loss/kinds.py describes it.
LABELS = {
    "real": np.isfinite,
    "positive": lambda y: y > 0,
    "count": lambda y: (y >= 0) & (y == np.round(y)),
    "binary": lambda y: np.isin(y, (0, 1)),
    "sign": lambda y: np.isin(y, (-1, 1)),
    "one_hot": lambda y: np.isin(y, (0, 1)) & (y.sum(axis=-1, keepdims=True) == 1),
    "integer": lambda y: (y >= 0) & (y < 5) & (y.dtype == "int32"),
    # Five borders lie between six classes.
    "ordered": lambda y: (y >= 0) & (y < 6) & (y.dtype == "int32"),
    "sequence": lambda y: (y >= 0) & (y < 5) & (y.dtype == "int32"),
    "boxes": lambda y: (y[..., 2:] > y[..., :2]) & (y.shape[-1] == 4),
    "relevance": lambda y: (y >= -1) & (y == np.round(y)),
    "distance_map": np.isfinite,
    "time_event": lambda y: (y[:, 0] >= 0) & np.isin(y[:, 1], (0, 1)) & (y.shape[1] == 2),
    "none": lambda y: y == 0,
    "free": np.isfinite,
}
PREDICTIONS = {
    "real": np.isfinite,
    "logits": np.isfinite,
    "positive": lambda p: p > 0,
    "probabilities": lambda p: (p >= 0) & (p <= 1),
    "cumulative_logits": np.isfinite,
    "embeddings": lambda p: is_one(np.linalg.norm(p, axis=-1, keepdims=True)),
    "views": lambda p: is_one(np.linalg.norm(p, axis=-1, keepdims=True)) & (p.ndim == 3),
    "distances": lambda p: p >= 0,
    "similarities": lambda p: np.isfinite(p) & (p.shape[0] == p.shape[1]),
    "cosines": lambda p: np.abs(p) <= 1,
    "scores": lambda p: np.isfinite(p) & (p.ndim == 2),
    "boxes": lambda p: np.isfinite(p) & (p.shape[-1] == 4),
}
# Kinds for which nothing can be drawn without an example.
UNKNOWN = {"unspecified", "unknown", "quantiles", "distribution"}
# What predicts amounts, and what is predicted for all of a sample.
AMOUNTS = ("real", "positive", "probabilities", "logits")


def belong_together(y_true, y_pred):
    if y_true in ("sequence", "time_event", "none", "free"):
        return y_pred == "logits" or (y_true == "none" and y_pred in ("views", "similarities"))
    labels = OUTPUTS[y_pred].labels
    if labels is not None:
        return y_true in labels
    if y_pred == "embeddings":
        return y_true in ("integer", "real")
    if y_pred == "distances":
        return y_true in ("binary", "real", "positive")
    return KINDS[y_true].outputs is None and (y_true != "ordered" or y_pred in AMOUNTS)


PAIRS = [
    pytest.param(y_true, y_pred, id=f"{y_true} {y_pred}")
    for y_true in LABELS
    for y_pred in PREDICTIONS
    if belong_together(y_true, y_pred)
]


def test_every_kind_of_labels_and_predictions_is_drawn():
    assert LABELS.keys() == set(get_args(Labels)) - UNKNOWN
    assert PREDICTIONS.keys() == set(get_args(Outputs)) - UNKNOWN


@pytest.mark.parametrize(("y_true", "y_pred"), PAIRS)
def test_labels_and_predictions_are_of_the_kinds_that_the_spec_says(y_true, y_pred):
    described = spec("made_up", y_true=y_true, y_pred=y_pred)
    assert set(SITUATIONS) < set(situations(described))
    for situation in situations(described):
        sample = draw(described, {}, situation)
        assert LABELS[y_true](sample.y_true).all(), situation
        assert PREDICTIONS[y_pred](sample.y_pred).all(), situation


def test_batches_at_the_edge_are_drawn():
    binary, exclusive = spec("made_up", y_true="binary"), spec("made_up", y_true="integer")
    assert draw(binary, {}, "one sample").y_pred.shape == (1, 5)
    assert not draw(binary, {}, "no positives").y_true.any()
    assert not draw(exclusive, {}, "a lone class").y_true.any()
    padded = spec("made_up", y_true="relevance", y_pred="scores")
    assert (draw(padded, {}, "all padding").y_true == -1).all()
    pairs = spec("made_up", y_true="none", y_pred="similarities")
    assert draw(pairs, {}, "one sample").y_pred.shape == (1, 1)


def drawn(rng):
    y_true = rng.integers(2, size=(3, 1))
    edges = {"nothing": (y_true[:0], 1.0 * y_true[:0])}
    return Example(ordinary=(y_true, 0.5 + 0 * y_true), edges=edges, params={"quantiles": (0.5,)})


def wrong(rng):
    return [rng.normal(size=3)]


def exampled(name, **fields):
    return spec("made_up", y_true="unspecified", example=f"{__name__}:{name}", **fields)


@pytest.fixture
def this_module(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__, sys.modules["fakes"]))
    monkeypatch.setattr(sys.modules[__name__], "drawn", drawn, raising=False)
    monkeypatch.setattr(sys.modules[__name__], "wrong", wrong, raising=False)


@pytest.mark.usefixtures("this_module")
def test_an_example_draws_what_no_word_can_say():
    described = exampled("drawn")
    assert situations(described) == ["ordinary", "nothing"]
    assert draw(described, {}).y_true.dtype == "int32"
    assert draw(described, {}, "nothing").y_pred.shape == (0, 1)
    with pytest.raises(NotApplicableError, match="has no perfect predictions"):
        draw(described, {}, "perfect")


@pytest.mark.usefixtures("this_module")
def test_probabilities_of_an_example_become_logits_for_a_loss_of_logits():
    described = exampled("drawn", y_pred="probabilities")
    assert draw(described, {"from_logits": True}).y_pred == pytest.approx(
        np.zeros((3, 1)), abs=CANCELLATION
    )


@pytest.mark.usefixtures("this_module")
@pytest.mark.parametrize(
    ("name", "message"),
    [("wrong", "returned list. Return lossreg.testing.Example"), ("gone", "fails: AttributeErr")],
)
def test_a_broken_example_is_named(name, message):
    with pytest.raises(ConformanceError, match=message):
        draw(exampled(name), {})


@pytest.mark.parametrize("y_true", ["one_hot", "integer"])
def test_probabilities_of_classes_sum_to_one_on_the_axis_of_the_classes(y_true):
    image = spec("made_up", y_true=y_true, y_pred="probabilities", task=("segmentation",))
    for situation in SITUATIONS:
        sample = draw(image, {"axis": 1}, situation)
        np.testing.assert_allclose(sample.y_pred.sum(axis=1), 1, rtol=FLOAT32)


def test_perfect_predictions_are_the_labels_and_extreme_ones_miss_all_of_them():
    binary = spec("made_up", y_true="binary", y_pred="probabilities")
    perfect, extreme = (draw(binary, {}, situation) for situation in ("perfect", "extreme"))
    assert ((perfect.y_pred > 0.5) == perfect.y_true).all()
    assert ((extreme.y_pred > 0.5) != extreme.y_true).all()
    # Exactly 0 and 1 are among them, as a saturated sigmoid gives them.
    assert {0.0, 1.0} <= set(extreme.y_pred.reshape(-1))


def test_from_logits_decides_over_logits_and_probabilities():
    binary = spec("made_up", y_true="binary", y_pred="probabilities")
    assert draw(binary, {"from_logits": True}).y_pred.min() < 0
    assert draw(binary, {"from_logits": False}).y_pred.min() > 0


def test_the_same_input_is_drawn_every_time():
    one, other = (draw(spec("made_up"), {}) for _ in range(2))
    np.testing.assert_array_equal(one.y_pred, other.y_pred)


@pytest.mark.parametrize("field", ["y_true", "y_pred"])
def test_nothing_is_drawn_for_a_kind_that_is_not_said(field):
    with pytest.raises(NotApplicableError, match="no input can be drawn"):
        draw(spec("made_up", **{field: "unspecified"}), {})
