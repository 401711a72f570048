"""Keras' cross-entropies and their relatives: for probabilities of classes."""

from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt

from lossreg.lazy import keras, ops
from lossreg.numerics import at_least_float32, finite, leave_out


def binary_crossentropy(
    y_true,
    y_pred,
    *,
    from_logits: bool = False,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
    axis: int | tuple[int, ...] = -1,
):
    """Cross-entropy for yes-or-no labels, one or several: the usual choice.

    `mean(-y_true * log(p) - (1 - y_true) * log(1 - p))` over `axis`, where `p` is `y_pred`, or
    its sigmoid with `from_logits`. Probabilities are clipped to [1e-7, 1 - 1e-7], so one that is
    exactly wrong costs 16.1 nats and has no gradient. With `from_logits=True` and a last layer
    without an activation nothing is clipped. On TensorFlow, Keras does the same by itself where
    `y_pred` comes straight from a sigmoid layer. An infinite logit that agrees with its label
    costs 0, where Keras returns NaN.

    Labels outside [0, 1] are refused, which Keras takes; a compiled step can't see them.

    Args:
        y_true: 0 or 1, or soft between them, shape `(batch, ..., outputs)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no sigmoid.
        label_smoothing: How far labels move towards 1/2: 0.1 turns 0 and 1 into 0.05 and 0.95.
        axis: Axis, or axes, that the mean is taken over.

    Returns:
        Nats per sample, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, equation 4.90; smoothing: Szegedy
        et al., 2016, arXiv:1512.00567, section 7.
    """
    y_pred = at_least_float32(y_pred)
    if not label_smoothing:
        y_pred = keep_finite(y_pred, from_logits, y_true)
    return keras.losses.binary_crossentropy(
        y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
    )


def categorical_crossentropy(
    y_true,
    y_pred,
    *,
    from_logits: bool = False,
    label_smoothing: Annotated[float, Ge(0), Le(1)] = 0.0,
    axis: int = -1,
):
    """Cross-entropy for one class of several, one-hot labels: the usual choice.

    `-sum(y_true * log(p))` over `axis`, where `p` is `y_pred` divided by its sum, or its softmax
    with `from_logits`. Probabilities are clipped to [1e-7, 1 - 1e-7], so one that is exactly
    wrong costs 16.1 nats and has no gradient; logits aren't clipped. A logit of minus infinity
    rules a class out: it costs 0 where the label is 0, and Keras returns NaN. For labels that are
    class numbers take `sparse_categorical_crossentropy`.

    Labels outside [0, 1] and an axis of one class are refused, which Keras takes; a compiled step
    can't see values.

    Args:
        y_true: One-hot, or soft rows that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, same shape.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        label_smoothing: Share of each label that is spread over all classes. Keras counts the
            classes on the last axis, whatever `axis` says, so that with another axis the
            labels don't sum to 1 and TensorFlow's gradient is wrong.
        axis: Axis of the classes.

    Returns:
        Nats per sample, shape `(batch, ...)`: that of `y_pred` without `axis`.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, equation 4.108; smoothing: Szegedy
        et al., 2016, arXiv:1512.00567, section 7.
    """
    y_pred = at_least_float32(y_pred)
    if not label_smoothing:
        y_pred = keep_finite(y_pred, from_logits, y_true)
    return keras.losses.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis
    )


def sparse_categorical_crossentropy(
    y_true,
    y_pred,
    *,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
):
    """Cross-entropy for one class of several, class numbers: the usual choice.

    `-log(p[y_true])`, where `p` is `y_pred` divided by its sum, or its softmax with
    `from_logits`: the value of `categorical_crossentropy`, without the one-hot labels and their
    memory. Probabilities are clipped to [1e-7, 1 - 1e-7]; logits aren't.

    Classes that `y_pred` lacks are refused; a compiled step can't see them, and what it computes
    then differs between backends and processors.

    Args:
        y_true: Class numbers in [0, classes), shape `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: Probabilities in [0, 1], or logits with `from_logits`, shape
            `(batch, ..., classes)`.
        from_logits: Whether `y_pred` holds logits, that is, the last layer has no softmax.
        ignore_class: Label of entries that don't count, such as -1 or 255 for unlabelled pixels.
            They cost 0 and are masked: Keras' mean divides by the number of the others. What is
            predicted there, NaN even, reaches neither the value nor the gradient.
        axis: Axis of the classes. On TensorFlow and JAX, Keras takes the last axis only.

    Returns:
        Nats per sample, shape `(batch, ...)`.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, equation 4.108.
    """
    y_pred = at_least_float32(y_pred)
    if ignore_class is None:
        return _sparse(y_true, y_pred, from_logits, axis)
    y_true = ops.cast(y_true, "int32")
    counts = ops.not_equal(y_true, ignore_class)
    # Keras 3.15.1 puts 0 in place of predictions that don't count, and on JAX and torch divides
    # each row by its sum.
    y_pred = ops.where(ops.expand_dims(counts, axis), y_pred, 1.0)
    values = _sparse(ops.where(counts, y_true, 0), y_pred, from_logits, axis)
    values = ops.where(counts, values, 0.0)
    leave_out(values, counts)
    return values


def _sparse(y_true: Any, y_pred: Any, from_logits: bool, axis: int) -> Any:
    if from_logits and keras.backend.backend() == "jax":
        # Only there Keras multiplies the logits of all classes by one-hot labels.
        y_pred = keep_finite(y_pred, True, ops.one_hot(y_true, y_pred.shape[axis], axis=axis))
    return keras.losses.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis
    )


def keep_finite(y_pred: Any, from_logits: bool, y_true: Any = None) -> Any:
    """Return predictions in whose logits the infinities that agree with their labels are finite.

    Without labels every infinity becomes finite.
    """

    def agreeing(logits: Any) -> Any:
        if y_true is None:
            return finite(logits)
        right = ops.equal(ops.cast(y_true, logits.dtype), ops.cast(logits > 0, logits.dtype))
        return finite(logits, right)

    # Keras on TensorFlow takes the logits that a sigmoid or softmax leaves on its output.
    kept = getattr(y_pred, "_keras_logits", None)
    if kept is None:
        return agreeing(y_pred) if from_logits else y_pred
    y_pred = ops.copy(y_pred)
    y_pred._keras_logits = agreeing(kept)
    return y_pred


def categorical_generalized_cross_entropy(
    y_true, y_pred, *, q: Annotated[float, Gt(0), Lt(1)] = 0.5
):
    """Cross-entropy for one class of several, class numbers, some of them wrong.

    `(1 - p[y_true]**q) / q`: no sample can cost more than `1 / q`, so a mislabelled one can't
    dominate. `q` near 0 gives cross-entropy, `q` near 1 an absolute error, `1 - p[y_true]`. The
    labels are class numbers, despite "categorical" in the name. There is no `from_logits`, and
    where the true class has a probability of exactly 0 the gradient is infinite or NaN. Classes
    that `y_pred` lacks are refused, which Keras takes as a probability of 0; a compiled step can't
    see them.

    Args:
        y_true: Class numbers in [0, classes), shape `(batch, ...)`.
        y_pred: Probabilities in (0, 1], shape `(batch, ..., classes)`.
        q: How much wrong labels are tolerated.

    Returns:
        Nats for `q` near 0, a number in [0, 1 / q] always, per sample, shape `(batch, ...)`.

    Source:
        Zhang and Sabuncu, 2018, arXiv:1805.07836, the `L_q` loss.
    """
    return keras.losses.categorical_generalized_cross_entropy(y_true, at_least_float32(y_pred), q=q)


def kl_divergence(y_true, y_pred):
    """Divergence of two distributions, when the labels are probabilities too.

    `sum(y_true * log(y_true / y_pred))` over the last axis: cross-entropy less the labels' own
    entropy, so a perfect prediction gives 0. Both sides are clipped to [1e-7, 1] and not
    normalized: a prediction below 1e-7 has no gradient, and rows that don't sum to 1 can give a
    negative value.

    It is stricter than Keras: a last axis of 1 is refused, since a row of one class has nothing to
    compare, and so are labels outside [0, 1]. A compiled step can't see the labels' values.

    Args:
        y_true: Rows of probabilities that sum to 1, shape `(batch, ..., classes)`.
        y_pred: Probabilities in (0, 1], same shape.

    Returns:
        Nats per sample, shape `(batch, ...)`.

    Source:
        Bishop, Pattern Recognition and Machine Learning, 2006, equation 1.113.
    """
    return keras.losses.kl_divergence(y_true, at_least_float32(y_pred))
