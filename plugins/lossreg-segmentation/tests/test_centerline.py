"""The centerline Dice loss against the algorithms of its paper, with plain loops over pixels."""

import itertools

import numpy as np
import pytest
from tolerances import EACH_OTHER, FLOAT32

from lossreg_segmentation import centerline

RNG = np.random.default_rng(11)


def neighbours(image, index, diagonal):
    """Return the values of a pixel and of those next to it, inside the image."""
    found = []
    for step in itertools.product((-1, 0, 1), repeat=image.ndim):
        if not diagonal and np.count_nonzero(step) > 1:
            continue
        there = tuple(np.add(index, step))
        if all(0 <= i < n for i, n in zip(there, image.shape, strict=True)):
            found.append(image[there])
    return found


def filtered(image, choose, *, diagonal):
    result = np.empty_like(image)
    for index in np.ndindex(image.shape):
        result[index] = choose(neighbours(image, index, diagonal))
    return result


def skeleton(image, iterations):
    def opened(image):
        return filtered(filtered(image, min, diagonal=False), max, diagonal=True)

    line = np.maximum(image - opened(image), 0)
    for _ in range(iterations):
        image = filtered(image, min, diagonal=False)
        rest = np.maximum(image - opened(image), 0)
        line = line + np.maximum(rest - line * rest, 0)
    return line


def soft_cldice(y, p, *, alpha=0.5, iterations=3, smooth=1.0):
    values = []
    for image, probabilities in zip(y, p, strict=True):
        lines = [
            np.stack([skeleton(a[..., c], iterations) for c in range(a.shape[-1])], axis=-1)
            for a in (probabilities, image)
        ]
        precision = ((lines[0] * image).sum() + smooth) / (lines[0].sum() + smooth)
        found = ((lines[1] * probabilities).sum() + smooth) / (lines[1].sum() + smooth)
        above = 2 * (image * probabilities).sum() + smooth
        dice = 1 - above / (image.sum() + probabilities.sum() + smooth)
        lines_missed = 1 - 2 * precision * found / (precision + found)
        values.append((1 - alpha) * dice + alpha * lines_missed)
    return np.array(values)


@pytest.mark.parametrize("iterations", [0, 1, 3])
@pytest.mark.parametrize("shape", [(2, 9), (2, 6, 7), (2, 4, 5, 3)])
def test_values_and_slopes_are_those_of_the_paper(check_formula, shape, iterations):
    p = RNG.random((*shape, 1))
    y = RNG.integers(0, 2, (*shape, 1)).astype("float64")
    check_formula(
        centerline.soft_cldice, soft_cldice, y, p, alpha=0.3, iterations=iterations, smooth=0.5
    )


def test_the_background_counts_on_request(run_eagerly):
    p = RNG.random((2, 6, 7, 2)).astype("float32")
    y = np.eye(2, dtype="float32")[RNG.integers(0, 2, (2, 6, 7))]
    values, _ = run_eagerly(centerline.soft_cldice, y, p)
    np.testing.assert_allclose(values, soft_cldice(y[..., 1:], p[..., 1:]), rtol=FLOAT32)
    values, _ = run_eagerly(centerline.soft_cldice, y, p, include_background=True)
    np.testing.assert_allclose(values, soft_cldice(y, p), rtol=FLOAT32)


def test_a_gap_costs_more_than_a_rough_edge(run_eagerly):
    road = np.zeros((1, 7, 12, 1), "float32")
    road[:, 2:5] = 1
    gap, edge = road.copy(), road.copy()
    gap[:, 2:5, 6] = 0
    edge[:, 2, [2, 5, 8]] = 0
    # Both miss three pixels, so that Dice sees no difference.
    assert gap.sum() == edge.sum()
    costs = {
        alpha: [run_eagerly(centerline.soft_cldice, road, p, alpha=alpha)[0] for p in (gap, edge)]
        for alpha in (0.0, 1.0)
    }
    assert costs[0.0][0] == pytest.approx(costs[0.0][1], rel=EACH_OTHER)
    assert costs[1.0][0] > costs[1.0][1] + 0.01
