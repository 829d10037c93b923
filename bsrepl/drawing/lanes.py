"""Lanes: a column for each tensor that still has to be read, as `git log --graph` has one for each branch.

A box stands in the lane of a tensor that it reads last. What else it reads and makes is connected with it in its line:

    o        an input
    *-.      a box that reads it, and makes two tensors
    | *      reads the second one, and makes another
    +-+-*    reads both, which are read again below
    *-'      reads both last
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..graphdiff.view import Tensor
from .order import Step
from .sketch import NODE, OUTPUT, Sketch

START, BOX, END = "\u25cb", "\u25cf", "\u25ce"  # a box that reads no lane, any other, an output of the graph
LANE, LINE, CROSSING = "\u2502", "\u2500", "\u253c"


class Line(NamedTuple):
    """A line of the drawing."""

    lanes: str
    step: Step
    after: str  # the lanes below it
    unconnected: tuple[Tensor, ...]  # what the box reads that is not connected by lanes
    is_plain: bool  # whether the box reads the lane above it, makes the one below it, and nothing else


def lines(sketch: Sketch, steps: Sequence[Step], most: int) -> Iterator[Line]:
    """A line for each step, with at most `most` lanes; what is in a lane beyond is unconnected."""
    state = _Lanes(sketch, steps)
    for step in steps:
        if isinstance(step, str):
            yield state.scope(step, most)
        else:
            yield state.box(step, most)


class _Lanes:
    def __init__(self, sketch: Sketch, steps: Sequence[Step]) -> None:
        self._sketch = sketch
        self._lanes: list[Tensor | None] = []
        self._places: dict[Tensor, int] = {}  # the lane of each tensor
        self._freed: set[int] = set()  # lanes that ended in the line before
        positions = {step: position for position, step in enumerate(steps)}
        producers = sketch.producers()
        self._unread: dict[Tensor, int] = {}  # how many boxes further down read each tensor
        for tensor, readers in sketch.readers().items():
            first = positions[producers[tensor]] if tensor in producers else len(steps)
            self._unread[tensor] = sum(positions[reader] > first for reader in readers)

    def scope(self, scope: str, most: int) -> Line:
        """The line above the boxes of a scope."""
        self._freed = set()
        lanes = self.below(most)
        return Line(lanes, scope, lanes, (), False)

    def below(self, most: int) -> str:
        """The lanes between two lines."""
        return "".join([f"{LANE if tensor is not None else ' '} " for tensor in self._lanes[:most]]).rstrip()

    def box(self, number: int, most: int) -> Line:
        box = self._sketch.boxes[number]
        read = {self._places[tensor]: tensor for tensor in box.reads if tensor in self._places}
        for tensor in read.values():
            self._unread[tensor] -= 1
        ending = {place for place, tensor in read.items() if not self._unread[tensor]}
        column = min(ending) if ending else self._free(min(read, default=-1))
        made = [tensor for tensor in box.makes if self._unread.get(tensor)]
        opened = {column: made[0]} if made else {}
        taken = {column}
        for tensor in made[1:]:
            place = self._free(max(taken), taken)
            taken.add(place)
            opened[place] = tensor
        symbol = END if box.kind == OUTPUT else BOX if read and min(read) < most else START
        drawn = self._drawn(symbol, column, set(read), ending, set(opened))
        self._update(ending, opened)
        self._freed = ending - opened.keys() | ({column} - opened.keys())
        missing = tuple(tensor for tensor in box.reads if tensor not in read.values())
        hidden = tuple(tensor for place, tensor in read.items() if place >= most or column >= most)
        is_plain = box.kind == NODE and set(read) == ending == set(opened) == {column} and not missing
        return Line(_cut(drawn, most, symbol, column), number, self.below(most), missing + hidden, is_plain)

    def _free(self, left: int, taken: set[int] | frozenset[int] = frozenset()) -> int:
        """The next lane to the right of one that is free, and did not end in the line before."""
        place = left + 1
        while place in taken or place in self._freed or (place < len(self._lanes) and self._lanes[place] is not None):
            place += 1
        return place

    def _drawn(self, symbol: str, column: int, read: set[int], ending: set[int], opened: set[int]) -> str:
        involved = {column} | read | opened
        first, last = min(involved), max(involved)
        cells = []
        for place in range(max(len(self._lanes), last + 1)):
            inside = first <= place < last
            lane = place < len(self._lanes) and self._lanes[place] is not None
            if place == column:
                cell = symbol
            elif place in ending:
                cell = "\u2534" if first < place < last else "\u2570" if place < column else "\u256f"
            elif place in read:
                cell = "\u251c" if place < column else "\u2524"
            elif place in opened:
                cell = "\u252c" if place < last else "\u256e"
            elif first < place < last:
                cell = CROSSING if lane else LINE
            else:
                cell = LANE if lane else " "
            cells.append(cell + (LINE if inside else " "))
        return "".join(cells).rstrip()

    def _update(self, ending: set[int], opened: dict[int, Tensor]) -> None:
        lanes, places = self._lanes, self._places
        for place in ending:
            places.pop(lanes[place], None)  # type: ignore[arg-type]
            lanes[place] = None
        for place, tensor in opened.items():
            lanes += [None] * (place + 1 - len(lanes))
            lanes[place] = tensor
            places[tensor] = place
        while lanes and lanes[-1] is None:
            lanes.pop()


def _cut(drawn: str, most: int, symbol: str, column: int) -> str:
    """The first lanes of a line; a box in a lane beyond stands behind them."""
    if len(drawn) < 2 * most:
        return drawn
    kept = drawn[: 2 * most - 1].ljust(2 * most - 1)
    return f"{kept}{LINE if drawn[2 * most - 1] == LINE else ' '}{symbol}" if column >= most else kept
