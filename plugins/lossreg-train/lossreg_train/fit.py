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

from lossreg.config import read_experiment
from lossreg.errors import LossregError
from lossreg.lazy import keras
from lossreg.objectives import objective

from . import curves, versions
from .curves import Epoch
from .record import record
from .run_folder import RunFolder
from .trial import Trial, prepare, read_data

# Ctrl-C, what a cluster sends, and what a closed terminal sends. Windows has no SIGHUP.
_STOPS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_NAMES = {signal.SIGINT: "Ctrl-C"}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A training that has ended.

    Args:
        folder: What it wrote.
        epochs: What is known of each epoch.
        wanted: The number of epochs that the config asks for.
        stopped_by: The signal that ended it early, such as that of Ctrl-C, or None.
        completed: The number of epochs that saw every sample: a signal may have cut the last one.
    """

    folder: RunFolder
    epochs: Sequence[Epoch]
    wanted: int
    stopped_by: signal.Signals | None
    completed: int

    @property
    def interrupted(self) -> bool:
        """Whether a signal ended it early."""
        return self.stopped_by is not None


def fit(
    config: "str | os.PathLike[str] | Mapping[str, Any]",
    folder: "str | os.PathLike[str]",
    *,
    epochs: int | None = None,
    force: bool = False,
    verbose: int = 0,
    report: Callable[[str], None] = lambda _: None,
) -> Run:
    """Train the model of a config, and write the run into a folder.

    The folder gets the model, the history, the curves, and the config with every default
    and the versions that made the run. Fitting that config repeats the run. Until all of
    them are whole, they are in its folder `unfinished`, and an earlier run stays as it is.

    Args:
        config: As `build_model` takes it, with `data`.
        folder: It is made, and must be empty if it exists.
        epochs: Replaces the config's number of epochs.
        force: Whether the files of an earlier run in the folder may be replaced.
        verbose: Keras' progress: 0 none, 1 a bar, 2 a line for each epoch.
        report: Is called with each message for the user who waits.

    Raises:
        ConfigError: The config or its data are wrong. It names every fault, before the first
            step.
        LossregError: The folder isn't empty, another training writes into it, or a package is
            missing.
    """
    path = Path(folder)
    # 'new/..' is this folder, and not a new one.
    into = RunFolder(path.resolve() if ".." in path.parts else path)
    into.check(force=force)
    experiment = read_experiment(config)
    if epochs is not None:
        fit_section = experiment.fit.model_copy(update={"epochs": epochs})
        experiment = experiment.model_copy(update={"fit": fit_section})
    _need_matplotlib()
    dataset = read_data(experiment)
    for note in dataset.notes:
        report(note)
    report("Importing Keras ...")
    for difference in versions.differences(experiment.versions):
        report(f"The config was written with {difference}: the numbers may differ.")
    trial = prepare(experiment, dataset)
    with _stopping(trial.model, report) as stop, into.claim(force=force) as unfinished:
        written = record(trial, into)
        unfinished.write_config(written)
        history, completed = _train(trial, unfinished, stop, verbose)
        run = Run(
            folder=into,
            epochs=history,
            wanted=experiment.fit.epochs,
            stopped_by=stop.signal,
            completed=completed,
        )
        if run.stopped_by is not None:
            # A config can't ask for less than one epoch.
            done = {**written["fit"], "epochs": max(completed, 1)}
            unfinished.write_config({**written, "fit": done}, _interruption(run))
    return run


def _interruption(run: Run) -> str:
    """Return how the config of an interrupted run differs from the run, or an empty string."""
    if run.stopped_by is None or run.completed == len(run.epochs):
        return ""
    name = _NAMES.get(run.stopped_by, run.stopped_by.name)
    cut = f"{name} ended the run within epoch {len(run.epochs)}"
    rest = "repeats the epochs before it" if run.completed else "trains on all of it"
    return f"{cut}, and the model has seen a part of it. This config {rest}."


def _need_matplotlib() -> None:
    """Raise an error now, and not after the training."""
    try:
        import matplotlib.figure  # noqa: F401 - only whether it can be imported matters
    except ImportError as error:
        raise LossregError(
            "The curves of a run need matplotlib, which isn't installed. "
            "Install it: pip install 'lossreg[fit]'"
        ) from error


def _train(trial: Trial, into: RunFolder, stop: "_Stop", verbose: int) -> tuple[list[Epoch], int]:
    """Train, write the files, and return the epochs, and how many of them saw every sample."""
    train, validation = trial.data.train, trial.data.validation
    epochs, batch_size = trial.experiment.fit.epochs, trial.experiment.fit.batch_size
    # The checks may have drawn random numbers; the shuffling of the samples begins here.
    keras.utils.set_random_seed(trial.data.config.seed)
    history: list[Epoch] = []
    batches = 0
    in_epoch = -(-len(train) // batch_size)

    def count(batch: int, logs: dict[str, float]) -> None:
        del logs
        nonlocal batches
        batches = batch + 1

    def add(_: int, logs: dict[str, float]) -> None:
        of_train, of_validation = (
            objective(trial.model, part.x, part.y, batch_size, sample_weight=part.weight)
            for part in (train, validation)
        )
        history.append(Epoch(logs=dict(logs), train=of_train, validation=of_validation))
        into.add_epoch({"epoch": len(history), **history[-1].row})

    with warnings.catch_warnings():
        if trial.has_untrained:
            # Keras asks whether a loss was forgotten, and the config has none on purpose.
            warnings.filterwarnings("ignore", "Gradients do not exist for variables")
        trial.model.fit(
            train.x,
            train.y,
            sample_weight=train.weight,
            validation_data=validation.validation_data,
            batch_size=batch_size,
            epochs=epochs,
            callbacks=[
                # Keras resets `stop_training` when the training begins.
                keras.callbacks.LambdaCallback(
                    on_train_begin=stop.repeat, on_train_batch_end=count, on_epoch_end=add
                )
            ],
            verbose=verbose,
        )
    trial.model.save(into.model)
    curves.draw(history, into.curves, _title(trial))
    return history, len(history) - (batches < in_epoch)


def _title(trial: Trial) -> str:
    document = trial.experiment.document
    name = f"{Path(document.source).stem}: " if document else ""
    train, held = len(trial.data.train), len(trial.data.validation)
    return f"{name}{train:,} samples trained on, {held:,} held out"


class _Stop:
    """The signal that asked to stop: the first one ends the training after the running batch."""

    def __init__(self, model: Any, report: Callable[[str], None]) -> None:
        self.model = model
        self.report = report
        self.signal: signal.Signals | None = None

    def __call__(self, number: int, *_: Any) -> None:
        if self.signal is not None:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        self.model.stop_training = True
        self.report("Stopping after this batch, and then writing the run. Ctrl-C again drops it.")

    def repeat(self, *_: Any) -> None:
        """Ask the model again to stop, if a signal came."""
        self.model.stop_training = self.signal is not None


@contextlib.contextmanager
def _stopping(model: Any, report: Callable[[str], None]) -> Iterator[_Stop]:
    """Let a signal end a training so that its model can be saved."""
    stop = _Stop(model, report)
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals in the main thread only.
        yield stop
        return
    handlers = {number: signal.getsignal(number) for number in _STOPS}
    # `nohup` ignores SIGHUP, and a shell the Ctrl-C that is meant for others. None is not ours.
    before = {
        n: handler for n, handler in handlers.items() if handler not in (signal.SIG_IGN, None)
    }
    for number in before:
        signal.signal(number, stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
