"""What the built-in plugin offers: one spec for each loss that Keras exports."""

from ..loss import LossSpec, hookimpl

# Why Keras' own losses can't keep some promises of the conformance kit.
_STEEP_FOCAL = (
    "Keras raises 1 - p_t to gamma, and below 1 that is infinitely steep at p_t = 1; focal in "
    "lossreg-focal is exact."
)
_STEEP_POWER = "p**q is infinitely steep at p = 0, and Keras doesn't clip p."


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return Keras' own losses."""
    return [
        LossSpec(
            name="mean_squared_error",
            target="lossreg.builtin.regression:mean_squared_error",
            summary="Squared error for regression: the usual choice; big errors count most.",
            task=("regression",),
            y_true="real",
            y_pred="real",
            aliases=("mse",),
        ),
        LossSpec(
            name="mean_absolute_error",
            target="lossreg.builtin.regression:mean_absolute_error",
            summary="Absolute error for regression: robust to outliers, in the labels' own unit.",
            task=("regression",),
            y_true="real",
            y_pred="real",
            aliases=("mae",),
        ),
        LossSpec(
            name="mean_absolute_percentage_error",
            target="lossreg.builtin.regression:mean_absolute_percentage_error",
            summary="Relative error in percent for regression, when labels are far from zero.",
            task=("regression",),
            y_true="positive",
            y_pred="real",
            aliases=("mape",),
        ),
        LossSpec(
            name="mean_squared_logarithmic_error",
            target="lossreg.builtin.regression:mean_squared_logarithmic_error",
            summary="Squared error of logarithms for regression, when amounts differ in scale.",
            task=("regression",),
            y_true="positive",
            y_pred="positive",
            aliases=("msle",),
        ),
        LossSpec(
            name="huber",
            target="lossreg.builtin.regression:huber",
            summary="Squared for small errors, absolute for large: for regression with outliers.",
            task=("regression",),
            y_true="real",
            y_pred="real",
        ),
        LossSpec(
            name="log_cosh",
            target="lossreg.builtin.regression:log_cosh",
            summary="Smooth relative of Huber for regression with outliers, nothing to tune.",
            task=("regression",),
            y_true="real",
            y_pred="real",
        ),
        LossSpec(
            name="poisson",
            target="lossreg.builtin.regression:poisson",
            summary="Poisson likelihood for counts: how many events, given a positive rate.",
            task=("regression",),
            y_true="count",
            y_pred="positive",
        ),
        LossSpec(
            name="binary_crossentropy",
            target="lossreg.builtin.crossentropy:binary_crossentropy",
            summary="Cross-entropy for yes-or-no labels, one or several: the usual choice.",
            task=("binary", "multilabel", "segmentation"),
            y_true="binary",
            y_pred="probabilities",
            aliases=("bce",),
        ),
        LossSpec(
            name="categorical_crossentropy",
            target="lossreg.builtin.crossentropy:categorical_crossentropy",
            summary="Cross-entropy for one class of several, one-hot labels: the usual choice.",
            task=("multiclass", "segmentation"),
            y_true="one_hot",
            y_pred="probabilities",
            aliases=("cce",),
            exceptions={
                "numerical_gradient": "With label_smoothing and another axis than the last, Keras' "
                "labels don't sum to 1, and TensorFlow's gradient takes for granted that they do.",
            },
        ),
        LossSpec(
            name="sparse_categorical_crossentropy",
            target="lossreg.builtin.crossentropy:sparse_categorical_crossentropy",
            summary="Cross-entropy for one class of several, class numbers: the usual choice.",
            task=("multiclass", "segmentation"),
            y_true="integer",
            y_pred="probabilities",
            aliases=("scce",),
            exceptions={
                f"{backend}/axis": "Keras takes class numbers for the last axis only."
                for backend in ("tensorflow", "jax")
            },
        ),
        LossSpec(
            name="categorical_generalized_cross_entropy",
            target="lossreg.builtin.crossentropy:categorical_generalized_cross_entropy",
            summary="Cross-entropy for one class of several, class numbers, some of them wrong.",
            task=("multiclass",),
            y_true="integer",
            y_pred="probabilities",
            aliases=("gce", "generalized_cross_entropy"),
            bounded=True,
            exceptions={"finite_gradients": _STEEP_POWER, "float16": _STEEP_POWER},
        ),
        LossSpec(
            name="kl_divergence",
            target="lossreg.builtin.crossentropy:kl_divergence",
            summary="Divergence of two distributions, when the labels are probabilities too.",
            task=("multiclass",),
            y_true="one_hot",
            y_pred="probabilities",
            aliases=("kld", "kullback_leibler_divergence"),
            exceptions={"saturated_model_learns": "Keras clips the probabilities to 1e-7."},
        ),
        LossSpec(
            name="binary_focal_crossentropy",
            target="lossreg.builtin.focal:binary_focal_crossentropy",
            summary="Keras' focal loss for yes-or-no labels, where most samples are easy ones.",
            task=("binary", "multilabel", "segmentation"),
            y_true="binary",
            y_pred="probabilities",
            exceptions={"finite_gradients": _STEEP_FOCAL, "float16": _STEEP_FOCAL},
        ),
        LossSpec(
            name="categorical_focal_crossentropy",
            target="lossreg.builtin.focal:categorical_focal_crossentropy",
            summary="Keras' focal loss for one class of several, one-hot, when some are rare.",
            task=("multiclass", "segmentation"),
            y_true="one_hot",
            y_pred="probabilities",
            exceptions={
                "saturated_model_learns": "Keras clips the probabilities, from logits too; "
                "categorical_focal in lossreg-focal is exact.",
            },
        ),
        LossSpec(
            name="hinge",
            target="lossreg.builtin.hinge:hinge",
            summary="Hinge loss for labels -1 and 1: a margin, as in support vector machines.",
            task=("binary",),
            y_true="sign",
            y_pred="real",
        ),
        LossSpec(
            name="squared_hinge",
            target="lossreg.builtin.hinge:squared_hinge",
            summary="Squared hinge loss for labels -1 and 1: a margin with a smooth gradient.",
            task=("binary",),
            y_true="sign",
            y_pred="real",
        ),
        LossSpec(
            name="categorical_hinge",
            target="lossreg.builtin.hinge:categorical_hinge",
            summary="Hinge loss for one class of several, one-hot: a margin to the next best.",
            task=("multiclass",),
            y_true="one_hot",
            y_pred="real",
        ),
        LossSpec(
            name="dice",
            target="lossreg.builtin.overlap:dice",
            summary="One minus the Dice overlap, for segmentation where the object is small.",
            task=("segmentation",),
            y_true="binary",
            y_pred="probabilities",
            bounded=True,
        ),
        LossSpec(
            name="tversky",
            target="lossreg.builtin.overlap:tversky",
            summary="Dice with a price for each mistake: segmentation where misses cost more.",
            task=("segmentation",),
            y_true="binary",
            y_pred="probabilities",
            bounded=True,
        ),
        LossSpec(
            name="cosine_similarity",
            target="lossreg.builtin.similarity:cosine_similarity",
            summary="Minus the cosine between vectors: when direction matters, not length.",
            task=("metric_learning", "regression"),
            y_true="real",
            y_pred="real",
            aliases=("cosine", "cosine_proximity"),
        ),
        LossSpec(
            name="circle",
            target="lossreg.builtin.similarity:circle",
            summary="Circle loss for embeddings: same class together, other classes apart.",
            task=("metric_learning",),
            y_true="integer",
            y_pred="embeddings",
            couples_batch=True,
        ),
        LossSpec(
            name="ctc",
            target="lossreg.builtin.sequence:ctc",
            summary="Connectionist temporal classification: text from speech or handwriting.",
            task=("sequence",),
            y_true="sequence",
            y_pred="logits",
            exceptions={"numerical_gradient": "TensorFlow computes CTC in float32."},
        ),
    ]
