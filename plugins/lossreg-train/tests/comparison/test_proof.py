"""The page of papers that were measured again, and the configs that it is measured with."""

import importlib
import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
from tolerances import BY_DTYPE

from lossreg.config import read_experiment

ROOT = Path(__file__).parents[4]
PROOF = ROOT / "examples" / "proof"
CONFIGS = sorted(PROOF.glob("*.yaml"))

for package in ("imbalance", "noise", "ordinal", "regression", "segmentation"):
    pytest.importorskip(f"lossreg_{package}")


@pytest.fixture
def proof(monkeypatch):
    """A function that returns a module of the proof."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"examples.proof.{name}")


def test_the_page_is_what_the_results_say(proof):
    page = proof("page")
    results = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert page.PAGE.read_text(encoding="utf-8") == page.page(results)


def test_the_results_are_of_whole_comparisons_and_the_page_names_those_that_lack(proof):
    page = proof("page")
    measured = json.loads(page.RESULTS.read_text(encoding="utf-8"))["parts"]
    topics = proof("tables").TOPICS
    parts = {part for topic in topics for table in topic.tables for part in table.parts}
    assert measured.keys() <= {part.name for part in parts}
    assert {part.config for part in parts} == {config.stem for config in CONFIGS}
    for part in measured.values():
        for standing in part["ranking"]:
            failed = sum(standing["failures"].values())
            assert standing["runs"] + failed == part["count"] == len(standing["values"])
    text = " ".join(page.PAGE.read_text(encoding="utf-8").split())
    _, _, lacking = text.partition("Not measured in full so far: ")
    for topic in topics:
        is_lacking = any(not table.names <= measured.keys() for table in topic.tables)
        assert is_lacking == (topic.title.lower() in lacking.partition(".")[0])


def test_the_figure_is_small(proof):
    assert 2_000 < proof("page").FIGURE.stat().st_size < 60_000


@pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_the_proof_has_no_faults(config):
    assert read_experiment(config).compare.losses != "auto"


@pytest.mark.parametrize("ratio", [20, 50])
def test_the_counts_in_a_config_are_those_of_the_data(proof, ratio):
    arrays = proof("data").imbalanced_digits()
    weight = arrays[f"weight_{ratio}"]
    counts = np.bincount(arrays["digit"], weights=weight).astype(int).tolist()
    assert counts == proof("data").tail_counts(ratio)
    assert counts[0] / counts[-1] == pytest.approx(ratio, rel=0.2)
    for name in (f"imbalanced_{ratio}", f"imbalanced_{ratio}_cosines"):
        for loss in read_experiment(PROOF / f"{name}.yaml").compare.losses:
            for term in loss.bound.losses():
                assert list(term.params.get("counts", counts)) == counts


def test_two_of_five_labels_are_wrong(proof):
    arrays = proof("data").mislabelled_digits()
    share = float((arrays["noisy"] != arrays["digit"]).mean())
    # Four standard deviations of the mean of 1,797 draws.
    assert share == pytest.approx(0.4, abs=4 * math.sqrt(0.4 * 0.6 / 1797))


def test_a_normal_distribution_stands_for_its_quantiles(proof):
    models = proof("models")
    # softplus(log(e - 1)) is 1.
    y_pred = np.array([[3.0, math.log(math.e - 1)]])
    normal = statistics.NormalDist(3.0, 1.0)
    expected = [normal.inv_cdf(tau) for tau in models.TAUS]
    assert models.quantiles(y_pred)[0] == pytest.approx(expected, abs=1e-5)
    given = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]])
    assert models.quantiles(given).tolist() == given.tolist()


def test_a_quantile_that_covers_its_share_has_no_error(proof):
    models = proof("models")
    y_true = np.arange(1.0, 21.0)
    right = np.tile([1.0, 5.0, 10.0, 15.0, 19.0], (20, 1))
    assert models.coverage_error(y_true, right) == pytest.approx(0, abs=1e-12)
    # One label in twenty more is below each of the five.
    assert models.coverage_error(y_true, right + 1) == pytest.approx(0.05, rel=BY_DTYPE["float64"])


def test_coral_predicts_the_number_of_logits_above_0(proof):
    y_true = np.array([[2], [5]])
    above = np.array([[3.0, 1.0, -1.0, -2.0, -3.0], [9.0, 8.0, 7.0, -1.0, -2.0]])
    assert proof("models").grades_off(y_true, above) == (0 + 2) / 2
    assert proof("models").grades_off(y_true, np.eye(6)[[0, 5]]) == (2 + 0) / 2


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [("better", "holds"), ("worse", "doesn't hold"), ("undecided", "not decided")],
)
def test_a_claim_holds_only_where_the_verdict_says_so(proof, verdict, outcome):
    claim = proof("tables").Claim(says="", source="", first="a", second="b")
    assert proof("page").outcome(verdict, claim) == outcome


def test_losses_have_short_names(proof):
    short = proof("page").short
    assert short("logit_adjusted(counts=(3.0, 2.0))") == "logit_adjusted"
    assert short("focal(alpha=0.25)") == "focal(alpha=0.25)"
    assert short("pinball(tau=(0.05, 0.5))") == "pinball"
    assert short("weighted_binary_crossentropy(pos_weight=65.0)") == "weighted_binary_crossentropy"
