"""The losses of boxes against the papers, in float64 with one box at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

from lossreg_detection.overlap import ciou, diou, eiou, giou, iou, siou

LOSSES = [iou, giou, diou, ciou, eiou, siou]


def references(true, pred, theta=4.0):
    """Return each loss of two boxes with an area, by the formulas of the papers."""
    tx1, ty1, tx2, ty2 = true
    x1, y1, x2, y2 = pred
    tw, th, w, h = tx2 - tx1, ty2 - ty1, x2 - x1, y2 - y1
    shared = max(0, min(x2, tx2) - max(x1, tx1)) * max(0, min(y2, ty2) - max(y1, ty1))
    union = tw * th + w * h - shared
    overlap = shared / union
    cw, ch = max(x2, tx2) - min(x1, tx1), max(y2, ty2) - min(y1, ty1)
    dx, dy = (x1 + x2 - tx1 - tx2) / 2, (y1 + y2 - ty1 - ty2) / 2
    distance = (dx**2 + dy**2) / (cw**2 + ch**2)
    v = 4 / math.pi**2 * (math.atan(tw / th) - math.atan(w / h)) ** 2
    alpha = v / (1 - overlap + v) if v else 0
    sides = (w - tw) ** 2 / cw**2 + (h - th) ** 2 / ch**2
    sigma = math.hypot(dx, dy)
    angle = 1 - 2 * math.sin(math.asin(abs(dy) / sigma) - math.pi / 4) ** 2 if sigma else 0
    gamma = 2 - angle
    delta = sum(1 - math.exp(-gamma * (d / c) ** 2) for d, c in ((dx, cw), (dy, ch)))
    omega = sum((1 - math.exp(-abs(a - b) / max(a, b))) ** theta for a, b in ((w, tw), (h, th)))
    return {
        iou: 1 - overlap,
        giou: 1 - overlap + (cw * ch - union) / (cw * ch),
        diou: 1 - overlap + distance,
        ciou: 1 - overlap + distance + alpha * v,
        eiou: 1 - overlap + distance + sides,
        siou: 1 - overlap + (delta + omega) / 2,
    }


def draw(count, seed=0):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-3, 3, (2, count, 2))
    boxes = np.concatenate([low, low + rng.uniform(0.2, 4, (2, count, 2))], axis=-1)
    return boxes.astype("float32")


Y_TRUE, Y_PRED = draw(200)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_is_the_formula_of_its_paper(run, loss):
    values, _ = run(loss, Y_TRUE, Y_PRED)
    pairs = zip(Y_TRUE.tolist(), Y_PRED.tolist(), strict=True)
    expected = [references(*pair)[loss] for pair in pairs]
    assert values == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not ciou])
def test_a_gradient_is_the_slope_of_the_formula(run, loss):
    _, gradient = run(loss, Y_TRUE[:40], Y_PRED[:40])
    step = 1e-6
    for true, pred, slopes in zip(Y_TRUE.tolist(), Y_PRED.tolist(), gradient, strict=False):
        for side in range(4):
            ends = []
            for sign in (1, -1):
                moved = list(pred)
                moved[side] += sign * step
                ends.append(references(true, moved)[loss])
            assert slopes[side] == pytest.approx(
                (ends[0] - ends[1]) / (2 * step),
                rel=FLOAT32,
                abs=CANCELLATION * np.abs(slopes).max(),
            )


def test_alpha_is_a_constant_in_the_gradient_of_ciou(run):
    # Boxes with one centre and one area: the gradient of the aspect term by the width is
    # alpha * dv/dw, with dv/dw = -8 / pi**2 * turn * h / (w**2 + h**2).
    true, pred = [[-2.0, -1.0, 2.0, 1.0]], np.array([[-1.0, -2.0, 1.0, 2.0]], "float32")
    _, full = run(ciou, true, pred)
    _, without = run(diou, true, pred)
    turn = math.atan(2) - math.atan(0.5)
    v = 4 / math.pi**2 * turn**2
    overlap = 4 / 12
    by_width = v / (1 - overlap + v) * -8 / math.pi**2 * turn * 4 / 20
    assert (full - without)[0, 2] == pytest.approx(by_width, rel=FLOAT32, abs=2 * CANCELLATION)


def test_siou_takes_theta(run):
    values, _ = run(siou, Y_TRUE, Y_PRED, theta=2.0)
    pairs = zip(Y_TRUE.tolist(), Y_PRED.tolist(), strict=True)
    expected = [references(*pair, theta=2.0)[siou] for pair in pairs]
    assert values == pytest.approx(expected, rel=FLOAT32, abs=CANCELLATION)


def test_iou_by_its_logarithm_is_unitbox(run):
    # 2 of 6 are shared; then nothing is, which counts as 1e-6.
    y_true = [[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0]]
    y_pred = np.array([[1.0, 0.0, 3.0, 2.0], [5.0, 5.0, 6.0, 6.0]], "float32")
    values, gradient = run(iou, y_true, y_pred, mode="log")
    assert values == pytest.approx([math.log(3), math.log(1e6)], rel=FLOAT32)
    assert gradient[1].tolist() == [0.0] * 4


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # Unit squares a unit apart: nothing shared, hull 3 x 1, centres 2 apart, diagonal**2 10.
        (iou, 1.0),
        (giou, 1 + 1 / 3),
        (diou, 1 + 4 / 10),
        (ciou, 1 + 4 / 10),
        (eiou, 1 + 4 / 10),
        # No angle, so gamma is 2, and the offset in x is 2 of 3.
        (siou, 1 + (1 - math.exp(-2 * (2 / 3) ** 2)) / 2),
    ],
)
def test_two_squares_beside_each_other(run, loss, expected):
    values, _ = run(loss, [[0.0, 0.0, 1.0, 1.0]], np.array([[2.0, 0.0, 3.0, 1.0]], "float32"))
    assert values[0] == pytest.approx(expected, rel=FLOAT32)


def test_giou_gives_what_tensorflow_addons_documents(run):
    # The example in the docstring of tfa.losses.GIoULoss, 0.23.
    y_true = [[4.0, 3.0, 7.0, 5.0], [5.0, 6.0, 10.0, 7.0]]
    y_pred = np.array([[3.0, 4.0, 6.0, 8.0], [14.0, 14.0, 15.0, 15.0]], "float32")
    values, _ = run(giou, y_true, y_pred)
    assert values.mean() == pytest.approx(1.5041667, rel=FLOAT32)


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_boxes_cost_nothing(run, loss):
    values, gradient = run(loss, Y_TRUE, Y_TRUE)
    assert values == pytest.approx(0, abs=CANCELLATION)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_centre_and_a_size_are_two_corners(run, loss):
    def centered(corners):
        size = corners[:, 2:] - corners[:, :2]
        return np.concatenate([corners[:, :2] + size / 2, size], axis=-1)

    values, _ = run(loss, centered(Y_TRUE), centered(Y_PRED), box_format="center")
    expected, _ = run(loss, Y_TRUE, Y_PRED)
    # The corners of a centre and a size are rounded once more.
    assert values == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), power=st.integers(-28, 28), move=st.integers(-8, 8))
def test_unit_origin_and_order_of_axes_dont_matter(loss, seed, power, move):
    y_true, y_pred = draw(8, seed)
    values = np.asarray(loss(y_true, y_pred))
    # Powers of two change no digit.
    scaled = np.asarray(loss(y_true * 2.0**power, y_pred * 2.0**power))
    assert scaled == pytest.approx(values, rel=EACH_OTHER, abs=2 * CANCELLATION)
    moved = np.asarray(loss(y_true + np.float32(move), y_pred + np.float32(move)))
    # Moving a box rounds its corners.
    assert moved == pytest.approx(values, rel=1e-4, abs=1e-5)
    order = [1, 0, 3, 2]
    swapped = np.asarray(loss(y_true[:, order], y_pred[:, order]))
    assert swapped == pytest.approx(values, rel=EACH_OTHER, abs=2 * CANCELLATION)


POINT = [0.3, 0.3, 0.3, 0.3]
BOX = [0.0, 0.0, 1.0, 1.0]
EDGES = {
    "equal points": (POINT, POINT),
    "a point in a box": (BOX, POINT),
    "a box around a point": (POINT, BOX),
    "two points": (POINT, [0.7, 0.7, 0.7, 0.7]),
    "a line": (BOX, [0.5, 0.0, 0.5, 1.0]),
    "equal lines": ([0.5, 0.0, 0.5, 1.0], [0.5, 0.0, 0.5, 1.0]),
    "lines on one line": ([0.5, 0.0, 0.5, 1.0], [0.5, 2.0, 0.5, 3.0]),
    "inside out": (BOX, [1.0, 1.0, 0.0, 0.0]),
    "tiny": ([0.0, 0.0, 1e-30, 1e-30], [0.0, 0.0, 1e-30, 2e-30]),
    "a tiny one in a large one": (BOX, [0.0, 0.0, 1e-25, 1e-25]),
    "far away": (BOX, [1e9, 1e9, 1e9 + 128, 1e9 + 128]),
    "a cross of long lines": ([0.0, 5e4, 1e5, 5e4], [5e4, 0.0, 5e4, 1e5]),
    "a cross of lines": ([0.0, 0.5, 1.0, 0.5], [0.5, 0.0, 0.5, 1.0]),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_edges_are_finite(run, loss):
    y_true, y_pred = (np.array(boxes, "float32") for boxes in zip(*EDGES.values(), strict=True))
    for params in [{}, {"mode": "log"}] if loss is iou else [{}]:
        for box_format in ("corners", "center"):
            values, gradient = run(loss, y_true, y_pred, box_format=box_format, **params)
            wrong = ~(np.isfinite(values) & np.isfinite(gradient).all(axis=-1))
            assert [name for name, bad in zip(EDGES, wrong, strict=True) if bad] == []


@pytest.mark.parametrize("loss", LOSSES)
def test_equal_points_have_an_iou_of_0(run, loss):
    values, _ = run(loss, [POINT], np.array([POINT], "float32"))
    assert values.tolist() == [1.0]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_box_is_pulled_towards_its_label(run, loss):
    # From the right, and too small: both corners go left but for the overlap's own opinion.
    _, gradient = run(loss, [[0.0, 0.0, 4.0, 4.0]], np.array([[3.0, 1.0, 5.0, 3.0]], "float32"))
    assert gradient[0, 0] > 0


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss is not iou])
def test_boxes_that_dont_touch_have_a_gradient(run, loss):
    _, gradient = run(loss, [BOX], np.array([[5.0, 6.0, 6.0, 8.0]], "float32"))
    assert np.abs(gradient).max() > 1e-3


@pytest.mark.parametrize("loss", LOSSES)
def test_places_are_values_of_their_own(run, loss):
    values, _ = run(loss, Y_TRUE.reshape(20, 10, 4), Y_PRED.reshape(20, 10, 4))
    flat, _ = run(loss, Y_TRUE, Y_PRED)
    assert values.shape == (20, 10)
    assert values.reshape(-1) == pytest.approx(flat, rel=EACH_OTHER, abs=2 * CANCELLATION)
