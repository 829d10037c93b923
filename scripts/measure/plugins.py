"""Plugins and plugin files to measure with."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

from bsrepl.registry.plugin import Key, Origin, Plugin
from bsrepl.registry.snapshot import Snapshot
from bsrepl.registry.store import Registry
from bsrepl.reload.reloader import Reloader
from bsrepl.shell.preloaded import PRELOADED

PLUGIN = '@transform(stage="cleanup")\nclass Plugin{0}:\n    def apply(self, model):\n        return model, False\n\n\n'


class Plain:
    """An object with attributes, and nothing else."""


def made_up(count: int) -> list[Plugin]:
    """Plugins in groups of ten with a stage each."""
    return [
        Plugin(Key("transform", "brainsmith", f"P{n}"), Plain, Origin(f"/plugins/f{n}.py", 1), {"stage": f"s{n // 10}"})
        for n in range(count)
    ]


@cache
def _snapshot(count: int) -> Snapshot:
    return Snapshot().replacing((), made_up(count))


def filled(count: int) -> Registry:
    """A registry of that many."""
    registry = Registry()
    registry.replace(_snapshot(count))
    return registry


def watched(folder: str, count: int) -> Reloader:
    """A reloader on a folder of `count` plugin files that have settled."""
    for n in range(count):
        Path(folder, f"plugin_{n:04}.py").write_text(PLUGIN.format(n))
    return settled(folder)


def settled(folder: str) -> Reloader:
    """A reloader that has looked at a folder, and for which the files in it are older than two seconds."""
    reloader = Reloader(Registry(), [folder], PRELOADED, lambda: time.time_ns() + 10_000_000_000)
    reloader.refresh()
    reloader.refresh()
    return reloader
