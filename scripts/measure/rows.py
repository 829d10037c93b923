"""Rows, and the ways to come by the samples in them: medians, spreads, what is measured in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass
class Row:
    """One measurement. `ratio` is ours over the peer's; `target` the most that it, or the value, may be."""

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    spread: float = 0.0  # of the middle half of the samples, as a share of the median
    target: str = ""
    met: bool | None = None


class Effort(NamedTuple):
    """How much is measured."""

    is_quick: bool

    def runs(self, number: int) -> int:
        """So many runs, or a third of them."""
        return max(3, number // 3) if self.is_quick else number


def beside(name: str, unit: str, ours: list[float], peer: str, theirs: list[float], most: float | None = None) -> Row:
    """A row whose target, if it has one, is a ratio to a peer."""
    value, peer_value = statistics.median(ours), statistics.median(theirs)
    ratio = value / peer_value
    row = Row(name, value, unit, peer, peer_value, ratio, spread(ours))
    if most is not None:
        row.target, row.met = f"ratio <= {most:g}", ratio <= most
    return row


def alone(name: str, unit: str, ours: list[float], most: float | None = None) -> Row:
    """A row whose target, if it has one, is a value."""
    value = statistics.median(ours)
    row = Row(name, value, unit, spread=spread(ours))
    if most is not None:
        row.target, row.met = f"<= {most:g}{f' {unit}' if unit else ''}", value <= most
    return row


def spread(samples: list[float]) -> float:
    if len(samples) < 4:
        return 0.0
    low, middle, high = statistics.quantiles(samples, n=4)
    return (high - low) / middle if middle else 0.0


def timed(action: Callable[[], object], number: int, runs: int) -> list[float]:
    """Seconds for one action, in each of several runs of `number` actions."""
    samples = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(number):
            action()
        samples.append((time.perf_counter() - start) / number)
    return samples


def in_turn(runs: int, *actions: Callable[[], float]) -> list[list[float]]:
    """Samples of each, taken in turn, so that whatever else the machine does meets all; one of each warms up."""
    for action in actions:
        action()
    rounds = [[action() for action in actions] for _ in range(runs)]
    return [list(samples) for samples in zip(*rounds, strict=True)]
