"""One output for one object: masks of 0 and 1, in place of an output for each class."""

import numpy as np
import pytest
from tolerances import CANCELLATION, FLOAT32

import lossreg

# Two images of two pixels: half of a pixel isn't found, and all is right.
MASK = np.array([[[1], [1]], [[0], [1]]], "float32")
FOUND = np.array([[[1], [0.5]], [[0], [1]]], "float32")
# By hand: 1 - 2 * 1.5 / (2 + 1.5), and 1 - 2 * 1 / (1 + 1).
DICE = [1 - 3 / 3.5, 0]
NEAR = {"rtol": FLOAT32, "atol": CANCELLATION}

NAMES = ["soft_dice", "jaccard", "focal_tversky", "generalized_dice", "lovasz_softmax"]


@pytest.mark.parametrize("labels", [MASK, MASK[..., 0], MASK.astype("uint8")], ids=["", "rank", ""])
def test_a_mask_of_0_and_1_belongs_to_one_output(labels):
    loss = lossreg.get_loss("soft_dice", smooth=0.0, reduction=None)
    function = lossreg.get_loss_fn("soft_dice", smooth=0.0)
    for got in (loss(labels, FOUND), function(labels, FOUND)):
        np.testing.assert_allclose(got, DICE, **NEAR)
    assert lossreg.check_data(loss, labels, FOUND) == []


@pytest.mark.parametrize("name", NAMES)
def test_logits_of_one_output_have_a_sigmoid(name):
    logits = np.array([[[2.0], [-1.0]], [[-3.0], [0.5]]], "float32")
    sure = 1 / (1 + np.exp(-logits))
    of_logits = lossreg.get_loss(name, from_logits=True)(MASK, logits)
    np.testing.assert_allclose(of_logits, lossreg.get_loss(name)(MASK, sure), **NEAR)


@pytest.mark.parametrize("name", [*NAMES, "soft_cldice"])
def test_pixels_that_do_not_count_change_nothing(name):
    axes = (2, 2, 2, 1) if name == "soft_cldice" else (2, 4, 1)
    y = np.resize(MASK, axes)
    p = np.resize(FOUND, axes)
    loss = lossreg.get_loss(name, ignore_class=255, reduction=None)
    void, anything = (np.full_like(y, value) for value in (255, np.nan))
    wider = loss(np.concatenate([y, void], 1), np.concatenate([p, anything], 1))
    np.testing.assert_allclose(wider, loss(y, p), **NEAR)


def test_a_mask_of_8_bits_is_told_what_to_do():
    with pytest.raises(lossreg.errors.ShapeError, match="divide them by 255"):
        lossreg.get_loss("jaccard")(255 * MASK, FOUND)
