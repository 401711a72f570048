"""Losses that need more than labels and predictions, compared with plain ones."""

from typing import Annotated, Any

import keras
import numpy as np
import pytest
from keras import ops

import lossreg
from lossreg import Fields, LossregError, State
from lossreg_train import compare

FIXED = {"learning_rate": "fixed", "folds": 2, "repeats": 1, "epochs": 3, "batch_size": 16}


def averaged(y_true, y_pred, mean: Annotated[Any, State(initial=1.0)]):
    """Squared error, divided by its own moving mean."""
    values = ops.mean(ops.square(y_true - y_pred), axis=-1)
    return values / (mean + 1e-3), 0.9 * mean + 0.1 * ops.mean(values)


def learned(y_true, y_pred, scale: Annotated[Any, State(initial=1.0, trainable=True)]):
    """Squared error with a learned scale, as a Gaussian's."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1) / scale**2 + ops.log(scale**2)


def near(y_true: Annotated[Any, Fields("mask", "distance")], y_pred):
    """A mask and how far each entry is from it."""
    return ops.mean(y_true["distance"] * ops.abs(y_true["mask"] - y_pred), axis=-1)


@pytest.fixture(scope="module")
def registered():
    for loss in (averaged, learned, near):
        lossreg.register(loss, replace=True)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(96, 3)).astype("float32")
    return x, (x @ [1.0, -2.0, 0.5]).astype("float32")


def build():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05))
    return model


@pytest.mark.parametrize("loss", ["averaged", "learned"])
def test_a_loss_with_memory_is_compared_like_any_other(registered, rows, loss):
    result = compare(build, ["mean_squared_error", loss], ["rmse"], data=rows, **FIXED)
    assert result.is_complete
    assert [standing.failed for standing in result.ranking] == [0, 0]
    scores = {standing.loss: standing.scores["rmse"].mean for standing in result.ranking}
    # Three epochs of a linear model: both have learned more than half of what there is.
    spread = float(rows[1].std())
    assert all(score < spread for score in scores.values()), scores


def test_the_memory_begins_anew_with_each_training(registered, rows):
    alone = compare(build, ["averaged"], ["rmse"], data=rows, folder="alone", **FIXED)
    behind = compare(
        build, ["mean_squared_error", "averaged"], ["rmse"], data=rows, folder="behind", **FIXED
    )
    values = {standing.loss: standing.values for standing in behind.ranking}
    assert alone.ranking[0].values == values["averaged"]


def test_labels_of_several_tensors_are_refused_with_a_reason(registered, rows):
    x, y = rows
    labels = {"mask": y, "distance": np.ones_like(y)}
    with pytest.raises(LossregError) as caught:
        compare(build, ["near"], ["rmse"], data=(x, labels), **FIXED)
    assert "near" in str(caught.value)
