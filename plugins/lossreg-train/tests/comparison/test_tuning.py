"""The search of a loss's parameters: within the training set, and repeatable."""

import pytest

pytest.importorskip("optuna")

from lossreg_train import compare
from lossreg_train.comparison.cells import Results


def test_each_cell_tries_the_parameters_that_the_loss_came_with_and_others(config, tmp_path):
    losses = ["binary_focal_crossentropy(gamma=1)", "hinge"]
    options = {"folder": tmp_path, "learning_rate": "fixed", "tune": 3, "epochs": 1}
    result = compare(config(), losses, **options)
    focal, hinge = sorted(result.ranking, key=lambda standing: standing.loss)
    cells = [cell for cell in Results(tmp_path / "cells") if "trials" in cell]
    searched = [cell for cell in cells if "focal" in cell["loss"]["name"]]
    assert len(searched) == 4
    for cell in searched:
        tried = [trial["loss"] for trial in cell["trials"]]
        assert len(set(tried)) == 3
        assert tried[0] == "binary_focal_crossentropy(gamma=1.0, from_logits=True)"
        best = max(cell["trials"], key=lambda trial: trial["value"])
        chosen = next(t for t in cell["trials"] if t["loss"] == cell["params"])
        assert chosen["value"] == best["value"]
    assert sum(focal.params.values()) == 2
    # It has no parameters.
    assert set(hinge.params) == {"hinge"}
    assert "Parameters that were chosen" in (tmp_path / "report.html").read_text()
