"""Inputs for the conformance kit and the docs.

Each function takes a random generator of numpy and returns an `Example`.
"""

from typing import Any

import numpy as np

BATCH, OUTPUTS = 6, 3


def two_terms(rng: np.random.Generator) -> Any:
    """Return labels and predictions of a regression, for a sum of two terms."""
    from lossreg.testing import Example

    y_true, y_pred = rng.normal(size=(2, BATCH, OUTPUTS))
    losses = ("mean_squared_error", "mean_absolute_error")
    return Example(ordinary=(y_true, y_pred), params={"losses": losses})


def probabilities(rng: np.random.Generator) -> Any:
    """Return labels, which are ignored, and rows that sum to 1."""
    from lossreg.testing import Example

    powers = np.exp(rng.normal(size=(BATCH, OUTPUTS)))
    rows = powers / powers.sum(axis=-1, keepdims=True)
    return Example(ordinary=(np.zeros(BATCH), rows))
