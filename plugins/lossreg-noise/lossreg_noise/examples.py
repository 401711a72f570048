"""Inputs for the conformance kit and the docs.

Each function takes a random generator of numpy and returns an `Example`.
"""

from typing import Any

import numpy as np

SAMPLES, CLASSES = 6, 5


def all_samples(rng: np.random.Generator) -> Any:
    """Return class numbers and probabilities of a data set that is one batch."""
    from lossreg.testing import Example

    labels = np.arange(SAMPLES, dtype="int32") % CLASSES
    powers = np.exp(rng.normal(size=(SAMPLES, CLASSES)))
    rows = powers / powers.sum(axis=-1, keepdims=True)
    return Example(ordinary=(labels, rows), params={"samples": SAMPLES})
