"""What `align` makes of labels and predictions, and what it refuses."""

import numpy as np
import pytest

from lossreg.config import bind
from lossreg.errors import ShapeError
from lossreg.loss import align


@pytest.mark.parametrize("name", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_an_axis_of_classes_that_the_predictions_lack_is_told(name):
    y_true, y_pred = np.zeros((4, 3)), np.zeros((4, 3))
    with pytest.raises(ShapeError, match="takes y_pred with an axis 3 of classes, got"):
        align(bind(name, axis=3), y_true, y_pred, np)
