"""The distance maps, and the boundary loss on them."""

import sys

import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg_segmentation.boundary import boundary, distance_maps

RNG = np.random.default_rng(3)


def distances_one_by_one(mask, spacing):
    """Return the signed distances of one mask, from every pixel to every other."""
    pixels = [*np.ndindex(mask.shape)]
    result = np.zeros(mask.shape)
    for one in pixels:
        others = [
            np.hypot.reduce(np.multiply(np.subtract(one, two), spacing))
            for two in pixels
            if mask[two] != mask[one]
        ]
        result[one] = min(spacing) - min(others) if mask[one] else min(others)
    return result


@pytest.mark.parametrize("spacing", [None, (1.0, 2.5)])
def test_maps_hold_the_distance_to_the_nearest_pixel_of_the_other_kind(spacing):
    pytest.importorskip("scipy")
    masks = (RNG.random((2, 6, 5, 3)) < 0.3).astype("float32")
    maps = distance_maps(masks, spacing=spacing)
    assert maps.shape == masks.shape
    assert maps.dtype == "float32"
    for image, of_image in zip(masks, maps, strict=True):
        for c in range(3):
            expected = distances_one_by_one(image[..., c], spacing or (1.0, 1.0))
            np.testing.assert_allclose(of_image[..., c], expected, rtol=FLOAT32)


def test_a_row_by_hand():
    pytest.importorskip("scipy")
    masks = np.array([[0, 0, 1, 1, 1, 1, 1, 0]])[..., None]
    assert distance_maps(masks)[0, :, 0].tolist() == [2, 1, 0, -1, -2, -1, 0, 1]


def test_a_mask_without_a_border_gets_zeros():
    pytest.importorskip("scipy")
    assert not distance_maps(np.stack([np.zeros((3, 3, 1)), np.ones((3, 3, 1))])).any()


def test_the_boundary_loss_is_lowest_at_the_true_region(run_eagerly):
    pytest.importorskip("scipy")
    mask = np.zeros((1, 9, 9, 1), "float32")
    mask[:, 3:7, 2:6] = 1
    maps = distance_maps(mask)
    costs = [
        run_eagerly(boundary, maps, np.roll(mask, shift, axis=1))[0][0] for shift in (0, 1, 2, 3)
    ]
    assert costs[0] < 0
    assert costs == sorted(costs)
    assert costs[0] == pytest.approx((maps * mask).sum() / mask.size, rel=FLOAT32)


def test_the_boundary_loss_is_a_mean_of_products(run):
    phi = RNG.normal(size=(2, 4, 5, 3)).astype("float32")
    p = RNG.random((2, 4, 5, 3)).astype("float32")
    values, gradient = run(boundary, phi, p)
    expected = [
        sum(float(d) * float(q) for d, q in zip(a.ravel(), b.ravel(), strict=True)) / a.size
        for a, b in zip(phi, p, strict=True)
    ]
    # Terms of either sign: the error is a share of their size, not of the sum.
    np.testing.assert_allclose(
        values, expected, rtol=FLOAT32, atol=CANCELLATION * np.abs(phi).max()
    )
    np.testing.assert_allclose(gradient, phi / phi[0].size, rtol=FLOAT32)


def test_the_background_can_be_left_out(run_eagerly):
    phi = RNG.normal(size=(2, 4, 5, 3)).astype("float32")
    p = RNG.random((2, 4, 5, 3)).astype("float32")
    values, _ = run_eagerly(boundary, phi, p, include_background=False)
    expected, _ = run_eagerly(boundary, phi[..., 1:], p[..., 1:])
    np.testing.assert_allclose(
        values, expected, rtol=EACH_OTHER, atol=2 * CANCELLATION * np.abs(phi).max()
    )


def test_without_scipy_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.ndimage", None)
    with pytest.raises(ImportError, match="pip install scipy"):
        distance_maps(np.zeros((1, 2, 2, 1)))
