"""The layer `Prototypes`: values by hand, training, saving, and what it refuses."""

import math

import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg import ParameterError
from lossreg.lazy import keras, ops
from lossreg_metric import classes
from lossreg_metric.heads import Prototypes

RANDOM = np.random.default_rng(8)


def layer_with(vectors, **arguments):
    """Return a layer whose vectors, one a row, are these."""
    count = len(vectors) // arguments.get("centers", 1)
    layer = Prototypes(count, **arguments)
    layer.build((None, len(vectors[0])))
    layer.vectors.assign(np.transpose(vectors))
    return layer


def outputs(layer, x):
    return np.asarray(ops.convert_to_numpy(layer(np.asarray(x, "float32"))), "float64")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({}, [3 / 5, 41 / (5 * math.sqrt(73))], id="cosines, whatever the lengths"),
        pytest.param({"measure": "euclidean"}, [math.sqrt(20), 4], id="distances"),
        pytest.param({"measure": "squared_euclidean"}, [20, 16], id="squared distances"),
    ],
)
def test_one_vector_a_class(arguments, expected):
    got = outputs(layer_with([[5.0, 0.0], [3.0, 8.0]], **arguments), [[3, 4]])
    assert got[0] == pytest.approx(expected, rel=FLOAT32)


def test_of_several_vectors_the_nearest_counts():
    vectors = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
    got = outputs(layer_with(vectors, centers=2), [[3, 4]])
    assert got[0] == pytest.approx([0.8, -0.6], rel=FLOAT32)
    far = outputs(layer_with(vectors, centers=2, measure="squared_euclidean"), [[3, 4]])
    assert far[0] == pytest.approx([9 + 9, 16 + 16], rel=FLOAT32)


def test_a_softmax_weighs_several_vectors_as_soft_triple_does():
    vectors = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]
    got = outputs(layer_with(vectors, centers=2, pooling="softmax", gamma=0.5), [[3, 4]])
    share = math.exp(0.8 / 0.5) / (math.exp(0.8 / 0.5) + math.exp(0.6 / 0.5))
    near = share * 0.8 + (1 - share) * 0.6
    assert got[0, 0] == pytest.approx(near, rel=FLOAT32)
    back = math.exp(-0.6 / 0.5) / (math.exp(-0.8 / 0.5) + math.exp(-0.6 / 0.5))
    assert got[0, 1] == pytest.approx(-back * 0.6 - (1 - back) * 0.8, rel=FLOAT32)


def test_spread_adds_the_mean_distance_of_a_class_s_vectors():
    vectors = [[2.0, 0.0], [0.0, 1.0], [1.0, 0.0], [-3.0, 0.0]]
    layer = layer_with(vectors, centers=2, spread=0.5)
    layer(np.ones((1, 2), "float32"))
    # At length 1 the two pairs are sqrt(2) and 2 apart; the divisor is classes * centers *
    # (centers - 1), each pair counted twice.
    expected = 0.5 * 2 * (math.sqrt(2) + 2) / (2 * 2 * 1)
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=FLOAT32)


def test_equal_vectors_have_no_spread():
    layer = layer_with([[0.3, 0.7], [0.3, 0.7]], centers=2, spread=1.0)
    layer(np.ones((1, 2), "float32"))
    assert float(sum(layer.losses)) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 0}, "'classes' must be an integer >= 1, got 0"),
        ({"classes": 2, "centers": 1.5}, "'centers' must be an integer >= 1, got 1.5"),
        ({"classes": 2, "pooling": "mean"}, "'pooling' must be one of 'max', 'softmax'"),
        ({"classes": 2, "measure": "l1"}, "'measure' must be one of 'cosine', 'euclidean'"),
        ({"classes": 2, "gamma": 0}, "'gamma' must be > 0, got 0"),
        ({"classes": 2, "spread": -1}, "'spread' must be >= 0, got -1"),
    ],
)
def test_arguments_outside_their_range_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Prototypes(**arguments)


def test_it_takes_any_number_of_leading_axes_and_half_precision():
    layer = Prototypes(3, centers=2, dtype="mixed_float16")
    got = layer(np.ones((2, 4, 5), "float16"))
    assert tuple(got.shape) == layer.compute_output_shape((2, 4, 5)) == (2, 4, 3)
    assert keras.backend.standardize_dtype(got.dtype) == "float32"


LABELS = RANDOM.integers(0, 4, 160)
X = (RANDOM.normal(size=(160, 6)) * 0.3 + RANDOM.normal(size=(4, 6))[LABELS]).astype("float32")

HEADS = [
    (classes.arcface, {"scale": 16.0}, {}),
    (classes.arcface, {"scale": 16.0}, {"centers": 3}),
    (classes.cosface, {"scale": 16.0}, {}),
    (classes.soft_triple, {}, {"centers": 3, "pooling": "softmax", "spread": 0.2}),
    (classes.proxy_nca, {"scale": 4.0}, {}),
    (classes.proxy_anchor, {}, {}),
]


def trained(loss, params, arguments):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5), Prototypes(4, **arguments)])
    model.compile(keras.optimizers.Adam(0.03), loss=lambda y, p: loss(y, p, **params))
    before = np.array(model.layers[-1].vectors)
    model.fit(X, LABELS, batch_size=32, epochs=12, verbose=0)
    return model, before


@pytest.mark.parametrize(("loss", "params", "arguments"), HEADS)
def test_fit_moves_the_vectors_and_learns_the_classes(loss, params, arguments):
    model, before = trained(loss, params, arguments)
    assert np.abs(np.array(model.layers[-1].vectors) - before).max() > 0.05
    assert (model.predict(X, verbose=0).argmax(axis=1) == LABELS).mean() > 0.9


def test_a_saved_model_predicts_the_same(tmp_path):
    model, _ = trained(*HEADS[3])
    path = tmp_path / "model.keras"
    model.save(path)
    loaded = keras.models.load_model(path, compile=False)
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    np.testing.assert_allclose(
        loaded.predict(X, verbose=0),
        model.predict(X, verbose=0),
        rtol=EACH_OTHER,
        atol=2 * CANCELLATION,
    )
