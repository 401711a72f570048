"""The focal losses against Keras' own: `python -m benchmarks.focal [--quick]`.

Value and gradient of one batch in one compiled step, float32 logits, median of runs in turn.
A ratio is the focal loss's time by the other's; below 1 is faster.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from . import ratios


@dataclass(frozen=True, kw_only=True)
class Duel:
    """A focal loss, what it runs against, and how its time may compare."""

    ours: str
    theirs: str
    sizes: tuple[tuple[int, int], ...]
    must: float
    must_jit: float
    aim: float
    memory: float | None = None


DUELS = (
    Duel(
        ours="sparse_focal",
        theirs="SparseCategoricalCrossentropy",
        sizes=((4096, 1000), (512, 32000)),
        must=1.1,
        must_jit=1.1,
        aim=0.9,
        memory=1.15,
    ),
    Duel(
        ours="sparse_focal",
        theirs="CategoricalFocalCrossentropy",
        sizes=((4096, 1000),),
        must=1 / 3,
        must_jit=1 / 3,
        aim=1 / 5,
    ),
    Duel(
        ours="categorical_focal",
        theirs="CategoricalCrossentropy",
        sizes=((4096, 1000),),
        must=2.0,
        must_jit=1.7,
        aim=1.3,
    ),
    Duel(
        ours="focal",
        theirs="BinaryCrossentropy",
        sizes=((4096, 1000),),
        must=1.3,
        must_jit=1.7,
        aim=1.1,
    ),
    Duel(
        ours="focal",
        theirs="BinaryFocalCrossentropy",
        sizes=((4096, 1000),),
        must=1 / 1.6,
        must_jit=1 / 1.8,
        aim=1 / 2.5,
    ),
)
QUICK = (256, 100)
_INTEGER = ("sparse_focal", "SparseCategoricalCrossentropy")
_BINARY = ("focal", "BinaryCrossentropy", "BinaryFocalCrossentropy")


def step(name: str, gamma: float, size: tuple[int, int], jit: bool) -> Callable[[], object]:
    """Return one step: value and gradient of a loss, ours or Keras', on fixed data."""
    import keras
    import numpy as np
    import tensorflow as tf

    import lossreg

    random = np.random.default_rng(0)
    batch, outputs = size
    y_pred = tf.constant(random.normal(0, 3, size).astype("float32"))
    classes = tf.constant(random.integers(0, outputs, batch))
    if name in _INTEGER:
        y_true = classes
    elif name in _BINARY:
        y_true = tf.constant((random.random(size) < 0.1).astype("float32"))
    else:
        y_true = tf.one_hot(classes, outputs)
    if hasattr(keras.losses, name):
        # The same formula on both sides: ours weighs the labels by default.
        options = {"apply_class_balancing": True, "alpha": 0.75} if "BinaryFocal" in name else {}
        options |= {"gamma": gamma} if "Focal" in name else {}
        loss = getattr(keras.losses, name)(from_logits=True, **options)
    else:
        loss = lossreg.get_loss(name, gamma=gamma, from_logits=True)

    return ratios.gradient_step(loss, y_true, y_pred, jit=jit)


def time_rows(duel: Duel, runs: int, quick: bool) -> list[list[str]]:
    rows = []
    for size in (QUICK,) if quick else duel.sizes:
        for jit in (False, True):
            for gamma in (2.0, 1.5):
                ways = {name: step(name, gamma, size, jit) for name in (duel.ours, duel.theirs)}
                seconds = ratios.times(ways, runs)
                ratio = seconds[duel.ours] / seconds[duel.theirs]
                must = duel.must_jit if jit else duel.must
                rows.append(
                    [
                        f"{duel.ours} / {duel.theirs}",
                        f"{size[0]} x {size[1]}",
                        "jit" if jit else "",
                        f"{gamma:g}",
                        f"{seconds[duel.ours] * 1e3:.2f}",
                        f"{seconds[duel.theirs] * 1e3:.2f}",
                        f"{ratio:.2f}",
                        f"{must:.2f}",
                        f"{duel.aim:.2f}",
                        verdict(ratio, must, duel.aim) if gamma == 2 else "",
                    ]
                )
    return rows


def memory_rows(duel: Duel, quick: bool) -> list[list[str]]:
    rows = []
    for size in (QUICK,) if quick else duel.sizes:
        for jit in (False, True):
            extra = {
                name: int(
                    ratios.in_fresh_process(
                        "benchmarks.focal",
                        "--memory-of",
                        name,
                        *map(str, size),
                        *(["--jit"] if jit else []),
                    )
                )
                for name in (duel.ours, duel.theirs)
            }
            ratio = extra[duel.ours] / max(extra[duel.theirs], 1)
            rows.append(
                [
                    f"{duel.ours} / {duel.theirs}",
                    f"{size[0]} x {size[1]}",
                    "jit" if jit else "",
                    f"{extra[duel.ours] / 2**20:.0f}",
                    f"{extra[duel.theirs] / 2**20:.0f}",
                    f"{ratio:.2f}",
                    "" if duel.memory is None else f"{duel.memory:.2f}",
                    "" if duel.memory is None else verdict(ratio, duel.memory, duel.memory),
                ]
            )
    return rows


def verdict(ratio: float, must: float, aim: float) -> str:
    if ratio > must:
        return "MISSED"
    return "aim" if ratio <= aim else "must"


def memory_of(name: str, rows: int, columns: int, jit: bool) -> int:
    """Return the bytes that steps of one loss take in this process, data aside."""
    # What TensorFlow allocates once, at its first step, isn't the loss's.
    step(name, 2.0, (8, 8), jit)()
    return ratios.extra_memory(step(name, 2.0, (rows, columns), jit))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small arrays: only that it runs")
    parser.add_argument("--runs", type=int, default=ratios.RUNS)
    parser.add_argument("--memory-of", nargs=3, metavar=("LOSS", "ROWS", "COLUMNS"))
    parser.add_argument("--jit", action="store_true", help="with --memory-of")
    arguments = parser.parse_args()
    if arguments.memory_of:
        name, rows, columns = arguments.memory_of
        print(memory_of(name, int(rows), int(columns), arguments.jit))
        return
    timed = [row for duel in DUELS for row in time_rows(duel, arguments.runs, arguments.quick)]
    head = ["time of", "size", "", "gamma", "ms", "Keras ms", "ratio", "must", "aim", "reached"]
    print(ratios.table(head, timed))
    print()
    used = [row for duel in DUELS for row in memory_rows(duel, arguments.quick)]
    head = ["extra memory of", "size", "", "MB", "Keras MB", "ratio", "must", "reached"]
    print(ratios.table(head, used))


if __name__ == "__main__":
    main()
