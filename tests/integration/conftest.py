"""What the tests with a real Keras share: quiet, seeded, and nothing left behind."""

import os

# Before anything imports TensorFlow, which reads it once.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from lossreg.registry import installed

# Away from every default, since a lost parameter is invisible there.
CHANGED = {
    "keras/huber": {"delta": 0.3},
    "keras/binary_crossentropy": {"from_logits": True, "label_smoothing": 0.2, "axis": (1, 2)},
    "keras/categorical_crossentropy": {"from_logits": True, "label_smoothing": 0.2, "axis": 1},
    "keras/sparse_categorical_crossentropy": {"from_logits": True, "ignore_class": 3, "axis": 2},
    "keras/categorical_generalized_cross_entropy": {"q": 0.8},
    "keras/binary_focal_crossentropy": {
        "apply_class_balancing": True,
        "alpha": 0.7,
        "gamma": 1.5,
        "from_logits": True,
        "label_smoothing": 0.2,
        "axis": (1, 2),
    },
    "keras/categorical_focal_crossentropy": {
        "alpha": (0.1, 0.2, 0.3, 0.4, 0.5),
        "gamma": 1.5,
        "from_logits": True,
        "label_smoothing": 0.2,
        "axis": 2,
    },
    "keras/dice": {"axis": (1, 2)},
    "keras/tversky": {"alpha": 0.3, "beta": 0.6, "axis": (1, 2)},
    "keras/cosine_similarity": {"axis": 1},
    "keras/circle": {"gamma": 16.0, "margin": 0.25, "remove_diagonal": False},
    "lossreg-focal/focal": {
        "gamma": 1.5,
        "alpha": None,
        "from_logits": True,
        "label_smoothing": 0.2,
    },
    "lossreg-focal/categorical_focal": {
        "gamma": 1.5,
        "alpha": (0.1, 0.2, 0.3, 0.4, 0.5),
        "from_logits": True,
        "label_smoothing": 0.2,
        "axis": 2,
    },
    "lossreg-focal/sparse_focal": {
        "gamma": 1.5,
        "alpha": (0.1, 0.2, 0.3, 0.4, 0.5),
        "from_logits": True,
        "ignore_class": 3,
        "axis": 2,
    },
}


@pytest.fixture(scope="session")
def changed():
    """Return another value than the default for every parameter of a loss."""
    return lambda name: CHANGED.get(name, {})


@pytest.fixture(autouse=True)
def _seeded():
    import keras

    keras.utils.set_random_seed(20240817)


@pytest.fixture(autouse=True)
def _nothing_stays_registered():
    yield
    registry = installed()
    for entry in registry.entries():
        if entry.provider.is_local:
            registry.remove(entry)


@pytest.fixture(scope="session")
def draw():
    """Return labels and predictions of the kinds that a spec says: 5 classes or features."""
    return _draw


def _draw(spec, *, from_logits=False, batch=12, steps=3):
    rng, features = np.random.default_rng(7), 5
    shape = (batch, features) if spec.y_pred == "embeddings" else (batch, steps, features)
    classes = rng.integers(features, size=shape[:-1])
    labels = {
        "real": rng.normal(size=shape),
        "positive": rng.gamma(2.0, size=shape),
        "count": rng.poisson(3.0, size=shape),
        "binary": rng.integers(2, size=shape),
        "sign": rng.choice([-1, 1], size=shape),
        "one_hot": np.eye(features)[classes],
        "integer": classes,
        "sequence": rng.integers(1, features, size=(batch, 1)),
    }
    scores = rng.normal(size=shape)
    predictions = {
        "real": scores,
        "positive": rng.gamma(2.0, size=shape),
        "probabilities": np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True),
        "logits": scores,
        "embeddings": scores / np.linalg.norm(scores, axis=-1, keepdims=True),
    }
    y_pred = scores if from_logits else predictions[spec.y_pred]
    return labels[spec.y_true], y_pred.astype("float32")
