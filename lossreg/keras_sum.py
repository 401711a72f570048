"""A sum of registered losses as one `keras.losses.Loss`."""

import functools
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import keras

# Not its names: a program that imports that module first is still within it when Keras, and so
# this module, is imported.
from . import keras_loss
from .entry import BoundSum, WeightedLoss
from .errors import ConfigError, ParameterError, ShapeError
from .options import OPTIONS, check


@keras.saving.register_keras_serializable(package="lossreg")
class RegisteredSum(keras.losses.Loss):  # type: ignore[misc]  # Keras has no types
    """A weighted sum of registered losses.

    Each term weighs, masks and reduces its own values; then they are added. So a term
    that takes no weights makes the sum refuse them.

    Args:
        bound: The terms.
        name: Keras' name of the object; by default made of the terms' names.
        reduction: How each term is reduced.
        dtype: What the terms are computed in.

    Raises:
        ParameterError: An option that Keras refuses.
    """

    def __init__(
        self,
        bound: BoundSum,
        *,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.losses = [
            keras_loss.RegisteredLoss(term.loss, reduction=reduction, dtype=dtype)
            for term in bound.terms
        ]
        check(bound.name, {"name": name})
        super().__init__(name=name or bound.name, reduction=reduction, dtype=dtype)
        self.bound = bound

    def terms(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Return the weighted value of each term; they add up to the loss.

        A term is named as briefly as a config names it: `"0.5 * focal(gamma=3.0)"`.
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
            WeightError: Weights or a mask, and a term that takes none.
        """
        return _add(self.bound, list(self.terms(y_true, y_pred, sample_weight).values()))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, where every term has one."""
        return sum_form(self.bound)(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return all that makes this sum again, as data."""
        terms = [
            {"weight": term.weight, **keras_loss.as_saved(term.loss)} for term in self.bound.terms
        ]
        return {"sum": terms, **super().get_config(), "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "RegisteredSum":
        """Return the sum that a config describes; it can name registered losses only.

        Raises:
            ConfigError: The config isn't one that `get_config` returned.
            LossLookupError: A loss isn't here; it says which package to install.
        """
        options = {key: value for key, value in config.items() if key != "sum"}
        saved = config.get("sum")
        if not isinstance(saved, list) or not saved or not set(options) <= set(OPTIONS):
            raise ConfigError(f"This is no config of a sum of registered losses: {config!r}.")
        bound = BoundSum(terms=tuple(map(_saved_term, saved)))
        try:
            return cls(bound, **options)
        except ParameterError as error:
            # Keras would bury a TypeError, as this is, in advice of its own.
            raise ConfigError(str(error)) from error

    def __reduce__(self) -> tuple[Any, ...]:
        options = {"name": self.name, "reduction": self.reduction, "dtype": self.dtype}
        return functools.partial(RegisteredSum, **options), (self.bound,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RegisteredSum) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash(self.bound.name)

    def __repr__(self) -> str:
        return f"<{self.bound}>"


def _saved_term(config: Any) -> WeightedLoss:
    weight = config.get("weight") if isinstance(config, Mapping) else None
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ConfigError(f"This is no term of a sum of registered losses: {config!r}.")
    return WeightedLoss(weight=float(weight), loss=keras_loss.saved_loss(config))


def sum_form(bound: BoundSum) -> Callable[[Any, Any], Any]:
    """Return `(y_true, y_pred)` to the sum of the terms, one value per sample."""
    forms = [(term.weight, keras_loss.function_form(term.loss)) for term in bound.terms]

    def values(y_true: Any, y_pred: Any) -> Any:
        return _add(bound, [weight * form(y_true, y_pred) for weight, form in forms])

    values.__name__ = values.__qualname__ = bound.name
    values.__doc__ = f"{bound}, one value per sample."
    # By which check_data knows it. A function has no such attribute as far as types say.
    values.bound_loss = bound  # type: ignore[attr-defined]
    return values


def _add(bound: BoundSum, values: list[Any]) -> Any:
    shapes = [tuple(value.shape) for value in values]
    # An unknown size fits any.
    if any(len(shape) != len(shapes[0]) for shape in shapes) or any(
        len({size for size in sizes if size is not None}) > 1 for sizes in zip(*shapes, strict=True)
    ):
        raise ShapeError(
            f"The terms of {bound} have values of shapes {', '.join(map(str, shapes))}, which "
            "can't be added. Let each be reduced, or take terms of one shape."
        )
    return functools.reduce(lambda total, value: total + value, values)
