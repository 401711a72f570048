"""The classes that make any bound loss a `keras.losses.Loss`, and the function form.

This module imports Keras. `lossreg.lazy` imports it right after Keras, so that a saved
model finds the classes in any program that has imported lossreg.
"""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ..config import bind_saved, saved_loss, saved_sum
from ..errors import ConfigError, ParameterError, ShapeError, WeightError
from ..loss import OPTIONS, BoundLoss, BoundSum, Provider, align, check_labels, check_options


@keras.saving.register_keras_serializable(package="lossreg")
class RegisteredLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A registered loss with its parameters, for `compile`.

    Args:
        bound: The loss and its parameters.
        name: Keras' name of the object; by default the name of the loss.
        reduction: How Keras reduces the values, after weights and masks.
        dtype: The dtype of the computation; by default `keras.config.floatx()`.

    Raises:
        ParameterError: Keras refuses an option.
    """

    # Saved models and pickles name the room, whatever files it has.
    __module__ = "lossreg.keras_loss"

    bound: Any

    def __init__(
        self,
        bound: BoundLoss | BoundSum,
        *,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        loss = bound.name
        # Keras takes any name and fails at the first batch, and hashes any reduction. Its own
        # defaults need no check, which would take longer than the rest.
        if name is not None or dtype is not None or reduction != "sum_over_batch_size":
            check_options(loss, {"name": name, "reduction": reduction, "dtype": dtype})
        try:
            super().__init__(name=name or loss, reduction=reduction, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"Loss {loss!r}: {error}") from error
        if dtype is not None:
            # Now the dtype of a policy is known too.
            check_options(loss, {"dtype": self.dtype})
        self.bound = bound
        self._build()

    def _build(self) -> None:
        self._function = self.bound.function(self.dtype)

    @property
    def params(self) -> dict[str, Any]:
        """Every parameter and its value."""
        return dict(self.bound.params)

    @property
    def provider(self) -> Provider:
        """The distribution that offers the loss, and its version."""
        provider: Provider = self.bound.provider
        return provider

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss, as every Keras loss does.

        Raises:
            ShapeError: The labels don't fit the predictions.
            WeightError: The loss has no value per sample to apply weights or a mask to.
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
        """Return the error for weights of a loss that has no value per sample."""
        return WeightError(
            f"Loss {self.bound.name!r} takes no sample_weight, class_weight or mask: {reason}. "
            "Leave them out. loss_weights, which weigh a whole output, do work."
        )

    def terms(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Return the value of each term by its label; a single loss is the only term."""
        return {self.bound.label: self(y_true, y_pred, sample_weight)}

    def config(self) -> dict[str, Any]:
        """Return the loss as data for `get_loss`, with all of Keras' options."""
        config: dict[str, Any] = self.bound.with_options(self._options()).config()
        return config

    def get_config(self) -> dict[str, Any]:
        """Return the loss as data for `from_config`."""
        # Keras 3.15.1 leaves dtype out of Loss.get_config, so a reloaded loss would
        # fall back to float32.
        return {**self._saved_form(), **super().get_config(), "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RegisteredLoss":
        """Return the loss of a config, which can name registered losses only.

        Raises:
            ConfigError: `get_config` didn't return the config, or the loss refuses a
                parameter that was saved.
            LossLookupError: The loss isn't here; the message names the package to install.
        """
        options = {name: value for name, value in config.items() if name in OPTIONS}
        saved = {name: value for name, value in config.items() if name not in OPTIONS}
        bound = bind_saved(saved)
        try:
            return _CLASSES[type(bound)](bound, **options)
        except ParameterError as error:
            # It is a TypeError, which Keras would bury in advice of its own.
            raise ConfigError(str(error)) from error

    def _saved_form(self) -> dict[str, Any]:
        return saved_loss(self.bound)

    def _options(self) -> dict[str, Any]:
        return {option: getattr(self, option) for option in OPTIONS}

    # Keras would pickle the config of the loss, and find the class only if it is registered.
    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(type(self), **self._options()), (self.bound,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegisteredLoss) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.bound)

    def __repr__(self) -> str:
        return f"<{self.bound} from {self.provider}>"


@keras.saving.register_keras_serializable(package="lossreg")
class RegisteredSum(RegisteredLoss):
    """A weighted sum of registered losses.

    Each term weighs, masks and reduces its own values; then the terms are added. So a sum
    refuses weights if one of its terms does. The arguments are those of `RegisteredLoss`;
    `reduction` and `dtype` are those of each term.
    """

    __module__ = "lossreg.keras_loss"

    def _build(self) -> None:
        options = {"reduction": self.reduction, "dtype": self.dtype}
        self.losses = [RegisteredLoss(loss, **options) for loss in self.bound.losses()]

    def terms(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Return the weighted value of each term by its label, `"0.5 * focal(gamma=3.0)"`.

        The values add up to the loss.
        """
        values: dict[str, Any] = {}
        written: Counter[str] = Counter()
        for term, loss in zip(self.bound.terms, self.losses, strict=True):
            label = term.label
            written[label] += 1
            name = label if written[label] == 1 else f"{label} ({written[label]})"
            values[name] = term.weight * loss(y_true, y_pred, sample_weight)
        return values

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the sum of the reduced terms.

        Raises:
            ShapeError: The labels don't fit, or unreduced terms have several shapes.
            WeightError: A term takes no weights or mask.
        """
        return _add(self.bound, list(self.terms(y_true, y_pred, sample_weight).values()))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, where every term has one."""
        return build_function(self.bound)(y_true, y_pred)

    def _saved_form(self) -> dict[str, Any]:
        return saved_sum(self.bound)

    def __repr__(self) -> str:
        return f"<{self.bound}>"


_CLASSES: dict[type, type[RegisteredLoss]] = {BoundLoss: RegisteredLoss, BoundSum: RegisteredSum}


class _Call(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """One call of a registered loss, whose values Keras weighs, masks and reduces."""

    def __init__(self, loss: RegisteredLoss, y_true: Any, weighted: bool) -> None:
        super().__init__(name=loss.name, reduction=loss.reduction, dtype=loss.dtype)
        self._loss = loss
        self._weighted = weighted
        # Keras casts labels to the loss dtype, which would damage class numbers: bfloat16 has no
        # 257.
        kept = loss.bound.spec.labels.is_number
        self._kept = keras.ops.convert_to_tensor(y_true) if kept else None

    def values(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        # In place of kept labels Keras gets y_pred, which has the loss dtype already.
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


def _values(bound: BoundLoss, function: Callable[[Any, Any], Any], y_true: Any, y_pred: Any) -> Any:
    y_true, y_pred = align(bound, y_true, y_pred)
    check_labels(bound, y_true, y_pred)
    return function(y_true, y_pred)


def _add(bound: BoundLoss | BoundSum, values: list[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    shapes = [tuple(value.shape) for value in values]
    # An unknown size fits any.
    if any(len(shape) != len(shapes[0]) for shape in shapes) or any(
        len({size for size in sizes if size is not None}) > 1 for sizes in zip(*shapes, strict=True)
    ):
        raise ShapeError(
            f"The terms of {bound} have values of shapes {', '.join(map(str, shapes))}, which "
            "can't be added. Set a reduction, or take terms whose values have the same shape."
        )
    return functools.reduce(lambda total, value: total + value, values)


def _array(value: Any) -> Any:
    """Return a tensor or array as it is, and a list as an array, with every digit."""
    return value if hasattr(value, "shape") else np.asarray(value)


def _tensor(value: Any) -> Any:
    """Return a tensor or array as it is, and a list as Keras' functions take it."""
    return value if hasattr(value, "shape") else keras.ops.convert_to_tensor(value)


def class_maker(bound: BoundLoss | BoundSum) -> Callable[[], RegisteredLoss]:
    """Return a function without arguments that builds the object that `compile` takes."""
    # Keras' object has the options, so the loss in it doesn't need them.
    return functools.partial(_CLASSES[type(bound)], bound.without_options(), **bound.options)


def build_function(bound: BoundLoss | BoundSum) -> Callable[[Any, Any], Any]:
    """Return a bound loss as a function of `(y_true, y_pred)` to one value per sample."""
    terms = [(term.weight, term.loss, term.loss.function()) for term in bound.terms]

    def values(y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = _tensor(y_true), _tensor(y_pred)
        found = [(w, _values(loss, function, y_true, y_pred)) for w, loss, function in terms]
        return _add(bound, [value if w == 1 else w * value for w, value in found])

    form: Any = values
    form.__name__ = form.__qualname__ = bound.name
    form.__doc__ = bound.doc
    # check_data and to_config recognize the function by these.
    form.bound, form.config = bound, bound.config
    return form  # type: ignore[no-any-return]  # a function, with attributes
