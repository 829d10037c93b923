"""What the size of the registry costs: registering, finding, comparing, a command that changes nothing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count

from bsrepl.models.process.executor import Executor
from bsrepl.models.workbench import load
from bsrepl.registry.changes import changes_between
from bsrepl.registry.namespaces import Namespace
from bsrepl.registry.plugin import Plugin
from bsrepl.registry.snapshot import Snapshot
from bsrepl.shell.assembly import console as build_console
from bsrepl.shell.console import Console
from bsrepl.shell.settings import Settings
from bsrepl.text.terminal import Terminal

from .plugins import filled
from .rows import Effort, Row, alone, beside, in_turn, timed


def growing(effort: Effort) -> Iterator[Row]:
    """Microseconds to register one more plugin and tell the difference, and to find ten, by the number of plugins."""
    for size in (100, 1_000, 10_000, 100_000):
        if size > effort.many:
            return
        registry = filled(size)
        snapshot = registry.snapshot
        tfm = Namespace(registry, "transform")
        runs = effort.runs(15)
        registered = [1e6 * each for each in timed(lambda: one(snapshot), 50, runs)]  # noqa: B023
        yield alone("register and diff one, N plugins", "us", registered, size=size)
        assert len(tfm.find(stage="s7")) == 10
        found = [1e6 * each for each in timed(lambda: tfm.find(stage="s7"), 200, runs)]  # noqa: B023
        yield alone("find(stage=...), 10 hits, N plugins", "us", found, 20, size)
        scanned = [1e6 * each for each in timed(lambda: scan(snapshot), 1, 3)]  # noqa: B023
        yield beside("find(stage=...), 10 hits, N plugins", "us", found, "a scan", scanned, size=size)


def one(snapshot: Snapshot) -> None:
    plugin = snapshot.get("transform", "P77")
    assert plugin is not None
    new = Plugin(plugin.key, plugin.target, plugin.origin, {"stage": "other"})
    assert len(changes_between(snapshot, snapshot.replacing((plugin,), (new,)))) == 1


def scan(snapshot: Snapshot) -> list[Plugin]:
    return sorted(
        (plugin for plugin in snapshot.plugins("transform") if plugin.metadata.get("stage") == "s7"),
        key=lambda plugin: plugin.key,
    )


def commands(effort: Effort) -> Iterator[Row]:
    """Microseconds that a command which changes nothing takes above the bare eval; and more while a model is held."""
    texts = (f"None  # {number}" for number in count())  # no two alike, as in a session
    console, holding = session(effort.many), session(effort.many)
    names: dict[str, object] = {f"x{number}": number for number in range(100)}
    for each in (console, holding):
        each.session.namespace.update(names)
    holding.session.namespace["m"] = load("mnist-conv")

    def commanded(console: Console) -> float:
        return 1e6 * timed(lambda: console.run(next(texts)), 100, 1)[0]

    def bare_eval() -> float:
        return 1e6 * timed(lambda: eval(compile(next(texts), "bare", "eval"), names), 100, 1)[0]

    taken, with_model, bare = in_turn(
        effort.runs(15), lambda: commanded(console), lambda: commanded(holding), bare_eval
    )
    above = [one - other for one, other in zip(taken, bare, strict=True)]
    yield alone("a command that changes nothing, above eval", "us", above, 100)
    more = [one - other for one, other in zip(with_model, taken, strict=True)]
    yield alone("the same while a name holds a model, more", "us", more, 100)


def session(plugins: int, executor: Executor | None = None) -> Console:
    """A console among so many plugins, with an executor of its own if none is given."""
    terminal = Terminal(io.StringIO(), color=False)
    return build_console(filled(plugins), [], terminal, terminal, executor or Executor(), Settings(shows_time=False))
