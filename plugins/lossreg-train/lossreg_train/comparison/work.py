"""What a worker needs: the samples, the folds, the model's recipe, and how a training is judged."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg import bind
from lossreg.loss import BoundLoss, BoundOutputs

from ..samples import Samples
from .folds import Folds
from .metrics import Metric
from .recipes import Recipe

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a model is trained, the same for every loss.

    Args:
        epochs: The most passes over the data.
        batch_size: The samples in a step.
        patience: Epochs without a better metric after which a training ends; 0 for the last epoch.
        search: Whether each loss searches for its learning rate.
        tune: Trials that search the parameters of a loss; 0 for none.
    """

    epochs: int
    batch_size: int
    patience: int
    search: bool
    tune: int


def digest(value: Any) -> Any:
    """Return a hash of arrays, of a mapping or a list of them, or None for None."""
    if isinstance(value, Mapping):
        return {name: digest(each) for name, each in value.items()}
    if isinstance(value, list):
        return [digest(each) for each in value]
    if value is None:
        return None
    array = np.ascontiguousarray(value)
    return [str(array.dtype), array.shape, hashlib.sha256(array.view(np.uint8).data).hexdigest()]


@dataclass(frozen=True, kw_only=True)
class Work:
    """Everything that decides the numbers of a comparison, the losses and seeds excepted.

    Args:
        recipe: Makes the model.
        samples: All samples.
        folds: Which of them are trained on, stopped on and tested on.
        slices: The slice that each sample belongs to, for each column that tells them apart.
        metrics: What the losses are judged by. The first decides when a training ends.
        reference: The loss that the model is made for, as data. It says what labels and
            predictions stand for.
        settings: How a model is trained.
        key: What all of this and the versions hash to.
    """

    recipe: Recipe
    samples: Samples
    folds: Folds
    slices: "Mapping[str, Array]"
    metrics: tuple[Metric, ...]
    reference: Mapping[str, Any]
    settings: Settings
    key: str

    @functools.cached_property
    def references(self) -> "Mapping[str | None, BoundLoss]":
        """The loss that each output is made for; the one output is named None."""
        found = bind(self.reference)
        if isinstance(found, BoundOutputs):
            return {name: loss.losses()[0] for name, loss in found.items() if loss is not None}
        return {None: found.losses()[0]}

    @property
    def metric(self) -> Metric:
        """The metric that decides."""
        return self.metrics[0]
