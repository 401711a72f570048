"""Reports of made-up results: what is said of a pair, what is drawn, and what fails."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from lossreg import bind
from lossreg_train.comparison.candidates import Candidate
from lossreg_train.comparison.folds import Counts
from lossreg_train.comparison.metrics import read_metrics
from lossreg_train.comparison.page import page
from lossreg_train.comparison.ranking import rank
from lossreg_train.comparison.report import Comparison
from lossreg_train.comparison.summary import Outcome

LOSSES = ["binary_crossentropy(from_logits=True)", "focal(gamma=3, from_logits=True)", "hinge"]
RUNS = 10


def comparison(levels, *, metric="average_precision", noise=0.004, failed=(), **changed):
    """Return what is reported where the losses reach these levels, with some noise."""
    random = np.random.default_rng(4)
    metrics = read_metrics([metric])
    hard = random.normal(0, 0.03, RUNS)
    outcomes = []
    for index, level in enumerate([*levels, levels[0]]):
        again = index == len(levels)
        candidate = Candidate(bound=bind(LOSSES[0 if again else index]), again=again)
        outcome = Outcome(candidate, metrics, 2, 5)
        for run in range(RUNS):
            result = {
                "status": "done",
                "scores": {metric: level + hard[run] + random.normal(0, noise)},
                "slices": {"site": {"<north>": {metric: level}}},
                "reliability": [{"predicted": 0.25, "observed": 0.5, "count": 4}],
                "rate": 0.1,
                "epoch": 3,
                "values": [0.5, 0.6, level],
                "losses": [0.3, 0.2, 0.1],
                "step": 0.002,
                "seconds": 1.5,
            }
            if (index, run) in failed:
                result = {"status": "failed", "reason": "It <died>.", "seconds": 1.0}
            outcome.add(run // 5, run % 5, result)
        outcomes.append(outcome)
    ranking, pairs, of_noise, margin = rank(outcomes, metrics, 0.25, 0.01)
    about = {
        "title": "digits <8>",
        "metrics": [metric],
        "higher_is_better": [metrics[0].higher_is_better],
        "baseline": outcomes[0].candidate.label,
        "margin": margin,
        "ranking": ranking,
        "pairs": pairs,
        "noise": of_noise,
        "dropped": {},
        "folds": "5 folds, drawn 2 times",
        "samples": Counts(train=(1149, 1150), stop=(288, 288), test=(359, 360)),
        "classes": {
            "no": Counts(train=(1038, 1038), stop=(260, 260), test=(325, 325)),
            "<yes>": Counts(train=(111, 112), stop=(28, 28), test=(34, 35)),
        },
        "runs": RUNS,
        "done": 40,
        "planned": 40,
        "seconds": 75.0,
        "notes": [],
        "versions": {"keras": "3.15.1"},
        "folder": Path("nowhere"),
    }
    return Comparison(**{**about, **changed})


def test_a_winner_is_better_than_all_others():
    result = comparison([0.80, 0.90, 0.70])
    assert result.verdict == "focal(gamma=3.0) is better than each of the 2 others."
    assert result.config_line == "loss: focal(gamma=3.0, from_logits=True)"
    assert [standing.verdict for standing in result.ranking] == ["better", None, "worse"]
    assert result.pair("hinge", "binary_crossentropy").verdict == "worse"
    assert result.pair("binary_crossentropy", "hinge").mean == pytest.approx(0.1, abs=0.01)


def test_a_lead_within_the_margin_is_equivalent():
    result = comparison([0.800, 0.804, 0.70], noise=0.001)
    assert result.verdict == (
        "focal(gamma=3.0) leads by average_precision and is better than hinge. "
        "It is equivalent to binary_crossentropy."
    )


def test_an_undecided_lead_says_how_many_runs_would_tell():
    result = comparison([0.80, 0.89, 0.70], noise=0.03)
    pair = result.pair("focal(gamma=3.0)", "binary_crossentropy")
    assert pair.verdict == "undecided"
    assert f"about {pair.more} more runs would tell" in result.verdict


def test_a_lower_error_wins():
    result = comparison([2.0, 1.5, 3.0], metric="rmse")
    assert [standing.loss for standing in result.ranking] == [
        "focal(gamma=3.0)",
        "binary_crossentropy",
        "hinge",
    ]
    assert result.ranking[0].verdict == "better"
    # One percent of what the baseline reaches.
    assert result.margin == pytest.approx(0.02, rel=0.1)


def test_noise_is_the_baseline_against_itself():
    result = comparison([0.80, 0.90, 0.70])
    assert result.noise.first == "binary_crossentropy, again"
    assert abs(result.noise.mean) < 0.01
    assert result.noise.verdict in ("equivalent", "undecided")


def test_a_loss_that_fails_is_last_and_never_better():
    result = comparison([0.80, 0.90, 0.70], failed={(1, 3), (1, 4)})
    assert result.ranking[-1].loss == "focal(gamma=3.0)"
    assert result.ranking[-1].failures == {"It <died>.": 2}
    assert result.pair("focal(gamma=3.0)", "binary_crossentropy").verdict == "undecided"
    # Being worse it can still be called, and the others aren't held back.
    assert result.pair("binary_crossentropy", "hinge").verdict == "better"


def test_without_any_result_the_report_says_so():
    every = {(index, run) for index in range(4) for run in range(RUNS)}
    result = comparison([0.8, 0.9, 0.7], failed=every)
    assert result.winner is None
    assert result.verdict == "No loss could be trained; the failures say why."
    assert "It &lt;died&gt;." in page(result)


class Checked(HTMLParser):
    """Every element that is opened is closed, and nothing comes from elsewhere."""

    def __init__(self):
        super().__init__()
        self.opened, self.texts = [], []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "circle", "line", "rect", "path", "wbr"):
            self.opened.append(tag)
        assert not {name for name, _ in attributes} & {"src", "href"}

    def handle_endtag(self, tag):
        if tag not in ("circle", "line", "rect", "path"):
            assert self.opened.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("levels", [[0.8, 0.9, 0.7], [0.8], [0.8, 0.8, 0.8]])
def test_the_page_is_whole_and_shows_what_was_found(levels):
    result = comparison(levels, dropped={"dice": "takes <probabilities>"}, notes=["A note & more."])
    checked = Checked()
    checked.feed(page(result))
    assert checked.opened == []
    text = " ".join(checked.texts)
    for shown in (
        result.verdict,
        result.config_line,
        "digits <8>",
        "<north>",
        "takes <probabilities>",
        "A note & more.",
        "1 min 15 s",
        "2.00 ms",
        "keras 3.15.1",
    ):
        assert shown in text
    for standing in result.ranking:
        assert standing.loss in text


def test_an_unfinished_comparison_says_how_to_go_on():
    result = comparison([0.8, 0.9, 0.7], done=17, is_stopped=True)
    assert "was stopped after 17 of 40 trainings" in page(result)
    assert "had no more time" in page(comparison([0.8, 0.9, 0.7], done=17))


def test_the_table_shows_means_with_their_intervals():
    lines = str(comparison([0.80, 0.90, 0.70])).splitlines()
    assert lines[0].split() == ["LOSS", "AVERAGE_PRECISION", "RUNS", "MS", "A", "STEP"]
    assert lines[1].startswith("focal(gamma=3.0)")
    assert " ± " in lines[1]
    assert lines[2].endswith("baseline")


def test_the_table_says_what_the_plus_minus_is_and_counts_the_samples():
    text = str(comparison([0.80, 0.90, 0.70]))
    assert "mean of the runs ± half of its 95 % interval" in text
    assert text.splitlines()[-1] == (
        "Samples in a fold: 1,149 to 1,150 to train on, 288 to stop on, 359 to 360 to test on; of "
        "the rarest class, '<yes>': 111 to 112, 28, 34 to 35."
    )
    assert str(comparison([0.8], classes={})).splitlines()[-1].endswith("359 to 360 to test on.")


def test_a_terminal_shows_names_in_brackets_as_they_are():
    from rich.console import Console

    terminal = Console(width=200, force_terminal=True, color_system=None)
    counts = Counts(train=(8, 8), stop=(2, 2), test=(5, 5))
    with terminal.capture() as shown:
        terminal.print(comparison([0.80, 0.90, 0.70], classes={"[red]": counts}))
    assert "the rarest class, '[red]': 8, 2, 5." in " ".join(shown.get().split())
    assert "±" in shown.get()


def test_the_page_counts_the_samples_of_each_class_the_rarest_first():
    text = page(comparison([0.80, 0.90, 0.70]))
    rows = text[text.index("<h2>Samples</h2>") :]
    places = [rows.index(f"<td>{name}</td>") for name in ("all", "class &lt;yes&gt;", "class no")]
    assert places == sorted(places)
    assert "<td class=n>34 to 35</td>" in rows


def test_the_page_has_each_loss_in_full():
    assert "focal(gamma=3.0, alpha=0.75, from_logits=True, label_smoothing=0.0)" in page(
        comparison([0.80, 0.90, 0.70])
    )
