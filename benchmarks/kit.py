"""What `lossreg check` costs in processor time, beside an import of Keras.

`KERAS_BACKEND=jax python -m benchmarks.kit` is the same on JAX.
"""

import statistics
import sys

from .processes import processor_seconds
from .ratios import table

# The limit for twelve losses is that share of 45 s for fifteen.
CHECKS = {
    "keras --loss huber": "<= 15",
    "lossreg-focal --loss focal": "<= 15",
    "lossreg-noise": "<= 36",
}


def main() -> None:
    """Print the table; an argument says how often each check runs, by default 3 times."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rows = []
    for arguments, limit in CHECKS.items():
        taken, imports = [], []
        for _ in range(runs):
            # In turn, so that a busy moment hits both.
            imports.append(processor_seconds([sys.executable, "-c", "import keras"]))
            command = [sys.executable, "-m", "lossreg", "check", *arguments.split()]
            taken.append(processor_seconds(command))
        check, keras = statistics.median(taken), statistics.median(imports)
        rows.append([arguments, f"{check:.1f}", limit, f"{keras:.1f}", f"{check / keras:.1f}"])
    print(table(["lossreg check", "s", "must", "import keras, s", "ratio"], rows))


if __name__ == "__main__":
    main()
