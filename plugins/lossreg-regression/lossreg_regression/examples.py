"""Batches for losses of which words don't say how many outputs a label needs."""

import numpy as np

_TARGETS = 2
_SIZES = np.array([8.0, 17.0, 30.0, 100.0, 1e3, 1e4])[:, None]


def quantiles(rng):
    """Return five quantiles of one target."""
    y_true = rng.normal(size=(len(_SIZES), 1))
    return _example(rng, y_true, 5, perfect=[y_true] * 5)


def two_parameters(rng):
    """Return outputs for a location and one parameter above 0."""
    return _real(rng, 2)


def three_parameters(rng):
    """Return outputs for a location and two parameters above 0."""
    return _real(rng, 3)


def four_parameters(rng):
    """Return outputs for a location and three parameters above 0."""
    return _real(rng, 4)


def mixture(rng):
    """Return outputs for a mixture of three: logits, locations and scales."""
    y_true = rng.normal(size=(len(_SIZES), _TARGETS))
    likely, unlikely = np.full_like(y_true, 6.0), np.full_like(y_true, -6.0)
    logits = [likely, unlikely, unlikely]
    return _example(
        rng,
        y_true,
        9 * _TARGETS,
        perfect=[*logits, y_true, -y_true, -y_true, *[np.full_like(y_true, -3.0)] * 3],
    )


def ensemble(rng):
    """Return an ensemble of five members."""
    y_true = rng.normal(size=(len(_SIZES), _TARGETS))
    return _example(rng, y_true, 5 * _TARGETS, perfect=[y_true] * 5)


def counts(rng):
    """Return counts, none among them too, and outputs for two parameters."""
    y_true = rng.poisson(1.5, size=(len(_SIZES), _TARGETS)).astype("float64")
    y_true[0] = [0, 40]
    # The output whose softplus is the count.
    mean = np.log(np.expm1(np.maximum(y_true, 1e-3)))
    return _example(rng, y_true, 2 * _TARGETS, perfect=[mean, np.full_like(mean, -9.0)])


def _real(rng, count):
    y_true = rng.normal(size=(len(_SIZES), _TARGETS))
    sure = [np.full_like(y_true, -3.0)] * (count - 1)
    return _example(rng, y_true, count * _TARGETS, perfect=[y_true, *sure])


def _example(rng, y_true, outputs, *, perfect):
    from lossreg.testing import Example

    shape = (len(y_true), outputs)
    extreme = rng.choice([-1.0, 1.0], size=shape) * _SIZES
    return Example(
        ordinary=(y_true, rng.normal(size=shape)),
        perfect=(y_true, np.concatenate(perfect, axis=-1)),
        extreme=(y_true, extreme),
        edges={
            "one sample": (y_true[:1], rng.normal(size=(1, outputs))),
            "outputs of 0": (y_true, np.zeros(shape)),
            "labels of 0": (0 * y_true, rng.normal(size=shape)),
        },
    )
