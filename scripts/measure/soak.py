"""A long session: one file reloaded thousands of times, in a process of its own that has nothing else to remember.

python -m measure.soak 10000
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path

from .plugins import PLUGIN, settled
from .rows import Effort, Row, alone, beside


def soaking(effort: Effort) -> Iterator[Row]:
    """10,000 reloads of one file: memory, live classes and objects, and the last hundred reloads beside the first."""
    count = 2_000 if effort.is_quick else 10_000
    command = [sys.executable, "-m", __spec__.name, str(count)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    later, times = count - count // 10, found["ms"]
    yield alone("memory grown in N reloads", "kB", [found["kilobytes"]], 512, later)
    yield alone("objects more after N reloads", "", [found["objects"]], 10, later)
    yield alone("classes alive after N reloads", "", [found["classes"]], 1, count)
    yield beside("the last 100 reloads of N", "ms", times[-100:], "the first 100", times[:100], 1.25, count)


def main(count: int) -> None:
    """Reloads so many times. Prints what grew after the first tenth of them, and the milliseconds of each."""
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
                kilobytes.append(resident_kilobytes())
                objects.append(len(gc.get_objects()))
        reloader.close()
    grown = {"kilobytes": kilobytes[1] - kilobytes[0], "objects": objects[1] - objects[0], "classes": len(classes)}
    print(json.dumps(grown | {"ms": times.tolist()}))


def resident_kilobytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]))
