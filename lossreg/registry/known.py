"""Losses and commands of known packages, which may not be installed. Nothing is imported here."""

from ..loss import key

PACKAGES = {
    "focal": "lossreg-focal",
    "binary_focal": "lossreg-focal",
    "sigmoid_focal": "lossreg-focal",
    "multilabel_focal": "lossreg-focal",
    "categorical_focal": "lossreg-focal",
    "softmax_focal": "lossreg-focal",
    "multiclass_focal": "lossreg-focal",
    "sparse_focal": "lossreg-focal",
    "sparse_categorical_focal": "lossreg-focal",
    "sparse_softmax_focal": "lossreg-focal",
}
"""The distribution to install for the name or an alias of a loss."""

COMMANDS = {"fit": "lossreg-train", "objective": "lossreg-train"}
"""The distribution to install for a subcommand."""


def known_package(loss: str) -> str | None:
    """Return the distribution that is known to offer a loss, or None.

    >>> known_package("FocalLoss")
    'lossreg-focal'
    """
    asked = key(loss)
    return next((package for name, package in PACKAGES.items() if key(name) == asked), None)
