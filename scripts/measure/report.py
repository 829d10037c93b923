"""The rows as a table, and as text bars of growth with size."""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Sequence

from .rows import Row

_SIZE = re.compile(r"\b(\d[\d,]*) (plugins|nodes|files)\b")
_BAR = 30  # characters


def machine() -> dict[str, object]:
    return {
        "system": platform.system(),
        "release": platform.release().split("-")[0],
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


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


def series(rows: Sequence[Row]) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """What was measured at several sizes: the name and unit without the size -> (size, value), rising."""
    found: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        size = _SIZE.search(row.name)
        if size is not None:
            name = " ".join(filter(None, _SIZE.sub(size[2], row.name).replace(" ,", ",").split(" ")))
            found.setdefault((name, row.unit), {})[int(size[1].replace(",", ""))] = row.value
    return {key: sorted(values.items()) for key, values in found.items() if len(values) > 2}


def bars(rows: Sequence[Row]) -> str:
    """Growth with size, a bar for each measurement on a logarithmic scale: a step of ten is a third of the longest."""
    lines = []
    for (name, unit), points in series(rows).items():
        lines.append(f"\n{name}, {unit}")
        low = min(value for _, value in points)
        for size, value in points:
            length = 1 + round(_BAR / 3 * math.log10(value / low))
            lines.append(f"  {size:>7,}  {'#' * min(length, 2 * _BAR)} {value:.3g}")
    return "\n".join(lines)
