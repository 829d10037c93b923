"""A long session: one file reloaded thousands of times."""

from __future__ import annotations

import ctypes
import gc
import os
import tempfile
import time
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path

from .plugins import PLUGIN, settled
from .rows import Effort, Row, alone, beside


def soaking(effort: Effort) -> Iterator[Row]:
    """10,000 reloads of one file: memory, live classes and objects after the first tenth of them, and the last hundred
    reloads beside the first. Memory that the C library holds free is given back first: it is nobody's."""
    count = 2_000 if effort.is_quick else 10_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plugin.py")
        path.write_text(PLUGIN.format(0))
        reloader = settled(folder)
        classes: weakref.WeakSet[type] = weakref.WeakSet()
        times = array("d", bytes(8 * count))  # at its full size from the start: it must not count as growth
        kilobytes, objects = [], []
        for number in range(count):
            path.write_text(f"{PLUGIN.format(0)}NUMBER = {number}\n")
            start = time.perf_counter()
            report = reloader.refresh()
            times[number] = 1e3 * (time.perf_counter() - start)
            classes.add(report.after.get("transform", "Plugin0").load())  # type: ignore[union-attr]
            if number in (count // 10, count - 1):
                del report
                gc.collect()
                give_back()
                kilobytes.append(resident_kilobytes())
                objects.append(len(gc.get_objects()))
        reloader.close()
    later = count - count // 10
    yield alone("memory grown in N reloads", "kB", [kilobytes[1] - kilobytes[0]], 512, later)
    yield alone("objects more after N reloads", "", [objects[1] - objects[0]], 10, later)
    yield alone("classes alive after N reloads", "", [len(classes)], 1, count)
    yield beside("the last 100 reloads of N", "ms", times[-100:], "the first 100", times[:100], 1.25, count)


def give_back() -> None:
    """Returns to the system what the C library keeps for later, where it can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def resident_kilobytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024
