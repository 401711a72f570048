"""Batches of embeddings, views, triplets and cosines, for the conformance kit and the docs.

Each function takes a random generator of numpy and returns an `Example`.
"""

import dataclasses
from typing import Any

import numpy as np

BATCH, CLASSES, DIMS = 6, 3, 5


def embeddings(rng: np.random.Generator) -> Any:
    """Return class numbers and embeddings of length 1."""
    from lossreg.testing import Example

    labels = np.arange(BATCH, dtype="int32") % CLASSES
    x = _unit(rng.normal(size=(BATCH, DIMS)))
    centres = np.eye(CLASSES, DIMS)
    # The first of each class lies where another class should be.
    swapped = centres[(labels + (np.arange(BATCH) < CLASSES)) % CLASSES]
    one_class = np.zeros(BATCH, "int32")
    return Example(
        ordinary=(labels, x),
        perfect=(labels, centres[labels]),
        extreme=(labels, swapped),
        edges={
            "no positive pair": (np.arange(BATCH, dtype="int32"), x),
            "one class": (one_class, x),
            "one class in one place": (one_class, np.repeat(x[:1], BATCH, axis=0)),
            "all samples in one place": (labels, np.repeat(x[:1], BATCH, axis=0)),
            "embeddings of zeros": (labels, np.zeros_like(x)),
            "long embeddings": (labels, 1e4 * x),
            "one sample": (labels[:1], x[:1]),
        },
    )


def numbered_classes(rng: np.random.Generator) -> Any:
    """Return class numbers and embeddings for a loss that is told how many classes there are."""
    # More than the checks draw class numbers of.
    return dataclasses.replace(embeddings(rng), params={"classes": 300})


def small_memory(rng: np.random.Generator) -> Any:
    """Return class numbers and embeddings for a memory of two batches."""
    return dataclasses.replace(embeddings(rng), params={"size": 2 * BATCH})


def distances(rng: np.random.Generator) -> Any:
    """Return labels of 0 and 1 and the distances of pairs."""
    from lossreg.testing import Example

    labels = np.arange(BATCH) % 2.0
    return Example(
        ordinary=(labels, rng.gamma(2.0, 0.5, BATCH)),
        perfect=(labels, 1e4 * (1 - labels)),
        extreme=(labels, 1e4 * labels),
        edges={"one sample": (labels[:1], np.zeros(1))},
    )


def triplets(rng: np.random.Generator) -> Any:
    """Return triplets of an anchor, a positive and a negative."""
    from lossreg.testing import Example

    nothing = np.zeros(BATCH)
    x = _unit(rng.normal(size=(BATCH, 3, DIMS)))
    near, far = x.copy(), x.copy()
    near[:, 1], near[:, 2] = x[:, 0], -x[:, 0]
    far[:, 1], far[:, 2] = -x[:, 0], x[:, 0]
    return Example(
        ordinary=(nothing, x),
        perfect=(nothing, near),
        extreme=(nothing, far),
        edges={
            "all three in one place": (nothing, np.repeat(x[:, :1], 3, axis=1)),
            "embeddings of zeros": (nothing, np.zeros_like(x)),
            "long embeddings": (nothing, 1e4 * x),
            "one sample": (nothing[:1], x[:1]),
        },
    )


def views(rng: np.random.Generator) -> Any:
    """Return two views of each sample."""
    from lossreg.testing import Example

    nothing = np.zeros(BATCH)
    x = _unit(rng.normal(size=(BATCH, 2, DIMS)))
    alike = np.repeat(_unit(rng.normal(size=(BATCH, 1, DIMS))), 2, axis=1)
    return Example(
        ordinary=(nothing, x),
        perfect=(nothing, alike),
        extreme=(nothing, alike * [[[1.0], [-1.0]]]),
        edges={
            "all views in one place": (nothing, np.repeat(alike[:1], BATCH, axis=0)),
            "views of zeros": (nothing, np.zeros_like(x)),
            "long views": (nothing, 1e4 * x),
            "one sample": (nothing[:1], x[:1]),
        },
    )


def similarities(rng: np.random.Generator) -> Any:
    """Return class numbers and a matrix of similarities."""
    from lossreg.testing import Example

    labels = np.arange(BATCH, dtype="int32") % CLASSES
    return Example(**_matrices(rng, labels, np.zeros(BATCH, "int32")), samples=(0, 1))


def several_classes(rng: np.random.Generator) -> Any:
    """Return the classes of each sample, one or more, and a matrix of similarities."""
    from lossreg.testing import Example

    labels = (rng.random((BATCH, DIMS)) < 0.5).astype("float64")
    labels[:, 0] = np.arange(BATCH) % 2
    return Example(**_matrices(rng, labels, np.zeros_like(labels)), samples=(0, 1))


def _matrices(rng: np.random.Generator, labels: Any, alone: Any) -> dict[str, Any]:
    s = 2 * rng.normal(size=(BATCH, BATCH))
    own = 2 * np.eye(BATCH) - 1
    return {
        "ordinary": (labels, s),
        "perfect": (labels, 1e4 * own),
        "extreme": (labels, -1e4 * own),
        "edges": {
            "all labels alike": (alone, s),
            "all similarities alike": (labels, np.zeros_like(s)),
            "one sample": (labels[:1], s[:1, :1]),
        },
    }


def cosines(rng: np.random.Generator) -> Any:
    """Return class numbers and cosines to each class."""
    from lossreg.testing import Example

    labels = np.arange(BATCH, dtype="int32") % CLASSES
    c = np.cos(rng.uniform(0, np.pi, (BATCH, CLASSES)))
    true = np.eye(CLASSES)[labels]
    return Example(
        ordinary=(labels, c),
        perfect=(labels, 2 * true - 1),
        extreme=(labels, 1 - 2 * true),
        edges={
            "one class in the batch": (np.zeros(BATCH, "int32"), c),
            "all at right angles": (labels, np.zeros_like(c)),
            "one sample": (labels[:1], c[:1]),
        },
    )


def _unit(vectors: Any) -> Any:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
