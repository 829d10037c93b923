"""Where boxes stand in a picture: in layers from top to bottom, each below those that it reads from.

A tensor that is read further down passes the layers between through points of its own, so that its line crosses no
box. In each layer, boxes and points are ordered by what they are connected to, and moved as little as it takes to
keep them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..graphdiff.view import Tensor
from .sketch import INPUT, NODE, OUTPUT, Sketch

_SWEEPS = 4
_MOST_POINTS = 100_000  # through which tensors pass layers; lines beyond are drawn straight
_POINT = 14.0  # pixels that a line takes in a layer
_STRONG = 50.0  # how much more than an end an item pulls that stands between others
_GAP = 22.0  # pixels between two boxes


@dataclass
class Layout:
    """The centres of boxes in pixels, and the points that each tensor passes on its way down, by layer."""

    layers: Sequence[int]  # of each box
    x: list[float]  # of each box
    points: dict[Tensor, dict[int, float]] = field(default_factory=dict)  # layer -> x
    width: float = 0.0


def layers(sketch: Sketch) -> list[int]:
    """The layer of each box: the longest way to it.

    Inputs, and what is computed without any, stand right above their first reader; outputs right below their maker.
    """
    producers, readers = sketch.producers(), sketch.readers()
    above = [[producers[tensor] for tensor in box.reads if tensor in producers] for box in sketch.boxes]
    below = [[reader for tensor in box.makes for reader in readers.get(tensor, ())] for box in sketch.boxes]
    sequence = _sequence(above, below)
    result = [0] * len(above)
    placed: set[int] = set()
    depends = [False] * len(above)  # on an input
    for number in sequence:
        known = [producer for producer in above[number] if producer in placed]  # not all, on a cycle
        result[number] = max([result[producer] + 1 for producer in known], default=0)
        depends[number] = any(depends[producer] or sketch.boxes[producer].kind == INPUT for producer in known)
        placed.add(number)
    for number in reversed(sequence):
        following = [result[reader] for reader in below[number] if sketch.boxes[reader].kind == NODE]
        if not depends[number] and following:
            result[number] = max(min(following) - 1, result[number])
    for number in sequence:
        if sketch.boxes[number].kind == OUTPUT:
            result[number] = 1 + max((result[producer] for producer in above[number]), default=-1)
    return result


def _sequence(above: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> list[int]:
    """All boxes, each after those above it; those on a cycle come last."""
    waits = [len(numbers) for numbers in above]
    ready = [number for number, count in enumerate(waits) if not count]
    for number in ready:
        for reader in below[number]:
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)
    return ready + sorted(set(range(len(above))) - set(ready))


def layout(sketch: Sketch, levels: Sequence[int], widths: Sequence[float]) -> Layout:
    """The layout of boxes of these widths in these layers."""
    return _Layout(sketch, levels, widths).result()


class _Layout:
    """Items are boxes, by their numbers, and above them points of tensors."""

    def __init__(self, sketch: Sketch, levels: Sequence[int], widths: Sequence[float]) -> None:
        self._levels = levels
        self._widths = [width + _GAP for width in widths]
        self._above: list[list[int]] = [[] for _ in widths]
        self._below: list[list[int]] = [[] for _ in widths]
        self._rows: list[list[int]] = [[] for _ in range(max(levels, default=0) + 1)]
        self._points: dict[Tensor, dict[int, int]] = {}
        self._x: list[float] = []
        self._pulls: list[float] = []
        self._ends = {number for number, box in enumerate(sketch.boxes) if box.kind != NODE}
        producers = sketch.producers()
        for number, level in enumerate(levels):
            self._rows[level].append(number)
        for tensor, readers in sketch.readers().items():
            if tensor in producers:
                self._connect(tensor, producers[tensor], readers)

    def _connect(self, tensor: Tensor, producer: int, readers: Iterable[int]) -> None:
        start = self._levels[producer]
        last = producer
        points: dict[int, int] = {}
        end = max((self._levels[reader] for reader in readers), default=start)
        if len(self._widths) + end - start < _MOST_POINTS:
            for level in range(start + 1, end):
                point = len(self._widths)
                self._widths.append(_POINT)
                self._above.append([])
                self._below.append([])
                self._rows[level].append(point)
                self._join(last, point)
                points[level] = last = point
        for reader in readers:
            self._join(points.get(self._levels[reader] - 1, producer), reader)
        self._points[tensor] = points

    def _join(self, upper: int, lower: int) -> None:
        self._below[upper].append(lower)
        self._above[lower].append(upper)

    def result(self) -> Layout:
        self._x = [0.0] * len(self._widths)
        leads_up = [bool(above) or number in self._ends for number, above in enumerate(self._above)]
        leads_down = [bool(below) or number in self._ends for number, below in enumerate(self._below)]
        self._pulls = [_STRONG if up and down else 1.0 for up, down in zip(leads_up, leads_down, strict=True)]
        self._above = [_on_the_way(above, leads_up) for above in self._above]
        self._below = [_on_the_way(below, leads_down) for below in self._below]
        for sweep in range(_SWEEPS):
            near, rows = (self._above, self._rows) if sweep % 2 == 0 else (self._below, self._rows[::-1])
            for row in rows:
                self._place(row, near)
        halves = [width / 2 for width in self._widths]
        left = min((x - half for x, half in zip(self._x, halves, strict=True)), default=0.0)
        right = max((x + half for x, half in zip(self._x, halves, strict=True)), default=0.0)
        x = [place - left for place in self._x]
        points = {tensor: {level: x[point] for level, point in at.items()} for tensor, at in self._points.items()}
        return Layout(self._levels, x[: len(self._levels)], points, right - left)

    def _place(self, row: list[int], near: Sequence[Sequence[int]]) -> None:
        """Orders the items of a layer by what they are connected to, and places them apart."""
        x = self._x
        wanted = {item: _mean([x[other] for other in near[item]], x[item]) for item in row}
        row.sort(key=wanted.__getitem__)
        pulls = [self._pulls[item] for item in row]
        places = _apart([wanted[item] for item in row], [self._widths[item] for item in row], pulls)
        for item, place in zip(row, places, strict=True):
            x[item] = place


def _on_the_way(items: list[int], leads_on: Sequence[bool]) -> list[int]:
    """The items that lead on, to inputs or outputs; all if none does. So a chain is straight where weights join it."""
    return [item for item in items if leads_on[item]] or items


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _apart(wanted: Sequence[float], widths: Sequence[float], pulls: Sequence[float]) -> list[float]:
    """The places nearest to the wanted ones, which rise, at which items of these widths do not overlap.

    Items that would overlap are joined into blocks, each of which stands at the mean of what its items want, an item
    counting as much as it pulls.
    """
    offsets = [0.0]  # of each item from the first, where all stand side by side
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2)
    blocks: list[tuple[float, float, int]] = []  # the sum of the first one's places that are wanted, of pulls, of items
    for place, offset, pull in zip(wanted, offsets, pulls, strict=False):
        total, weight, count = (place - offset) * pull, pull, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / weight:
            before = blocks.pop()
            total, weight, count = total + before[0], weight + before[1], count + before[2]
        blocks.append((total, weight, count))
    places = [total / weight for total, weight, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(places, offsets, strict=False)]
