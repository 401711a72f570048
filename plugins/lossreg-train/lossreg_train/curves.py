"""The curves of a run: the objective with its terms, and the metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from lossreg.errors import printable
from lossreg.objectives import Objective

_MOST_CURVES = 10  # terms that a reader can tell apart
_LONGEST = 56  # characters of a name in the legend
_LOG_FROM = 20  # ratio of the largest to the smallest value from which the scale is logarithmic
_ABOVE_ZERO = 1e-6  # a penalty that has vanished is smaller than this share of the largest value


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """What is known at the end of an epoch.

    Args:
        logs: Keras' loss and metrics. Those of the validation begin with `val_`.
        train: The objective on the samples that are trained on.
        validation: The objective on the samples that are held out.
    """

    logs: Mapping[str, float]
    train: Objective
    validation: Objective

    @property
    def row(self) -> dict[str, float]:
        """Every number under a name of its own."""
        # Keras sorts them by the alphabet.
        logs = dict(sorted(self.logs.items(), key=_order))
        return {
            **logs,
            **{f"objective: {name}": value for name, value in _values(self.train).items()},
            **{f"val_objective: {name}": value for name, value in _values(self.validation).items()},
        }


def _order(log: tuple[str, float]) -> tuple[bool, bool]:
    name = log[0].removeprefix("val_")
    return name != log[0], name != "loss"


def _values(objective: Objective) -> dict[str, float]:
    return {**{term.name: term.value for term in objective.terms}, "total": objective.total}


def draw(epochs: Sequence[Epoch], path: Path, title: str) -> None:
    """Write the picture.

    Args:
        epochs: At least one.
        path: The picture.
        title: Its title.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    metrics = [name for name in epochs[0].logs if name != "loss" and not name.startswith("val_")]
    figure = Figure(figsize=(11, 7.5 if metrics else 5), layout="constrained")
    panels = figure.subplots(2 if metrics else 1, 1, sharex=True, squeeze=False)[:, 0]
    figure.suptitle(title)
    _draw_objective(panels[0], epochs)
    if metrics:
        _draw_metrics(panels[1], epochs, metrics)
    for panel in panels:
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(color="0.92")
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
    panels[-1].set_xlabel("epoch")
    parts = [
        Line2D([], [], color="0.3", linestyle="-", label="samples trained on"),
        Line2D([], [], color="0.3", linestyle="--", label="samples held out"),
    ]
    figure.legend(handles=parts, loc="outside lower center", ncols=2, frameon=False)
    for text in figure.findobj(Text):
        # A name isn't a formula, and a '$' in it has no partner.
        text.set_parse_math(False)
        text.set_text(printable(text.get_text()))
    figure.savefig(path, dpi=120)


def _draw_objective(panel: Any, epochs: Sequence[Epoch]) -> None:
    """Draw the total and each term, for both parts of the data if they differ."""
    parts = [e.train for e in epochs], [e.validation for e in epochs]
    # Both parts show the same terms, or one curve would lack its partner.
    train, held = (_columns(part, parts[0]) for part in parts)
    colors = _colors(len(train) - 1)
    for name, values in train.items():
        is_total = name == next(iter(train))
        color, width = ("black", 2.0) if is_total else (next(colors), 1.4)
        _draw(panel, values, color=color, linewidth=width, label=_wrap(name))
        # The penalty of a weight is the same on all data.
        if held[name] != values:
            _draw(panel, held[name], color=color, linewidth=width, linestyle="--")
    drawn = [value for values in (*train.values(), *held.values()) for value in values]
    # A training that diverged has infinite and NaN values.
    drawn = [value for value in drawn if isfinite(value)]
    largest = max(drawn, default=0.0)
    if min(drawn, default=0.0) >= 0 and any(0 < value * _LOG_FROM < largest for value in drawn):
        _in_decades(panel)
        # A penalty that is nearly 0 would take most of a log scale.
        lowest = min(value for value in drawn if value > largest * _ABOVE_ZERO)
        panel.set_ylim(bottom=lowest / 1.5)
    panel.set_ylabel("what training minimizes,\nat the end of the epoch")


def _in_decades(panel: Any) -> None:
    """Give a panel a log scale with plain numbers, 0.02 for 2e-2."""
    from matplotlib.ticker import LogLocator, NullFormatter

    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())


def _draw_metrics(panel: Any, epochs: Sequence[Epoch], metrics: Sequence[str]) -> None:
    colors = _colors(len(metrics))
    for name in metrics:
        color = next(colors)
        _draw(panel, [epoch.logs[name] for epoch in epochs], color=color, label=_wrap(name))
        if f"val_{name}" in epochs[0].logs:
            held = [epoch.logs[f"val_{name}"] for epoch in epochs]
            _draw(panel, held, color=color, linestyle="--")
    panel.set_ylabel("metrics")


def _columns(
    objectives: Sequence[Objective], ranking: Sequence[Objective]
) -> dict[str, list[float]]:
    """Return the values of each term over the epochs, the total first, small terms added up.

    Args:
        objectives: The objective of each epoch.
        ranking: The objectives that decide which terms are shown, and which are small.
    """
    ranks, rows = ([_values(each) for each in given] for given in (ranking, objectives))
    columns = {name: [row.get(name, 0.0) for row in rows] for name in ranks[0]}
    total = {"total": columns.pop("total")}
    if len(columns) == 1:
        # The only term is the total.
        return columns
    if len(columns) <= _MOST_CURVES:
        return {**total, **columns}
    sizes = {name: max(abs(row.get(name, 0.0)) for row in ranks) for name in columns}
    largest = sorted(columns, key=lambda name: -sizes[name])[: _MOST_CURVES - 1]
    others = [values for name, values in columns.items() if name not in largest]
    added = [sum(values) for values in zip(*others, strict=True)]
    kept = {name: columns[name] for name in columns if name in largest}
    return {**total, **kept, f"{len(others)} other terms": added}


def _draw(panel: Any, values: Sequence[float], **style: Any) -> None:
    # One point alone has no line.
    marker = "o" if len(values) == 1 else None
    panel.plot(range(1, len(values) + 1), values, marker=marker, **style)


def _colors(count: int) -> Any:
    import matplotlib as mpl

    return iter(mpl.colormaps["tab10"](range(max(count, 1))))


def _wrap(label: str) -> str:
    """Return a label in several lines, so that the legend leaves room for the curves."""
    import textwrap

    return textwrap.fill(label, _LONGEST, break_on_hyphens=False)
