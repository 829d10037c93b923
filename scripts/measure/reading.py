"""What it costs to take a plugin, by every way there is, beside other registries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import catalogue
import pluggy
from stevedore.extension import Extension, ExtensionManager

from bsrepl.frameworks.catalogue import Installed
from bsrepl.registry.namespaces import Namespace
from bsrepl.registry.store import Registry

from .plugins import Plain
from .rows import Effort, Row, beside, in_turn

_UNROLLED = 10  # readings in each round of the loop
_LASTING = 3e6  # nanoseconds, for a sample


def access(effort: Effort) -> Iterator[Row]:
    """Nanoseconds for one reading, ten of them in a loop of a compiled function."""
    registry = Registry()
    Installed(registry, None)
    tfm = Namespace(registry, "transform")
    target = tfm["FoldConstants"]
    plain = Plain()
    for name in vars(tfm):  # an object of more than thirty attributes is slower to read
        setattr(plain, name, target)
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
    samples = in_turn(effort.runs(61), *(reading(*way) for way in ways.values()))
    found = dict(zip(ways, samples, strict=True))
    yield beside("tfm.X", "ns", found["tfm.X"], "plain attribute", found["plain attribute"], 1.1)
    for name in ("dict", "catalogue", "pluggy", "stevedore"):
        yield beside("tfm.X", "ns", found["tfm.X"], name, found[name])
    yield beside("tfm.qonnx.X", "ns", found["tfm.qonnx.X"], "plain attribute", found["plain attribute"])
    yield beside('tfm["X"]', "ns", found['tfm["X"]'], "dict", found["dict"])
    yield beside('tfm["X"]', "ns", found['tfm["X"]'], "stevedore", found["stevedore"])


def reading(expression: str, thing: object) -> Callable[[], float]:
    """What times the expression: nanoseconds for each of as many readings as take a few milliseconds."""
    scope: dict[str, Callable[[object, range], None]] = {}
    exec(f"def read(thing, times):\n for _ in times: {'; '.join([expression] * _UNROLLED)}", scope)
    read = scope["read"]

    def nanoseconds(times: int) -> float:
        start = time.perf_counter_ns()
        read(thing, range(times))
        return (time.perf_counter_ns() - start) / (times * _UNROLLED)

    times = max(1, round(_LASTING / (nanoseconds(1_000) * _UNROLLED)))
    return lambda: nanoseconds(times)
