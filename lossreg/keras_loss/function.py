"""The function form of any bound loss, an object that Keras can save.

This module imports Keras.
"""

import importlib
from typing import Any

import keras

from ..config import bind_saved, portable_config, saved_form
from ..loss import PROJECT, BoundLoss, BoundSum, check_plain, values_of
from .tensors import is_list, to_predictions, without_variable


def public_function(name: str) -> Any:
    """Return a function of the package for a pickle to name; it is above this module."""
    return getattr(importlib.import_module(PROJECT), name)


@keras.saving.register_keras_serializable(package="lossreg")
class RegisteredFunction:
    """A registered loss as a function of `(y_true, y_pred)` to one value per sample.

    Keras saves a plain function by its bare name, which would lose the parameters, and the loss
    too. An object with a config is saved as a loss is, also as a metric.
    """

    __module__ = "lossreg.keras_loss"

    def __init__(self, bound: BoundLoss | BoundSum) -> None:
        check_plain(bound)
        self.bound = bound
        # What Keras and others ask a function for.
        self.__name__ = self.__qualname__ = bound.name
        self.__doc__ = bound.doc
        self._values = values_of(bound)

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample."""
        # As Keras' own functions take them: arrays and tensors in the dtype that they have.
        y_true, y_pred = (
            without_variable(keras.ops.convert_to_tensor(values) if is_list(values) else values)
            for values in (y_true, y_pred)
        )
        return self._values(y_true, to_predictions(y_pred))

    def config(self) -> dict[str, Any]:
        """Return the loss as data for `get_loss`."""
        return self.bound.config()

    def get_config(self) -> dict[str, Any]:
        """Return the loss as data for `from_config`."""
        return saved_form(self.bound)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RegisteredFunction":
        """Return the loss of a config, which can name registered losses only."""
        return cls(bind_saved(config))

    def __reduce__(self) -> tuple[Any, ...]:
        if portable_config(self.bound) is not None:
            return public_function("get_loss_fn"), (self.config(),)
        return RegisteredFunction, (self.bound,)

    def __deepcopy__(self, memo: dict[int, Any]) -> "RegisteredFunction":
        # It has nothing that can change, and Keras compiles a function again for each object.
        return self

    def __copy__(self) -> "RegisteredFunction":
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegisteredFunction) and self.bound == other.bound

    def __hash__(self) -> int:
        return hash(self.bound)

    def __repr__(self) -> str:
        return f"<function of {self.bound}>"
