"""Plots of a backtest's report as SVG, drawn here: no script, no font, nothing that would be loaded. Pure.

Colours are named by the page's style, for light and for dark; what was awarded and the draft differ in more than
colour, and the figures stand in a table beside each plot.
"""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

WIDTH = 720
LINE_HEIGHT = 240
LEFT, RIGHT, TOP, BOTTOM = 76, 12, 12, 28
BAR_HEIGHT, BAR_GAP, LABEL_WIDTH = 12, 10, 200
LABEL_LENGTH_MAX = 30
GRID_LINES = 4
DAYS_NAMED_MAX = 6


class Pair(NamedTuple):
    """One thing that is compared."""

    label: str
    awarded: int
    drafted: int


def lines_plot(title: str, pairs: Sequence[Pair]) -> str:
    """Two lines over the days; the draft's is dashed."""
    low, high = _range(pairs)
    inner_width, inner_height = WIDTH - LEFT - RIGHT, LINE_HEIGHT - TOP - BOTTOM

    def x(number: int) -> float:
        return LEFT + (inner_width * number / (len(pairs) - 1) if len(pairs) > 1 else inner_width / 2)

    def y(points: float) -> float:
        return TOP + inner_height * (high - points) / (high - low)

    body = []
    for step in range(GRID_LINES + 1):
        points = low + (high - low) * step / GRID_LINES
        body.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(points):.1f}" y2="{y(points):.1f}"/>')
        body.append(f'<text x="{LEFT - 6}" y="{y(points) + 4:.1f}" text-anchor="end">{points:,.0f}</text>')
    every = max(1, -(-len(pairs) // DAYS_NAMED_MAX))
    for number in range(0, len(pairs), every):
        label = escape(pairs[number].label)
        body.append(f'<text x="{x(number):.1f}" y="{LINE_HEIGHT - 8}" text-anchor="middle">{label}</text>')
    for name in ("awarded", "drafted"):
        spots = [(x(number), y(getattr(pair, name))) for number, pair in enumerate(pairs)]
        body.append(f'<polyline class="line {name}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in spots)}"/>')
        if len(spots) == 1:
            body.append(f'<circle class="{name}" cx="{spots[0][0]:.1f}" cy="{spots[0][1]:.1f}" r="4"/>')
    return _svg(title, LINE_HEIGHT, body)


def bars_plot(title: str, pairs: Sequence[Pair]) -> str:
    """Two bars for each thing: what was awarded above, the draft's, hatched, below."""
    low, high = _range(pairs)
    room = WIDTH - LABEL_WIDTH - RIGHT - LEFT
    scale = room / (high - low)
    zero = LABEL_WIDTH - low * scale
    body = [f'<line class="grid" x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{_bars_height(len(pairs))}"/>']
    for number, pair in enumerate(pairs):
        top = BAR_GAP / 2 + number * (2 * BAR_HEIGHT + BAR_GAP)
        label = pair.label if len(pair.label) <= LABEL_LENGTH_MAX else f"{pair.label[: LABEL_LENGTH_MAX - 1]}…"
        body.append(f'<text x="{LABEL_WIDTH - 8}" y="{top + BAR_HEIGHT + 4}" text-anchor="end">{escape(label)}</text>')
        body += _bar("awarded", pair.awarded, zero, scale, top)
        body += _bar("drafted", pair.drafted, zero, scale, top + BAR_HEIGHT)
    return _svg(title, _bars_height(len(pairs)), body)


def _bar(name: str, points: int, zero: float, scale: float, top: float) -> Iterator[str]:
    width = abs(points) * scale
    left = zero if points >= 0 else zero - width
    yield f'<rect class="{name}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT - 1}"/>'
    yield f'<text x="{max(left + width, zero) + 4:.1f}" y="{top + BAR_HEIGHT - 2}">{points:,}</text>'


def _bars_height(rows: int) -> int:
    return rows * (2 * BAR_HEIGHT + BAR_GAP)


def _range(pairs: Sequence[Pair]) -> tuple[int, int]:
    """From the least to the most, with zero in it, and never nothing."""
    values = [0, *(pair.awarded for pair in pairs), *(pair.drafted for pair in pairs)]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low, low + 1)


def _svg(title: str, height: int, body: Sequence[str]) -> str:
    told = escape(title)
    return (
        f'<svg role="img" aria-label="{told}" viewBox="0 0 {WIDTH} {height}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{told}</title>{''.join(body)}</svg>"
    )


# Once a page: what the draft's bars are filled with.
HATCH = (
    '<svg class="defs" aria-hidden="true" xmlns="http://www.w3.org/2000/svg"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/>'
    "</pattern></defs></svg>"
)
