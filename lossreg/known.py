"""Losses of packages that exist and may not be installed."""

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
"""The distribution to install, by canonical name or alias."""
