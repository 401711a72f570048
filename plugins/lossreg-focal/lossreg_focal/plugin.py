"""What this package offers to lossreg."""

from lossreg import LossSpec, hookimpl


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the focal losses, one for each kind of labels."""
    return [
        LossSpec(
            name="focal",
            target="lossreg_focal.losses:focal",
            summary="Focal loss for yes-or-no labels, one or several, most of them easy ones.",
            task=("binary", "multilabel", "segmentation"),
            y_true="binary",
            y_pred="probabilities",
            aliases=("binary_focal", "sigmoid_focal", "multilabel_focal"),
        ),
        LossSpec(
            name="categorical_focal",
            target="lossreg_focal.losses:categorical_focal",
            summary="Focal loss for one class of several: one-hot labels, or a distribution.",
            task=("multiclass", "segmentation"),
            y_true="one_hot",
            y_pred="probabilities",
            aliases=("softmax_focal", "multiclass_focal"),
        ),
        LossSpec(
            name="sparse_focal",
            target="lossreg_focal.losses:sparse_focal",
            summary="Focal loss for one class of several, where labels are class numbers.",
            task=("multiclass", "segmentation"),
            y_true="integer",
            y_pred="probabilities",
            aliases=("sparse_categorical_focal", "sparse_softmax_focal"),
        ),
    ]
