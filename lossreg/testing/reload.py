"""Fresh Python processes: how one is run, and how saved models with each loss load there."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..lazy import keras
from . import backend
from .lean_import import import_keras_lean
from .results import ConformanceError, NotApplicableError, error_of
from .samples import Sample
from .subject import Subject, Suite, tensors

OPTIONS = {"name": "renamed", "reduction": "sum", "dtype": "float16"}
"""Keras' options, none of them at its default."""

# After this a process counts as hanging; importing Keras alone may take 20.
_SECONDS = 600


def run_main(module: str, folder: Path, **environment: str) -> Any:
    """Return what the function `main` of a module prints in a fresh process, as JSON.

    The process finds what is installed, and knows nothing else of this one.

    Args:
        module: Name of the module.
        folder: What `main` finds in `sys.argv[1]`.
        environment: Variables that differ from those of this process.

    Raises:
        ConformanceError: The process fails or hangs.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-c", f"from {module} import main; main()", str(folder)],
            env={**os.environ, "PYTHONPATH": paths, **environment},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConformanceError(f"A fresh process hangs for {_SECONDS} s.") from error
    if done.returncode != 0:
        raise ConformanceError(f"A fresh process fails: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


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


def reload(suite: Suite) -> dict[str, Reloaded]:
    """Return what a fresh process makes of a model with each loss, every parameter changed."""
    # Raises where nothing is installed that the process could find.
    assert suite.modules
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, subject in suite.subjects.items():
            error = error_of(functools.partial(_save, subject, Path(folder) / name))
            if not isinstance(error, NotApplicableError):
                found[name] = Reloaded(error=f"can't be saved: {error}" if error else "")
        loaded = run_main(__name__, Path(folder), KERAS_BACKEND=keras.backend.backend())
    return {**found, **{name: Reloaded(**fields) for name, fields in loaded.items()}}


def _save(subject: Subject, stem: Path) -> None:
    if subject.remembers:
        raise NotApplicableError("it has memory, and is saved by the check 'memory'")
    sample = subject.case(subject.changed).sample
    model = keras.Sequential([keras.Input(sample.y_pred.shape[1:]), keras.layers.Identity()])
    model.compile(loss=subject.loss(subject.changed, **OPTIONS))
    model.save(stem.with_suffix(".keras"))
    np.savez(stem.with_suffix(".npz"), y_true=sample.y_true, y_pred=sample.y_pred)


def _load(file: Path) -> dict[str, Any]:
    """Return the fields of `Reloaded` for a saved model."""
    fields: dict[str, Any] = {"error": ""}

    def load() -> None:
        loss = keras.models.load_model(file).loss
        with np.load(file.with_suffix(".npz")) as arrays:
            sample = Sample(y_true=arrays["y_true"], y_pred=arrays["y_pred"])
        values = backend.numbers(loss.call(*tensors(sample)))
        fields.update(config=loss.get_config(), values=values.tolist())

    error = error_of(load)
    if error is not None:
        fields["error"] = f"can't be loaded: {type(error).__name__}: {error}"
    return fields


def main() -> None:
    """Load each `.keras` file of a folder, and print what became of its loss."""
    import_keras_lean()
    files = sorted(Path(sys.argv[1]).glob("*.keras"))
    print(json.dumps({file.stem: _load(file) for file in files}))
