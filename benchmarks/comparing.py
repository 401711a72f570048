"""`lossreg compare`: two workers against one, and what it takes beside the training itself."""

import contextlib
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from .ratios import table

CONFIG = Path(__file__).parents[1] / "examples" / "compare_losses.yaml"
# With the baseline once more, each run trains four losses.
LOSSES = ["binary_crossentropy", "focal", "focal(gamma=1, alpha=0.5)"]


def compare(workers: int | None, **options: Any) -> tuple[float, float, int]:
    """Return the seconds of a comparison, those of its trainings, and how many these are."""
    import lossreg_train
    from lossreg_train.comparison.cells import Results

    options = {"folds": 5, "learning_rate": "fixed", **options}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        found = lossreg_train.compare(CONFIG, LOSSES, folder=folder, workers=workers, **options)
        results = list(Results(Path(folder) / "cells"))
    # The checks before the first training have results too.
    seconds = [result["seconds"] for result in results if "seconds" in result]
    return found.seconds, sum(seconds), len(seconds)


def main() -> None:
    """Print the table; an argument says how often each is run, by default 3 times."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    ratios, shares, counts = [], [], set()
    compare(None, repeats=1, epochs=1)
    for _ in range(runs):
        # In turn, so that a busy moment hits both.
        (alone, _, count), (both, _, _) = (compare(n, repeats=2, epochs=40) for n in (1, 2))
        ratios.append(alone / both)
        whole, training, small = compare(None, repeats=10, epochs=2)
        shares.append(100 * (whole - training) / training)
        counts.add((count, small))
    ((cells, small_cells),) = counts
    ratio, share = statistics.median(ratios), statistics.median(shares)
    rows = [
        [f"2 workers against 1, {cells} cells, times faster", f"{ratio:.2f}", ">= 1.8"],
        [f"beside the training, {small_cells} small cells, %", f"{share:.1f}", "<= 10"],
    ]
    print(table(["", "measured", "must"], rows))


if __name__ == "__main__":
    main()
