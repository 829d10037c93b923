"""Which nodes of two graphs are the same, whatever they are called.

A node is known by what it is (op type, attributes), by everything that leads to it and by everything it leads to.
Equal cones get equal numbers, each computed once, so that comparing two is comparing integers. Nodes are matched from
the most to the least certain: by both cones, by one of them, through the tensors that matched nodes share, by what is
near them; then those that changed, where they stand between matched ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping

from .alignment import aligned, rising
from .graph_view import Tensor, View

_Ports = list[tuple[int, int]]  # nodes, each with the number of its input or output

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
        self._pair_unique(old.valued(), new.valued())
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
        for node in side.order:
            if node not in taken:
                reached: set[Hashable] = set()
                for tensor in view.nodes[node].inputs:
                    maker = view.producers.get(tensor)
                    if maker is None:
                        reached.add(view.inputs.get(tensor))
                    elif maker[0] in taken:
                        reached.add((called[maker[0]], maker[1]))
                    else:
                        reached |= up.get(maker[0], _NOWHERE)
                up[node] = frozenset(reached) if len(reached) <= _WIDEST else _NOWHERE
        for node in reversed(side.order):
            if node not in taken:
                reached = set()
                for tensor in view.nodes[node].outputs:
                    reached.update(("output", number) for number in view.outputs.get(tensor, ()))
                    for reader, port in view.consumers.get(tensor, ()):
                        if reader in taken:
                            reached.add((called[reader], port))
                        else:
                            reached |= down.get(reader, _NOWHERE)
                down[node] = frozenset(reached) if len(reached) <= _WIDEST else _NOWHERE
        found: dict[Hashable, list[int]] = defaultdict(list)
        for node in side.order:
            if node not in taken:
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
        for node, each in enumerate(old.nodes):
            if node not in self.forward:
                near.update(old.producers[tensor][0] for tensor in each.inputs if tensor in old.producers)
                near.update(reader for tensor in each.outputs for reader, _ in old.consumers.get(tensor, ()))
        self._spread([(node, self.forward[node]) for node in near if node in self.forward], alike)

    def _spread(self, pairs: list[tuple[int, int]], alike: _Alike) -> None:
        while pairs:
            for mine, theirs in self._around(*pairs.pop()):
                self._compare(mine, theirs, alike, pairs)

    def _compare(self, mine: _Ports, theirs: _Ports, alike: _Alike, found: list[tuple[int, int]]) -> None:
        """Pairs what is alike at one place of both graphs, if it is the only one of its kind there."""
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

    def _around(self, old: int, new: int) -> Iterator[tuple[_Ports, _Ports]]:
        """What stands at each tensor of a matched pair: who reads its outputs, who makes its inputs."""
        before, after = self._views
        for mine, theirs in zip(before.nodes[old].outputs, after.nodes[new].outputs, strict=False):
            if mine in before.consumers and theirs in after.consumers:
                yield before.consumers[mine], after.consumers[theirs]
        for mine, theirs in zip(before.nodes[old].inputs, after.nodes[new].inputs, strict=False):
            if mine in before.producers and theirs in after.producers:
                yield [before.producers[mine]], [after.producers[theirs]]

    def _ends(self) -> Iterator[tuple[_Ports, _Ports]]:
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


class _Side:
    """What the nodes of one graph are known by, as numbers."""

    def __init__(self, view: View, number: Callable[[Hashable], int]) -> None:
        self.view = view
        nodes, producers, consumers = view.nodes, view.producers, view.consumers
        constants, outputs = view.constants, view.outputs
        self.order = order = view.order()
        self._number = number
        self.what = [
            number((each.op_type, each.domain, each.attributes, len(each.inputs), len(each.outputs))) for each in nodes
        ]
        source: dict[Tensor | None, int] = {None: number("left out")}
        source.update((tensor, number(("constant", content))) for tensor, content in constants.items())
        source.update((tensor, number(("input", place))) for tensor, place in view.inputs.items())
        self._source = source
        lost = number("lost")
        #: What each node is, with the constants and the inputs of the graph that it reads.
        self.near0 = [
            number((what, *[source.get(tensor, -1) for tensor in node.inputs]))
            for what, node in zip(self.what, nodes, strict=True)
        ]
        #: Everything that leads to each node.
        self.up = [lost] * len(nodes)
        for index in order:
            parts: list[Hashable] = [self.near0[index]]
            for tensor in nodes[index].inputs:
                made = producers.get(tensor)
                if made is not None:
                    parts.append((self.up[made[0]], made[1]))
            self.up[index] = number(tuple(parts))
        #: Everything that each node leads to.
        self.down = [lost] * len(nodes)
        for index in reversed(order):
            ends: list[Hashable] = [self.near0[index], "down"]
            for tensor in nodes[index].outputs:
                readers = consumers.get(tensor, ())
                read = [(self.down[reader], port) for reader, port in readers]
                ends.append(tuple(sorted(read)) if len(read) > 1 else tuple(read))
                if tensor in outputs:
                    ends.append(("output", *outputs[tensor]))
            self.down[index] = number(tuple(ends))
        #: Both, as one number.
        self.whole = [(up << 32) | down for up, down in zip(self.up, self.down, strict=True)]

    def op_type(self, node: int) -> str:
        return self.view.nodes[node].op_type

    def near(self, without: Container[int]) -> list[int | None]:
        """What each node is and stands next to; None of those `without` which it may do."""
        return [None if node in without else self._ring(node) for node in range(len(self.what))]

    def _ring(self, node: int) -> int:
        view, near0 = self.view, self.near0
        around: list[Hashable] = [near0[node]]
        for tensor in view.nodes[node].inputs:
            maker = view.producers.get(tensor)
            around.append(-1 if maker is None else near0[maker[0]])
        for tensor in view.nodes[node].outputs:
            around.append(tuple(sorted([(near0[reader], port) for reader, port in view.consumers.get(tensor, ())])))
            around.append(tuple(view.outputs.get(tensor, ())))
        return self._number(tuple(around))

    def valued(self) -> list[int | None]:
        """What each node is with its constants; None of one that has none: it could be any."""
        constants = self.view.constants
        return [
            near if any(tensor in constants for tensor in node.inputs) else None
            for near, node in zip(self.near0, self.view.nodes, strict=True)
        ]


_Alike = Callable[[_Side, int], Hashable]


def _what(side: _Side, node: int) -> Hashable:
    return side.what[node]
