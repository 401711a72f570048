"""Inputs that the kit draws for a spec."""

from typing import get_args

import numpy as np
import pytest
from fakes import spec

from lossreg.loss import Labels, Outputs
from lossreg.testing.results import NotApplicableError
from lossreg.testing.samples import Situation, draw

# What each kind of labels and predictions is, as lossreg/loss/spec.py describes it.
LABELS = {
    "real": np.isfinite,
    "positive": lambda y: y > 0,
    "count": lambda y: (y >= 0) & (y == np.round(y)),
    "binary": lambda y: np.isin(y, (0, 1)),
    "sign": lambda y: np.isin(y, (-1, 1)),
    "one_hot": lambda y: np.isin(y, (0, 1)) & (y.sum(axis=-1, keepdims=True) == 1),
    "integer": lambda y: (y >= 0) & (y < 5) & (y.dtype == "int32"),
    "sequence": lambda y: (y >= 0) & (y < 5) & (y.dtype == "int32"),
}
PREDICTIONS = {
    "real": np.isfinite,
    "logits": np.isfinite,
    "positive": lambda p: p > 0,
    "probabilities": lambda p: (p >= 0) & (p <= 1),
    "embeddings": lambda p: np.isclose(np.linalg.norm(p, axis=-1, keepdims=True), 1),
}
# Embeddings of a class are compared with each other; a sequence has logits for each step.
PAIRS = [
    pytest.param(y_true, y_pred, id=f"{y_true} {y_pred}")
    for y_true in LABELS
    for y_pred in PREDICTIONS
    if (y_true != "sequence" or y_pred == "logits")
    and (y_pred != "embeddings" or y_true in ("integer", "real"))
]


def test_every_kind_of_labels_and_predictions_is_drawn():
    assert LABELS.keys() == set(get_args(Labels)) - {"unspecified"}
    assert PREDICTIONS.keys() == set(get_args(Outputs)) - {"unspecified"}


@pytest.mark.parametrize("situation", get_args(Situation))
@pytest.mark.parametrize(("y_true", "y_pred"), PAIRS)
def test_labels_and_predictions_are_of_the_kinds_that_the_spec_says(y_true, y_pred, situation):
    sample = draw(spec("made_up", y_true=y_true, y_pred=y_pred), {}, situation)
    assert LABELS[y_true](sample.y_true).all()
    assert PREDICTIONS[y_pred](sample.y_pred).all()


@pytest.mark.parametrize("y_true", ["one_hot", "integer"])
def test_probabilities_of_classes_sum_to_one_on_the_axis_of_the_classes(y_true):
    image = spec("made_up", y_true=y_true, y_pred="probabilities", task=("segmentation",))
    for situation in get_args(Situation):
        sample = draw(image, {"axis": 1}, situation)
        np.testing.assert_allclose(sample.y_pred.sum(axis=1), 1)


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
