"""Values and gradients on the backend at hand."""

import numpy as np
import pytest
from tolerances import FLOAT32

from lossreg import get_loss_fn
from lossreg.testing import value_and_gradient


def test_the_value_of_each_sample_and_the_gradient_of_their_sum():
    y_true, y_pred = np.zeros((2, 2), "float32"), np.array([[0.5, -3.0], [0.0, 1.0]], "float32")
    values, gradient = value_and_gradient(get_loss_fn("huber"), y_true, y_pred)
    # Half the square up to 1, and from there a slope of 1; the mean of two outputs.
    assert np.asarray(values) == pytest.approx([(0.125 + 2.5) / 2, 0.5 / 2], rel=FLOAT32)
    assert np.asarray(gradient) == pytest.approx(np.array([[0.25, -0.5], [0.0, 0.5]]), rel=FLOAT32)


def test_a_loss_without_predictions_has_no_slope():
    _, gradient = value_and_gradient(lambda y_true, y_pred: y_true, np.ones(3), np.ones(3))
    assert np.asarray(gradient).tolist() == [0.0, 0.0, 0.0]
