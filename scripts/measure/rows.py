"""Rows, and the ways to come by the samples in them: medians, spreads, what is measured in turn."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

SIZE = "N"  # stands in the name of a row for the size that it was measured at


@dataclass(frozen=True)
class Row:
    """One measurement: ours, alone or beside a peer's, and the most that it may be.

    `most` bounds the ratio of ours to the peer's where there is a peer, and the value where there is none.
    """

    series: str  # the name, `N` in it for the size
    value: float  # a median
    unit: str
    size: int | None = None
    peer: str = ""
    peer_value: float | None = None
    spread: float = 0.0  # of the middle half of our samples, as a share of the median
    most: float | None = None

    @property
    def name(self) -> str:
        return self.series if self.size is None else self.series.replace(SIZE, f"{self.size:,}")

    @property
    def ratio(self) -> float | None:
        return self.value / self.peer_value if self.peer_value else None

    @property
    def target(self) -> str:
        if self.most is None:
            return ""
        return f"ratio <= {self.most:g}" if self.peer else f"<= {self.most:g} {self.unit}".rstrip()

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        measured = self.ratio if self.peer else self.value
        return None if self.most is None or measured is None else measured <= self.most

    def as_json(self) -> dict[str, Any]:
        said = {"name": self.name, "value": self.value, "unit": self.unit, "peer": self.peer}
        said |= {"peer_value": self.peer_value, "ratio": self.ratio, "spread": self.spread}
        said |= {"target": self.target, "met": self.met}
        return said | {"series": self.series, "size": self.size, "most": self.most}


def from_json(said: Mapping[str, Any]) -> Row:
    """The row that `as_json` told of."""
    return Row(**{field.name: said[field.name] for field in fields(Row)})


class Effort(NamedTuple):
    """How much is measured."""

    is_quick: bool

    @property
    def many(self) -> int:
        """So many plugins are a great many."""
        return 10_000 if self.is_quick else 100_000

    def runs(self, number: int) -> int:
        """So many runs, or a quarter of them."""
        return max(2, number // 4) if self.is_quick else number


def beside(
    series: str, unit: str, ours: Sequence[float], peer: str, theirs: Sequence[float],
    most: float | None = None, size: int | None = None,
) -> Row:  # fmt: skip
    """A row whose target, if it has one, is a ratio to a peer."""
    value, peer_value = statistics.median(ours), statistics.median(theirs)
    return Row(series, value, unit, size, peer, peer_value, spread(ours), most)


def alone(series: str, unit: str, ours: Sequence[float], most: float | None = None, size: int | None = None) -> Row:
    """A row whose target, if it has one, is a value."""
    return Row(series, statistics.median(ours), unit, size, spread=spread(ours), most=most)


def spread(samples: Sequence[float]) -> float:
    """The width of the middle half of the samples, or of all of them if they are few, as a share of the median."""
    if len(samples) < 4:
        low, middle, high = min(samples), statistics.median(samples), max(samples)
    else:
        low, middle, high = statistics.quantiles(samples, n=4)
    return (high - low) / abs(middle) if middle else 0.0


def timed(action: Callable[[], object], number: int, runs: int) -> list[float]:
    """Seconds for one action, in each of several runs of `number` actions."""
    samples = []
    for _ in range(runs):
        start = time.perf_counter()
        for _ in range(number):
            action()
        samples.append((time.perf_counter() - start) / number)
    return samples


def in_turn(
    runs: int, *actions: Callable[[], float], seconds: float = math.inf, clock: Callable[[], float] = time.perf_counter
) -> list[list[float]]:
    """Samples of each, taken in turn, so that whatever else the machine does meets all; one of each warms up.

    There are fewer rounds, but one at least, where those so far have taken so many seconds.
    """
    start = clock()
    for action in actions:
        action()
    rounds: list[list[float]] = []
    while len(rounds) < runs and (not rounds or clock() - start < seconds):
        rounds.append([action() for action in actions])
    return [list(samples) for samples in zip(*rounds, strict=True)]


def tenfold(runs: int, work: Callable[[], object], larger: Callable[[], object]) -> list[float]:
    """How many times as long the larger work takes, about ten times as much of it, as often as there are runs.

    Each time it is measured right after ten of the other: a machine that others use is not of one speed for long.
    """
    once, others = in_turn(runs, lambda: timed(work, 10, 1)[0], lambda: timed(larger, 1, 1)[0])
    return [other / one for one, other in zip(once, others, strict=True)]
