"""Which nodes of two graphs are the same, whatever they are called.

A node is known by what it is (op type, attributes), by everything that leads to it and by everything it leads to.
Equal cones get equal numbers, each computed once, so that comparing two is comparing integers. Nodes are matched from
the most to the least certain: by both cones, by one of them, through the tensors that matched nodes share, by what is
near them; then those that changed, where they stand between matched ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence

from .alignment import aligned, rising
from .view import Port, Tensor, View

_WIDEST = 64  # matched nodes around an unmatched one; more of them tell nothing
_NOWHERE: frozenset[Hashable] = frozenset()


class Match:
    """The pairs of two views, by the numbers of their nodes; `old` are matched by `forward`, `new` by `backward`."""

    def __init__(self, old: View, new: View) -> None:
        self.forward: dict[int, int] = {}
        self.backward: dict[int, int] = {}
        self._views = (old, new)
        self._numbers: dict[Hashable, int] = {}
        self._sides = [_Side(view, self._number) for view in self._views]
        self._find()
        self._sides.clear()  # what the nodes were known by is many times as large as the result
        self._numbers.clear()

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _find(self) -> None:
        old, new = self._sides
        self._pair_unique(old.whole, new.whole)
        self._pair_unique(old.up, new.up)
        self._pair_unique(old.down, new.down)
        self._grow(_what)
        self._pair_unique(old.near(self.forward), new.near(self.backward))
        self._grow(_what)
        self._pair_alike(old.whole, new.whole)
        self._pair_alike(old.up, new.up)
        self._pair_alike(old.down, new.down)
        self._pair_enclosed()
        self._align()
        self._grow(_Side.op_type)
        self._pair_unique(old.valued(self.forward), new.valued(self.backward))
        self._grow(_Side.op_type)

    def _pair_enclosed(self) -> None:
        """Pairs, in order, what is alike and lies between the same matched nodes, as long as that finds any."""
        before = -1
        while before < len(self.forward):
            before = len(self.forward)
            old, new = self._sides
            mine, theirs = (
                self._enclosed(old, self.forward, self.forward),
                self._enclosed(new, self.backward, {node: node for node in self.backward}),
            )
            for place, nodes in mine.items():
                others = theirs.get(place, [])
                for a, b in aligned([old.near0[node] for node in nodes], [new.near0[node] for node in others]):
                    self._add(nodes[a], others[b])
            self._grow(_what)

    @staticmethod
    def _enclosed(side: _Side, taken: Container[int], called: Mapping[int, int]) -> dict[Hashable, list[int]]:
        """The unmatched nodes, in order, by the nearest matched ones around them, under the names in `called`."""
        view = side.view
        up: dict[int, frozenset[Hashable]] = {}
        down: dict[int, frozenset[Hashable]] = {}
        left = [node for node in side.order if node not in taken]
        for node in left:
            reached: list[frozenset[Hashable]] = []
            for tensor, maker in zip(view.nodes[node].inputs, view.makers[node], strict=True):
                if maker is None:
                    if tensor in view.inputs:
                        reached.append(frozenset((view.inputs[tensor],)))
                elif maker[0] in taken:
                    reached.append(frozenset(((called[maker[0]], maker[1]),)))
                else:
                    reached.append(up.get(maker[0], _NOWHERE))
            up[node] = _together(reached)
        for node in reversed(left):
            reached = []
            for tensor, readers in zip(view.nodes[node].outputs, view.readers[node], strict=True):
                if tensor in view.outputs:
                    reached += [frozenset((("output", number),)) for number in view.outputs[tensor]]
                for reader, port in readers:
                    if reader in taken:
                        reached.append(frozenset(((called[reader], port),)))
                    else:
                        reached.append(down.get(reader, _NOWHERE))
            down[node] = _together(reached)
        found: dict[Hashable, list[int]] = defaultdict(list)
        for node in left:
            found[up[node], down[node]].append(node)
        return found

    def _align(self) -> None:
        """Pairs what is left between matched nodes that stand in the same order in both graphs."""
        old, new = self._sides
        places = {node: place for place, node in enumerate(new.order)}
        matched = [place for place, node in enumerate(old.order) if node in self.forward]
        spots = [places[self.forward[old.order[place]]] for place in matched]
        anchors = [(matched[each], spots[each]) for each in rising(spots)]
        last = (-1, -1)
        for place, spot in [*anchors, (len(old.order), len(new.order))]:
            mine = [node for node in old.order[last[0] + 1 : place] if node not in self.forward]
            theirs = [node for node in new.order[last[1] + 1 : spot] if node not in self.backward]
            if mine and theirs:
                for a, b in aligned([old.near0[node] for node in mine], [new.near0[node] for node in theirs]):
                    self._add(mine[a], theirs[b])
            last = (place, spot)

    def _add(self, old: int, new: int) -> None:
        self.forward[old] = new
        self.backward[new] = old

    def _pair_unique(self, old: Iterable[Hashable], new: Iterable[Hashable]) -> None:
        """Pairs the nodes whose key no other unmatched node of their graph has. None is no key."""
        (mine, theirs) = self._buckets(old, new)
        for key, nodes in mine.items():
            others = theirs.get(key, ())
            if len(nodes) == len(others) == 1:
                self._add(nodes[0], others[0])

    def _pair_alike(self, old: Iterable[Hashable], new: Iterable[Hashable]) -> None:
        """Pairs nodes that cannot be told apart: in order, and each time what follows from that first."""
        (mine, theirs) = self._buckets(old, new)
        for key, nodes in mine.items():
            free = (other for other in theirs.get(key, ()) if other not in self.backward)
            for node in nodes:
                if node not in self.forward:
                    other = next(free, None)
                    if other is None:
                        break
                    self._add(node, other)
                    self._spread([(node, other)], _what)

    def _buckets(
        self, old: Iterable[Hashable], new: Iterable[Hashable]
    ) -> tuple[dict[Hashable, list[int]], dict[Hashable, list[int]]]:
        found: tuple[dict[Hashable, list[int]], dict[Hashable, list[int]]] = (defaultdict(list), defaultdict(list))
        for keys, taken, bucket in ((old, self.forward, found[0]), (new, self.backward, found[1])):
            for node, key in enumerate(keys):
                if node not in taken and key is not None:
                    bucket[key].append(node)
        return found

    def _grow(self, alike: _Alike) -> None:
        """Pairs what is alike and stands at the same tensor of nodes that are matched, and so on from there."""
        old, _ = self._views
        for mine, theirs in self._ends():
            self._compare(mine, theirs, alike, [])
        near: set[int] = set()
        for node in range(len(old.nodes)):
            if node not in self.forward:
                near.update([maker[0] for maker in old.makers[node] if maker is not None])
                near.update([reader for readers in old.readers[node] for reader, _ in readers])
        self._spread([(node, self.forward[node]) for node in near if node in self.forward], alike)

    def _spread(self, pairs: list[tuple[int, int]], alike: _Alike) -> None:
        while pairs:
            for mine, theirs in self._around(*pairs.pop()):
                self._compare(mine, theirs, alike, pairs)

    def _compare(
        self, mine: Sequence[Port], theirs: Sequence[Port], alike: _Alike, found: list[tuple[int, int]]
    ) -> None:
        """Pairs what is alike at one place of both graphs, if it is the only one of its kind there."""
        if len(mine) == len(theirs) == 1:  # as it is nearly everywhere
            (a, port), (b, other_port) = mine[0], theirs[0]
            if a in self.forward or b in self.backward or port != other_port:
                return
            if alike(self._sides[0], a) == alike(self._sides[1], b):
                self._add(a, b)
                found.append((a, b))
            return
        groups: dict[Hashable, tuple[list[int], list[int]]] = {}
        for node, port in mine:
            if node not in self.forward:
                groups.setdefault((alike(self._sides[0], node), port), ([], []))[0].append(node)
        if not groups:
            return
        for node, port in theirs:
            if node not in self.backward:
                groups.setdefault((alike(self._sides[1], node), port), ([], []))[1].append(node)
        for old, new in groups.values():
            if len(old) == len(new) == 1 and old[0] not in self.forward and new[0] not in self.backward:
                self._add(old[0], new[0])
                found.append((old[0], new[0]))

    def _around(self, old: int, new: int) -> Iterator[tuple[Sequence[Port], Sequence[Port]]]:
        """What stands at each tensor of a matched pair: who reads its outputs, who makes its inputs."""
        before, after = self._views
        for mine, theirs in zip(before.readers[old], after.readers[new], strict=False):
            if mine and theirs:
                yield mine, theirs
        for maker, other in zip(before.makers[old], after.makers[new], strict=False):
            if maker is not None and other is not None:
                yield (maker,), (other,)

    def _ends(self) -> Iterator[tuple[Sequence[Port], Sequence[Port]]]:
        """Who reads the inputs of the graphs, and who makes their outputs."""
        old, new = self._views
        places = {place: tensor for tensor, place in new.inputs.items()}
        for tensor, place in old.inputs.items():
            if place in places:
                yield old.consumers.get(tensor, []), new.consumers.get(places[place], [])
        makers = {
            number: new.producers[tensor]
            for tensor, all_ in new.outputs.items()
            for number in all_
            if tensor in new.producers
        }
        for tensor, all_ in old.outputs.items():
            for number in all_:
                if tensor in old.producers and number in makers:
                    yield [old.producers[tensor]], [makers[number]]


def _together(sets: Sequence[frozenset[Hashable]]) -> frozenset[Hashable]:
    """What is in any of them, or nothing if that is too much to tell anything."""
    if len(sets) == 1:
        return sets[0]
    together = _NOWHERE
    for each in sets:
        together = together | each if together else each
        if len(together) > _WIDEST:
            return _NOWHERE
    return together


class _Side:
    """What the nodes of one graph are known by, as numbers."""

    def __init__(self, view: View, number: Callable[[Hashable], int]) -> None:
        self.view = view
        nodes, constants = view.nodes, view.constants
        self.order = order = view.order()
        self._number = number
        self._ends = {view.producers[tensor][0] for tensor in view.outputs if tensor in view.producers}
        self.what = [
            number((each.op_type, each.domain, each.attributes, len(each.inputs), len(each.outputs))) for each in nodes
        ]
        source: dict[Tensor | None, int] = {None: number("left out")}
        source.update((tensor, number(("constant", content))) for tensor, content in constants.items())
        source.update((tensor, number(("input", place))) for tensor, place in view.inputs.items())
        lost = number("lost")
        #: What each node is, with the constants and the inputs of the graph that it reads.
        self.near0 = [
            number((what, *[source.get(tensor, -1) for tensor in node.inputs]))
            for what, node in zip(self.what, nodes, strict=True)
        ]
        #: Everything that leads to each node.
        self.up = [lost] * len(nodes)
        for index in order:
            self.up[index] = number((self.near0[index], *self._above(index, self.up)))
        #: Everything that each node leads to.
        self.down = [lost] * len(nodes)
        for index in reversed(order):
            self.down[index] = number((self.near0[index], *self._below(index, self.down)))
        #: Both, as one number.
        self.whole = [(up << 32) | down for up, down in zip(self.up, self.down, strict=True)]

    def _above(self, node: int, known: Sequence[int]) -> list[int]:
        """What makes the inputs of a node, each by what is known of it and its output."""
        parts: list[int] = []
        for maker in self.view.makers[node]:
            if maker is None:
                parts.append(-1)
            else:
                parts += (known[maker[0]], maker[1])
        return parts

    def _below(self, node: int, known: Sequence[int]) -> list[int]:
        """What reads the outputs of a node, each by what is known of it and its input, whatever their order; and
        which outputs of the graph they are, as numbers below zero."""
        parts: list[int] = []
        for readers in self.view.readers[node]:
            parts.append(len(readers))
            if len(readers) == 1:
                ((reader, port),) = readers
                parts += (known[reader], port)
            else:
                for pair in sorted([(known[reader], port) for reader, port in readers]):
                    parts += pair
        if node in self._ends:
            for port, tensor in enumerate(self.view.nodes[node].outputs):
                for number in self.view.outputs.get(tensor, ()):
                    parts += (-1 - port, -1 - number)
        return parts

    def op_type(self, node: int) -> str:
        return self.view.nodes[node].op_type

    def near(self, without: Container[int]) -> list[int | None]:
        """What each node is and stands next to; None of those `without` which it may do."""
        return [
            None
            if node in without
            else self._number((near, *self._above(node, self.near0), *self._below(node, self.near0)))
            for node, near in enumerate(self.near0)
        ]

    def valued(self, without: Container[int]) -> list[int | None]:
        """What each node is with its constants; None of one that has none: it could be any; and of those `without`."""
        constants = self.view.constants
        return [
            near if number not in without and any(tensor in constants for tensor in node.inputs) else None
            for number, (near, node) in enumerate(zip(self.near0, self.view.nodes, strict=True))
        ]


_Alike = Callable[[_Side, int], Hashable]


def _what(side: _Side, node: int) -> Hashable:
    return side.what[node]
