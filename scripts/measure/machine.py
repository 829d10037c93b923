"""The machine that was measured on."""

from __future__ import annotations

import os
import platform
import statistics

from .rows import timed


def machine() -> dict[str, object]:
    """What it is, and how fast: `loop_s` are the seconds that Python takes there to count to ten million."""
    return {
        "system": platform.system(),
        "release": platform.release().split("-")[0],
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "loop_s": round(statistics.median(timed(_count, 1, 3)), 3),
    }


def _count() -> None:
    number = 0
    while number < 10_000_000:
        number += 1
