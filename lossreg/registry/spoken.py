"""What people call a loss who learned its name elsewhere, for suggestions alone.

None of these is an alias: each leaves open what the labels are, or names something else than what
a loss returns. Nothing is looked up by them.
"""

from ..loss import key

_CROSSENTROPIES = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
)

_MEANT = {
    "crossentropy": _CROSSENTROPIES,
    "ce": _CROSSENTROPIES,
    "xent": _CROSSENTROPIES,
    "logloss": _CROSSENTROPIES,
    "log_loss": _CROSSENTROPIES,
    "softmax_crossentropy": _CROSSENTROPIES[1:],
    "bce_with_logits": _CROSSENTROPIES[:1],
    "sigmoid_crossentropy": _CROSSENTROPIES[:1],
    "l1": ("mean_absolute_error",),
    "l2": ("mean_squared_error",),
    "rmse": ("mean_squared_error",),
    "root_mean_squared_error": ("mean_squared_error",),
}
_BY_KEY = {key(name): meant for name, meant in _MEANT.items()}


def meant_by(name: str) -> tuple[str, ...]:
    """Return the built-ins that a name of another library, or of a textbook, may mean.

    >>> meant_by("L1Loss")
    ('mean_absolute_error',)
    """
    return _BY_KEY.get(key(name), ())
