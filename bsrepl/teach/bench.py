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

#: What frameworks do that have no index: walk the package, import each module, look at each class.
WALK = """
import time
start = time.perf_counter()
import importlib, inspect, pkgutil
import qonnx.transformation
names = [each.name for each in pkgutil.walk_packages(qonnx.transformation.__path__, "qonnx.transformation.")]
walked = time.perf_counter()
modules = [importlib.import_module(name) for name in names]
imported = time.perf_counter()
from qonnx.transformation.base import Transformation
found = {
    name: cls
    for module in modules
    for name, cls in inspect.getmembers(module, inspect.isclass)
    if issubclass(cls, Transformation) and not inspect.isabstract(cls)
}
looked = time.perf_counter()
parts = {"walk": walked - start, "import": imported - walked, "inspect": looked - imported}
"""
#: What packages do that publish plugins: metadata of every distribution is read, and then the modules are imported.
ENTRY_POINTS = """
import time
start = time.perf_counter()
from importlib.metadata import entry_points
found = list(entry_points(group="bsrepl.plugins")) + list(entry_points(group="brainsmith.plugins"))
listed = time.perf_counter()
parts = {"read the metadata of every distribution": listed - start}
"""
#: What bsrepl does; its index is kept in the folder that is the first argument.
INDEX = """
import sys, time
start = time.perf_counter()
from pathlib import Path
from bsrepl import tfm
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.store import registry
imported = time.perf_counter()
Installed(registry, Path(sys.argv[1], "index.json"))
found = {name for name in tfm.qonnx}
looked = time.perf_counter()
parts = {"import bsrepl": imported - start, "list QONNX": looked - imported}
"""
#: A reading of an attribute, in seconds: of a namespace and of a plain object.
ACCESS = """
import timeit
from bsrepl import tfm
from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.store import registry
Installed(registry, None)
class Plain: pass
plain = Plain()
plain.FoldConstants = tfm.FoldConstants
found = [tfm.FoldConstants]
ten = "; ".join(["thing.FoldConstants"] * 10)
parts = {
    name: min(timeit.repeat(ten, globals={"thing": thing}, number=20_000, repeat=5)) / 200_000
    for name, thing in (("tfm.X", tfm), ("plain attribute", plain))
}
"""
_TELL = "import json\nprint(json.dumps([len(found), parts]))\n"


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

    @property
    def ratio(self) -> float:
        """How many times faster the last way is than the first."""
        return self.ways[0].seconds / self.ways[-1].seconds


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
            for number, (name, (code, arguments)) in enumerate(codes.items()):
                progress(turn * len(codes) + number, total, name)
                with tempfile.TemporaryDirectory() as new:
                    taken[name].append(fresh(code, *(new if each is None else each for each in arguments)))
    progress(total - 1, total, "tfm.X")
    _, access = fresh(ACCESS)
    progress(total, total, "")
    return Discovery(tuple(_way(name, results) for name, results in taken.items()), access, runs)


def fresh(code: str, *arguments: str) -> tuple[int, dict[str, float]]:
    """Runs code in a process of its own. Returns how much it found, and the times that it took, in seconds.

    Raises MeasurementFailed if it fails.
    """
    command = [sys.executable, "-c", code + _TELL, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(sys.executable).parent)
    if done.returncode:
        raise MeasurementFailed(f"a process that was to be measured failed: {done.stderr.strip().splitlines()[-1:]}")
    found, parts = json.loads(done.stdout.splitlines()[-1])
    return found, parts


def _way(name: str, results: list[tuple[int, dict[str, float]]]) -> Way:
    parts = {part: statistics.median(times[part] for _, times in results) for part in results[0][1]}
    return Way(name, statistics.median(sum(times.values()) for _, times in results), parts, results[0][0])
