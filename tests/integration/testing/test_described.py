"""Fifteen well-known losses that the contract describes, and that the kit judges rightly.

Each is written as its author would: in ten lines, without what the collections do for speed.
"""

import functools
import math
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge
from fakes import ACME, spec

from lossreg.keras_loss import Registry
from lossreg.lazy import keras, ops
from lossreg.numerics import at_least_float32, divide, log_sigmoid, root
from lossreg.testing import Example, run_checks

pytestmark = pytest.mark.slow


def contrastive(y_true, y_pred, *, margin: float = 1.0):
    near = y_true * ops.square(y_pred)
    return ops.mean(near + (1 - y_true) * ops.square(ops.relu(margin - y_pred)), axis=-1)


def triplet_semihard(y_true, y_pred, *, margin: float = 1.0):
    distance = 2 - 2 * ops.matmul(y_pred, ops.transpose(y_pred))
    same = ops.equal(y_true[:, None], y_true[None, :])
    # For each pair, the nearest negative that is farther away, or else the farthest one.
    others = ops.where(same[:, None, :], math.inf, distance[:, None, :])
    outside = ops.min(ops.where(others > distance[:, :, None], others, 1e9), axis=-1)
    farthest = ops.max(ops.where(same, -1.0, distance), axis=-1)[:, None]
    negative = ops.where(outside < 1e9, outside, farthest)
    eye = ops.eye(ops.shape(y_pred)[0], dtype=y_pred.dtype)
    pairs = (ops.cast(same, y_pred.dtype) - eye) * ops.cast(farthest >= 0, y_pred.dtype)
    return divide(ops.sum(pairs * ops.relu(margin + distance - negative)), ops.sum(pairs))


def pinball(y_true, y_pred, *, quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)):
    q = ops.convert_to_tensor(quantiles, dtype=y_pred.dtype)
    error = y_true - y_pred
    return ops.mean(ops.maximum(q * error, (q - 1) * error), axis=-1)


def giou(y_true, y_pred):
    low = ops.maximum(y_true[..., :2], y_pred[..., :2])
    high = ops.minimum(y_true[..., 2:], y_pred[..., 2:])
    inside = ops.prod(ops.relu(high - low), axis=-1)
    area = sum(ops.prod(ops.relu(b[..., 2:] - b[..., :2]), axis=-1) for b in (y_true, y_pred))
    union = area - inside
    low = ops.minimum(y_true[..., :2], y_pred[..., :2])
    high = ops.maximum(y_true[..., 2:], y_pred[..., 2:])
    hull = ops.prod(ops.relu(high - low), axis=-1)
    return 1 - divide(inside, union) + divide(hull - union, hull)


def weighted_kappa(y_true, y_pred):
    place = ops.arange(ops.shape(y_pred)[-1], dtype=y_pred.dtype)
    cost = ops.square(place[:, None] - place[None, :])
    observed = ops.sum(ops.matmul(y_true, cost) * y_pred)
    by_chance = ops.matmul(ops.sum(y_true, axis=0)[None, :], cost) * ops.sum(y_pred, axis=0)
    samples = ops.cast(ops.shape(y_pred)[0], y_pred.dtype)
    return divide(observed * samples, ops.sum(by_chance))


def soft_dice(y_true, y_pred, *, smooth: float = 1.0):
    axes = (1, 2, 3)
    both = ops.sum(y_true * y_pred, axis=axes)
    size = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes)
    return 1 - (2 * both + smooth) / (size + smooth)


def lovasz_hinge(y_true, y_pred):
    signs = 2 * y_true - 1
    errors = ops.reshape(1 - signs * y_pred, (ops.shape(y_pred)[0], -1))
    labels = ops.reshape(y_true, (ops.shape(y_pred)[0], -1))
    order = ops.flip(ops.argsort(errors, axis=-1), axis=-1)
    hit = ops.take_along_axis(labels, order, axis=-1)
    all_hits = ops.sum(labels, axis=-1, keepdims=True)
    kept = all_hits - ops.cumsum(hit, axis=-1)
    jaccard = 1 - divide(kept, all_hits + ops.cumsum(1 - hit, axis=-1))
    steps = ops.concatenate([jaccard[:, :1], jaccard[:, 1:] - jaccard[:, :-1]], axis=-1)
    steps = ops.stop_gradient(steps)
    return ops.sum(ops.relu(ops.take_along_axis(errors, order, axis=-1)) * steps, axis=-1)


def asymmetric(y_true, y_pred, *, margin: float = 0.05, from_logits: bool = False):
    log_p, log_q = log_sigmoid(y_pred, from_logits=from_logits)
    shifted = ops.relu(ops.exp(log_p) - margin)
    easy = ops.square(shifted) * ops.square(shifted) * ops.maximum(log_q, ops.log1p(-shifted))
    y_true = ops.cast(y_true, log_p.dtype)
    return -ops.mean(y_true * log_p + (1 - y_true) * easy, axis=-1)


def ghm_c(y_true, y_pred, *, bins: int = 5):
    size = ops.stop_gradient(ops.abs(ops.sigmoid(y_pred) - y_true))
    place = ops.minimum(ops.floor(size * bins), bins - 1)
    hot = ops.cast(ops.equal(place[..., None], ops.arange(bins, dtype=y_pred.dtype)), y_pred.dtype)
    counts = ops.sum(hot, axis=(0, 1))
    filled = ops.sum(ops.cast(counts > 0, y_pred.dtype))
    weight = divide(ops.cast(ops.size(y_pred), y_pred.dtype), ops.sum(hot * counts, -1) * filled)
    return ops.mean(weight * (ops.softplus(y_pred) - y_true * y_pred), axis=-1)


def arcface(y_true, y_pred, *, margin: float = 0.5, scale: float = 16.0):
    cosine = ops.sum(y_true * y_pred, axis=-1, keepdims=True)
    sine = root(ops.relu(1 - ops.square(cosine)))
    moved = cosine * math.cos(margin) - sine * math.sin(margin)
    logits = scale * (y_pred + y_true * (moved - cosine))
    return ops.logsumexp(logits, axis=-1) - scale * ops.squeeze(moved, -1)


def boundary(y_true, y_pred):
    return ops.mean(y_true * y_pred, axis=(1, 2, 3))


def siglip(y_true, y_pred):
    signs = 2 * ops.eye(ops.shape(y_pred)[0], dtype=y_pred.dtype) - 1
    return ops.mean(ops.softplus(-signs * y_pred), axis=-1)


def vicreg(y_true, y_pred):
    first, second = y_pred[:, 0], y_pred[:, 1]
    alike = ops.mean(ops.square(first - second))
    spread = shared = 0.0
    for view in (first, second):
        moved = view - ops.mean(view, axis=0)
        count = ops.maximum(ops.cast(ops.shape(view)[0], view.dtype) - 1, 1)
        covariance = ops.matmul(ops.transpose(moved), moved) / count
        variance = ops.diagonal(covariance)
        spread = spread + ops.mean(ops.relu(1 - ops.sqrt(variance + 1e-4)))
        shared = shared + ops.mean(ops.sum(ops.square(covariance), axis=-1) - ops.square(variance))
    return 25 * alike + 25 * spread + shared


def listwise_softmax(y_true, y_pred):
    y_pred = at_least_float32(y_pred)
    there = y_true >= 0
    gains = ops.where(there, ops.cast(y_true, y_pred.dtype), 0.0)
    scores = ops.where(there, y_pred, -1e9)
    logs = ops.where(there, ops.log_softmax(scores, axis=-1), 0.0)
    return -divide(ops.sum(gains * logs, axis=-1), ops.sum(gains, axis=-1))


def focal_ctc(y_true, y_pred, *, gamma: Annotated[float, Ge(1)] = 2.0):
    lengths = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    steps = ops.ones_like(lengths) * ops.shape(y_pred)[1]
    nats = ops.ctc_loss(ops.cast(y_true, "int32"), y_pred, lengths, steps, mask_index=0)
    return ops.power(1 - ops.exp(-nats), gamma) * nats


def quantiles(rng):
    y_true = rng.normal(size=(6, 1))
    return Example(
        ordinary=(y_true, rng.normal(size=(6, 3))),
        perfect=(y_true, np.tile(y_true, 3)),
        extreme=(y_true, 1e4 * rng.normal(size=(6, 3))),
        edges={"one sample": (y_true[:1], rng.normal(size=(1, 3)))},
        params={"quantiles": (0.1, 0.5, 0.9)},
    )


IMAGE = {"task": ("segmentation",), "per": "sample"}
ON_FLOAT32 = "TensorFlow and JAX compute CTC in float32."
LOSSES = {
    contrastive: {"y_true": "binary", "y_pred": "distances", "task": ("metric_learning",)},
    triplet_semihard: {
        "y_true": "integer",
        "y_pred": "embeddings",
        "task": ("metric_learning",),
        "per": "batch",
    },
    pinball: {"y_pred": "quantiles", "example": f"{__name__}:quantiles"},
    giou: {"y_true": "boxes", "y_pred": "boxes", "task": ("detection",)},
    weighted_kappa: {
        "y_true": ("one_hot", "integer"),
        "y_pred": "probabilities",
        "task": ("ordinal",),
        "per": "batch",
        "bounded": True,
    },
    soft_dice: {"y_true": "binary", "y_pred": "probabilities", "bounded": True, **IMAGE},
    lovasz_hinge: {
        "y_true": "binary",
        "y_pred": "logits",
        **IMAGE,
        "surrogate_gradient": True,
    },
    asymmetric: {"y_true": "binary", "y_pred": "probabilities", "task": ("multilabel",)},
    ghm_c: {
        "y_true": "binary",
        "y_pred": "logits",
        "task": ("binary",),
        "couples_batch": True,
        "surrogate_gradient": True,
        "bounded": True,
    },
    arcface: {
        "y_true": ("one_hot", "integer"),
        "y_pred": "cosines",
        "task": ("metric_learning",),
        "head": "acme_losses.heads:Prototypes",
    },
    boundary: {"y_true": "distance_map", "y_pred": "probabilities", **IMAGE},
    siglip: {
        "y_true": "none",
        "y_pred": "similarities",
        "task": ("self_supervised",),
        "couples_batch": True,
    },
    vicreg: {"y_true": "none", "y_pred": "views", "task": ("self_supervised",), "per": "batch"},
    listwise_softmax: {"y_true": "relevance", "y_pred": "scores", "task": ("ranking",)},
    focal_ctc: {
        "y_true": "sequence",
        "y_pred": "logits",
        "task": ("sequence",),
        "bounded": True,
        "exceptions": {"numerical_gradient": ON_FLOAT32},
    },
}
# What has a package to be in, a documentation to be read or a range to be kept.
ABOUT_PACKAGES = {"docstring", "light_import", "fresh_process", "names", "parameter_range"}


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """The example of a spec is in an importable module."""
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__, _This()))


class _This:
    quantiles = staticmethod(quantiles)


def itself(loss):
    return loss


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_the_kit_passes_a_loss_that_the_contract_describes(loss):
    name = f"acme_{loss.__name__}"
    registry = Registry()
    described = spec(name, loss, **LOSSES[loss])
    registry.add(described, ACME, functools.partial(itself, loss))
    results = [
        r for r in run_checks("acme-losses", registry=registry) if r.check not in ABOUT_PACKAGES
    ]
    assert [f"{r.check}: {r.message}" for r in results if r.state in ("failed", "not run")] == []
    # Something was computed, whatever the words are.
    passed = {r.check for r in results if r.state == "passed"}
    assert {"usable", "finite_values", "finite_gradients", "reductions", "repeated"} <= passed
    assert keras.backend.backend() in ("tensorflow", "jax", "torch")
