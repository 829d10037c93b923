"""How long it takes to know every transformation of QONNX, measured: by importing them all, and by bsrepl's index.

Each way is run in fresh processes, in turn, and the median of its times counts. Everything that a program needs for it
is in the time: of bsrepl, importing bsrepl itself. A process's own start is not.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import MeasurementFailed

_WAYS = Path(__file__).with_name("ways")
#: Programs that print as JSON how many transformations they found, and the times that it took, in seconds.
WALK = _WAYS / "by_walk.py"
ENTRY_POINTS = _WAYS / "by_entry_points.py"
INDEX = _WAYS / "by_index.py"
ACCESS = _WAYS / "attribute_access.py"


class Way(NamedTuple):
    """One way of knowing the transformations, as it was measured."""

    name: str
    seconds: float  # the median of its runs
    parts: dict[str, float]  # what they are made of, in seconds: the medians of each
    found: int  # transformations


class Discovery(NamedTuple):
    """The ways beside each other, the traditional one first, and what it takes to read an attribute, in seconds."""

    ways: tuple[Way, ...]
    access: dict[str, float]
    runs: int


def measure(runs: int, progress: Callable[[int, int, str], None]) -> Discovery:
    """Measures each way so many times, in turn. `progress` is told how many of how many processes have ended.

    Raises MeasurementFailed if a process fails.
    """
    with tempfile.TemporaryDirectory() as kept:
        codes = {
            "walk, import, inspect": (WALK, ()),
            "entry points, listed": (ENTRY_POINTS, ()),
            "bsrepl, first start": (INDEX, (None,)),
            "bsrepl": (INDEX, (kept,)),
        }
        fresh(INDEX, kept)  # so that there is an index
        taken: dict[str, list[tuple[int, dict[str, float]]]] = {name: [] for name in codes}
        total = runs * len(codes) + 1
        for turn in range(runs):
            for number, (name, (program, arguments)) in enumerate(codes.items()):
                progress(turn * len(codes) + number, total, name)
                with tempfile.TemporaryDirectory() as new:
                    taken[name].append(
                        fresh(program, *(new if argument is None else argument for argument in arguments))
                    )
    progress(total - 1, total, "tfm.X")
    _, access = fresh(ACCESS)
    progress(total, total, "")
    return Discovery(tuple(_way(name, results) for name, results in taken.items()), access, runs)


def fresh(program: Path, *arguments: str) -> tuple[int, dict[str, float]]:
    """Runs a program in a process of its own. Returns how much it found, and the times that it took, in seconds.

    Raises MeasurementFailed if it fails.
    """
    command = [sys.executable, str(program), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(sys.executable).parent)
    if done.returncode:
        raise MeasurementFailed(f"measuring failed: {done.stderr.strip().splitlines()[-1:]}")
    result, parts = json.loads(done.stdout.splitlines()[-1])
    return result, parts


def _way(name: str, results: list[tuple[int, dict[str, float]]]) -> Way:
    parts = {part: statistics.median(times[part] for _, times in results) for part in results[0][1]}
    return Way(name, statistics.median(sum(times.values()) for _, times in results), parts, results[0][0])
