"""What the size of the registry costs: registering, finding, comparing, a command that changes nothing."""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from itertools import count

from bsrepl.changes import between
from bsrepl.console import Console
from bsrepl.namespaces import Namespace
from bsrepl.plugin import Plugin
from bsrepl.registry import Registry, Snapshot
from bsrepl.terminal import Terminal
from bsrepl.workbench import load

from .plugins import made_up
from .rows import Effort, Row, alone, beside, in_turn, timed

SIZES = (100, 1_000, 10_000, 100_000)


def growing(effort: Effort) -> Iterator[Row]:
    """Microseconds to register one more plugin and tell the difference, and to find ten, by the number of plugins."""
    for size in SIZES:
        snapshot = Snapshot().replacing((), made_up(size))
        registry = Registry()
        registry.replace(snapshot)
        tfm = Namespace(registry, "transform")
        runs = effort.runs(15)
        registered = [1e6 * each for each in timed(lambda: one(snapshot), 50, runs)]  # noqa: B023
        yield alone(f"register and diff one, {size:,} plugins", "us", registered)
        assert len(tfm.find(stage="s7")) == 10
        found = [1e6 * each for each in timed(lambda: tfm.find(stage="s7"), 200, runs)]  # noqa: B023
        yield alone(f"find(stage=...), 10 hits, {size:,} plugins", "us", found, 20)
        scanned = [1e6 * each for each in timed(lambda: scan(snapshot), 1, 3)]  # noqa: B023
        yield beside(f"find(stage=...), 10 hits, {size:,} plugins", "us", found, "a scan", scanned)


def one(snapshot: Snapshot) -> None:
    plugin = snapshot.get("transform", "P77")
    assert plugin is not None
    new = Plugin(plugin.key, plugin.target, plugin.origin, {"stage": "other"})
    assert len(between(snapshot, snapshot.replacing((plugin,), (new,)))) == 1


def scan(snapshot: Snapshot) -> list[Plugin]:
    return sorted(
        (plugin for plugin in snapshot.plugins("transform") if plugin.metadata.get("stage") == "s7"),
        key=lambda plugin: plugin.key,
    )


def commands(effort: Effort) -> Iterator[Row]:
    """Microseconds that a command which changes nothing takes above the bare eval; and more while a model is held."""
    registry = Registry()
    registry.replace(Snapshot().replacing((), made_up(100_000)))
    terminal = Terminal(io.StringIO(), color=False)
    console = Console(registry, [], terminal, terminal, clock=time.perf_counter, now=time.time_ns, shows_time=False)
    names: dict[str, object] = {}
    runs = effort.runs(15)

    texts = (f"None  # {number}" for number in count())  # no two alike, as in a session

    def command() -> float:
        return 1e6 * timed(lambda: console.run(next(texts)), 100, 1)[0]

    def bare_eval() -> float:
        return 1e6 * timed(lambda: eval(compile(next(texts), "bare", "eval"), names), 100, 1)[0]

    taken, bare = in_turn(runs, command, bare_eval)
    above = [each - statistics.median(bare) for each in taken]
    yield alone("a command, above the bare eval", "us", above, 100)
    console.session.namespace.update({f"x{number}": number for number in range(100)})
    without = [command() for _ in range(runs)]
    console.session.namespace["m"] = load("mnist-conv")
    holding = [command() - statistics.median(without) for _ in range(runs)]
    yield alone("the same while a name holds a model, more", "us", holding, 100)
