"""The functions of TensorFlow Addons 0.23: its parameters, defaults and shapes.

The formulas are those of the other packages of lossreg; where they can't be evaluated, as for
a batch without a positive pair, TensorFlow Addons gives NaN and these give what those packages
say. Parameters are taken by name only.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Le

from lossreg import ParameterError
from lossreg.lazy import keras, ops
from lossreg_detection.overlap import giou, iou
from lossreg_focal.losses import focal, sparse_focal
from lossreg_metric.distances import contrastive, lifted_structure
from lossreg_metric.similarities import npairs, npairs_multilabel
from lossreg_metric.triplets import triplet_hard, triplet_semihard
from lossreg_noise.softmaxes import sparsemax
from lossreg_ordinal.agreement import weighted_kappa
from lossreg_regression.quantiles import pinball

DistanceMetric = Literal["L2", "squared-L2", "angular"]

_DISTANCES = {"L2": "euclidean", "squared-L2": "squared_euclidean", "angular": "cosine"}


def contrastive_loss(y_true, y_pred, *, margin: Annotated[float, Ge(0)] = 1.0):
    """TensorFlow Addons' contrastive loss of the distances of pairs.

    `y * d**2 + (1 - y) * max(0, margin - d)**2`. The same as `contrastive` of lossreg-metric.

    Args:
        y_true: 1 for a pair of one class, 0 for others; same shape as `y_pred`.
        y_pred: Distances, at least 0, shape `(batch,)` or `(batch, 1)`.
        margin: The distance from which a pair of two classes costs nothing.

    Returns:
        A squared distance per pair, in float32 or wider, shape of `y_pred`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/contrastive.py`.
    """
    return contrastive(y_true, y_pred, margin=margin)


def sigmoid_focal_crossentropy(
    y_true,
    y_pred,
    *,
    alpha: Annotated[float, Ge(0), Le(1)] = 0.25,
    gamma: Annotated[float, Ge(0)] = 2.0,
    from_logits: bool = False,
):
    """TensorFlow Addons' focal loss, summed over the outputs.

    `sum(alpha_t * (1 - p_t)**gamma * -log(p_t))` over the last axis. `focal` of lossreg-focal is
    the mean instead of the sum. `alpha=0` weighs all labels with 1.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        alpha: Weight of label 1; label 0 has `1 - alpha`.
        gamma: How much easy samples are played down; 0 gives plain cross-entropy.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.

    Returns:
        Nats, scaled down, per sample, in float32 or wider, shape `(batch, ...)`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/focal_loss.py`.
    """
    mean = focal(y_true, y_pred, alpha=alpha or None, gamma=gamma, from_logits=from_logits)
    return mean * ops.cast(ops.shape(y_pred)[-1], mean.dtype)


def giou_loss(y_true, y_pred, *, mode: Literal["giou", "iou"] = "giou"):
    """TensorFlow Addons' generalized IoU loss of boxes, or its IoU loss.

    `1 - IoU + (C - U) / C`, or `1 - IoU` with `mode="iou"`. The same as `giou` and `iou` of
    lossreg-detection. TensorFlow Addons drops axes of length 1 from the values, and this doesn't.

    Args:
        y_true: Boxes by two corners, `(y_min, x_min, y_max, x_max)`, shape `(batch, ..., 4)`.
        y_pred: Predicted boxes, same shape.
        mode: Which loss it is.

    Returns:
        A number in [0, 2] per box, shape `(batch, ...)`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/giou_loss.py`.
    """
    return giou(y_true, y_pred) if mode == "giou" else iou(y_true, y_pred)


def lifted_struct_loss(y_true, y_pred, *, margin: Annotated[float, Ge(0)] = 1.0):
    """TensorFlow Addons' lifted structured loss of embeddings.

    `sum(max(0, J)**2) / (2 * pairs)` over all pairs of one class. The same as `lifted_structure` of
    lossreg-metric, which explains `J`.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, of any length, shape `(batch, dims)`.
        margin: How far apart samples of two classes should be.

    Returns:
        A squared distance, in float32 or wider, shape `()`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/lifted.py`.
    """
    return lifted_structure(y_true, y_pred, margin=margin)


def npairs_loss(y_true, y_pred):
    """TensorFlow Addons' N-pairs loss of a matrix of similarities.

    `mean(-sum(t * log(softmax(s))))` over the rows `s`. The mean of `npairs` of lossreg-metric.
    In `fit`, where labels come as `(batch, 1)`, TensorFlow Addons gives NaN and this its value.

    Args:
        y_true: Class numbers, the same for rows and columns, shape `(batch,)`.
        y_pred: Similarities, such as dot products, shape `(batch, batch)`.

    Returns:
        Nats, in float32 or wider, shape `()`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/npairs.py`.
    """
    return ops.mean(npairs(y_true, y_pred))


def npairs_multilabel_loss(y_true, y_pred):
    """TensorFlow Addons' N-pairs loss for samples with several classes each.

    `mean(-sum(t * log(softmax(s))))` over the rows `s`. The mean of `npairs_multilabel` of
    lossreg-metric. Sparse tensors aren't taken.

    Args:
        y_true: 1 for each class of a sample and 0 for others, shape `(batch, classes)`.
        y_pred: Similarities, such as dot products, shape `(batch, batch)`.

    Returns:
        Nats, in float32 or wider, shape `()`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/npairs.py`.
    """
    return ops.mean(npairs_multilabel(y_true, y_pred))


def pinball_loss(
    y_true,
    y_pred,
    *,
    tau: Annotated[float, Ge(0), Le(1)] | tuple[Annotated[float, Ge(0), Le(1)], ...] = 0.5,
):
    """TensorFlow Addons' pinball loss: regression to a quantile.

    `mean(max(tau * e, (tau - 1) * e))` over the last axis, with `e = y_true - y_pred`. The same as
    `pinball` of lossreg-regression.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        tau: Share of labels below the prediction; a list has one for each output.

    Returns:
        Units of the labels per sample, shape `(batch, ...)`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/quantiles.py`.
    """
    return pinball(y_true, y_pred, tau=tau)


def sparsemax_loss(logits, sparsemax, labels, name=None):
    """Return TensorFlow Addons' sparsemax loss of logits and their sparsemax.

    `sum(p * (z - p / 2) + y * (y / 2 - z))` over the classes, with logits `z` and their sparsemax
    `p`. `SparsemaxLoss` computes `p` itself.

    Args:
        logits: Logits, shape `(batch, classes)`.
        sparsemax: Their sparsemax, same shape.
        labels: One-hot, or soft rows that sum to 1, same shape.
        name: Ignored; a name of a TensorFlow operation.

    Returns:
        A number from 0 per sample, shape `(batch,)`.
    """
    del name
    z, p, y = (ops.convert_to_tensor(values) for values in (logits, sparsemax, labels))
    # A class may be ruled out by a logit of minus infinity.
    z = ops.where(ops.logical_and(ops.equal(p, 0), ops.equal(y, 0)), 0.0, z)
    return ops.sum(p * (z - p / 2) + y * (y / 2 - z), axis=1)


def sparsemax_loss_from_logits(y_true, y_pred, *, from_logits: Literal[True] = True):
    """TensorFlow Addons' sparsemax loss, on logits.

    `sum((p - y) * x) - sum(p**2 - y**2) / 2` over the classes, where `p` is the sparsemax of the
    logits `x`. The same as `sparsemax` of lossreg-noise.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, classes)`.
        y_pred: Logits, same shape.
        from_logits: Whether `y_pred` holds logits. It must.

    Returns:
        A number from 0 per sample, in float32 or wider, shape `(batch,)`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/sparsemax_loss.py`.
    """
    del from_logits
    return sparsemax(y_true, y_pred)


def triplet_semihard_loss(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 1.0,
    distance_metric: DistanceMetric = "L2",
):
    """TensorFlow Addons' triplet loss of the nearest negative beyond a positive.

    The mean of `max(0, d(a, p) - d(a, n) + margin)` over all ordered pairs of one class. The same
    as `triplet_semihard` of lossreg-metric. A function as `distance_metric` isn't taken.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, as a rule of length 1, shape `(batch, dims)`.
        margin: How much farther the negative should be.
        distance_metric: The Euclidean distance, its square, or `1 - cos(a, b)` (`"angular"`).

    Returns:
        A distance, in float32 or wider, shape `()`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/triplet.py`.
    """
    return triplet_semihard(y_true, y_pred, margin=margin, distance=_DISTANCES[distance_metric])


def triplet_hard_loss(
    y_true,
    y_pred,
    *,
    margin: Annotated[float, Ge(0)] = 1.0,
    soft: bool = False,
    distance_metric: DistanceMetric = "L2",
):
    """TensorFlow Addons' triplet loss: farthest positive, nearest negative.

    The mean of `max(0, d(a, p) - d(a, n) + margin)` over the anchors, or with `soft` of
    `log(1 + exp(d(a, p) - d(a, n)))`. The mean of `triplet_hard` of lossreg-metric. A function as
    `distance_metric` isn't taken.

    Args:
        y_true: Class numbers, shape `(batch,)`.
        y_pred: Embeddings, as a rule of length 1, shape `(batch, dims)`.
        margin: How much farther the negative should be; unused with `soft`.
        soft: Whether a softplus takes the place of margin and maximum.
        distance_metric: The Euclidean distance, its square, or `1 - cos(a, b)` (`"angular"`).

    Returns:
        A distance, in float32 or wider, shape `()`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/triplet.py`.
    """
    distance = _DISTANCES[distance_metric]
    return ops.mean(triplet_hard(y_true, y_pred, margin=margin, soft=soft, distance=distance))


def weighted_kappa_loss(
    y_true,
    y_pred,
    *,
    num_classes: Annotated[int, Ge(2)] | None = None,
    weightage: Literal["linear", "quadratic"] = "quadratic",
    epsilon: Annotated[float, Ge(0)] | None = 1e-6,
):
    """TensorFlow Addons' weighted kappa loss of ordered classes.

    `log(O / E + epsilon)`, with the disagreement `O` and the one expected by chance `E`. The same
    as `weighted_kappa` of lossreg-ordinal.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, classes)`.
        y_pred: Probabilities in [0, 1], same shape.
        num_classes: The number of classes; None takes it from `y_pred`.
        weightage: How the cost of a mistake grows with the distance of the classes.
        epsilon: What keeps the logarithm finite; None and 0 stand for Keras' epsilon, 1e-7.

    Returns:
        The logarithm of a share, about 0 for chance and at least `log(epsilon)`, shape `()`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/losses/kappa_loss.py`.
    """
    classes = ops.convert_to_tensor(y_pred).shape[-1]
    if num_classes is not None and classes not in (None, num_classes):
        raise ParameterError(
            f"Loss 'addons_weighted_kappa': num_classes must be {classes}, the number of outputs, "
            f"got {num_classes!r}."
        )
    epsilon = epsilon or keras.config.epsilon()
    return weighted_kappa(y_true, y_pred, weightage=weightage, epsilon=epsilon)


def sequence_crossentropy(y_true, y_pred, *, ignore_class: int | None = None):
    """Cross-entropy of each step of a sequence, such as the words of a translation.

    `-log(softmax(x)_y)` for each step, with its class `y` and logits `x`. Keras weighs, masks and
    reduces the steps: `reduction="mean_with_sample_weight"` is the mean over all steps that count.

    `lossreg_addons.seq2seq.SequenceLoss` is the loss of TensorFlow Addons that averages over
    sequences or steps.

    Args:
        y_true: Class numbers from 0, shape `(batch, steps)`.
        y_pred: Logits, shape `(batch, steps, classes)`.
        ignore_class: A label, such as -1 or 0, of steps that don't count, for sequences of
            several lengths.

    Returns:
        Nats per step, in float32 or wider, shape `(batch, steps)`.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/seq2seq/loss.py`, before it reduces.
    """
    return sparse_focal(
        y_true, y_pred, gamma=0.0, alpha=None, from_logits=True, ignore_class=ignore_class
    )
