"""Saved models with each loss of a plugin, loaded in a fresh process."""

import functools
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# All that a program needs before it loads a model.
import lossreg  # noqa: F401
from lossreg.lazy import keras

from . import backend, processes
from .results import NotApplicableError, raised
from .samples import Sample
from .subject import tensors

if TYPE_CHECKING:
    from .suite import Suite

OPTIONS = {"name": "renamed", "reduction": "sum", "dtype": "float16"}
"""Keras' options, none of them at its default."""


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """What became of one loss in the fresh process.

    Args:
        error: Why the model couldn't be saved or loaded, or "".
        config: The loss's config.
        values: Its value for each sample.
    """

    error: str
    config: Any = None
    values: Any = None


def reloaded(suite: "Suite") -> dict[str, Reloaded]:
    """Return what a fresh process makes of a model with each loss, every parameter changed."""
    # Raises where nothing is installed that the process could find.
    assert suite.modules
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, subject in suite.subjects.items():
            error = raised(functools.partial(_save, subject, Path(folder) / name))
            if isinstance(error, NotApplicableError):
                continue
            found[name] = Reloaded(error=f"can't be saved: {error}" if error else "")
        said = processes.run(__name__, Path(folder), KERAS_BACKEND=keras.backend.backend())
    return {**found, **{name: Reloaded(**one) for name, one in said.items()}}


def _save(subject: Any, stem: Path) -> None:
    case = subject.case(subject.changed)
    model = keras.Sequential([keras.Input(case.sample.y_pred.shape[1:]), keras.layers.Identity()])
    model.compile(loss=subject.loss(subject.changed, **OPTIONS))
    model.save(stem.with_suffix(".keras"))
    np.savez(stem.with_suffix(".npz"), y_true=case.sample.y_true, y_pred=case.sample.y_pred)


def _load_each(folder: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.keras")):
        loaded: dict[str, Any] = {"error": ""}
        error = raised(functools.partial(_load, file, loaded))
        if error is not None:
            loaded["error"] = f"can't be loaded: {type(error).__name__}: {error}"
        found[file.stem] = loaded
    return found


def _load(file: Path, found: dict[str, Any]) -> None:
    loss = keras.models.load_model(file).loss
    with np.load(file.with_suffix(".npz")) as arrays:
        sample = Sample(y_true=arrays["y_true"], y_pred=arrays["y_pred"])
    values = backend.numbers(loss.call(*tensors(sample, "float32")))
    found.update(config=loss.get_config(), values=values.tolist())


def main() -> None:
    """Load each `.keras` file of a folder, and print what became of its loss."""
    print(json.dumps(_load_each(Path(sys.argv[1]))))
