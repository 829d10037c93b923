"""What it costs to know what there is: discovery of all of QONNX, each time in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bsrepl.teach import bench as discovery

from .rows import Effort, Row, beside, in_turn

STEVEDORE = Path(__file__).with_name("by_stevedore.py")


def discovering(effort: Effort) -> Iterator[Row]:
    """Milliseconds until every QONNX transformation is known; importing bsrepl itself counts, and is told apart."""
    with tempfile.TemporaryDirectory() as kept:
        discovery.fresh(discovery.INDEX, kept)

        def cold() -> dict[str, float]:
            with tempfile.TemporaryDirectory() as new:
                return ours(new)

        def ours(folder: str) -> dict[str, float]:
            count, parts = discovery.fresh(discovery.INDEX, folder)
            assert count == 64, count
            return parts

        def walk() -> float:
            count, parts = discovery.fresh(discovery.WALK)
            assert count == 64, count
            return 1e3 * sum(parts.values())

        listed: list[float] = []
        listed_cold: list[float] = []

        def whole(parts: dict[str, float], listing: list[float]) -> float:
            listing.append(1e3 * parts["list QONNX"])
            return 1e3 * sum(parts.values())

        total, total_cold, walked, points, stevedore = in_turn(
            effort.runs(7),
            lambda: whole(ours(kept), listed),
            lambda: whole(cold(), listed_cold),
            walk,
            lambda: 1e3 * sum(discovery.fresh(discovery.ENTRY_POINTS)[1].values()),
            lambda: 1e3 * sum(discovery.fresh(STEVEDORE)[1].values()),
        )
    peer = "walk, import, inspect"
    yield beside("every QONNX transformation, index read", "ms", listed[1:], peer, walked, 0.1)
    yield beside("every QONNX transformation, source read", "ms", listed_cold[1:], peer, walked, 0.1)
    yield beside("the same, index read, and importing bsrepl", "ms", total, peer, walked, 0.1)
    yield beside("the same, source read, and importing bsrepl", "ms", total_cold, peer, walked)
    for peer, theirs in (("entry points listed; QONNX has none", points), ("stevedore; QONNX has none", stevedore)):
        yield beside("the same, index read, and importing bsrepl", "ms", total, peer, theirs)
