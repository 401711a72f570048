"""docs/proof.md and its figure, from examples/proof/results.json."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossreg_train.comparison.statistics import Difference, judge

from .tables import CROSS_ENTROPY, TOPICS, Claim, Table

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "proof.md"
FIGURE = ROOT / "docs" / "_static" / "wrong-labels.svg"

_DRAWN = "mislabelled_last"
_OTHER_WAY = {"better": "worse", "worse": "better"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """By how much a loss is ahead of another.

    Args:
        mean: The mean difference; above 0 the loss is ahead, whatever the metric's direction.
        low: The lower end of its interval.
        high: The upper end.
        verdict: What it means.
    """

    mean: float
    low: float
    high: float
    verdict: str

    def turned(self) -> "Finding":
        """Return it from the side of the other loss."""
        verdict = _OTHER_WAY.get(self.verdict, self.verdict)
        return Finding(mean=-self.mean, low=-self.high, high=-self.low, verdict=verdict)


class Measured:
    """The results of a table.

    Args:
        table: The table.
        parts: The results of all parts, by name.
    """

    def __init__(self, table: Table, parts: Mapping[str, Any]) -> None:
        self.table = table
        self.parts = [parts[part.name] for part in table.parts]
        self.baseline = short(self.parts[0]["baseline"])
        self.standings = {
            short(each["loss"]): each for part in self.parts for each in part["ranking"]
        }
        self._findings = {**self._paired(), **self._across()}

    @property
    def metrics(self) -> Sequence[str]:
        """What the losses are judged by, the one that decides first."""
        return self.parts[0]["metrics"]

    def _paired(self) -> dict[tuple[str, str], Finding]:
        """Return what `lossreg compare` said of each pair."""
        return {
            (short(pair["first"]), short(pair["second"])): Finding(
                **{name: pair[name] for name in ("mean", "low", "high", "verdict")}
            )
            for part in self.parts
            for pair in part["pairs"]
        }

    def _across(self) -> dict[tuple[str, str], Finding]:
        """Return the same for losses of other networks against the baseline.

        Their runs have the same folds and seeds, and so they are paired and judged alike.
        """
        first, *others = self.parts
        names = [short(each["loss"]) for part in others for each in part["ranking"]]
        sign = 1 if first["higher_is_better"][0] else -1
        base = self.standings[self.baseline]["values"]
        folds = int(first["folds"].split()[0])
        differences = [
            Difference.of(
                [
                    sign * (one - other)
                    for one, other in zip(self.standings[name]["values"], base, strict=True)
                    if one is not None and other is not None
                ],
                1 / (folds - 1),
            )
            for name in names
        ]
        judged = judge(differences, [first["margin"]] * len(differences))
        return {
            (name, self.baseline): Finding(
                mean=each.difference.mean, low=each.low, high=each.high, verdict=each.verdict
            )
            for name, each in zip(names, judged, strict=True)
        }

    def finding(self, first: str, second: str) -> Finding:
        """Return by how much the first loss is ahead of the second."""
        found = self._findings.get((first, second))
        return found or self._findings[second, first].turned()

    def by_intervals(self, claim: Claim) -> str:
        """Return a verdict on a metric that doesn't decide, from two intervals."""
        at = self.metrics.index(claim.metric or "")
        first, second = (
            self.standings[name]["scores"][claim.metric] for name in (claim.first, claim.second)
        )
        if first["low"] <= second["high"] and second["low"] <= first["high"]:
            return "undecided"
        is_higher = first["low"] > second["high"]
        return "better" if is_higher == self.parts[0]["higher_is_better"][at] else "worse"


def short(loss: str) -> str:
    """Return a loss as the page names it: without the numbers that only its config needs."""
    return re.sub(r"\((?:(?:counts|tau)=\([^)]*\)|pos_weight=[\d.]+)\)", "", loss)


def outcome(verdict: str, claim: Claim) -> str:
    """Return whether a verdict bears a claim out."""
    if verdict == "undecided":
        return "not decided"
    return "holds" if verdict in claim.holds_if else "doesn't hold"


def number(value: float) -> str:
    """Return a score with three digits behind the point."""
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def page(results: Mapping[str, Any]) -> str:
    """Return docs/proof.md."""
    parts = results["parts"]
    tables = [
        (topic, [Measured(table, parts) for table in topic.tables if table.names <= parts.keys()])
        for topic in TOPICS
    ]
    lines = [*_head(results, [each for _, measured in tables for each in measured])]
    missing = [
        topic.title.lower() for topic, measured in tables if len(measured) < len(topic.tables)
    ]
    if missing:
        lines += [*_wrapped(f"Not measured in full so far: {', '.join(missing)}."), ""]
    for topic, measured in tables:
        if not measured:
            continue
        lines += [f"## {topic.title}", "", *_wrapped(topic.setup), ""]
        for each in measured:
            lines += _table(each)
    return "\n".join([*lines, *_foot(results)]).rstrip() + "\n"


def _head(results: Mapping[str, Any], measured: Sequence[Measured]) -> Iterator[str]:
    outcomes = [found for each in measured for *_, found in _judged(each)]
    held, open_ones = outcomes.count("holds"), outcomes.count("not decided")
    machine = results["machine"]
    image = (
        "![Accuracy on true labels of five losses trained on labels of which 40 % are wrong]"
        "(_static/wrong-labels.svg)",
        "",
    )
    while_busy = (
        "; other programs ran at the same time, and the load was "
        f"{machine['load']:g} before it began"
    )
    yield from (
        "# Papers, measured again",
        "",
        *_wrapped(
            "What do the papers' claims come to on small data, with the noise told? `make proof` "
            "trains the tables below with `lossreg compare`, on two cores, from the configs in "
            "`examples/proof`, and writes this page from the results, whatever they are. A claim "
            "of a paper about large networks and large data may hold there and not here, or the "
            "other way round."
        ),
        "",
        *_wrapped(
            f"Of {len(outcomes)} claims, {held} hold here, "
            f"{len(outcomes) - held - open_ones} don't, and {open_ones} aren't decided by as few "
            "runs."
        ),
        "",
        *(image if _DRAWN in results["parts"] else ()),
        "## How to read the tables",
        "",
        *_wrapped(
            "Each loss had the same folds, seeds and first weights, and searched its own "
            "learning rate within the training set; [Comparing losses](compare.md) says how. "
            "Behind a score stands its interval of 95 %, and under *ahead* by how much the loss "
            "is ahead of the baseline by the first metric, with the interval at the level that "
            "all verdicts of a comparison share. *Again* is the baseline with other seeds: a "
            "difference as small as that is noise. A loss that a network of its own had is "
            "paired with the baseline over the same folds and judged in the same way. Where a "
            "claim is about another metric than the first, it counts as decided only if the two "
            "intervals don't overlap."
        ),
        "",
        *_wrapped(
            f"Measured with {machine['workers']} processes on {machine['cores']} cores of an "
            f"{machine['processor']}, in {machine['minutes']:g} minutes"
            f" ({machine['cpu_minutes']:g} minutes of processor time"
            f"{while_busy * (machine['load'] > 0.5)})."
        ),
        "",
    )


def _foot(results: Mapping[str, Any]) -> Iterator[str]:
    versions = next(iter(results["parts"].values()))["versions"]
    named = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    yield from (
        "## Versions",
        "",
        *_wrapped(f"Python {results['machine']['python']}, {named}."),
        "",
    )


def _judged(measured: Measured) -> Iterator[tuple[Claim, str, str]]:
    """Yield each claim with what was measured, and whether it holds."""
    for claim in measured.table.claims:
        if claim.metric is not None:
            scores = [
                number(measured.standings[name]["scores"][claim.metric]["mean"])
                for name in (claim.first, claim.second)
            ]
            verdict = measured.by_intervals(claim)
            yield claim, f"{claim.metric} {scores[0]} and {scores[1]}", outcome(verdict, claim)
            continue
        found = measured.finding(claim.first, claim.second)
        text = f"{signed(found.mean)} [{signed(found.low)}, {signed(found.high)}]: {found.verdict}"
        yield claim, text, outcome(found.verdict, claim)


def _table(measured: Measured) -> Iterator[str]:
    if measured.table.title:
        yield from (f"### {measured.table.title}", "")
    heads = [f"`{name}`" for name in measured.metrics]
    yield f"| loss | {' | '.join(heads)} | ahead | verdict |"
    yield "|---|" + "---|" * (len(heads) + 2)
    base = measured.baseline
    names = [base, *(name for name in measured.standings if name != base)]
    for name in names:
        scores = [_score(measured.standings[name]["scores"].get(one)) for one in measured.metrics]
        row = ["the baseline", ""]
        if name != base:
            row = _difference(measured.finding(name, base))
        failed = sum(measured.standings[name]["failures"].values())
        row[1] += f" ({failed} runs failed)" * bool(failed)
        yield f"| `{name}` | {' | '.join([*scores, *row])} |"
    noise = measured.parts[0]["noise"]
    scores = [""] * len(measured.metrics)
    again = _difference(
        Finding(**{name: noise[name] for name in ("mean", "low", "high", "verdict")})
    )
    yield f"| again | {' | '.join([*scores, *again])} |"
    yield ""
    lower = [
        f"`{name}`"
        for name, higher in zip(
            measured.metrics, measured.parts[0]["higher_is_better"], strict=True
        )
        if not higher
    ]
    notes = [f"{measured.parts[0]['folds'].capitalize()}."]
    if lower:
        notes.append(f"Lower values of {' and '.join(lower)} are better.")
    files = " and ".join(dict.fromkeys(f"`{part.config}.yaml`" for part in measured.table.parts))
    yield from _wrapped(f"{' '.join(notes)} From {files}.")
    yield ""
    yield "| the paper says | measured | here it |"
    yield "|---|---|---|"
    for claim, text, found in _judged(measured):
        yield f"| {claim.says} {claim.source} | {text} | {_said(found)} |"
    yield ""


def _said(found: str) -> str:
    return "isn't decided" if found == "not decided" else found


def _score(score: Mapping[str, float] | None) -> str:
    if score is None or score["mean"] is None:
        return ""
    return f"{number(score['mean'])} [{number(score['low'])}, {number(score['high'])}]"


def _difference(found: Finding) -> list[str]:
    interval = f"[{signed(found.low)}, {signed(found.high)}]"
    return [f"{signed(found.mean)} {interval}", found.verdict]


def _wrapped(text: str) -> list[str]:
    """Return a paragraph in lines of about the length of the other pages."""
    lines, words = [""], text.split(" ")
    for word in words:
        if len(lines[-1]) + len(word) > 110:
            lines.append("")
        lines[-1] += f"{' ' * bool(lines[-1])}{word}"
    return lines


def figure(results: Mapping[str, Any], file: Path) -> None:
    """Draw the accuracy under wrong labels, with and without early stopping."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    names = {
        CROSS_ENTROPY: "cross-entropy",
        "sparse_focal": "focal",
        "generalized_crossentropy": "generalized",
        "symmetric_crossentropy": "symmetric",
        "active_passive": "normalized + reverse",
    }
    settings = {"svg.fonttype": "none", "svg.hashsalt": "lossreg", "font.size": 10}
    with mpl.rc_context(settings):
        drawn, axes = plt.subplots(figsize=(7, 2.8))
        kinds = (
            ("last", "after 60 epochs", "#c2410c", 0.14),
            ("early", "stopped early", "#1d4ed8", -0.14),
        )
        for kind, label, colour, shift in kinds:
            if f"mislabelled_{kind}" not in results["parts"]:
                continue
            ranking = results["parts"][f"mislabelled_{kind}"]["ranking"]
            scores = {short(each["loss"]): each["scores"]["accuracy"] for each in ranking}
            means = [100 * scores[name]["mean"] for name in names]
            ends = [
                [100 * abs(scores[name]["mean"] - scores[name][end]) for name in names]
                for end in ("low", "high")
            ]
            places = [-place + shift for place in range(len(names))]
            axes.errorbar(means, places, xerr=ends, fmt="o", color=colour, label=label, capsize=3)
        axes.set_yticks([-place for place in range(len(names))], list(names.values()))
        axes.set_xlabel("accuracy on true labels, %, with intervals of 95 %")
        axes.grid(axis="x", alpha=0.3)
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, frameon=False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        drawn.tight_layout()
        file.parent.mkdir(exist_ok=True)
        drawn.savefig(file, metadata={"Date": None, "Creator": None})
        plt.close(drawn)


def write(results: Mapping[str, Any]) -> None:
    """Write the page and the figure."""
    assert all(math.isfinite(each["margin"]) for each in results["parts"].values())
    PAGE.write_text(page(results), encoding="utf-8")
    if _DRAWN in results["parts"]:
        figure(results, FIGURE)
