"""The boundary loss, and the distance maps that it takes as labels."""

from collections.abc import Sequence
from typing import Any

from lossreg.lazy import numpy as np
from lossreg.lazy import ops

from .regions import probabilities


def boundary(
    y_true,
    y_pred,
    *,
    include_background: bool = True,
    from_logits: bool = False,
):
    """Distance between the borders of regions, from a map of distances as label.

    `mean(phi * p)` over the positions and classes of one image, where `phi` is the distance to
    the border of the true region, negative inside it. A probability far out costs much, and one
    deep inside earns much.

    The value is lowest, and below 0, where the prediction is the true region. An image without
    a border has no gradient, and a model that predicts nothing has nearly none: add a loss of
    regions, and raise the weight during training. `lossreg.compile` takes
    `"generalized_dice + linear(0.01, 1, epochs=100) * boundary"`, and `fit` labels that are a
    mapping, `{"mask": masks, "distance": distance_maps(masks)}`.

    Args:
        y_true: Signed distances in pixels, shape `(batch, ..., classes)`: negative inside,
            positive outside, as `distance_maps` makes them from masks.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape. Of logits a
            softmax is taken, and of one channel a sigmoid.
        include_background: Whether class 0 counts, where there are several classes.
        from_logits: Whether `y_pred` holds logits.

    Returns:
        A distance in pixels per image, times a share, of either sign, shape `(batch,)`.

    Source:
        Kervadec et al., 2019, arXiv:1812.07032, the boundary loss; with a mean, as in the
        authors' code, in place of the integral.
    """
    p = probabilities(y_pred, from_logits=from_logits)
    phi = ops.cast(y_true, p.dtype)
    if not include_background and p.shape[-1] != 1:
        phi, p = phi[..., 1:], p[..., 1:]
    return ops.mean(phi * p, axis=tuple(range(1, len(p.shape))))


def distance_maps(masks: Any, *, spacing: Sequence[float] | None = None) -> Any:
    """Return for each pixel of each mask the signed distance to the border.

    Outside it is the distance to the nearest pixel of the region, from 1; inside it is 1 less than
    the distance to the nearest pixel outside, with a minus sign, so that the outermost pixels of
    the region have 0. A mask that is empty, or full, has no border and gets zeros.

    Make the maps once, before training, and give them to `boundary` as `y_true`.

        maps = distance_maps(keras.utils.to_categorical(labels, classes))

    Args:
        masks: 0 or 1, or one-hot, shape `(batch, ..., classes)`.
        spacing: Size of a pixel along each axis between the batch and the classes, for distances
            in millimetres, say. The 1 that is taken off inside is then the smallest of them.

    Returns:
        A float32 array in the shape of `masks`.

    Raises:
        ImportError: scipy isn't installed.
    """
    try:
        from scipy.ndimage import distance_transform_edt
    except ImportError as error:
        raise ImportError(
            "distance_maps needs scipy, which isn't installed. Install it: pip install scipy."
        ) from error
    inside = np.moveaxis(np.asarray(masks) > 0.5, -1, 1)
    maps = np.zeros(inside.shape, "float32")
    step = 1.0 if spacing is None else min(spacing)
    for index in np.ndindex(inside.shape[:2]):
        region = inside[index]
        if region.any() and not region.all():
            outer = distance_transform_edt(~region, sampling=spacing)
            inner = distance_transform_edt(region, sampling=spacing)
            maps[index] = np.where(region, step - inner, outer)
    return np.moveaxis(maps, 1, -1)
