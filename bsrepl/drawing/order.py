"""The order in which boxes are drawn, one a line: each after those that it reads from, a branch to its end."""

from __future__ import annotations

from collections.abc import Iterator

from ..graphdiff.view import Tensor
from .sketch import INPUT, Box, Sketch

#: A box by its number, or a scope, whose boxes follow.
Step = int | str


def order(sketch: Sketch) -> list[Step]:
    """All boxes, each once. Those of a sub-graph stand together, before the node that has it; functions come last.

    An input comes before the first that reads it; boxes on a cycle come after the others.
    """
    return list(_Order(sketch).steps())


def _rank(box: Box) -> tuple[bool, bool]:
    """An output comes first, then what was removed."""
    return not box.makes, box.sign == "-"


class _Order:
    def __init__(self, sketch: Sketch) -> None:
        self._sketch = sketch
        self._producers = sketch.producers()
        self._read = {tensor for box in sketch.boxes for tensor in box.reads}
        self._members: dict[str, list[int]] = {}
        self._inner: dict[int, list[str]] = {}  # box -> its scopes
        self._waits = [0] * len(sketch.boxes)  # for how many others of its scope each box waits
        self._followers: list[list[int]] = [[] for _ in sketch.boxes]
        self._emitted: set[int] = set()
        for scope, (_, owner) in sketch.scopes.items():
            if owner is not None:
                self._inner.setdefault(owner, []).append(scope)
        edges: set[tuple[int, int]] = set()
        for number, box in enumerate(sketch.boxes):
            self._members.setdefault(box.scope, []).append(number)
            for tensor in box.reads:
                if (edge := self._edge(tensor, number)) is not None:
                    edges.add(edge)
        for producer, reader in sorted(edges):
            self._followers[producer].append(reader)
            self._waits[reader] += 1

    def _edge(self, tensor: Tensor, reader: int | None) -> tuple[int, int] | None:
        """A producer that is no input, and the box of its scope that reads from it or has a sub-graph that does."""
        boxes = self._sketch.boxes
        producer = self._producers.get(tensor)
        if producer is None or boxes[producer].kind == INPUT:
            return None
        while reader is not None and boxes[reader].scope != boxes[producer].scope:
            scope = self._sketch.scopes.get(boxes[reader].scope)
            reader = scope.owner if scope is not None else None
        return (producer, reader) if reader is not None and reader != producer else None

    def steps(self) -> Iterator[Step]:
        yield from self._scope("")
        for scope, (_, owner) in self._sketch.scopes.items():
            if owner is None:
                yield scope
                yield from self._scope(scope)
        left = set(range(len(self._sketch.boxes))) - self._emitted  # in a scope that nobody has
        yield from sorted(left)

    def _scope(self, scope: str) -> Iterator[Step]:
        boxes = self._sketch.boxes
        for number in self._members.get(scope, ()):
            if boxes[number].kind == INPUT and boxes[number].makes[0] not in self._read:
                yield from self._box(number)
        members = [number for number in self._members.get(scope, ()) if boxes[number].kind != INPUT]
        starts = [number for number in members if not self._waits[number]]
        ready = sorted(starts, key=lambda number: (bool(boxes[number].reads), *_rank(boxes[number]), -number))
        while ready:
            number = ready.pop()
            yield from self._box(number)
            following = []
            for follower in self._followers[number]:
                self._waits[follower] -= 1
                if not self._waits[follower]:
                    following.append(follower)
            ready += sorted(following, key=lambda follower: (*_rank(boxes[follower]), -follower))
        for number in members:
            if number not in self._emitted:  # on a cycle
                yield from self._box(number)

    def _box(self, number: int) -> Iterator[Step]:
        """A box, after its sub-graphs and after the inputs that nothing has read so far."""
        self._emitted.add(number)
        for scope in self._inner.get(number, ()):
            yield scope
            yield from self._scope(scope)
        for tensor in self._sketch.boxes[number].reads:
            producer = self._producers.get(tensor, number)
            if producer not in self._emitted and self._sketch.boxes[producer].kind == INPUT:
                self._emitted.add(producer)
                yield producer
        yield number
