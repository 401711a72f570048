"""Write the data of the examples from scikit-learn's copies of two data sets of UCI.

python examples/data/make.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_wine

FOLDER = Path(__file__).parent


def main() -> None:
    """Write both files."""
    digits = load_digits()
    np.savez_compressed(
        FOLDER / "digits.npz",
        # From 0..16 to 0..1; sixteenths are exact.
        pixels=(digits.data / 16).astype("float32"),
        digit=digits.target.astype("uint8"),
        one_hot=np.eye(10, dtype="uint8")[digits.target],
        is_8=(digits.target == 8).astype("uint8"),
    )
    wine = load_wine(as_frame=True).frame
    wine = wine.rename(
        columns={"target": "cultivar", "od280/od315_of_diluted_wines": "od280_od315"}
    )
    # UCI numbers the cultivars from 1.
    wine["cultivar"] += 1
    wine.to_csv(FOLDER / "wine.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
