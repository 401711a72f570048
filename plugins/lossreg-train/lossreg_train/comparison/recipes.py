"""How the model of a comparison is made: from a config, or by a function of the program."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import lossreg
from lossreg import check_data
from lossreg.checks import output_names
from lossreg.config import Data, Experiment, read_experiment
from lossreg.errors import LossregError
from lossreg.lazy import keras
from lossreg.loss import Bound

from ..data import Dataset
from ..samples import Samples
from ..trial import prepare
from .folds import Fold

_CHECKED = 256  # samples that the untrained model predicts


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A compiled model that isn't trained, and its samples in the form that it takes.

    Args:
        model: The model, with the loss to minimize.
        train: The samples to train on.
        stop: The samples to stop on.
        test: The samples to judge by.
    """

    model: Any
    train: Samples
    stop: Samples
    test: Samples

    @property
    def outputs(self) -> list[str]:
        """The names of the model's outputs."""
        return output_names(self.model)


class Recipe(Protocol):
    """Makes the model of a loss."""

    @property
    def fingerprint(self) -> Any:
        """What decides the model, as data."""

    def prepare(
        self, loss: Bound, samples: Samples, fold: Fold, seed: int, *, check: bool = False
    ) -> Prepared:
        """Return the model with its samples.

        Args:
            loss: The loss to minimize.
            samples: All samples.
            fold: Which of them are trained on, stopped on and tested on.
            seed: Decides the initial weights.
            check: Whether to check that the samples fit the model and the loss.

        Raises:
            LossregError: The model can't be made, or the samples don't fit.
        """


@dataclass(frozen=True, kw_only=True)
class ConfigRecipe:
    """The model of a config, with its optimizer.

    Args:
        config: The config as data, without a section `compare`.
        data: The section `data`, with every column and class that was found.
    """

    config: Mapping[str, Any]
    data: Data

    @classmethod
    def of(cls, config: Mapping[str, Any], folder: Path, data: Data) -> "ConfigRecipe":
        """Return the recipe of a config whose paths begin at a folder."""
        kept = {key: value for key, value in config.items() if key in ("model", "compile", "fit")}
        # Keras would compute them on every batch.
        kept["compile"] = {**kept["compile"], "metrics": None}
        if isinstance(kept["model"], str):
            kept["model"] = str((folder / kept["model"]).resolve())
        return cls(config=kept, data=data)

    @property
    def fingerprint(self) -> Any:
        """The config without its loss, and the content of the model's file."""
        compiled = {key: value for key, value in self.config["compile"].items() if key != "loss"}
        model = self.config["model"]
        if isinstance(model, str):
            model = hashlib.sha256(Path(model).read_bytes()).hexdigest()
        fit = self.config.get("fit", {})
        # The samples have their own, wherever their file is.
        data = self.data.model_dump(exclude={"file", "split", "seed"})
        return {"model": model, "compile": compiled, "fit": fit, "data": data}

    def experiment(self, loss: Bound) -> Experiment:
        """Return the config with a loss."""
        compiled = {**self.config["compile"], "loss": loss.config()}
        return read_experiment({**self.config, "compile": compiled})

    def prepare(
        self, loss: Bound, samples: Samples, fold: Fold, seed: int, *, check: bool = False
    ) -> Prepared:
        """Return the model with its samples, Normalization layers adapted to those trained on."""
        data = self.data.model_copy(update={"seed": seed})
        experiment = self.experiment(loss).model_copy(update={"data": data})
        held = samples.rows(np.concatenate([fold.stop, fold.test]))
        dataset = Dataset(train=samples.rows(fold.train), validation=held, config=data)
        trial = prepare(experiment, dataset, check=check)
        stop = len(fold.stop)
        return Prepared(
            model=trial.model,
            train=trial.data.train,
            stop=trial.data.validation.rows(slice(stop)),
            test=trial.data.validation.rows(slice(stop, None)).with_truth(),
        )


@dataclass(frozen=True, kw_only=True)
class FunctionRecipe:
    """The model that a function returns, compiled with an optimizer.

    Args:
        build: Takes nothing, and returns a model with new weights.
    """

    build: Callable[[], Any]

    @property
    def fingerprint(self) -> Any:
        """The architecture and the optimizer."""
        model = self._model()
        return {
            "model": json.loads(model.to_json()),
            "optimizer": keras.saving.serialize_keras_object(model.optimizer),
        }

    def prepare(
        self, loss: Bound, samples: Samples, fold: Fold, seed: int, *, check: bool = False
    ) -> Prepared:
        """Return the model with its samples."""
        keras.utils.set_random_seed(seed)
        model = self._model()
        model = lossreg.compile(model, model.optimizer, loss=loss)
        train, stop, test = (samples.rows(rows) for rows in (fold.train, fold.stop, fold.test))
        if check:
            sample = train.rows(slice(_CHECKED))
            predicted = model.predict(sample.x, batch_size=_CHECKED, verbose=0)
            found = check_data(loss, sample.y, predicted, sample_weight=sample.weight)
            if found:
                raise LossregError("\n".join(map(str, found)))
            if samples.truth is not None:
                y_pred = keras.tree.map_structure(
                    lambda values: np.resize(values, (len(samples), *values.shape[1:])), predicted
                )
                # The findings say "labels", and mean those that are trained on.
                messages = [
                    f"The truth: {each}" for each in check_data(loss, samples.truth, y_pred)
                ]
                if messages:
                    raise LossregError("\n".join(messages))
        return Prepared(model=model, train=train, stop=stop, test=test.with_truth())

    def _model(self) -> Any:
        model = self.build()
        if not isinstance(model, keras.Model) or not model.compiled:
            raise LossregError(
                f"The function must return a compiled keras.Model, got {type(model).__name__}. "
                "Compile it with the optimizer to compare with; its loss is replaced."
            )
        return model
