"""Train one small network with several losses on imbalanced data, and compare.

The question is whether a handwritten digit is an 8, as one in ten is. A loss is
a name, or a call with its parameters:

    python examples/compare_losses.py binary_crossentropy "focal(gamma=1, alpha=0.5)"
"""

import argparse
import functools
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import matplotlib as mpl
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.model_selection import train_test_split

import lossreg

mpl.use("agg")
from matplotlib import pyplot as plt

LOSSES = ["binary_crossentropy", "focal", "focal(gamma=1, alpha=0.5)"]
PRECISION = 0.95


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: what was measured on images that it didn't see."""

    average_precision: float
    roc_auc: float
    recall: float
    seconds: float
    losses: list[float]
    precisions: list[float]


def digits() -> tuple[Any, Any, Any, Any]:
    """Return images and labels to train on, then those to test on."""
    images, numbers = load_digits(return_X_y=True)
    labels = (numbers == 8).astype("float32")[:, None]
    split = train_test_split(
        images.astype("float32") / 16, labels, test_size=0.4, stratify=labels, random_state=0
    )
    return split[0], split[2], split[1], split[3]


def on_logits(text: str) -> lossreg.BoundLoss:
    """Return the loss that a name or a call means, for the logits that the network gives."""
    loss = lossreg.bind(text)
    if not isinstance(loss, lossreg.BoundLoss):
        raise lossreg.ParameterError(f"{text!r} is more than one loss; compare one at a time.")
    if "from_logits" not in loss.params:
        raise lossreg.ParameterError(
            f"Loss {loss.name!r} takes no logits, which this network gives. "
            "Choose one that 'lossreg list --task binary' shows with from_logits."
        )
    return lossreg.bind(loss, from_logits=True)


def train(loss: lossreg.BoundLoss, seed: int, epochs: int, tick: Any) -> Run:
    """Train the network with a loss, from weights that only the seed decides."""
    x, y, x_test, y_test = digits()
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.003), lossreg.get_loss(loss))
    losses, precisions = [], []

    def scores() -> Any:
        return keras.ops.convert_to_numpy(model(x_test))[:, 0]

    def after_epoch(_: int, logs: dict[str, float]) -> None:
        losses.append(logs["loss"])
        precisions.append(average_precision_score(y_test, scores()))
        tick()

    start = time.perf_counter()
    watch = keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, callbacks=[watch])
    seconds = time.perf_counter() - start
    precision, recall, _ = precision_recall_curve(y_test, scores())
    return Run(
        average_precision=precisions[-1],
        roc_auc=roc_auc_score(y_test, scores()),
        recall=float(recall[precision >= PRECISION].max()),
        seconds=seconds,
        losses=losses,
        precisions=precisions,
    )


def mean(runs: list[Run], what: str) -> float:
    """Return the mean of a measurement over the seeds."""
    return statistics.mean(getattr(run, what) for run in runs)


def report(results: dict[str, list[Run]]) -> Table:
    """Return the comparison as a table."""
    seeds = len(next(iter(results.values())))
    table = Table(title=f"Is it an 8? Mean of {seeds} run{'s' * (seeds > 1)} for each loss")
    table.add_column("loss", no_wrap=True)
    for column in ("average precision", "ROC AUC", f"recall at precision {PRECISION}", "seconds"):
        table.add_column(column, justify="right")
    for name, runs in results.items():
        measured = [
            f"{mean(runs, what):.4f}" for what in ("average_precision", "roc_auc", "recall")
        ]
        table.add_row(name, *measured, f"{mean(runs, 'seconds'):.1f}")
    return table


def verdict(results: dict[str, list[Run]]) -> str:
    """Return which loss won by average precision, and whether that means anything."""
    best, *others = sorted(results, key=lambda name: -mean(results[name], "average_precision"))
    if not others:
        return "One loss has nothing to win against."
    pairs = zip(results[best], results[others[0]], strict=True)
    leads = [first.average_precision - second.average_precision for first, second in pairs]
    lead = statistics.mean(leads)
    said = f"{best} won: its average precision is {lead:.4f} above that of {others[0]}"
    if len(leads) == 1:
        return f"{said}, in one run each. Train with more seeds before you believe it."
    error = statistics.stdev(leads) / len(leads) ** 0.5
    if lead < 2 * error:
        return f"{said}, with a standard error of {error:.4f}: too little to tell them apart."
    return f"{said}, with a standard error of {error:.4f} over {len(leads)} seeds."


def draw(results: dict[str, list[Run]], path: Path) -> None:
    """Write the training curves, means over the seeds, as a picture."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name, runs in results.items():
        losses = np.mean([run.losses for run in runs], axis=0)
        precisions = np.mean([run.precisions for run in runs], axis=0)
        epochs = np.arange(1, len(losses) + 1)
        left.semilogy(epochs, losses / losses[0], label=name)
        right.plot(epochs, precisions, label=name)
    left.set(title="Training", xlabel="epoch", ylabel="loss, as a share of its first epoch's")
    right.set(title="Images that training didn't see", xlabel="epoch", ylabel="average precision")
    right.legend()
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Train, and print and draw the comparison."""
    parser = argparse.ArgumentParser(description="Compare losses on imbalanced data.")
    parser.add_argument("losses", nargs="*", default=LOSSES, help='as "focal(gamma=1, alpha=0.5)"')
    parser.add_argument("--seeds", type=int, default=5, help="how often to train with each")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--short", action="store_true", help="1 seed, 3 epochs")
    parser.add_argument("--output", type=Path, default=Path("build/compare_losses.png"))
    args = parser.parse_args()
    seeds, epochs = (1, 3) if args.short else (args.seeds, args.epochs)
    try:
        losses = {text: on_logits(text) for text in args.losses}
    except lossreg.LossregError as error:
        parser.error(str(error))

    results: dict[str, list[Run]] = {name: [] for name in losses}
    console = Console()
    with Progress(console=console) as progress:
        for name, loss in losses.items():
            task = progress.add_task(name, total=seeds * epochs)
            tick = functools.partial(progress.advance, task)
            for seed in range(seeds):
                results[name].append(train(loss, seed, epochs, tick))
    console.print(report(results))
    console.print(verdict(results), highlight=False)
    draw(results, args.output)
    console.print(f"The curves are in {args.output}.", highlight=False)


if __name__ == "__main__":
    main()
