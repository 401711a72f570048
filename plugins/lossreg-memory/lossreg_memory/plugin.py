"""What this package offers to lossreg."""

from lossreg import LossSpec, hookimpl


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the losses that need more than labels and predictions."""
    return [
        LossSpec(
            name="uncertainty",
            target="lossreg_memory.weighing:uncertainty",
            summary="A sum of losses whose weights are learned, each from the noise in its task.",
            task=("unspecified",),
            y_true="unspecified",
            y_pred="unspecified",
            per="batch",
            example="lossreg_memory.examples:two_terms",
        ),
        LossSpec(
            name="dynamic_weight_average",
            target="lossreg_memory.weighing:dynamic_weight_average",
            summary="A sum of losses in which a term that falls more slowly weighs more.",
            task=("unspecified",),
            y_true="unspecified",
            y_pred="unspecified",
            per="batch",
            example="lossreg_memory.examples:two_terms",
            aliases=("dwa",),
        ),
        LossSpec(
            name="distill",
            target="lossreg_memory.distillation:distill",
            summary="Distance to the softened probabilities of a teacher: knowledge distillation.",
            task=("distillation",),
            y_true="unspecified",
            y_pred="probabilities",
            example="lossreg_memory.examples:probabilities",
            aliases=("distillation", "knowledge_distillation"),
        ),
        LossSpec(
            name="fused_linear_crossentropy",
            target="lossreg_memory.fused:fused_linear_crossentropy",
            summary="Cross-entropy of a large vocabulary, whose logits never exist as a whole.",
            task=("multiclass", "sequence"),
            y_true="integer",
            y_pred="logits",
            aliases=("flce",),
            per="batch",
        ),
    ]
