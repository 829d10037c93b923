"""Growth with size as a picture: a line for each series, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .report import growth, quantity
from .rows import Row

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_COLORS = ("#2f81f7", "#3fa34d", "#c0762b", "#a05fd0", "#c94f6d", "#2a9d9d", "#8a8a3a")
_LEFT, _TOP, _WIDTH, _HEIGHT = 60, 20, 460, 320  # of the plot, in pixels
_BESIDE = 20  # from the plot to the names of the lines
_LINE = 34  # from one name to the next

# Grey can be read on white and on black.
_STYLE = (
    "text { font: 12px sans-serif; fill: #808080 } .grid { stroke: #80808040 } polyline { fill: none; stroke-width: 2 }"
)


def picture(rows: Sequence[Row]) -> str:
    """An SVG of every series of times that was measured at three sizes or more."""
    lines = {series: (unit, points) for (series, unit), points in growth(rows).items() if unit in _SECONDS}
    times = [value * _SECONDS[unit] for unit, points in lines.values() for _, value in points]
    sizes = [size for _, points in lines.values() for size, _ in points]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)))
    decades = math.ceil(math.log10(max(sizes)))

    def place(size: float, seconds: float) -> tuple[float, float]:
        right = _LEFT + _WIDTH * math.log10(size) / decades
        return right, _TOP + _HEIGHT * (high - math.log10(seconds)) / (high - low)

    drawn = []
    for power in range(decades + 1):
        x, _ = place(10**power, 1)
        drawn.append(f'<line class="grid" x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP}" y2="{_TOP + _HEIGHT}"/>')
        drawn.append(f'<text x="{x:.0f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low, high + 1):
        _, y = place(1, 10**power)
        drawn.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.0f}" y2="{y:.0f}"/>')
        drawn.append(f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{_power(power)}</text>')
    for number, (series, (unit, points)) in enumerate(lines.items()):
        color = _COLORS[number % len(_COLORS)]
        corners = [place(size, value * _SECONDS[unit]) for size, value in points]
        drawn.append(f'<polyline stroke="{color}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}"/>')
        x, y = _LEFT + _WIDTH + _BESIDE, _TOP + 12 + number * _LINE
        ends = " to ".join(quantity(value, unit) for _, value in (points[0], points[-1]))
        drawn.append(f'<text x="{x}" y="{y}" style="fill: {color}">{escape(series)}</text>')
        drawn.append(f'<text x="{x}" y="{y + 14}">{escape(ends)}</text>')
    size = f'width="{_LEFT + _WIDTH + 280}" height="{_TOP + _HEIGHT + 30}"'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', f"<style>{_STYLE}</style>", *drawn, "</svg>\n"]
    )


def _power(power: int) -> str:
    """`10 us`: a power of ten of a second."""
    unit, exponent = next(
        (unit, each) for unit, each in (("s", 0), ("ms", -3), ("us", -6), ("ns", -9)) if power >= each
    )
    return f"{10 ** (power - exponent):,} {unit}"
