"""The examples in docstrings that need Keras run as they are written."""

import doctest

import keras
import numpy as np
import pytest

import lossreg
from lossreg.objectives import objective


def model_of_one_layer():
    """Return a model whose mean squared error is 2.5 on its data, and its penalty 0.5."""
    keras.utils.clear_session(free_memory=False)
    head = keras.layers.Dense(
        1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.125), name="head"
    )
    model = keras.Sequential([keras.Input((4,)), head])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize(
    "function",
    [lossreg.build_model, lossreg.get_loss, lossreg.get_loss_fn, objective],
    ids=lambda function: function.__name__,
)
def test_the_example_of_a_public_function_runs(function):
    names = {
        function.__name__: function,
        "model": model_of_one_layer(),
        "x": np.zeros((2, 4)),
        "y": np.array([[1.0], [2.0]]),
    }
    # tests/test_doctests.py has no Keras, and skips them.
    source = function.__doc__.replace("# doctest: +SKIP", "")
    test = doctest.DocTestParser().get_doctest(source, names, function.__name__, None, None)
    report = []
    assert test.examples
    assert doctest.DocTestRunner().run(test, out=report.append).failed == 0, "".join(report)
