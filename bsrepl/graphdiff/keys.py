"""What the nodes of one graph are recognised by: what they are, what leads to them, what they lead to, as numbers.

Equal keys get equal numbers, so that comparing two nodes of two graphs is comparing integers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping, Sequence

from .view import Tensor, View

_WIDEST = 64  # matched nodes around an unmatched one; a larger set is taken for the empty one
_NOWHERE: frozenset[Hashable] = frozenset()


class Keys:
    """The keys of the nodes of one graph. `number` gives equal keys the same number, across both graphs."""

    def __init__(self, view: View, number: Callable[[Hashable], int]) -> None:
        self.view = view
        nodes, constants = view.nodes, view.constants
        self.order = order = view.order()
        self._number = number
        self._ends = {view.producers[tensor][0] for tensor in view.outputs if tensor in view.producers}
        self._unordered = [len(node.inputs) > 1 and node.is_commutative for node in nodes]
        #: What each node is: op type, domain, attributes, number of inputs and outputs.
        self.kinds = [
            number((node.op_type, node.domain, node.attributes, len(node.inputs), len(node.outputs))) for node in nodes
        ]
        source: dict[Tensor | None, int] = {None: number("left out")}
        source.update((tensor, number(("constant", content))) for tensor, content in constants.items())
        source.update((tensor, number(("input", place))) for tensor, place in view.inputs.items())
        unknown = number("unknown")
        #: What each node is, with the constants and the inputs of the graph that it reads.
        self.own = []
        for kind, node, is_unordered in zip(self.kinds, nodes, self._unordered, strict=True):
            read = [source.get(tensor, -1) for tensor in node.inputs]
            self.own.append(number((kind, *(sorted(read) if is_unordered else read))))
        #: Everything that leads to each node.
        self.up = [unknown] * len(nodes)
        for index in order:
            self.up[index] = number((self.own[index], *self._above(index, self.up)))
        #: Everything that each node leads to.
        self.down = [unknown] * len(nodes)
        for index in reversed(order):
            self.down[index] = number((self.own[index], *self._below(index, self.down)))
        #: Both, as one number.
        self.whole = [(up << 32) | down for up, down in zip(self.up, self.down, strict=True)]

    def _above(self, node: int, known: Sequence[int]) -> Sequence[int]:
        """The key and the output of the node that produces each input of a node; -1 where no node does."""
        makers = self.view.makers[node]
        if self._unordered[node]:
            pairs = [(known[maker[0]], maker[1]) for maker in makers if maker is not None]
            return pairs[0] if len(pairs) == 1 else [part for pair in sorted(pairs) for part in pair]
        if len(makers) == 1 and (maker := makers[0]) is not None:  # as it is nearly everywhere
            return known[maker[0]], maker[1]
        parts: list[int] = []
        for producer in makers:
            if producer is None:
                parts.append(-1)
            else:
                parts += (known[producer[0]], producer[1])
        return parts

    def _below(self, node: int, known: Sequence[int]) -> Sequence[int]:
        """The keys and the inputs of the nodes that read the outputs of a node, in no particular order; then, as
        numbers below zero, which outputs of the graph its outputs are."""
        unordered = self._unordered
        outputs = self.view.readers[node]
        if len(outputs) == 1 and len(outputs[0]) == 1 and node not in self._ends:  # as it is nearly everywhere
            ((reader, port),) = outputs[0]
            return 1, known[reader], 0 if unordered[reader] else port
        parts: list[int] = []
        for readers in outputs:
            parts.append(len(readers))
            if len(readers) == 1:
                ((reader, port),) = readers
                parts += (known[reader], 0 if unordered[reader] else port)
            else:
                for pair in sorted([(known[reader], 0 if unordered[reader] else port) for reader, port in readers]):
                    parts += pair
        if node in self._ends:
            for port, tensor in enumerate(self.view.nodes[node].outputs):
                for number in self.view.outputs.get(tensor, ()):
                    parts += (-1 - port, -1 - self._number(("output", number)))
        return parts

    def kind(self, node: int) -> Hashable:
        return self.kinds[node]

    def op_type(self, node: int) -> Hashable:
        return self.view.nodes[node].op_type

    def near(self, without: Container[int]) -> list[int | None]:
        """What each node is and what its neighbours are; None for the nodes in `without`."""
        return [
            None if node in without else self._number((own, *self._above(node, self.own), *self._below(node, self.own)))
            for node, own in enumerate(self.own)
        ]

    def valued(self, without: Container[int]) -> list[int | None]:
        """What each node is with its constants; None for a node without constants, which is like any other of its
        kind, and for the nodes in `without`."""
        constants = self.view.constants
        return [
            own if number not in without and any(tensor in constants for tensor in node.inputs) else None
            for number, (own, node) in enumerate(zip(self.own, self.view.nodes, strict=True))
        ]

    def around(self, start: Iterable[int], matched: Container[int]) -> list[int]:
        """The unmatched nodes that are connected to some nodes through unmatched ones alone, in order."""
        view = self.view
        connected: set[int] = set()
        waiting = list(start)
        while waiting:
            node = waiting.pop()
            near = [maker[0] for maker in view.makers[node] if maker is not None]
            near += [reader for readers in view.readers[node] for reader, _ in readers]
            for other in near:
                if other not in connected and other not in matched:
                    connected.add(other)
                    waiting.append(other)
        return [node for node in self.order if node in connected] if connected else []

    def enclosed(self, matched: Mapping[int, int], unmatched: Sequence[int]) -> dict[Hashable, list[int]]:
        """Unmatched nodes, given in order and with all that they are connected to, by the nearest matched ones around.

        `matched` maps matched nodes to the names that stand for them.
        """
        up: dict[int, frozenset[Hashable]] = {}
        down: dict[int, frozenset[Hashable]] = {}
        for node in unmatched:
            up[node] = _union(self._reached_above(node, matched, up))
        for node in reversed(unmatched):
            down[node] = _union(self._reached_below(node, matched, down))
        places: dict[Hashable, list[int]] = {}
        for node in unmatched:
            places.setdefault((up[node], down[node]), []).append(node)
        return places

    def _reached_above(
        self, node: int, matched: Mapping[int, int], known: Mapping[int, frozenset[Hashable]]
    ) -> list[frozenset[Hashable]]:
        view = self.view
        reached: list[frozenset[Hashable]] = []
        for tensor, producer in zip(view.nodes[node].inputs, view.makers[node], strict=True):
            if producer is None:
                if tensor in view.inputs:
                    reached.append(frozenset((view.inputs[tensor],)))
            elif producer[0] in matched:
                reached.append(frozenset(((matched[producer[0]], producer[1]),)))
            else:
                reached.append(known.get(producer[0], _NOWHERE))
        return reached

    def _reached_below(
        self, node: int, matched: Mapping[int, int], known: Mapping[int, frozenset[Hashable]]
    ) -> list[frozenset[Hashable]]:
        view = self.view
        reached: list[frozenset[Hashable]] = []
        for tensor, readers in zip(view.nodes[node].outputs, view.readers[node], strict=True):
            if tensor in view.outputs:
                reached += [frozenset((("output", number),)) for number in view.outputs[tensor]]
            for reader, port in readers:
                if reader in matched:
                    reached.append(frozenset(((matched[reader], port),)))
                else:
                    reached.append(known.get(reader, _NOWHERE))
        return reached


def _union(sets: Sequence[frozenset[Hashable]]) -> frozenset[Hashable]:
    """The union of sets; the empty set if it is so large that it distinguishes nothing."""
    if len(sets) == 1:
        return sets[0]
    union = _NOWHERE
    for members in sets:
        union = union | members if union else members
        if len(union) > _WIDEST:
            return _NOWHERE
    return union


def unmatched_by_key(keys: Iterable[Hashable], matched: Container[int]) -> dict[Hashable, list[int]]:
    """The unmatched nodes by their keys; nodes with the key None are left out."""
    buckets: dict[Hashable, list[int]] = {}
    for node, key in enumerate(keys):
        if node not in matched and key is not None:
            buckets.setdefault(key, []).append(node)
    return buckets


def unique_by_key(keys: Iterable[Hashable], matched: Container[int]) -> dict[Hashable, int | None]:
    """The unmatched nodes by their keys; None where several have one. Nodes with the key None are left out."""
    nodes: dict[Hashable, int | None] = {}
    for node, key in enumerate(keys):
        if key is not None and node not in matched:
            nodes[key] = None if key in nodes else node
    return nodes
