"""The classes that make any bound loss a `keras.losses.Loss`.

This module imports Keras.
"""

import functools
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import keras

from ..config import bind_saved, portable_config, saved_form
from ..errors import (
    ConfigError,
    DataError,
    LossregError,
    ParameterError,
    WeightError,
)
from ..loss import (
    OPTIONS,
    BoundLoss,
    BoundSum,
    Provider,
    add_values,
    align_mask,
    align_weights,
    check_options,
    check_plain,
    checked,
    make,
)
from ..numerics import divide, leave_out
from .function import RegisteredFunction, public_function
from .tensors import to_tensors

Values = Callable[[Any, Any], Any]
"""A function of labels and predictions to values."""


@keras.saving.register_keras_serializable(package="lossreg")
class RegisteredLoss(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A registered loss with its parameters, for `compile`.

    Args:
        bound: The loss and its parameters.
        name: Keras' name of the object; by default the name of the loss.
        reduction: How Keras reduces the values, after weights and masks. By default
            "sum_over_batch_size", and of somebody's own `Loss` class what it sets itself.
        dtype: The dtype of the computation; by default `keras.config.floatx()`, or that of the
            class.

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
        reduction: Any = ...,
        dtype: Any = None,
    ) -> None:
        loss, given = bound.name, {"name": name, "dtype": dtype}
        if reduction is ...:
            reduction = "sum_over_batch_size"
        else:
            given["reduction"] = reduction
        # Keras takes any name and fails at the first batch, and hashes any reduction. Its own
        # defaults need no check, which would take longer than the rest.
        if name is not None or dtype is not None or "reduction" in given:
            check_options(loss, given)
        try:
            super().__init__(name=name or loss, reduction=reduction, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"Loss {loss!r}: {error}") from error
        if dtype is not None:
            # Now the dtype of a policy is known too.
            check_options(loss, {"dtype": self.dtype})
        self.bound = bound
        self._build(given)

    def _build(self, given: dict[str, Any]) -> None:
        made = make(self.bound, self.dtype)
        # Somebody's own class does as Keras would have it do; what is given to it counts more.
        self._own = made if isinstance(made, keras.losses.Loss) else None
        self._values = checked(self.bound, made)
        if self._own is None:
            return
        # Classes of tutorials forget super().__init__(), and have neither.
        reduction = given.get("reduction", getattr(made, "reduction", self.reduction))
        dtype = given["dtype"] or getattr(made, "dtype", None)
        super().__init__(name=self.name, reduction=reduction, dtype=dtype)
        if given.keys() & {"reduction"} or given["dtype"] is not None:
            keras.losses.Loss.__init__(made, name=self.name, reduction=reduction, dtype=dtype)

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
        return self.apply(self.call, y_true, y_pred, sample_weight)

    def apply(self, call: Values, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return the reduced loss, whose values a function computes."""
        if "tf_keras" in sys.modules and _is_called_by_keras_2():
            raise LossregError(
                f"Loss {self.bound.name!r} is for Keras 3, and Keras 2 (tf_keras) calls it, which "
                "would make one factor of all weights. Build and train the model with keras, "
                "without TF_USE_LEGACY_KERAS; or give tf_keras what get_loss_fn returns."
            )
        if y_true is None and "none" in self.bound.spec.forms:
            y_true = keras.ops.zeros(keras.ops.shape(y_pred)[:1])
        if y_true is None:
            raise DataError(
                f"Loss {self.bound.name!r} needs labels, and got none: y is missing. "
                "Give them to fit(x, y), or a data set of pairs (x, y)."
            )
        mask = getattr(y_pred, "_keras_mask", None)
        weighted = sample_weight is not None or mask is not None
        if weighted and self.bound.spec.couples:
            raise self.takes_no_weights("each sample's value depends on the whole batch")
        if self._own is not None and type(self._own).__call__ is not keras.losses.Loss.__call__:
            return self._own(y_true, y_pred, sample_weight=sample_weight)
        # Keras casts labels to the loss dtype, which would damage class numbers: bfloat16 has no
        # 257.
        dtype = None if self.bound.spec.takes_numbers else self.dtype
        y_true, y_pred = to_tensors(y_true, dtype), to_tensors(y_pred, self.dtype)
        return self._reduce(call(y_true, y_pred), y_pred, sample_weight, mask)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample."""
        return self._values(y_true, y_pred)

    def shares(self, places: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Return how much each position counts in the reduced loss: the loss is a sum with these.

        Args:
            places: A one for each position; `leave_out` takes some out.
            y_pred: The predictions, for their mask.
            sample_weight: The weights.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        each = self._reduce(places, y_pred, sample_weight, mask, reduction="none")
        if self.reduction in (None, "none"):
            return each
        # Whatever the reduction, all positions have the same divisor.
        whole = self._reduce(places, y_pred, sample_weight, mask)
        return each * divide(whole, keras.ops.sum(each))

    def _reduce(
        self, values: Any, y_pred: Any, sample_weight: Any, mask: Any, reduction: Any = ...
    ) -> Any:
        """Return values as Keras weighs, masks and reduces them."""
        reduction = self.reduction if reduction is ... else reduction
        name, is_batch = self.bound.name, len(values.shape) == 0
        if is_batch and (sample_weight is not None or mask is not None):
            raise self.takes_no_weights("its value is one number for the whole batch")
        if mask is not None:
            mask = keras.ops.cast(align_mask(name, values, mask), "bool")
            # A loss can leave out values by a mask of its own, as Keras' ignore_class does.
            own = getattr(values, "_keras_mask", None)
            values = keras.ops.convert_to_tensor(values, dtype=self.dtype)
            leave_out(values, mask if own is None else keras.ops.logical_and(own, mask))
        if sample_weight is not None:
            sample_weight = keras.ops.convert_to_tensor(sample_weight, dtype=self.dtype)
            sample_weight = align_weights(name, values, sample_weight)
        reduce = _Values(name=self.name, reduction=reduction, dtype=self.dtype)
        value = reduce(values, y_pred if mask is None else values, sample_weight)
        replicas = number_of_replicas() if is_batch else 1
        if replicas > 1:
            # The values of replicas are added. Keras 3.15.1 divides means of vectors only, so that
            # one number for the batch would count once for each replica.
            return value / replicas
        if tuple(value.shape) == (0,) and reduction not in (None, "none"):
            # Keras 3.15.1 leaves the values of an empty batch as they are.
            return keras.ops.sum(value)
        return value

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
        return {**saved_form(self.bound), **super().get_config(), "dtype": self.dtype}

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

    def _options(self) -> dict[str, Any]:
        return {option: getattr(self, option) for option in OPTIONS}

    # Keras would pickle the config of the loss, and find the class only if it is registered.
    def __reduce__(self) -> tuple[Any, ...]:
        if portable_config(self.bound) is not None:
            return public_function("get_loss"), (self.config(),)
        return functools.partial(type(self), **self._options()), (self.bound,)

    def __deepcopy__(self, memo: dict[int, Any]) -> "RegisteredLoss":
        return type(self)(self.bound, **self._options())

    def __copy__(self) -> "RegisteredLoss":
        return self.__deepcopy__({})

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

    def _build(self, given: dict[str, Any]) -> None:
        options = {key: value for key, value in given.items() if key != "name"}
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
        return add_values(self.bound, list(self.terms(y_true, y_pred, sample_weight).values()))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, where every term has one."""
        return RegisteredFunction(self.bound)(y_true, y_pred)

    def __repr__(self) -> str:
        return f"<{self.bound}>"


_CLASSES: dict[type, type[RegisteredLoss]] = {BoundLoss: RegisteredLoss, BoundSum: RegisteredSum}


class _Values(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """Values of a loss, which Keras weighs, masks and reduces."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values, which stand in the place of the labels."""
        del y_pred
        return y_true


def _is_called_by_keras_2() -> bool:
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == "tf_keras":
            return True
        frame = frame.f_back  # type: ignore[assignment]  # None ends the loop
    return False


def number_of_replicas() -> int:
    """Return how many replicas TensorFlow computes one step on."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return int(tf.distribute.get_strategy().num_replicas_in_sync)


def class_maker(bound: BoundLoss | BoundSum) -> Callable[[], RegisteredLoss]:
    """Return a function without arguments that builds the object that `compile` takes.

    Raises:
        ConfigError: The loss has memory or takes other inputs, which the object can't have.
    """
    check_plain(bound)
    # Keras' object has the options, so the loss in it doesn't need them.
    return functools.partial(_CLASSES[type(bound)], bound.without_options(), **bound.options)
