"""Small data and a small config, which train in a fraction of a second."""

import numpy as np
import pytest

ROWS = 120


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    """A function that returns a config for yes-or-no labels, with some of it replaced.

    One sample in four is a yes, and two features tell it. The sites are a column of strings.
    """
    rng = np.random.default_rng(2)
    x = rng.normal(size=(ROWS, 2)).astype("float32")
    y = (x @ [1.5, -1.0] + 0.5 * rng.normal(size=ROWS) > 1.0).astype("float32")
    site = np.where(np.arange(ROWS) % 3 == 0, "north", "south")
    patient = np.arange(ROWS) // 6
    file = tmp_path_factory.mktemp("data") / "rows.npz"
    np.savez(file, x=x, y=y, site=site, patient=patient)

    def make(**replaced):
        return {
            "model": [{"Input": {"shape": [2]}}, {"Dense": {"units": 1}}],
            "compile": {
                "loss": "binary_crossentropy(from_logits=True)",
                "optimizer": "sgd(learning_rate=0.1)",
            },
            "data": {
                "file": str(file),
                "features": "x",
                "target": "y",
                **replaced.pop("data", {}),
            },
            "fit": {"epochs": 2, "batch_size": 16},
            "compare": {"folds": 2, "repeats": 1, "metrics": ["average_precision"]},
            **replaced,
        }

    return make


@pytest.fixture(autouse=True)
def _in_the_folder(tmp_path, monkeypatch):
    """A comparison writes into `runs`, unless it is told otherwise."""
    monkeypatch.chdir(tmp_path)
