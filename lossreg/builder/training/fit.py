"""Training from a config: checked before the first step, and written so that it can be repeated."""

import contextlib
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import experiment
from ...errors import LossregError
from ...lazy import keras
from ..objective.report import objective
from . import curves, versions
from .curves import Epoch
from .resolved import resolved
from .run_folder import RunFolder
from .trial import Trial, prepare, read_data


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training that has ended.

    Args:
        folder: What it wrote.
        epochs: What is known of each epoch.
        wanted: How many epochs it was to have.
        interrupted: Whether Ctrl-C ended it.
        completed: How many epochs saw every sample: Ctrl-C may have cut the last one.
    """

    folder: RunFolder
    epochs: Sequence[Epoch]
    wanted: int
    interrupted: bool
    completed: int


def fit(
    config: "str | os.PathLike[str] | Mapping[str, Any]",
    folder: "str | os.PathLike[str]",
    *,
    epochs: int | None = None,
    force: bool = False,
    verbose: int = 0,
    say: Callable[[str], None] | None = None,
) -> Run:
    """Train the model of a config, and write the run into a folder.

    The folder gets the model, the history, its picture, and the config with every default
    and the versions that made the run. Fitting that config repeats the run.

    Args:
        config: As `build_model` takes it, with `data`.
        folder: It is made, and holds nothing else.
        epochs: In place of the config's.
        force: Whether an earlier run's files in the folder may be replaced.
        verbose: Keras' progress: 0 none, 1 a bar, 2 a line for each epoch.
        say: Gets messages for whoever waits.

    Raises:
        ConfigError: Names all that is wrong with the config and its data, before the first step.
        LossregError: The folder isn't empty, or a package is missing.
    """
    say = say or _nobody
    into = RunFolder(Path(folder))
    into.check(force=force)
    said = experiment.read(config)
    if epochs is not None:
        said = said.model_copy(update={"fit": said.fit.model_copy(update={"epochs": epochs})})
    _need_matplotlib()
    found = read_data(said)
    say("Importing Keras ...")
    for difference in versions.differences(said.versions):
        say(f"The config was written with {difference}: the numbers may differ.")
    trial = prepare(said, found)
    into.claim()
    config_of_run = resolved(trial, into)
    into.write_config(config_of_run)
    run = _train(trial, into, verbose, say)
    if run.interrupted:
        # One epoch is the least that a config can say.
        done = {**config_of_run["fit"], "epochs": max(run.completed, 1)}
        into.write_config({**config_of_run, "fit": done}, _cut(run))
    return run


def _cut(run: Run) -> str:
    """Return what a config that repeats an interrupted run leaves out, or nothing."""
    if run.completed == len(run.epochs):
        return ""
    said = f"Ctrl-C ended the run within epoch {len(run.epochs)}"
    if run.completed:
        return f"{said}, of which the model has seen a part. This repeats those before it."
    return f"{said}, of which the model has seen a part. This trains on all of it."


def _nobody(message: str) -> None:
    """Tell nobody."""


def _need_matplotlib() -> None:
    """Raise now, and not when the training is done."""
    try:
        import matplotlib.figure  # noqa: F401 - whether it can be imported is all
    except ImportError as error:
        raise LossregError(
            "The curves of a run need matplotlib, which isn't installed. "
            "Install it: pip install 'lossreg[fit]'"
        ) from error


def _train(trial: Trial, into: RunFolder, verbose: int, say: Callable[[str], None]) -> Run:
    said, train, validation = trial.said, trial.data.train, trial.data.validation
    # Whatever the checks drew, the shuffling of the samples begins here.
    keras.utils.set_random_seed(trial.data.said.seed)
    epochs: list[Epoch] = []
    batches = 0
    in_epoch = -(-len(train) // said.fit.batch_size)

    def count(batch: int, logs: dict[str, float]) -> None:
        del logs
        nonlocal batches
        batches = batch + 1

    def add(_: int, logs: dict[str, float]) -> None:
        of_train, of_validation = (
            objective(trial.model, part.x, part.y, said.fit.batch_size)
            for part in (train, validation)
        )
        epochs.append(Epoch(logs=dict(logs), train=of_train, validation=of_validation))
        into.add_epoch({"epoch": len(epochs), **epochs[-1].row})

    with _stopping(trial.model, say) as stop, warnings.catch_warnings():
        if trial.untrained:
            # It asks whether a loss was forgotten, and the config says that there is none.
            warnings.filterwarnings("ignore", "Gradients do not exist for variables")
        trial.model.fit(
            train.x,
            train.y,
            validation_data=(validation.x, validation.y),
            batch_size=said.fit.batch_size,
            epochs=said.fit.epochs,
            callbacks=[
                # Keras forgets what stopped it before it began.
                keras.callbacks.LambdaCallback(
                    on_train_begin=stop.check, on_train_batch_end=count, on_epoch_end=add
                )
            ],
            verbose=verbose,
        )
    trial.model.save(into.model)
    curves.draw(epochs, into.curves, _title(trial))
    return Run(
        folder=into,
        epochs=epochs,
        wanted=said.fit.epochs,
        interrupted=stop.asked,
        completed=len(epochs) - (batches < in_epoch),
    )


def _title(trial: Trial) -> str:
    document = trial.said.document
    name = f"{Path(document.source).stem}: " if document else ""
    train, held = len(trial.data.train), len(trial.data.validation)
    return f"{name}{train:,} samples trained on, {held:,} held out"


class _Stop:
    """Whether Ctrl-C was pressed: the first one ends the training after the running batch."""

    def __init__(self, model: Any, say: Callable[[str], None]) -> None:
        self.model = model
        self.say = say
        self.asked = False

    def __call__(self, *_: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        self.model.stop_training = True
        self.say("Stopping after this batch, to write what was reached. Ctrl-C again drops it.")

    def check(self, *_: Any) -> None:
        """Ask again, once the training has begun."""
        self.model.stop_training = self.asked


@contextlib.contextmanager
def _stopping(model: Any, say: Callable[[str], None]) -> Iterator[_Stop]:
    """Let Ctrl-C end a training so that its model can be saved."""
    stop = _Stop(model, say)
    if threading.current_thread() is not threading.main_thread():
        # Only there Python lets a program say what a signal does.
        yield stop
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
