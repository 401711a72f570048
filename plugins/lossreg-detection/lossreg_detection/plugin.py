"""What this package offers to lossreg."""

from typing import Any

from lossreg import LossSpec, hookimpl


def _boxes(name: str, summary: str, **fields: Any) -> LossSpec:
    return LossSpec(
        name=name,
        target=f"lossreg_detection.overlap:{name}",
        summary=summary,
        task=("detection",),
        y_true="boxes",
        y_pred="boxes",
        example="lossreg_detection.examples:boxes",
        bounded=True,
        **fields,
    )


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the losses of boxes, and of a box's sides."""
    return [
        _boxes("iou", "IoU loss of boxes: how much of what two boxes cover they don't share."),
        _boxes("giou", "Generalized IoU loss of boxes, which pulls distant boxes together."),
        _boxes("diou", "Distance IoU loss of boxes, which pulls their centres together."),
        _boxes(
            "ciou",
            "Complete IoU loss of boxes: overlap, centres and aspect ratios.",
            surrogate_gradient=True,
        ),
        _boxes("eiou", "Efficient IoU loss of boxes: overlap, centres and sides."),
        _boxes("siou", "SCYLLA IoU loss of boxes, which moves a box to the nearer axis first."),
        LossSpec(
            name="distribution_focal",
            target="lossreg_detection.distribution:distribution_focal",
            summary="Distribution focal loss: a number as a mean of its whole neighbours.",
            task=("detection",),
            y_true="free",
            y_pred="probabilities",
            aliases=("dfl",),
            example="lossreg_detection.examples:distances",
        ),
    ]
