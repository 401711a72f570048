"""Inputs of the losses of this package, for the conformance kit and the docs.

Each function takes a random generator of numpy and returns an `Example`.
"""

from typing import Any

import numpy as np


def boxes(rng: np.random.Generator) -> Any:
    """Return boxes by corners, which are also boxes by centre and size."""
    from lossreg.testing import Example

    y_true, y_pred = (_draw(rng) for _ in range(2))
    nothing = np.zeros((6, 4))
    points = y_true[:, [0, 1, 0, 1]]
    return Example(
        ordinary=(y_true, y_pred),
        perfect=(y_true, y_true),
        # Far away, turned inside out, and huge.
        extreme=(y_true, np.concatenate([y_pred[:2] + 1e4, -y_pred[2:4], 1e4 * y_pred[4:]])),
        edges={
            "one box": (y_true[:1], y_pred[:1]),
            "points": (points, points),
            "a point in a box": (y_true, points),
            "boxes without a width": (y_true, y_true[:, [0, 1, 0, 3]]),
            "all zeros": (nothing, nothing),
            "tiny": (1e-12 * y_true, 1e-12 * y_pred),
        },
    )


def distances(rng: np.random.Generator) -> Any:
    """Return distances to the four sides of boxes, and a distribution for each."""
    from lossreg.testing import Example

    numbers = 8
    y_true = rng.uniform(0, numbers - 1, size=(6, 4))
    # Whole numbers, both ends, and beyond them.
    y_true[0] = (0, 3, numbers - 1, numbers + 1)
    weights = np.maximum(
        0, 1 - np.abs(np.minimum(y_true, numbers - 1)[..., None] - np.arange(numbers))
    )
    return Example(
        ordinary=(y_true, rng.dirichlet(np.ones(numbers), size=(6, 4))),
        perfect=(y_true, weights),
        extreme=(y_true, np.roll(weights, 4, axis=-1)),
        edges={"one box": (y_true[:1], rng.dirichlet(np.ones(numbers), size=(1, 4)))},
    )


def _draw(rng):
    low = rng.uniform(0.1, 0.5, size=(6, 2))
    return np.concatenate([low, low + rng.uniform(0.1, 0.5, size=(6, 2))], axis=-1)
