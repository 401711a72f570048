"""The report of a comparison as one HTML file, which needs no network."""

from collections.abc import Callable, Iterable, Iterator
from html import escape

from lossreg.errors import printable

from .charts import COLOURS, Bar, Line, curves, intervals, table
from .progress import duration
from .report import Comparison, Pair, Standing
from .table import counted, written

_MOST_PAIRS = 40  # in the chart; the table has all
_MOST_CURVES = 12
_MOST_CLASSES = 20  # rows of the table of samples
_PAIR = 430  # the width for the names of a pair

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #dde2e8;
  --ground: #fff; --box: #f6f8fa; --good: #12784a; --bad: #b3261e; --same: #0b6bb8;
  --open: #8a6100; --base: #5b6470;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #cc79a7; --c4: #8a6d00; --c5: #56b4e9;
  --c6: #7a3fb0; --c7: #6b4f2a; --c8: #9aa3ad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #a2abb6; --line: #343b44;
  --ground: #14171b; --box: #1d2127; --good: #4cc38a; --bad: #ff8a80; --same: #6cb6ff;
  --open: #e3b341; --base: #a2abb6; --c0: #4aa8e0; --c1: #ff8a3d; --c2: #2fc79b; --c4: #d9b300;
  --c6: #b58be0; --c7: #c49a6c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 58rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.1rem; font-weight: 600; color: var(--soft); margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .25rem; }
p { margin: .4rem 0 .9rem; } .soft, figcaption { color: var(--soft); }
.verdict { font-size: 1.5rem; line-height: 1.35; font-weight: 600; margin: 0 0 1rem;
  overflow-wrap: anywhere; }
.paste { display: flex; gap: .75rem; align-items: center; background: var(--box);
  border: 1px solid var(--line); border-radius: 8px; padding: .6rem .9rem; }
.paste code { flex: 1; overflow-x: auto; white-space: pre; }
button { font: inherit; font-size: .85rem; padding: .15rem .7rem; border-radius: 6px;
  border: 1px solid var(--line); background: var(--ground); color: var(--ink); cursor: pointer; }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 1rem;
  margin: 1.5rem 0 0; padding: 0; } .facts div { border-left: 3px solid var(--line);
  padding-left: .75rem; } dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; }
.note { border-left: 4px solid var(--open); background: var(--box); padding: .5rem .9rem;
  margin: 1rem 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem;
  font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } th { color: var(--soft); font-weight: 600; } .n { text-align: right;
  white-space: nowrap; } td code { overflow-wrap: anywhere; }
.full { color: var(--soft); font-size: .85em; overflow-wrap: anywhere; }
td:first-child { min-width: 11rem; }
th.n { white-space: normal; }
.badge { font-size: .8rem; font-weight: 600; border: 1px solid; border-radius: 999px;
  padding: .05rem .55rem; white-space: nowrap; }
.better { color: var(--good); } .worse { color: var(--bad); } .equivalent { color: var(--same); }
.undecided { color: var(--open); } .baseline { color: var(--base); }
svg { width: 100%; height: auto; display: block; margin: .5rem 0; font-size: 13px; }
svg text { fill: var(--ink); } svg .tick, svg .axis, svg .note { fill: var(--soft); }
svg g line, svg g path { stroke: currentColor; stroke-width: 2; fill: none; }
svg g circle { fill: currentColor; } svg .curve { stroke-width: 2.25; }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--soft); stroke-dasharray: 4 4; }
svg .region { fill: var(--same); opacity: .12; }
""" + "".join(f".c{index} {{ color: var(--c{index}); }}\n" for index in range(COLOURS + 1))

_COPY = (
    "navigator.clipboard.writeText(this.previousElementSibling.textContent);"
    "this.textContent='Copied'"
)


def page(comparison: Comparison) -> str:
    """Return the report as HTML."""
    sections: list[Callable[[Comparison], Iterable[str]]] = [
        _summary,
        _ranking,
        _pairs,
        _curves,
        _reliability,
        _slices,
        _training,
        _samples,
        _failures,
        _method,
    ]
    body = "\n".join(part for section in sections for part in section(comparison))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(comparison.title)}: losses compared</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _in_full(standing: Standing) -> str:
    """Return a loss, with every parameter below it where the label doesn't show them all."""
    if standing.full == standing.loss:
        return _code(standing.loss)
    return f'{_code(standing.loss)}<div class="full">{_text(standing.full)}</div>'


def _badge(verdict: str) -> str:
    return f'<span class="badge {verdict}">{verdict}</span>'


def _summary(comparison: Comparison) -> Iterator[str]:
    yield f"<h1>{_text(comparison.title)}: {len(comparison.ranking)} losses compared</h1>"
    yield f'<p class="verdict">{_text(comparison.verdict)}</p>'
    if comparison.config_line:
        yield (
            f'<div class="paste">{_code(comparison.config_line)}'
            f'<button type="button" onclick="{_COPY}">Copy</button></div>'
        )
    direction = "higher" if comparison.higher_is_better[0] else "lower"
    facts = {
        "Judged by": f"{comparison.metric}, {direction} is better",
        "Samples": comparison.folds,
        "No practical difference": f"up to {comparison.margin:.3g}",
        "Trainings": f"{comparison.done} of {comparison.planned}, {duration(comparison.seconds)}",
    }
    items = "".join(f"<div><dt>{_text(k)}</dt><dd>{_text(v)}</dd></div>" for k, v in facts.items())
    yield f'<dl class="facts">{items}</dl>'
    if not comparison.is_complete:
        why = "was stopped" if comparison.is_stopped else "had no more time"
        yield (
            f'<p class="note">The comparison {why} after {comparison.done} of '
            f"{comparison.planned} trainings. Start it again with the same folder to go on.</p>"
        )
    for note in comparison.notes:
        yield f'<p class="note">{_text(note)}</p>'


def _ranking(comparison: Comparison) -> Iterator[str]:
    metric = comparison.metric
    yield "<h2>Ranking</h2>"
    yield (
        f'<p class="soft">The mean of {_text(metric)} over the runs, with an interval of 95 % '
        "for a new sample of data. Intervals of two losses may overlap where their difference is "
        "clear, since both meet the same hard folds; the next section compares them.</p>"
    )
    bars = []
    for standing in comparison.ranking:
        score = standing.scores[metric]
        bars.append(
            Bar(
                label=standing.loss,
                mean=score.mean,
                low=score.low,
                high=score.high,
                kind=standing.verdict or "baseline",
                note=standing.verdict or "baseline",
            )
        )
    yield intervals(bars, title=f"{metric} of each loss")
    rows = (
        [
            _code(standing.loss),
            _badge(standing.verdict or "baseline"),
            *(_text(written(standing.scores[name])) for name in comparison.metrics),
            f"{standing.runs}",
        ]
        for standing in comparison.ranking
    )
    # A name of a metric may be longer than its numbers.
    names = [_text(name).replace("_", "_<wbr>") for name in comparison.metrics]
    header = ["Loss", "Against the baseline", *names, "Runs"]
    yield table(header, rows, numbers=2)


def _pairs(comparison: Comparison) -> Iterator[str]:
    if not comparison.pairs and comparison.noise is None:
        return
    yield "<h2>Differences</h2>"
    yield (
        f'<p class="soft">By how much the first loss of each pair is ahead in '
        f"{_text(comparison.metric)}, run by run on the same samples and seeds. Within the band a "
        "difference has no practical meaning. A verdict is where the whole interval lies.</p>"
    )
    shown = [*comparison.pairs[:_MOST_PAIRS], *([comparison.noise] if comparison.noise else [])]
    bars = [_bar(pair) for pair in shown]
    yield intervals(bars, title="Differences", region=comparison.margin, label=_PAIR)
    if comparison.noise:
        yield (
            f'<p class="soft">The last row is noise alone: {_code(comparison.baseline)} against '
            "itself, trained with other seeds.</p>"
        )
    yield table(
        ["Pair", "Verdict", "Difference", "Interval", "Level"],
        (
            [
                _text(pair.sentence),
                _badge(pair.verdict),
                _number(pair.mean),
                f"{_number(pair.low)} to {_number(pair.high)}",
                f"{100 * (1 - pair.alpha):.4g} %",
            ]
            for pair in comparison.pairs
        ),
        numbers=2,
    )


def _bar(pair: Pair) -> Bar:
    return Bar(
        label=f"{pair.first} against {pair.second}",
        mean=pair.mean,
        low=pair.low,
        high=pair.high,
        kind=pair.verdict,
        note=pair.verdict,
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _curves(comparison: Comparison) -> Iterator[str]:
    trained = [each for each in comparison.ranking if each.curve][:_MOST_CURVES]
    if not trained:
        return
    yield "<h2>Learning</h2>"
    yield (
        f'<p class="soft">The mean of {_text(comparison.metric)} after each epoch, on the part of '
        "the training samples that a training is stopped on. The test samples have no say.</p>"
    )
    lines = [
        Line(
            label=standing.loss,
            points=[(index + 1, value) for index, value in enumerate(standing.curve)],
            colour=place,
        )
        for place, standing in enumerate(trained)
    ]
    yield curves(lines, title="Learning curves", x="epoch", y=comparison.metric)


def _reliability(comparison: Comparison) -> Iterator[str]:
    known = [each for each in comparison.ranking if each.reliability][:_MOST_CURVES]
    if not known:
        return
    yield "<h2>Calibration</h2>"
    yield (
        '<p class="soft">How often a prediction came true, by its probability. On the dashed '
        "line a probability means what it says; below it the model is too sure.</p>"
    )
    lines = [
        Line(
            label=standing.loss,
            points=[(each.predicted, each.observed) for each in standing.reliability],
            colour=place,
        )
        for place, standing in enumerate(known)
    ]
    yield curves(
        lines, title="Calibration", x="probability", y="share that came true", diagonal=True
    )


def _slices(comparison: Comparison) -> Iterator[str]:
    metric = comparison.metric
    columns = {column: None for standing in comparison.ranking for column in standing.slices}
    if not columns:
        return
    yield "<h2>Slices</h2>"
    yield f'<p class="soft">The mean of {_text(metric)} on some of the samples alone.</p>'
    for column in columns:
        names = sorted({n for each in comparison.ranking for n in each.slices.get(column, {})})
        yield f"<h3>{_text(column)}</h3>"
        yield table(
            ["Loss", *map(_text, names)],
            (
                [_code(standing.loss), *(_slice(standing, column, n, metric) for n in names)]
                for standing in comparison.ranking
            ),
            numbers=1,
        )


def _slice(standing: Standing, column: str, name: str, metric: str) -> str:
    value = standing.slices.get(column, {}).get(name, {}).get(metric)
    return "-" if value is None else f"{value:.4g}"


def _training(comparison: Comparison) -> Iterator[str]:
    yield "<h2>Training</h2>"
    yield (
        '<p class="soft">Medians over the runs. Every loss had the same epochs, the same '
        "learning rates to try, the same initial weights and the same batches.</p>"
    )
    rows = (
        [
            _in_full(standing),
            "-" if standing.step is None else f"{1000 * standing.step:.2f} ms",
            "-" if standing.seconds is None else f"{standing.seconds:.1f} s",
            "-" if standing.rate is None else f"{standing.rate:.3g}",
            "-" if standing.epochs is None else f"{standing.epochs:g}",
        ]
        for standing in comparison.ranking
    )
    yield table(["Loss", "Step", "Run", "Learning rate", "Best epoch"], rows, numbers=1)
    tuned = [each for each in comparison.ranking if each.params]
    if tuned:
        yield "<h3>Parameters that were chosen</h3>"
        yield table(
            ["Loss", "Runs"],
            (
                [_code(params), f"{count}"]
                for standing in tuned
                for params, count in standing.params.items()
            ),
            numbers=1,
        )


def _samples(comparison: Comparison) -> Iterator[str]:
    yield "<h2>Samples</h2>"
    yield (
        '<p class="soft">How many samples each fold has. Where the folds differ, the fewest and '
        "the most.</p>"
    )
    rows = {"all": comparison.samples}
    rarest_first = sorted(comparison.classes.items(), key=lambda item: item[1].test)
    rows |= {f"class {name}": counts for name, counts in rarest_first[:_MOST_CLASSES]}
    yield table(
        ["Samples", *(f"To {what}" for what in counted(comparison.samples))],
        ([_text(name), *counted(counts).values()] for name, counts in rows.items()),
        numbers=1,
    )
    if more := rarest_first[_MOST_CLASSES:]:
        yield f'<p class="soft">The {len(more)} classes with more samples are left out.</p>'


def _failures(comparison: Comparison) -> Iterator[str]:
    failed = [each for each in comparison.ranking if each.failures]
    if failed:
        yield "<h2>Failed trainings</h2>"
        yield (
            '<p class="soft">A loss that fails in some runs is never called better or '
            "equivalent.</p>"
        )
        yield table(
            ["Loss", "Reason", "Runs"],
            (
                [_code(standing.loss), _text(reason), f"{count}"]
                for standing in failed
                for reason, count in standing.failures.items()
            ),
            numbers=2,
        )
    if comparison.dropped:
        yield "<h2>Losses that don't fit</h2>"
        yield table(
            ["Loss", "Reason"],
            ([_code(loss), _text(reason)] for loss, reason in comparison.dropped.items()),
        )


def _method(comparison: Comparison) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in comparison.versions.items())
    yield "<h2>How it was judged</h2>"
    yield (
        "<p>The training sets of the folds overlap, so the variance of the differences is "
        "corrected after Nadeau and Bengio (2003): a factor 1/runs + test/train in place of "
        "1/runs. Intervals and verdicts are those of a t-distribution, at levels after Holm "
        f"(1979), so that with {len(comparison.pairs)} pairs any wrong verdict has a probability "
        "of at most 5 %. Each training stops on a part of its training set and keeps the weights "
        "of its best epoch; the learning rate is chosen there, too.</p>"
    )
    yield f'<p class="soft">{_text(versions)}</p>'
