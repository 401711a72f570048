"""A loss run on the backend at hand, and the raw outputs that stand for given parameters."""

import functools

import numpy as np
import pytest

from lossreg.lazy import ops
from lossreg.testing import value_and_gradient


@pytest.fixture
def run():
    """`run(loss, y_true, y_pred, **params)`: values and gradient of their sum, as float64."""

    def run(loss, y_true, y_pred, **params):
        y_true, y_pred = (
            np.asarray(each, None if np.asarray(each).dtype.kind in "iu" else "float32")
            for each in (y_true, np.asarray(y_pred, "float32"))
        )
        found = value_and_gradient(functools.partial(loss, **params), y_true, y_pred)
        return [np.asarray(ops.convert_to_numpy(tensor), "float64") for tensor in found]

    return run


@pytest.fixture
def outputs():
    """`outputs(mean, positive, ...)`: the model's outputs, all but the first through softplus."""

    def inverse(value):
        # softplus(output) + 1e-6, as docs/regression.md says, solved for the output.
        return np.log(np.expm1(np.asarray(value, "float64") - 1e-6))

    def outputs(*parameters, plain=1):
        parts = [
            np.asarray(each, "float64") if place < plain else inverse(each)
            for place, each in enumerate(parameters)
        ]
        return np.concatenate(np.broadcast_arrays(*parts), axis=-1)

    return outputs
