"""Write the data of the examples: two data sets of UCI, as scikit-learn has them, and a made one.

python examples/data/make.py
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_wine, make_classification

FOLDER = Path(__file__).parent


def main() -> None:
    """Write the files."""
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
    x, y = make_classification(
        n_samples=10_000,
        n_features=6,
        n_informative=5,
        n_redundant=0,
        n_clusters_per_class=3,
        weights=[0.99],
        flip_y=0,
        class_sep=0.9,
        random_state=1,
    )
    np.savez_compressed(
        FOLDER / "faults.npz",
        # Three digits are enough for a measurement.
        measurements=x.astype("float16"),
        fault=y.astype("uint8"),
    )


if __name__ == "__main__":
    main()
