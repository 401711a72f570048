"""What this package offers to lossreg.

Every name begins with `addons_`, since the bare names belong to the packages whose formulas these
are: with both installed, `triplet_hard` still means one loss.
"""

from typing import Any

from lossreg import LossSpec, hookimpl


def _spec(loss: str, function: str, *saved_as: str, **fields: Any) -> LossSpec:
    return LossSpec(
        name=f"addons_{loss}",
        target=f"lossreg_addons.functions:{function}",
        # TensorFlow Addons registered classes and functions. Keras 2 wrote most functions into
        # h5 files without the name of the package.
        saved_as=(*(f"Addons>{name}" for name in saved_as), *filter(str.islower, saved_as)),
        **fields,
    )


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the losses of TensorFlow Addons."""
    return [
        _spec(
            "contrastive",
            "contrastive_loss",
            "ContrastiveLoss",
            "contrastive_loss",
            summary="TensorFlow Addons' contrastive loss of the distances of pairs.",
            task=("metric_learning",),
            y_true="binary",
            y_pred="distances",
            per="entry",
            example="lossreg_metric.examples:distances",
        ),
        _spec(
            "sigmoid_focal_crossentropy",
            "sigmoid_focal_crossentropy",
            "SigmoidFocalCrossEntropy",
            "sigmoid_focal_crossentropy",
            summary="TensorFlow Addons' focal loss, summed over the outputs.",
            task=("binary", "multilabel"),
            y_true="binary",
            y_pred="probabilities",
        ),
        _spec(
            "giou",
            "giou_loss",
            "GIoULoss",
            "giou_loss",
            summary="TensorFlow Addons' generalized IoU loss of boxes, or its IoU loss.",
            task=("detection",),
            y_true="boxes",
            y_pred="boxes",
            bounded=True,
        ),
        _spec(
            "lifted_struct",
            "lifted_struct_loss",
            "LiftedStructLoss",
            "lifted_struct_loss",
            summary="TensorFlow Addons' lifted structured loss of embeddings.",
            task=("metric_learning",),
            y_true="integer",
            y_pred="embeddings",
            per="batch",
            example="lossreg_metric.examples:embeddings",
        ),
        _spec(
            "npairs",
            "npairs_loss",
            "NpairsLoss",
            "npairs_loss",
            summary="TensorFlow Addons' N-pairs loss of a matrix of similarities.",
            task=("metric_learning",),
            y_true="integer",
            y_pred="similarities",
            per="batch",
            example="lossreg_metric.examples:similarities",
        ),
        _spec(
            "npairs_multilabel",
            "npairs_multilabel_loss",
            "NpairsMultilabelLoss",
            "npairs_multilabel_loss",
            summary="TensorFlow Addons' N-pairs loss for samples with several classes each.",
            task=("metric_learning",),
            y_true="free",
            y_pred="similarities",
            per="batch",
            example="lossreg_metric.examples:several_classes",
        ),
        _spec(
            "pinball",
            "pinball_loss",
            "PinballLoss",
            "pinball_loss",
            summary="TensorFlow Addons' pinball loss: regression to a quantile.",
            task=("regression",),
            y_true="real",
            y_pred="real",
        ),
        _spec(
            "sparsemax",
            "sparsemax_loss_from_logits",
            "SparsemaxLoss",
            "sparsemax_loss_from_logits",
            summary="TensorFlow Addons' sparsemax loss, on logits.",
            task=("multiclass",),
            y_true="one_hot",
            y_pred="logits",
        ),
        _spec(
            "triplet_semihard",
            "triplet_semihard_loss",
            "TripletSemiHardLoss",
            "triplet_semihard_loss",
            summary="TensorFlow Addons' triplet loss of the nearest negative beyond a positive.",
            task=("metric_learning",),
            y_true="integer",
            y_pred="embeddings",
            per="batch",
            example="lossreg_metric.examples:embeddings",
        ),
        _spec(
            "triplet_hard",
            "triplet_hard_loss",
            "TripletHardLoss",
            "triplet_hard_loss",
            summary="TensorFlow Addons' triplet loss: farthest positive, nearest negative.",
            task=("metric_learning",),
            y_true="integer",
            y_pred="embeddings",
            per="batch",
            example="lossreg_metric.examples:embeddings",
        ),
        _spec(
            "weighted_kappa",
            "weighted_kappa_loss",
            "WeightedKappaLoss",
            summary="TensorFlow Addons' weighted kappa loss of ordered classes.",
            task=("ordinal",),
            y_true="one_hot",
            y_pred="probabilities",
            per="batch",
            bounded=True,
        ),
        LossSpec(
            name="sequence_crossentropy",
            target="lossreg_addons.functions:sequence_crossentropy",
            summary="Cross-entropy of each step of a sequence, such as the words of a translation.",
            task=("sequence", "multiclass"),
            y_true=("integer", "one_hot"),
            y_pred="logits",
        ),
    ]
