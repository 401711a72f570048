"""Charts of a report as SVG: intervals, curves and reliability. Colours come from the page."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from lossreg.errors import printable

COLOURS = 8
"""How many lines of a chart have a colour of their own; more are grey."""

_WIDTH = 860
_ROW = 30
_LABEL = 330  # the width for names
_CHARACTER = 7.4  # the width of one, in all but the widest names
_TICKS = 5


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A mean with its interval, in a row of a chart.

    Args:
        label: The name of the row.
        mean: The mean; None for a row without one.
        low: The lower end of the interval; None without one.
        high: The upper end.
        kind: The class of the row, which the page gives a colour.
        note: What stands behind the row.
    """

    label: str
    mean: float | None
    low: float | None
    high: float | None
    kind: str
    note: str = ""


def intervals(
    bars: Sequence[Bar], *, title: str, region: float | None = None, label: float = _LABEL
) -> str:
    """Return rows of means with their intervals, over one scale.

    Args:
        bars: The rows.
        title: What is drawn, for those who can't see it.
        region: Half of the width of a band around 0.
        label: The width for the names of the rows.
    """
    means = [bar.mean for bar in bars if bar.mean is not None]
    ends = [end for bar in bars for end in (bar.low, bar.high) if end is not None]
    if not means:
        return ""
    low, high = min([*means, *ends]), max([*means, *ends])
    # An interval of two runs would hide everything else, so it leaves the chart.
    spread = max(max(means) - min(means), 2 * (region or 0), 1e-9 + 0.02 * abs(max(means)))
    low = max(low, min(means) - 1.5 * spread)
    high = min(high, max(means) + 1.5 * spread)
    if region is not None:
        low, high = min(low, -1.2 * region), max(high, 1.2 * region)
    scale = _Scale(low, high, label, _WIDTH - 130)
    height = _ROW * len(bars) + 34
    parts = [_axis(scale, height - 28, 0)]
    if region is not None:
        left, right = scale(-region), scale(region)
        parts.append(
            f'<rect class="region" x="{left:.1f}" y="0" width="{right - left:.1f}" '
            f'height="{height - 28}"/><line class="zero" x1="{scale(0):.1f}" '
            f'x2="{scale(0):.1f}" y1="0" y2="{height - 28}"/>'
        )
    for index, bar in enumerate(bars):
        parts.append(_row(bar, scale, index * _ROW + _ROW / 2))
    return _svg("".join(parts), height, title)


def _row(bar: Bar, scale: "_Scale", y: float) -> str:
    room = scale.start - 14
    parts = [
        f'<text class="name" x="{room}" y="{y + 4}" text-anchor="end">'
        f"{_text(_short(bar.label, room))}<title>{_text(bar.label)}</title></text>"
    ]
    if bar.mean is not None:
        if bar.low is not None and bar.high is not None:
            left, right = scale.inside(bar.low), scale.inside(bar.high)
            parts.append(f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}"/>')
            for end, at in ((bar.low, left), (bar.high, right)):
                # An arrow where the interval goes on.
                sign = -1 if end == bar.low else 1
                shape = f"M{at:.1f} {y - 5}v10"
                if not scale.low <= end <= scale.high:
                    shape = f"M{at - 6 * sign:.1f} {y - 5}l{6 * sign} 5l{-6 * sign} 5"
                parts.append(f'<path d="{shape}"/>')
        parts.append(f'<circle cx="{scale.inside(bar.mean):.1f}" cy="{y}" r="5"/>')
    parts.append(f'<text class="note" x="{_WIDTH - 118}" y="{y + 4}">{_text(bar.note)}</text>')
    return f'<g class="{bar.kind}">{"".join(parts)}</g>'


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve.

    Args:
        label: Its name.
        points: Its points, each with x and y.
        colour: The number of its colour; `COLOURS` or more is grey.
    """

    label: str
    points: Sequence[tuple[float, float]]
    colour: int


def curves(lines: Sequence[Line], *, title: str, x: str, y: str, diagonal: bool = False) -> str:
    """Return curves over one pair of axes, with a legend.

    Args:
        lines: The curves.
        title: What is drawn, for those who can't see it.
        x: What the horizontal axis shows.
        y: What the vertical axis shows.
        diagonal: Whether both axes go from 0 to 1, with the line of equality.
    """
    points = [point for line in lines for point in line.points if math.isfinite(point[1])]
    if not points:
        return ""
    width, height, left, bottom = 560, 320, 62, 44
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    if diagonal:
        across = _Scale(0, 1, left, width - 12)
    else:
        across = _Scale(min(xs), max(xs), left, width - 12, least_step=1)  # epochs
    up = _Scale(0 if diagonal else min(ys), 1 if diagonal else max(ys), height - bottom, 12)
    parts = [_axis(across, height - bottom, 12), _upright(up, left, width - 12)]
    if diagonal:
        parts.append(
            f'<line class="zero" x1="{across(0)}" y1="{up(0)}" x2="{across(1)}" y2="{up(1)}"/>'
        )
    middle = (left + width) / 2
    parts.append(
        f'<text class="axis" x="{middle}" y="{height - 6}" text-anchor="middle">{_text(x)}</text>'
        f'<text class="axis" transform="translate(14 {(height - bottom) / 2}) rotate(-90)" '
        f'text-anchor="middle">{_text(y)}</text>'
    )
    for place, line in enumerate(lines):
        kind = f"c{min(line.colour, COLOURS)}"
        path = "L".join(
            f"{across(px):.1f} {up(py):.1f}" for px, py in line.points if math.isfinite(py)
        )
        dots = ""
        if len(line.points) < 30:
            dots = "".join(
                f'<circle cx="{across(px):.1f}" cy="{up(py):.1f}" r="2.5"/>'
                for px, py in line.points
                if math.isfinite(py)
            )
        at = 22 + 20 * place
        parts.append(
            f'<g class="{kind}"><path class="curve" d="M{path}"/>{dots}'
            f'<path class="curve" d="M{width + 6} {at}h20"/>'
            f'<text class="name" x="{width + 34}" y="{at + 4}">'
            f"{_text(_short(line.label, _WIDTH - width - 34))}"
            f"<title>{_text(line.label)}</title></text></g>"
        )
    return _svg("".join(parts), max(height, 40 + 20 * len(lines)), title)


class _Scale:
    """Where numbers stand: from the pixel `start` to the pixel `end`.

    Two ticks are `least_step` apart at least.
    """

    def __init__(
        self, low: float, high: float, start: float, end: float, *, least_step: float = 0
    ) -> None:
        if high - low < 1e-12:
            low, high = low - 0.5 * (abs(low) or 1), high + 0.5 * (abs(high) or 1)
        room = 0.04 * (high - low)
        self.low, self.high = (low, high) if (low, high) == (0, 1) else (low - room, high + room)
        self.start, self.end, self.least_step = start, end, least_step

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def inside(self, value: float) -> float:
        """Return the place of the nearest value in the chart."""
        return self(min(max(value, self.low), self.high))

    @property
    def ticks(self) -> list[float]:
        """Round numbers, about five."""
        rough = max((self.high - self.low) / _TICKS, self.least_step)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
        first = math.ceil(self.low / step)
        last = math.floor(self.high / step)
        # Not 0.30000000000000004.
        return [float(f"{index * step:.10g}") for index in range(first, last + 1)]


def _axis(scale: _Scale, y: float, top: float) -> str:
    """Return the lines and numbers of a horizontal axis."""
    parts = []
    for tick in scale.ticks:
        x = f"{scale(tick):.1f}"
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{y}"/>')
        parts.append(
            f'<text class="tick" x="{x}" y="{y + 16}" text-anchor="middle">{tick:g}</text>'
        )
    return "".join(parts)


def _upright(scale: _Scale, x: float, right: float) -> str:
    """Return the lines and numbers of a vertical axis."""
    parts = []
    for tick in scale.ticks:
        y = scale(tick)
        parts.append(f'<line class="grid" x1="{x}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(
            f'<text class="tick" x="{x - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
        )
    return "".join(parts)


def _svg(content: str, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{_text(title)}">'
        f"{content}</svg>"
    )


def _short(label: str, width: float) -> str:
    """Return a label that fits into a width, its end replaced where it is too long."""
    most = int(width / _CHARACTER)
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def table(header: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: int = 0) -> str:
    """Return a table of HTML; its cells are HTML already.

    Args:
        header: The headings.
        rows: The rows.
        numbers: The first column of numbers, which are set to the right from there on.
    """

    def cells(tag: str, row: Iterable[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if index >= numbers > 0 else ''}>{cell}</{tag}>"
            for index, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{cells("th", header)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
