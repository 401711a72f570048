"""Labels, predictions and weights of random shapes and dtypes, through every loss of the core.

`LOSSREG_FUZZ` is the least number of cases, over the losses of all packages then. What a loss makes
of such data is a tensor, or an error of lossreg; never an error of the backend or of Python.
"""

import itertools
import os

import keras
import numpy as np
import pytest
from core_losses import core_entries

import lossreg
from lossreg.errors import LossregError
from lossreg.registry import installed
from lossreg.testing.subject import Suite

ENTRIES = {
    entry.qualified_name: entry
    for entry in (installed().entries() if "LOSSREG_FUZZ" in os.environ else core_entries())
    # Those are carried by a model, not called with arrays.
    if not entry.signature.memory
}
CASES = -(-int(os.environ.get("LOSSREG_FUZZ", "1000")) // len(ENTRIES))
WAYS = ("sum_over_batch_size", "none", "function", "sum")
SIZES = (0, 1, 1, 2, 3, 5)
DTYPES = (*["float32"] * 4, "float64", "float16", "int32", "int64", "uint8", "int8", "bool")
ODD = (np.nan, np.inf, -np.inf, 1e30, -1e30, 255, -1)


def shape_like(rng, shape):
    """Return a shape, mostly one that has to do with another."""
    shape = list(shape)
    match rng.integers(8):
        case 0 if shape:
            shape.pop(rng.integers(len(shape)))
        case 1:
            shape.insert(rng.integers(len(shape) + 1), rng.choice(SIZES))
        case 2 if shape:
            shape[rng.integers(len(shape))] = rng.choice(SIZES)
        case 3 if shape:
            shape[-1] = 1
        case 4 if shape:
            shape.pop()
        case 5:
            shape = list(rng.choice(SIZES, rng.integers(6)))
    return tuple(map(int, shape))


def values(rng, shape):
    """Return an array of a random dtype, mostly of values that labels and predictions have."""
    dtype = rng.choice(DTYPES)
    drawn = rng.choice([rng.random(shape), rng.integers(0, 3, shape), rng.normal(size=shape) * 9])
    drawn = np.array(drawn, "float64").reshape(shape)
    if drawn.size and rng.random() < 0.2:
        drawn.flat[rng.integers(drawn.size)] = rng.choice(ODD)
    with np.errstate(all="ignore"):
        return drawn.astype(dtype)


def case(rng):
    """Return labels, predictions and weights; of the weights there are mostly none."""
    shape = tuple(map(int, rng.choice(SIZES, rng.integers(1, 5))))
    y_pred = values(rng, shape)
    y_true = values(rng, shape_like(rng, shape))
    weighted = rng.random() < 0.3
    weight = (
        values(rng, shape_like(rng, shape[: rng.integers(len(shape) + 1)])) if weighted else None
    )
    return y_true, y_pred, weight


def told(bound, y_true, y_pred, weight, way):
    """Return what a form of a loss raises that isn't ours, or None."""
    try:
        if way == "function":
            lossreg.get_loss_fn(bound)(y_true, keras.ops.convert_to_tensor(y_pred))
        else:
            lossreg.get_loss(bound, reduction=way)(y_true, y_pred, sample_weight=weight)
    except LossregError:
        return None
    except Exception as error:
        shapes = [
            (each.shape, str(each.dtype)) if each is not None else None
            for each in (y_true, y_pred, weight)
        ]
        return f"{way} of {shapes}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return None


@pytest.mark.parametrize("name", ENTRIES)
def test_any_arrays_have_a_value_or_an_error_of_ours(name):
    entry = ENTRIES[name]
    # With what the kit gives to parameters that have no default.
    subject = Suite(installed(), entry.provider.distribution).subjects[entry.spec.name]
    bound = lossreg.bind(name, **subject.defaults)
    rng = np.random.default_rng(list(name.encode()))
    ways = itertools.islice(itertools.cycle(WAYS), CASES)
    foreign = [message for way in ways if (message := told(bound, *case(rng), way))]
    assert not foreign, "\n".join(foreign[:5])
