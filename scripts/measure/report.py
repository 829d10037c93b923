"""The rows as text: a table and bars of growth for a terminal, a table for the manual."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .rows import Row

_BAR = 10  # characters for each power of ten


def table(rows: Sequence[Row]) -> str:
    lines = [f"{'':46} {'ours':>10} {'peer':>10}        {'ratio':>6} {'spread':>6}  {'target':<14} met"]
    for row in rows:
        peer = f"{row.peer_value:10.3g}" if row.peer_value is not None else " " * 10
        ratio = f"{row.ratio:6.2f}" if row.ratio is not None else " " * 6
        met = {True: "yes", False: "NO", None: ""}[row.met]
        ours = f"{row.name:46} {row.value:10.3g}"
        said = f"{ours} {peer} {row.unit:<6} {ratio} {row.spread:6.0%}  {row.target:<14} {met:3}  {row.peer}"
        lines.append(said.rstrip())
    return "\n".join(lines)


def growth(rows: Sequence[Row]) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """What was measured at three sizes or more: the series and its unit -> (size, value), rising."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        if row.size is not None:
            found.setdefault((row.series, row.unit), {})[row.size] = row.value
    return {key: sorted(values.items()) for key, values in found.items() if len(values) > 2}


def bars(rows: Sequence[Row]) -> str:
    """Growth with size, a bar for each measurement on a logarithmic scale."""
    lines = []
    for (series, unit), points in growth(rows).items():
        lines.append(f"\n{series}, {unit}")
        low = min(value for _, value in points)
        for size, value in points:
            lines.append(f"  {size:>7,}  {'#' * (1 + round(_BAR * math.log10(value / low)))} {value:.3g}")
    return "\n".join(lines)


def markdown(result: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """The rows that have a target, with the day and the machine, as it stands in the manual."""
    machine = result["machine"]
    system = f"{machine['system']} {machine['release']}, {machine['cores']} cores ({machine['processor']})"
    python = f"Python {machine['python']}, which counts to ten million there in {machine['loop_s']:.2g} s"
    lines = [
        f"Measured on {result['date']}: {system}, {python}.",
        "",
        "| what | bsrepl | beside | ratio | target | met |",
        "|---|---:|---|---:|---|---|",
    ]
    for row in rows:
        if row.met is not None:
            peer = f"{row.peer} {quantity(row.peer_value, row.unit)}" if row.peer_value is not None else ""
            ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
            met = "yes" if row.met else "**no**"
            lines.append(f"| {row.name} | {quantity(row.value, row.unit)} | {peer} | {ratio} | {row.target} | {met} |")
    return "\n".join(lines)


def quantity(value: float, unit: str) -> str:
    """`9.2 ns`, `1,360 ms`: three digits that count, and the unit."""
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, digits):,.{digits}f} {unit}".rstrip()


#: What stands around the generated part of the page.
BEGIN = "<!-- measured: scripts/bench --manual -->\n"
END = "\n<!-- end of what was measured -->"


def placed(page: str, text: str) -> str:
    """The page with the text between the marks. Raises ValueError if it lacks them."""
    begin = page.index(BEGIN) + len(BEGIN)
    return page[:begin] + text + page[page.index(END, begin) :]
