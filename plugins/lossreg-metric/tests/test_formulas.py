"""Values and gradients against float64 references written from the papers."""

import functools
import inspect

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

from lossreg_metric import classes, distances, similarities, triplets, views

RANDOM = np.random.default_rng(11)
CLASSES = RANDOM.integers(0, 4, 12).astype("int32")
POINTS = (RANDOM.normal(size=(12, 3)) + RANDOM.normal(size=(4, 3))[CLASSES]).astype("float32")
COSINES = np.cos(RANDOM.uniform(0, np.pi, (12, 5))).astype("float32")
VIEWS = RANDOM.normal(size=(7, 2, 4)).astype("float32")
MATRIX = RANDOM.normal(size=(12, 12)).astype("float32")
TRIPLETS = RANDOM.normal(size=(12, 3, 4)).astype("float32")
PAIRS = (RANDOM.random(12) < 0.5).astype("float32")
APART = RANDOM.gamma(2.0, 0.4, 12).astype("float32")
SEVERAL = (RANDOM.random((12, 5)) < 0.4).astype("float32")
NOTHING = np.zeros(7, "float32")

CASES = [
    (triplets.triplet_semihard, CLASSES, POINTS, {}),
    (triplets.triplet_semihard, CLASSES, POINTS, {"margin": 0.3, "distance": "cosine"}),
    (triplets.triplet_semihard, CLASSES, POINTS, {"margin": 4, "distance": "squared_euclidean"}),
    (triplets.triplet_hard, CLASSES, POINTS, {}),
    (triplets.triplet_hard, CLASSES, POINTS, {"margin": 0.3, "distance": "cosine"}),
    (triplets.triplet_hard, CLASSES, POINTS, {"soft": True, "distance": "squared_euclidean"}),
    (triplets.triplet_margin, PAIRS, TRIPLETS, {}),
    (triplets.triplet_margin, PAIRS, TRIPLETS, {"margin": 0.5, "p": 1, "swap": True}),
    (triplets.triplet_margin, PAIRS, TRIPLETS, {"margin": 2, "p": 3.5}),
    (distances.contrastive, PAIRS, APART, {"margin": 0.9}),
    (distances.margin, CLASSES, POINTS, {"margin": 0.4, "beta": 3.0}),
    (distances.lifted_structure, CLASSES, POINTS, {"margin": 2.0}),
    (similarities.npairs, CLASSES, MATRIX, {}),
    (similarities.npairs_multilabel, SEVERAL, MATRIX, {}),
    (similarities.siglip, CLASSES, MATRIX, {"scale": 3.0, "bias": -2.0}),
    (similarities.multi_similarity, CLASSES, POINTS, {}),
    (similarities.multi_similarity, CLASSES, POINTS, {"beta": 40.0, "base": 0.5, "epsilon": None}),
    (similarities.multi_similarity, CLASSES, POINTS, {"alpha": 9.0, "base": 0.2, "epsilon": 0}),
    (similarities.supervised_contrastive, CLASSES, POINTS, {}),
    (similarities.supervised_contrastive, CLASSES, POINTS, {"temperature": 0.5}),
    (views.ntxent, NOTHING, VIEWS, {"temperature": 0.3}),
    (views.info_nce, NOTHING, VIEWS, {}),
    (views.info_nce, NOTHING, VIEWS, {"temperature": 0.4, "symmetric": True}),
    (views.barlow_twins, NOTHING, VIEWS, {"redundancy": 0.3, "epsilon": 0.01}),
    (views.vicreg, NOTHING, 0.4 * VIEWS, {"invariance": 3, "variance": 11, "covariance": 2}),
    (classes.arcface, CLASSES, COSINES, {}),
    (classes.arcface, CLASSES, COSINES, {"margin": 1.2, "scale": 4.0}),
    (classes.arcface, CLASSES, COSINES, {"margin": 0.7, "scale": 4.0, "easy_margin": True}),
    (classes.cosface, CLASSES, COSINES, {"margin": 0.2, "scale": 5.0}),
    (classes.soft_triple, CLASSES, COSINES, {"margin": 0.1}),
    (classes.proxy_nca, CLASSES, COSINES, {"scale": 2.0}),
    (classes.proxy_nca, CLASSES, COSINES, {"denominator": "all"}),
    (classes.proxy_anchor, CLASSES, COSINES, {"margin": 0.2, "alpha": 6.0}),
]
IDS = [f"{loss.__name__}({params})" for loss, _, _, params in CASES]


def slope_along(function, point, direction, step=1e-6):
    """Return how fast a function's sum grows in one direction, measured in float64."""
    ahead, behind = (np.sum(function(point + sign * step * direction)) for sign in (1, -1))
    return (ahead - behind) / (2 * step)


@pytest.mark.parametrize(("loss", "y_true", "y_pred", "params"), CASES, ids=IDS)
def test_values_and_gradients_are_those_of_the_paper(run, references, loss, y_true, y_pred, params):
    formula = functools.partial(references[loss.__name__], y_true, **params)
    values, gradient = run(loss, y_true, y_pred, **params)
    expected = np.asarray(formula(y_pred.astype("float64")))
    assert values.shape == expected.shape
    # The rest is what logarithms of cosines divided by a small temperature lose.
    np.testing.assert_allclose(
        values, expected, rtol=FLOAT32, atol=CANCELLATION * max(1, expected.max())
    )
    for direction in RANDOM.normal(size=(5, *y_pred.shape)):
        slope = slope_along(formula, y_pred.astype("float64"), direction)
        assert np.sum(gradient * direction) == pytest.approx(
            slope, abs=FLOAT32 * np.linalg.norm(gradient)
        )


def test_every_loss_has_a_case():
    modules = (classes, distances, similarities, triplets, views)
    public = {
        name
        for module in modules
        for name, value in inspect.getmembers(module, inspect.isfunction)
        if value.__module__ == module.__name__ and "y_true" in inspect.signature(value).parameters
    }
    tested = {loss.__name__ for loss, *_ in CASES}
    assert tested == {name for name in public if not name.startswith("_")}
