"""The collections against plain formulas: `python -m benchmarks.collections [--quick]`.

Value and gradient of one batch in one compiled step, float32, median of runs in turn. A ratio
is our loss's processor time by the other's, on all cores together, which depends least on what else
the machine does; below 1 is faster. `plain` holds the formulas as their users write them.
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from . import plain, ratios

RUNS = 5
BATCH, DIMS = 2048, 128
QUICK = 64


@dataclass(frozen=True, kw_only=True)
class Duel:
    """A loss of ours, what it runs against, and how its time may compare.

    Args:
        ours: The loss.
        theirs: A function of `plain`, a class of `keras.losses`, or a loss of ours.
        size: Shape of the predictions.
        must: The highest ratio.
        arrays: How many arrays of batch x batch it may hold, or None.
        params: Parameters of our loss.
    """

    ours: str
    theirs: str
    size: tuple[int, ...]
    must: float
    arrays: float | None = None
    params: dict[str, Any] = field(default_factory=dict)


LONG_TAIL = tuple(float(1 + n) for n in range(1000))
IMAGES = (8, 256, 256, 21)
DUELS = (
    # The plain formula of these triplets holds batch x batch x batch numbers: 34 GB at 2,048.
    Duel(ours="triplet_semihard", theirs="triplet_semihard", size=(256, DIMS), must=1, arrays=3),
    Duel(ours="triplet_hard", theirs="triplet_hard", size=(BATCH, DIMS), must=1, arrays=3),
    Duel(ours="lifted_structure", theirs="lifted_structure", size=(BATCH, DIMS), must=1, arrays=3),
    Duel(ours="multi_similarity", theirs="multi_similarity", size=(BATCH, DIMS), must=1, arrays=3),
    Duel(
        ours="supervised_contrastive",
        theirs="supervised_contrastive",
        size=(BATCH, DIMS),
        must=1,
        arrays=3,
    ),
    Duel(ours="lovasz_softmax", theirs="lovasz_softmax", size=IMAGES, must=1 / 1.5),
    Duel(ours="soft_dice", theirs="Dice", size=IMAGES, must=1.2),
    Duel(ours="jaccard", theirs="Dice", size=IMAGES, must=1.2),
    Duel(ours="focal_tversky", theirs="Dice", size=IMAGES, must=1.2),
    Duel(
        ours="logit_adjusted",
        theirs="CategoricalCrossentropy",
        size=(4096, 1000),
        must=1.3,
        params={"counts": LONG_TAIL, "from_logits": True},
    ),
    Duel(
        ours="balanced_softmax",
        theirs="CategoricalCrossentropy",
        size=(4096, 1000),
        must=1.3,
        params={"counts": LONG_TAIL, "from_logits": True},
    ),
    Duel(ours="arcface", theirs="SparseCategoricalCrossentropy", size=(4096, 1000), must=1.3),
    Duel(ours="cosface", theirs="SparseCategoricalCrossentropy", size=(4096, 1000), must=1.3),
    Duel(ours="crps_ensemble", theirs="crps_ensemble", size=(32, 1000), must=1 / 100),
    *(
        Duel(ours=loss, theirs="iou", size=(1_000_000, 4), must=1.5)
        for loss in ("giou", "diou", "ciou", "eiou", "siou")
    ),
)


def data(name: str, size: tuple[int, ...]) -> tuple[Any, Any]:
    """Return labels and predictions that suit a loss."""
    import numpy as np

    random = np.random.default_rng(0)
    y_pred = random.normal(size=size).astype("float32")
    classes = random.integers(0, size[-1], size[:-1])
    if name.startswith("crps"):
        return random.normal(size=(size[0], 1)).astype("float32"), y_pred
    if name.endswith("iou"):
        return tuple(_boxes(random, size[0]) for _ in range(2))
    if name in ("arcface", "cosface"):
        return classes.astype("int32"), np.tanh(y_pred)
    if len(size) == 4:
        shares = np.exp(y_pred)
        return (
            np.eye(size[-1], dtype="float32")[classes],
            shares / shares.sum(axis=-1, keepdims=True),
        )
    if name in ("logit_adjusted", "balanced_softmax"):
        return np.eye(size[-1], dtype="float32")[classes], y_pred
    # Four samples a class, as samplers of embeddings make them.
    return np.repeat(np.arange(size[0] // 4), 4).astype("int32"), y_pred


def _boxes(random: Any, count: int) -> Any:
    import numpy as np

    corners = random.uniform(0, 5, (count, 2))
    return np.concatenate([corners, corners + random.uniform(1, 4, (count, 2))], 1).astype("f")


def loss_of(duel: Duel, ours: bool) -> Callable[[Any, Any], Any]:
    """Return our loss or the other one, reduced to a mean."""
    import keras

    import lossreg

    if ours:
        return lossreg.get_loss(duel.ours, **duel.params)
    if hasattr(plain, duel.theirs):
        formula = getattr(plain, duel.theirs)
        return lambda y_true, y_pred: keras.ops.mean(formula(y_true, y_pred))
    if hasattr(keras.losses, duel.theirs):
        logits = {"from_logits": True} if duel.theirs.endswith("Crossentropy") else {}
        return getattr(keras.losses, duel.theirs)(**logits)
    return lossreg.get_loss(duel.theirs)


def step(duel: Duel, ours: bool, jit: bool) -> Callable[[], float]:
    """Return one step: value and gradient of a loss on fixed data; it returns the value."""
    import tensorflow as tf

    y_true, y_pred = map(tf.constant, data(duel.ours, duel.size))
    return ratios.gradient_step(loss_of(duel, ours), y_true, y_pred, jit=jit)


def smaller(duel: Duel) -> Duel:
    """Return a duel of small arrays."""
    shape = (2, 8, 8, 21) if len(duel.size) == 4 else (QUICK, *duel.size[1:])
    return Duel(**{**vars(duel), "size": shape})


def time_row(duel: Duel, jit: bool, runs: int) -> list[str]:
    ways = {whose: step(duel, whose == "ours", jit) for whose in ("ours", "theirs")}
    values = {whose: way() for whose, way in ways.items()}
    if duel.ours == duel.theirs and abs(values["ours"] / values["theirs"] - 1) > 1e-3:
        raise AssertionError(f"{duel.ours} isn't its plain formula: {values}")
    seconds = ratios.times(ways, runs, time.process_time)
    ratio = seconds["ours"] / seconds["theirs"]
    other = "plain formula" if duel.ours == duel.theirs else duel.theirs
    return [
        f"{duel.ours} / {other}",
        " x ".join(map(str, duel.size)),
        "jit" if jit else "",
        f"{seconds['ours'] * 1e3:.2f}",
        f"{seconds['theirs'] * 1e3:.2f}",
        f"{ratio:.3g}",
        f"{duel.must:.3g}",
        "yes" if ratio <= duel.must else "MISSED",
    ]


def memory_row(duel: Duel, jit: bool, quick: bool) -> list[str]:
    batch = QUICK if quick else BATCH
    flags = [*(["--jit"] if jit else []), *(["--quick"] if quick else [])]
    extra = ratios.in_fresh_process("benchmarks.collections", "--memory-of", duel.ours, *flags)
    arrays = int(extra) / (4 * batch**2)
    return [
        duel.ours,
        f"{batch} x {DIMS}",
        "jit" if jit else "",
        f"{int(extra) / 2**20:.0f}",
        f"{arrays:.2f}",
        f"{duel.arrays:g}",
        "yes" if arrays <= (duel.arrays or 0) else "MISSED",
    ]


def memory_of(duel: Duel, jit: bool, quick: bool) -> int:
    """Return the bytes that steps of our loss take in this process, data aside."""
    # What TensorFlow allocates once, at its first step, isn't the loss's.
    step(Duel(**{**vars(duel), "size": (8, DIMS)}), True, jit)()
    size = (QUICK if quick else BATCH, DIMS)
    return ratios.extra_memory(step(Duel(**{**vars(duel), "size": size}), True, jit))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small arrays: only that it runs")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", metavar="LOSS", help="the rows of one loss")
    parser.add_argument("--memory-of", metavar="LOSS")
    parser.add_argument("--jit", action="store_true", help="with --memory-of")
    arguments = parser.parse_args()
    duels = [duel for duel in DUELS if arguments.only in (None, duel.ours)]
    if arguments.memory_of:
        (duel,) = (duel for duel in DUELS if duel.ours == arguments.memory_of)
        print(memory_of(duel, arguments.jit, arguments.quick))
        return
    timed = [
        time_row(smaller(duel) if arguments.quick else duel, jit, arguments.runs)
        for duel in duels
        for jit in (False, True)
    ]
    head = ["time of", "size", "", "ms", "other ms", "ratio", "must", "reached"]
    print(ratios.table(head, timed))
    held = [
        memory_row(duel, jit, arguments.quick)
        for duel in duels
        if duel.arrays
        for jit in (False, True)
    ]
    if held:
        print()
        head = ["extra memory of", "size", "", "MB", "arrays", "must", "reached"]
        print(ratios.table(head, held))


if __name__ == "__main__":
    main()
