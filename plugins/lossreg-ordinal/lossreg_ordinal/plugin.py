"""What this package offers to lossreg."""

from lossreg import LossSpec, hookimpl


@hookimpl
def lossreg_losses() -> list[LossSpec]:
    """Return the losses of ordered classes."""
    return [
        LossSpec(
            name="coral",
            target="lossreg_ordinal.cumulative:coral",
            summary="CORAL: a yes-or-no question for each step between ordered classes.",
            task=("ordinal",),
            y_true="ordered",
            y_pred="cumulative_logits",
            aliases=("ordinal_crossentropy",),
            head="lossreg_ordinal.heads:Coral",
        ),
        LossSpec(
            name="corn",
            target="lossreg_ordinal.cumulative:corn",
            summary="CORN: a yes-or-no question for each step, if the step before was taken.",
            task=("ordinal",),
            y_true="ordered",
            y_pred="cumulative_logits",
        ),
        LossSpec(
            name="cumulative_link",
            target="lossreg_ordinal.cumulative:cumulative_link",
            summary="Cumulative link model: the likelihood of a class between two thresholds.",
            task=("ordinal",),
            y_true="ordered",
            y_pred="cumulative_logits",
            aliases=("proportional_odds", "ordinal_logit"),
            head="lossreg_ordinal.heads:Thresholds",
        ),
        LossSpec(
            name="squared_earth_mover",
            target="lossreg_ordinal.agreement:squared_earth_mover",
            summary="Squared earth mover's distance of distributions over ordered classes.",
            task=("ordinal",),
            y_true=("one_hot", "ordered"),
            y_pred="probabilities",
            aliases=("emd2", "nima"),
            bounded=True,
        ),
        LossSpec(
            name="weighted_kappa",
            target="lossreg_ordinal.agreement:weighted_kappa",
            summary="Weighted kappa: agreement beyond chance, where far mistakes count most.",
            task=("ordinal",),
            y_true=("one_hot", "ordered"),
            y_pred="probabilities",
            aliases=("cohen_kappa",),
            per="batch",
            bounded=True,
        ),
    ]
