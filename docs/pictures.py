"""Curves as SVG: small files that are the same on every machine, light or dark.

Nothing here computes a loss.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 340, 250  # of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 44
_LINE = 16  # of the legend

# Told apart by people who see few colours, on white and on black.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00")

STYLE = """
svg { font: 12px sans-serif; color: #222; background: #fff }
@media (prefers-color-scheme: dark) { svg { color: #ddd; background: #131416 } }
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve.

    Args:
        label: What the legend calls it.
        x: From left to right.
        y: As many numbers; what isn't finite is left out.
        dashed: Whether it is dashed.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Curves over one axis.

    Args:
        title: Stands above.
        x_label: Of the axis at the bottom.
        lines: The curves.
        y_range: The lowest and the highest value that is shown; by default those of the curves.
    """

    title: str
    x_label: str
    lines: Sequence[Line]
    y_range: tuple[float, float] | None = None


def draw(panels: Sequence[Panel], description: str, style: str = "") -> str:
    """Return panels beside each other as an SVG.

    Args:
        panels: One or more.
        description: What the picture shows, for those who can't see it.
        style: CSS of a file that stands alone. A page has its own.
    """
    labels = list(dict.fromkeys(line.label for panel in panels for line in panel.lines))
    legend = len(labels) > 1
    width, height = WIDTH * len(panels), HEIGHT + _LINE * legend
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="curves" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{escape(description)}" fill="currentColor">',
        f"<title>{escape(description)}</title>",
    ]
    if style:
        parts.append(f"<style>{style}</style>")
    for index, panel in enumerate(panels):
        parts.append(f'<g transform="translate({WIDTH * index} 0)">')
        parts += _panel(panel, labels)
        parts.append("</g>")
    if legend:
        step = width / len(labels)
        for index, label in enumerate(labels):
            x, y = step * index + 12, HEIGHT + 8
            dashed = any(
                line.dashed for panel in panels for line in panel.lines if line.label == label
            )
            parts.append(_stroke(f"M{x:.0f} {y}h18", index, dashed))
            parts.append(f'<text x="{x + 23:.0f}" y="{y + 4}">{escape(label)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, labels: list[str]) -> list[str]:
    xs = [x for line in panel.lines for x in line.x]
    ys = [y for line in panel.lines for y in line.y if math.isfinite(y)]
    left, right = min(xs), max(xs)
    x_ticks = [x for x in ticks(left, right) if left <= x <= right]
    low, high = panel.y_range or (min([*ys, 0.0]), max([*ys, 0.0]))
    # A flat line lies below the middle.
    high = high if high > low else low + 1
    y_ticks = ticks(low, high)
    bottom, top = min(low, y_ticks[0]), max(high, y_ticks[-1])

    def across(x: float) -> float:
        return LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - (y - bottom) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    middle = (LEFT + WIDTH - RIGHT) / 2
    parts = [
        f'<text x="{middle:.0f}" y="16" text-anchor="middle" font-weight="bold">'
        f"{escape(panel.title)}</text>",
        f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(panel.x_label)}</text>",
    ]
    parts += [
        f'<path d="M{across(x):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="currentColor" '
        f'opacity="{0.5 if x == 0 else 0.15}"/>'
        f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">'
        f"{_shown(x)}</text>"
        for x in x_ticks
    ]
    parts += [
        f'<path d="M{LEFT} {up(y):.1f}H{WIDTH - RIGHT}" stroke="currentColor" '
        f'opacity="{0.5 if y == 0 else 0.15}"/>'
        f'<text x="{LEFT - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{_shown(y)}</text>'
        for y in y_ticks
    ]
    for line in panel.lines:
        points = [
            (across(x), up(min(max(y, bottom), top)))
            for x, y in zip(line.x, line.y, strict=True)
            if math.isfinite(y)
        ]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        parts.append(_stroke(path, labels.index(line.label), line.dashed))
    return parts


def _stroke(path: str, index: int, dashed: bool) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    color = COLORS[index % len(COLORS)]
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>'


def ticks(low: float, high: float) -> list[float]:
    """Return round numbers that lie about a fifth of a range apart, the ends within them.

    >>> ticks(0, 9.2)
    [0, 2, 4, 6, 8, 10]
    """
    rough = (high - low) / 5 or 1.0
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 5, 10) if power * unit >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * index, 12) for index in range(first, last + 1)]


def _shown(value: float) -> str:
    return f"{value:g}".replace("-", "−")
