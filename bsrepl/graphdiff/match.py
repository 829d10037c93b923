"""Which nodes of two graphs are the same, whatever they are called.

A node is recognised by what it is (op type, attributes), by everything that leads to it and by everything it leads to.
Nodes are matched from the most to the least certain: by both cones, by one of them, through the tensors that matched
nodes share, by their neighbours; then those that changed, where they stand between matched ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from .alignment import aligned, rising
from .enclosure import around, enclosed
from .keys import Keys, unique_by_key, unmatched_by_key
from .view import Port, View

_FAR = 64  # nodes from one that reads several to the matched ones above it


@dataclass(eq=False)
class _Likeness:
    """What nodes that stand at the same place are compared by: something of each node of both graphs."""

    old: Sequence[Hashable]
    new: Sequence[Hashable]
    paired: int = -1  # how many nodes were paired when `_grow` ended
    by_place: bool = True  # whether what a commutative node reads is paired in order, though that says little
    is_left: bool = False  # whether some of it was not paired, as there are several


class Match:
    """The pairs of two views: `forward` maps nodes of `old` to nodes of `new`, `backward` the other way round."""

    def __init__(self, old: View, new: View) -> None:
        self.old = old
        self.new = new
        self.forward: dict[int, int] = {}
        self.backward: dict[int, int] = {}
        numbers: defaultdict[Hashable, int] = defaultdict(count().__next__)
        keys, others = self._keys = Keys(old, numbers.__getitem__), Keys(new, numbers.get)
        self._kinds = _Likeness(keys.kinds, others.kinds, by_place=False)
        self._match()
        del self._keys, self._kinds  # the keys are many times as large as the result

    def named(self) -> dict[int, int]:
        """The names of the matched nodes of the new graph, which stand for those of the old one, too: their numbers."""
        return dict(zip(self.backward, self.backward, strict=True))

    def _match(self) -> None:
        old, new = self._keys
        self._pair_unique(old.whole(), new.whole())
        self._pair_unique(old.up, new.up)
        self._pair_unique(old.down, new.down)
        self._grow(self._kinds)
        self._pair_unique(old.near(self.forward), new.near(self.backward))
        self._grow(self._kinds)
        self._pair_unique(old.signed(self.forward), new.signed(self.backward))
        self._grow(self._kinds)
        self._kinds.by_place = True
        if self._kinds.is_left:
            self._kinds.paired = -1
        self._grow(self._kinds)
        self._pair_in_order(old.whole(), new.whole())
        self._pair_in_order(old.up, new.up)
        self._pair_in_order(old.down, new.down)
        self._pair_enclosed()
        self._align()
        op_types = _Likeness(old.op_types(), new.op_types())
        self._grow(op_types)
        self._pair_unique(old.valued(self.forward), new.valued(self.backward))
        self._grow(op_types)

    def _pair_enclosed(self) -> None:
        """Pairs, in order, equal nodes that lie between the same matched nodes, until there are no more."""
        old, new = self._keys
        near = [node for node in old.order if node not in self.forward]
        others_near = [node for node in new.order if node not in self.backward]
        while near and others_near:
            paired = len(self.forward)
            places = enclosed(self.new, self.named(), others_near)
            for place, nodes in enclosed(self.old, self.forward, near).items():
                self._pair_aligned(nodes, places.get(place, []))
            self._grow(self._kinds)
            added = dict(islice(self.forward.items(), paired, None))  # only what is next to these has another place now
            near = around(self.old, old.order, added, self.forward)
            others_near = around(self.new, new.order, added.values(), self.backward)

    def _align(self) -> None:
        """Pairs the remaining nodes between matched nodes that stand in the same order in both graphs."""
        old, new = self._keys
        places = [0] * len(new.order)
        for place, node in enumerate(new.order):
            places[node] = place
        matched = [place for place, node in enumerate(old.order) if node in self.forward]
        spots = [places[self.forward[old.order[place]]] for place in matched]
        anchors = [(matched[index], spots[index]) for index in rising(spots)]
        start = other_start = 0
        for place, spot in [*anchors, (len(old.order), len(new.order))]:
            if place > start and spot > other_start:
                mine = [node for node in old.order[start:place] if node not in self.forward]
                theirs = [node for node in new.order[other_start:spot] if node not in self.backward]
                if mine and theirs:
                    self._pair_aligned(mine, theirs)
            start, other_start = place + 1, spot + 1

    def _pair_aligned(self, nodes: Sequence[int], others: Sequence[int]) -> None:
        """Pairs equal nodes of two lists in the order of both."""
        old, new = self._keys
        mine, theirs = [old.own[node] for node in nodes], [new.own[node] for node in others]
        if not set(mine).isdisjoint(theirs):  # nearly everywhere they are
            for a, b in aligned(mine, theirs):
                self._add(nodes[a], others[b])

    def _add(self, old: int, new: int) -> None:
        self.forward[old] = new
        self.backward[new] = old

    def _pair_unique(self, old: Iterable[int | None], new: Iterable[int | None]) -> None:
        """Pairs the nodes whose key no other unmatched node of their graph has. None is no key."""
        theirs = unique_by_key(new, self.backward)
        if not theirs:
            return
        mine = unique_by_key((key if key in theirs else None for key in old), self.forward)
        for key, node in mine.items():
            other = theirs[key]
            if node is not None and other is not None:
                self._add(node, other)

    def _pair_in_order(self, old: Iterable[int | None], new: Iterable[int | None]) -> None:
        """Pairs nodes with equal keys in order, and after each pair what follows from it."""
        theirs = unmatched_by_key(new, self.backward)
        if not theirs:
            return
        mine = unmatched_by_key((key if key in theirs else None for key in old), self.forward)
        for key, nodes in mine.items():
            free = (other for other in theirs[key] if other not in self.backward)
            for node in nodes:
                if node not in self.forward:
                    other = next(free, None)
                    if other is None:
                        break
                    self._add(node, other)
                    self._spread([(node, other)], self._kinds)

    def _grow(self, likeness: _Likeness) -> None:
        """Pairs nodes that are alike and stand at the same tensor of matched nodes, and continues from there."""
        if likeness.paired == len(self.forward):
            return  # nothing has been paired since
        for mine, theirs in self._ends():
            self._compare_many(mine, theirs, likeness, [])
        near: set[int] = set()
        old, forward = self.old, self.forward
        for node in [node for node in range(len(old.nodes)) if node not in forward]:
            for maker in old.makers[node]:
                if maker is not None:
                    near.add(maker[0])
            for readers in old.readers[node]:
                for reader, _ in readers:
                    near.add(reader)
        self._spread([(node, forward[node]) for node in near if node in forward], likeness)
        likeness.paired = len(self.forward)

    def _spread(self, pairs: list[tuple[int, int]], likeness: _Likeness) -> None:
        """Pairs what reads the outputs of some pairs, and what produces their inputs, and continues from there."""
        old, new = self.old, self.new
        while pairs:
            one, other = pairs.pop()
            for mine, theirs in zip(old.readers[one], new.readers[other], strict=False):
                if len(mine) == 1 == len(theirs):  # as it is nearly everywhere
                    self._compare(mine[0], theirs[0], likeness, pairs)
                elif mine and theirs:
                    self._compare_many(mine, theirs, likeness, pairs)
            makers: Sequence[Port | None] = old.makers[one]
            others: Sequence[Port | None] = new.makers[other]
            if len(makers) - makers.count(None) > 1 and old.nodes[one].is_commutative:
                self._compare_many(list(filter(None, makers)), list(filter(None, others)), likeness, pairs)
                if not likeness.by_place:
                    likeness.is_left |= any(maker is not None and maker[0] not in self.forward for maker in makers)
                    continue
                others = self._in_order(makers, others)
            for maker, other_maker in zip(makers, others, strict=False):
                if maker is not None and other_maker is not None:
                    self._compare(maker, other_maker, likeness, pairs)

    def _in_order(self, makers: Sequence[Port | None], others: Sequence[Port | None]) -> Sequence[Port | None]:
        """What a commutative node reads, in the order of what its counterpart reads: below the same matched nodes."""
        sources = [_source(self.old, maker, self.forward) for maker in makers]
        left = {_source(self.new, other, self.backward): other for other in others}
        wanted = [None if source is None else self.forward[source] for source in sources]
        return [left[one] for one in wanted] if len(left) == len(others) and left.keys() == set(wanted) else others

    def _compare(self, mine: Port, theirs: Port, likeness: _Likeness, pairs: list[tuple[int, int]]) -> None:
        """Pairs two nodes, each the only one at its place, if they are alike; adds them to `pairs`."""
        (a, port), (b, other_port) = mine, theirs
        if a in self.forward or b in self.backward or port != other_port:
            return
        if likeness.old[a] == likeness.new[b]:
            self._add(a, b)
            pairs.append((a, b))

    def _compare_many(
        self, mine: Sequence[Port], theirs: Sequence[Port], likeness: _Likeness, pairs: list[tuple[int, int]]
    ) -> None:
        """Pairs nodes at one place of both graphs that are alike, and like no other there; adds them to `pairs`."""
        groups: dict[Hashable, tuple[list[int], list[int]]] = {}
        for node, port in mine:
            if node not in self.forward:
                groups.setdefault((likeness.old[node], port), ([], []))[0].append(node)
        if not groups:
            return
        for node, port in theirs:
            if node not in self.backward:
                groups.setdefault((likeness.new[node], port), ([], []))[1].append(node)
        for nodes, others in groups.values():
            if len(nodes) == len(others) == 1 and nodes[0] not in self.forward and others[0] not in self.backward:
                self._add(nodes[0], others[0])
                pairs.append((nodes[0], others[0]))

    def _ends(self) -> Iterator[tuple[Sequence[Port], Sequence[Port]]]:
        """The nodes that read the inputs of the graphs, and those that produce their outputs."""
        old, new = self.old, self.new
        places = {place: tensor for tensor, place in new.inputs.items()}
        for tensor, place in old.inputs.items():
            if place in places:
                yield old.consumers_of(tensor), new.consumers_of(places[place])
        producers = {place: new.producer(tensor) for tensor, places in new.outputs.items() for place in places}
        for tensor, numbers in old.outputs.items():
            mine = old.producer(tensor)
            for number in numbers:
                theirs = producers.get(number)
                if mine is not None and theirs is not None:
                    yield [mine], [theirs]


def _source(graph: View, maker: Port | None, matched: Container[int]) -> int | None:
    """The first matched node above an output, if it is near and each node up to it reads one other."""
    for _ in range(_FAR):
        if maker is None or maker[0] in matched:
            break
        above = [one for one in graph.makers[maker[0]] if one is not None]
        maker = above[0] if len(above) == 1 else None
    return maker[0] if maker is not None and maker[0] in matched else None
