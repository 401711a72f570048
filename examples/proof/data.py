"""The data of the tables: scikit-learn's digits from `examples/data`, or drawn from a seed."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

DIGITS = Path(__file__).parents[1] / "data" / "digits.npz"

Arrays = Mapping[str, np.ndarray[Any, Any]]


def imbalanced_digits() -> Arrays:
    """Return the digits, with a weight of 1 for the samples of an exponential tail, and else 0.

    Of the digit k there are `174 * ratio**(-k / 9)` samples to learn from. A sample of weight 0
    teaches nothing, and is as good as any other to judge by.
    """
    rng = np.random.default_rng(0)
    digits = np.load(DIGITS)
    digit = digits["digit"]
    # One order for both ratios: the few samples of the steeper tail are among those of the other.
    order = [rng.permutation(np.flatnonzero(digit == k)) for k in range(10)]
    weights = {}
    for ratio in (20, 50):
        weight = np.zeros(len(digit), dtype="float32")
        for k, count in enumerate(tail_counts(ratio)):
            weight[order[k][:count]] = 1
        weights[f"weight_{ratio}"] = weight
    return {"pixels": digits["pixels"], "digit": digit, **weights}


def tail_counts(ratio: float) -> list[int]:
    """Return how many samples of each digit there are to learn from."""
    return [round(174 * ratio ** (-k / 9)) for k in range(10)]


def mislabelled_digits() -> Arrays:
    """Return the digits with 40 % wrong labels: each is one of the nine others."""
    rng = np.random.default_rng(0)
    digits = np.load(DIGITS)
    digit = digits["digit"].astype(int)
    wrong = rng.random(len(digit)) < 0.4
    noisy = np.where(wrong, (digit + rng.integers(1, 10, len(digit))) % 10, digit)
    return {"pixels": digits["pixels"], "digit": digit, "noisy": noisy}


def small_objects() -> Arrays:
    """Return noisy images of 24 by 24 pixels with one or two discs of about nine pixels."""
    rng = np.random.default_rng(0)
    rows, side = 180, 24
    down, right = np.mgrid[:side, :side]
    mask = np.zeros((rows, side, side), dtype=bool)
    for image in mask:
        for _ in range(rng.integers(1, 3)):
            at, radius = rng.uniform(2, side - 2, size=2), rng.uniform(1.2, 2.2)
            image |= (down - at[0]) ** 2 + (right - at[1]) ** 2 <= radius**2
    pixels = 1.3 * mask + rng.normal(size=mask.shape)
    return {
        "pixels": pixels[..., None].astype("float32"),
        "mask": mask[..., None].astype("uint8"),
    }


def spread() -> Arrays:
    """Return numbers whose noise grows with x: normal, and of a skewed distribution."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(1800, 1))
    middle, width = np.sin(3 * x[:, 0]), 0.05 + 0.5 * (x[:, 0] + 1) / 2
    normal = rng.normal(size=len(x))
    # An exponential distribution of mean 0 and deviation 1.
    skewed = rng.exponential(size=len(x)) - 1
    return {
        "x": x.astype("float32"),
        "normal": (middle + width * normal).astype("float32"),
        "skewed": (middle + width * skewed).astype("float32"),
    }


def grades() -> Arrays:
    """Return six ordered grades, common in the middle, as in tables of the quality of wine."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 8))
    score = x[:, 0] + 0.8 * np.tanh(2 * x[:, 1]) + 0.6 * x[:, 2] * x[:, 3]
    score += 0.8 * rng.normal(size=len(x))
    borders = np.quantile(score, [0.05, 0.25, 0.6, 0.85, 0.96])
    return {"x": x.astype("float32"), "grade": np.searchsorted(borders, score).astype("uint8")}


def rare_positives() -> Arrays:
    """Return a table of 20 columns in which about 1.5 % of the rows are a yes."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8000, 20))
    log_odds = -7 + 1.2 * x[:, 0] - x[:, 1] + 0.8 * x[:, 2] * x[:, 3] + 0.7 * x[:, 4] ** 2
    positive = rng.random(len(x)) < 1 / (1 + np.exp(-log_odds))
    return {"x": x.astype("float32"), "positive": positive.astype("uint8")}


FILES: Mapping[str, Callable[[], Arrays]] = {
    "imbalanced_digits": imbalanced_digits,
    "mislabelled_digits": mislabelled_digits,
    "small_objects": small_objects,
    "spread": spread,
    "grades": grades,
    "rare_positives": rare_positives,
}


def write(folder: Path) -> None:
    """Write a file for each of the data sets."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        np.savez_compressed(folder / f"{name}.npz", **make())
