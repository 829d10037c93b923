"""What it costs to take a plugin, by every way there is, beside other registries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import catalogue
import pluggy
from stevedore.extension import Extension, ExtensionManager

from bsrepl.installed import Installed
from bsrepl.namespaces import Namespace
from bsrepl.registry import Registry

from .plugins import Plain
from .rows import Effort, Row, beside, in_turn

_TIMES = 20_000  # the loop, each time round with ten readings


def access(effort: Effort) -> Iterator[Row]:
    """Nanoseconds for one reading, ten of them in a loop of a compiled function."""
    registry = Registry()
    Installed(registry, None)
    tfm = Namespace(registry, "transform")
    target = tfm.FoldConstants
    plain = Plain()
    plain.FoldConstants = target  # type: ignore[attr-defined]
    catalog = catalogue.create("measured", "transforms")
    catalog.register("FoldConstants", func=target)
    manager = pluggy.PluginManager("measured")
    manager.register(target, name="FoldConstants")
    extension = Extension("FoldConstants", None, target, None)
    stevedore = ExtensionManager.make_test_instance([extension])
    ways: dict[str, tuple[str, object]] = {
        "plain attribute": ("thing.FoldConstants", plain),
        "tfm.X": ("thing.FoldConstants", tfm),
        "tfm.qonnx.X": ("thing.qonnx.FoldConstants", tfm),
        'tfm["X"]': ('thing["FoldConstants"]', tfm),
        "dict": ('thing["FoldConstants"]', {"FoldConstants": target}),
        "catalogue": ('thing.get("FoldConstants")', catalog),
        "pluggy": ('thing.get_plugin("FoldConstants")', manager),
        "stevedore": ('thing["FoldConstants"].plugin', stevedore),
    }
    readings = {name: reading(expression) for name, (expression, _) in ways.items()}
    samples = in_turn(effort.runs(31), *(lambda name=name: timing(readings[name], ways[name][1]) for name in ways))  # type: ignore[misc]
    found = dict(zip(ways, samples, strict=True))
    yield beside("tfm.X", "ns", found["tfm.X"], "plain attribute", found["plain attribute"], 1.1)
    for name in ("dict", "catalogue", "pluggy", "stevedore"):
        yield beside("tfm.X", "ns", found["tfm.X"], name, found[name])
    yield beside("tfm.qonnx.X", "ns", found["tfm.qonnx.X"], "plain attribute", found["plain attribute"])
    yield beside('tfm["X"]', "ns", found['tfm["X"]'], "dict", found["dict"])
    yield beside('tfm["X"]', "ns", found['tfm["X"]'], "stevedore", found["stevedore"])


def reading(expression: str) -> Callable[[object], None]:
    scope: dict[str, Callable[[object], None]] = {}
    exec(f"def read(thing):\n for _ in range({_TIMES}): {'; '.join([expression] * 10)}", scope)
    return scope["read"]


def timing(read: Callable[[object], None], thing: object) -> float:
    start = time.perf_counter_ns()
    read(thing)
    return (time.perf_counter_ns() - start) / (10 * _TIMES)
