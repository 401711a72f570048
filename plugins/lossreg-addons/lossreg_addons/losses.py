"""What `tensorflow_addons.losses` had, by the same names: classes, and functions.

A class here is a function that returns a `keras.losses.Loss`, since importing this module imports
no Keras. Arguments, their order and their defaults are those of TensorFlow Addons 0.23, and it
returns what `lossreg.get_loss` does: a loss that is saved with its parameters.
"""

from typing import Any

import lossreg

from .functions import (
    contrastive_loss,
    giou_loss,
    lifted_struct_loss,
    npairs_loss,
    npairs_multilabel_loss,
    pinball_loss,
    sigmoid_focal_crossentropy,
    sparsemax_loss,
    triplet_hard_loss,
    triplet_semihard_loss,
)

__all__ = [
    "ContrastiveLoss",
    "GIoULoss",
    "LiftedStructLoss",
    "NpairsLoss",
    "NpairsMultilabelLoss",
    "PinballLoss",
    "SigmoidFocalCrossEntropy",
    "SparsemaxLoss",
    "TripletHardLoss",
    "TripletSemiHardLoss",
    "WeightedKappaLoss",
    "contrastive_loss",
    "giou_loss",
    "lifted_struct_loss",
    "npairs_loss",
    "npairs_multilabel_loss",
    "pinball_loss",
    "sigmoid_focal_crossentropy",
    "sparsemax_loss",
    "triplet_hard_loss",
    "triplet_semihard_loss",
]

# "auto" in Keras 2 was this one, outside of distribution strategies.
_MEAN = "sum_over_batch_size"


# The names are classes in TensorFlow Addons.
def ContrastiveLoss(margin=1.0, reduction=_MEAN, name="contrastive_loss"):  # noqa: N802
    """Return the contrastive loss of the distances of pairs."""
    return _loss("contrastive", name, reduction, margin=margin)


def SigmoidFocalCrossEntropy(  # noqa: N802
    from_logits=False,
    alpha=0.25,
    gamma=2.0,
    reduction="none",
    name="sigmoid_focal_crossentropy",
):
    """Return the focal loss, summed over the outputs and by default not reduced."""
    params = {"from_logits": from_logits, "alpha": alpha, "gamma": gamma}
    return _loss("sigmoid_focal_crossentropy", name, reduction, **params)


def GIoULoss(mode="giou", reduction=_MEAN, name="giou_loss"):  # noqa: N802
    """Return the generalized IoU loss of boxes."""
    return _loss("giou", name, reduction, mode=mode)


def LiftedStructLoss(margin=1.0, name=None):  # noqa: N802
    """Return the lifted structured loss of embeddings."""
    return _loss("lifted_struct", name, margin=margin)


def NpairsLoss(name="npairs_loss"):  # noqa: N802
    """Return the N-pairs loss of a matrix of similarities."""
    return _loss("npairs", name)


def NpairsMultilabelLoss(name="npairs_multilabel_loss"):  # noqa: N802
    """Return the N-pairs loss for samples with several classes each."""
    return _loss("npairs_multilabel", name)


def PinballLoss(tau=0.5, reduction=_MEAN, name="pinball_loss"):  # noqa: N802
    """Return the pinball loss of a quantile."""
    return _loss("pinball", name, reduction, tau=tau)


def SparsemaxLoss(from_logits=True, reduction=_MEAN, name="sparsemax_loss"):  # noqa: N802
    """Return the sparsemax loss, on logits."""
    return _loss("sparsemax", name, reduction, from_logits=from_logits)


def TripletHardLoss(margin=1.0, soft=False, distance_metric="L2", name=None):  # noqa: N802
    """Return the triplet loss of the farthest positive and the nearest negative."""
    params = {"margin": margin, "soft": soft, "distance_metric": distance_metric}
    return _loss("triplet_hard", name, **params)


def TripletSemiHardLoss(margin=1.0, distance_metric="L2", name=None):  # noqa: N802
    """Return the triplet loss against the nearest negative beyond each positive."""
    return _loss("triplet_semihard", name, margin=margin, distance_metric=distance_metric)


def WeightedKappaLoss(  # noqa: N802
    num_classes, weightage="quadratic", name="cohen_kappa_loss", epsilon=1e-6, reduction="none"
):
    """Return the weighted kappa loss of ordered classes."""
    params = {"num_classes": num_classes, "weightage": weightage, "epsilon": epsilon}
    return _loss("weighted_kappa", name, reduction, **params)


def _loss(loss: str, name: str | None, reduction: str = _MEAN, **params: Any) -> Any:
    reduction = _MEAN if reduction == "auto" else reduction
    full = f"lossreg-addons/addons_{loss}"
    return lossreg.get_loss(full, name=name, reduction=reduction, **params)
