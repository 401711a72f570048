"""The one class that makes any bound loss a `keras.losses.Loss`.

It imports Keras. `lossreg.lazy` imports it right after Keras, so that a saved
model finds the class in any program that has imported lossreg.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from . import discovery
from .annotations import as_json
from .entry import BoundLoss
from .errors import ConfigError, LossLookupError, ParameterError, WeightError
from .options import OPTIONS, check
from .provider import LOCAL, Provider
from .shapes import align, check_labels

# Labels that Keras' cast to the loss dtype would damage: bfloat16 has no 257.
_KEPT = ("integer", "sequence")

_DEFAULTS = {"name": None, "reduction": "sum_over_batch_size", "dtype": None}

# Keys of a config that aren't Keras' options.
_OF_THE_LOSS = ("loss", "version", "params")


@keras.saving.register_keras_serializable(package="lossreg")
class RegisteredLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A registered loss with its parameters, for `compile`.

    Args:
        bound: The loss and its parameters.
        name: Keras' name of the object; by default the loss's own.
        reduction: How Keras reduces the values, after weights and masks.
        dtype: What the loss is computed in; by default `keras.config.floatx()`.

    Raises:
        ParameterError: An option that Keras refuses.
    """

    def __init__(
        self,
        bound: BoundLoss,
        *,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        given = {"name": name, "reduction": reduction, "dtype": dtype}
        # Keras takes any name and fails at the first batch, and hashes any reduction. Its own
        # defaults need no look, which would take longer than the rest.
        if given != _DEFAULTS:
            check(bound.name, given)
        try:
            super().__init__(name=name or bound.name, reduction=reduction, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"Loss {bound.name!r}: {error}") from error
        if dtype is not None:
            # What a policy comes to is known now.
            check(bound.name, {"dtype": self.dtype})
        self.bound = bound
        self._function = bound.function(self.dtype)

    @property
    def params(self) -> dict[str, Any]:
        """Every parameter and its value."""
        return self.bound.params

    @property
    def provider(self) -> Provider:
        """The distribution that offers the loss, and its version."""
        return self.bound.provider

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss, as every Keras loss does.

        Raises:
            ShapeError: The labels don't fit the predictions.
            WeightError: Weights or a mask, and no value per sample to apply them to.
        """
        y_true, y_pred = _array(y_true), _array(y_pred)
        weighted = sample_weight is not None or getattr(y_pred, "_keras_mask", None) is not None
        if weighted and self.bound.spec.couples_batch:
            raise self.takes_no_weights("each sample's value depends on the whole batch")
        return _Call(self, y_true, weighted).values(y_true, y_pred, sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample."""
        return _values(self.bound, self._function, y_true, y_pred)

    def takes_no_weights(self, reason: str) -> WeightError:
        """Return the error for weights where a loss has no value per sample."""
        return WeightError(
            f"Loss {self.bound.name!r} takes no sample_weight, class_weight or mask: {reason}. "
            "Leave them out; loss_weights, which weigh a whole output, do work."
        )

    def get_config(self) -> dict[str, Any]:
        """Return all that makes this loss again, as data."""
        return {
            **as_saved(self.bound),
            # Keras 3.15.1 leaves dtype out of Loss.get_config, so a reloaded loss would
            # fall back to float32.
            **super().get_config(),
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RegisteredLoss":
        """Return the loss that a config describes; it can name registered ones only.

        Raises:
            ConfigError: The config isn't one that `get_config` returned,
                or the loss refuses a parameter that was saved.
            LossLookupError: The loss isn't here; it says which package to install.
        """
        options = {name: value for name, value in config.items() if name not in _OF_THE_LOSS}
        if not set(options) <= set(OPTIONS):
            extra = ", ".join(repr(key) for key in sorted(set(options) - set(OPTIONS)))
            raise ConfigError(f"The config of a registered loss has unknown keys: {extra}.")
        bound = saved_loss(config)
        try:
            return cls(bound, **options)
        except ParameterError as error:
            # Keras would bury a TypeError, as this is, in advice of its own.
            raise ConfigError(str(error)) from error

    # Keras pickles a loss by its config, and only where the class is already registered.
    def __reduce__(self) -> tuple[Any, ...]:
        options = {"name": self.name, "reduction": self.reduction, "dtype": self.dtype}
        return functools.partial(RegisteredLoss, **options), (self.bound,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegisteredLoss) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.bound)

    def __repr__(self) -> str:
        return f"<{self.bound} from {self.provider}>"


class _Call(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """One call of a registered loss: Keras weighs, masks and reduces its values."""

    def __init__(self, loss: RegisteredLoss, y_true: Any, weighted: bool) -> None:
        super().__init__(name=loss.name, reduction=loss.reduction, dtype=loss.dtype)
        self._loss = loss
        self._weighted = weighted
        kept = loss.bound.spec.y_true in _KEPT
        self._kept = keras.ops.convert_to_tensor(y_true) if kept else None

    def values(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        # In place of kept labels Keras gets y_pred, which is of the loss dtype anyway.
        value = self(y_true if self._kept is None else y_pred, y_pred, sample_weight)
        if tuple(value.shape) == (0,) and self.reduction not in (None, "none"):
            # Keras 3.15.1 leaves the values of an empty batch as they are.
            return keras.ops.sum(value)
        return value

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, from labels that kept their dtype."""
        values = self._loss.call(y_true if self._kept is None else self._kept, y_pred)
        if self._weighted and len(values.shape) == 0:
            raise self._loss.takes_no_weights("its value is one number for the whole batch")
        return values


def saved_loss(config: Mapping[str, Any]) -> BoundLoss:
    """Return the loss that `loss`, `version` and `params` of a saved config mean.

    Raises:
        ConfigError: They have another form, or the loss refuses a parameter.
        LossLookupError: The loss isn't here; it says which package to install.
    """
    name, params = config.get("loss"), config.get("params", {})
    if not isinstance(name, str) or not isinstance(params, Mapping):
        raise ConfigError(
            f"This is no config of a registered loss: {dict(config)!r}. It needs 'loss', "
            "a name such as 'keras/huber', and 'params', a mapping."
        )
    try:
        return discovery.installed().bind(name, **params)
    except (LossLookupError, ParameterError) as error:
        # Not a ParameterError, for the reason in from_config.
        kind = ConfigError if isinstance(error, ParameterError) else type(error)
        saved_with = f"{name.partition('/')[0]} {config.get('version')}"
        where = "" if name.startswith(f"{LOCAL}/") else f" (It was saved with {saved_with}.)"
        raise kind(
            f"{error}{where} To load a model without its loss: "
            "keras.models.load_model(..., compile=False)"
        ) from error


def _values(bound: BoundLoss, function: Callable[[Any, Any], Any], y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = align(bound, y_true, y_pred)
    check_labels(bound, y_true, y_pred)
    return function(y_true, y_pred)


def function_form(bound: BoundLoss) -> Callable[[Any, Any], Any]:
    """Return `(y_true, y_pred)` to one value per sample."""
    function = bound.function()

    def values(y_true: Any, y_pred: Any) -> Any:
        return _values(bound, function, _tensor(y_true), _tensor(y_pred))

    values.__name__ = values.__qualname__ = bound.name
    values.__doc__ = bound.entry.doc
    # By which check_data knows it. A function has no such attribute as far as types say.
    values.bound_loss = bound  # type: ignore[attr-defined]
    return values


def _array(value: Any) -> Any:
    """Return a tensor or array as it is, and a list as an array, with every digit."""
    return value if hasattr(value, "shape") else np.asarray(value)


def _tensor(value: Any) -> Any:
    """Return a tensor or array as it is, and a list as Keras' functions take it."""
    return value if hasattr(value, "shape") else keras.ops.convert_to_tensor(value)


def as_saved(bound: BoundLoss) -> dict[str, Any]:
    """Return what `saved_loss` reads."""
    return {
        "loss": bound.qualified_name,
        "version": bound.provider.version,
        "params": as_json(bound.params),
    }
