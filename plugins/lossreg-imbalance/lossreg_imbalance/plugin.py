"""What this package offers to lossreg."""

from lossreg import LossSpec, hookimpl


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the losses for imbalanced classes."""
    return [
        LossSpec(
            name="weighted_binary_crossentropy",
            target="lossreg_imbalance.reweighted:weighted_binary_crossentropy",
            summary="Cross-entropy for yes-or-no labels, in which label 1 has a weight.",
            task=("binary", "multilabel", "segmentation"),
            y_true="binary",
            y_pred="probabilities",
            aliases=("pos_weight_bce",),
        ),
        LossSpec(
            name="class_balanced_crossentropy",
            target="lossreg_imbalance.reweighted:class_balanced_crossentropy",
            summary="Cross-entropy weighted by the effective number of samples of each class.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("cb_ce",),
        ),
        LossSpec(
            name="class_balanced_focal",
            target="lossreg_imbalance.reweighted:class_balanced_focal",
            summary="Focal loss of a sigmoid for each class, weighted by effective numbers.",
            task=("multiclass",),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("cb_focal",),
            exceptions={
                "tensorflow/saturated_model_learns": "Each class has a sigmoid of its own, and the "
                "check ends its model in a softmax."
            },
        ),
        LossSpec(
            name="logit_adjusted",
            target="lossreg_imbalance.margins:logit_adjusted",
            summary="Cross-entropy whose logits are moved by the frequencies of the classes.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("la", "logit_adjusted_crossentropy"),
        ),
        LossSpec(
            name="balanced_softmax",
            target="lossreg_imbalance.margins:balanced_softmax",
            summary="Cross-entropy whose softmax is weighted by the counts of the classes.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
        ),
        LossSpec(
            name="ldam",
            target="lossreg_imbalance.margins:ldam",
            summary="Cross-entropy of cosines in which rare classes must lead by a larger margin.",
            task=("multiclass",),
            y_true=("one_hot", "integer"),
            y_pred="cosines",
        ),
        LossSpec(
            name="hard_example_crossentropy",
            target="lossreg_imbalance.batches:hard_example_crossentropy",
            summary="Cross-entropy of the hardest samples, or pixels, of a batch, and no others.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("ohem_crossentropy", "topk_ce"),
            per="batch",
            exceptions={
                "saturated_model_learns": "Only the hardest tenth of the batch has a gradient."
            },
        ),
        LossSpec(
            name="batch_balanced_crossentropy",
            target="lossreg_imbalance.batches:batch_balanced_crossentropy",
            summary="Cross-entropy for yes-or-no labels, balanced by their shares of the batch.",
            task=("binary", "multilabel", "segmentation"),
            y_true="binary",
            y_pred="probabilities",
            aliases=("balanced_bce",),
            per="batch",
        ),
        LossSpec(
            name="seesaw",
            target="lossreg_imbalance.accumulated:seesaw",
            summary="Seesaw loss: cross-entropy in which frequent classes push rare ones less.",
            task=("multiclass", "segmentation"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            surrogate_gradient=True,
        ),
        LossSpec(
            name="equalization_v2",
            target="lossreg_imbalance.accumulated:equalization_v2",
            summary="Sigmoid cross-entropy that balances the labels of 0 and of 1 of each class.",
            task=("multiclass", "multilabel"),
            y_true=("one_hot", "integer"),
            y_pred="probabilities",
            aliases=("eqlv2",),
            surrogate_gradient=True,
            exceptions={
                "tensorflow/saturated_model_learns": "Each class has a sigmoid of its own, and the "
                "check ends its model in a softmax."
            },
        ),
    ]
