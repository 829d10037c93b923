"""What the nodes of one graph are recognised by: what they are, what leads to them, what they lead to, as numbers.

Equal keys get equal numbers, so that comparing two nodes of two graphs is comparing integers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Sequence

from .constants import values_of
from .view import Port, Tensor, View

_FIRST = 64  # weights whose signs are compared


class Keys:
    """The keys of the nodes of one graph. `number` gives equal keys the same number, across both graphs.

    A key that no node of the old graph has pairs nothing: in the new graph `number` may give None for it, and a key
    that is made of None is None itself.
    """

    def __init__(self, view: View, number: Callable[[Hashable], int | None]) -> None:
        self.view = view
        self.order = view.order()
        self._number = number
        self._ends = {port[0] for tensor in view.outputs if (port := view.producer(tensor)) is not None}
        self._unordered = [len(node.inputs) > 1 and node.is_commutative for node in view.nodes]
        self._only_above = [
            makers[0] if len(makers) == 1 else self._only_maker(node) for node, makers in enumerate(view.makers)
        ]
        self._only_below = [
            outputs[0][0] if len(outputs) == 1 == len(outputs[0]) and node not in self._ends else None
            for node, outputs in enumerate(view.readers)
        ]
        #: What each node is: op type, domain, attributes, number of inputs and outputs.
        self.kinds = [
            number((node.op_type, node.domain, node.attributes, len(node.inputs), len(node.outputs)))
            for node in view.nodes
        ]
        #: What each node is, with the constants and the inputs of the graph that it reads.
        self.own = list(self._owns())
        #: Everything that leads to each node.
        self.up = self._ups()
        #: Everything that each node leads to.
        self.down = self._downs()

    def whole(self) -> Iterator[int | None]:
        """Everything that leads to each node and that it leads to, as one number."""
        for up, down in zip(self.up, self.down, strict=True):
            yield None if up is None or down is None else (up << 32) | down

    def _owns(self) -> Iterator[int | None]:
        view, number = self.view, self._number
        source: dict[Tensor | None, int | None] = {None: number("left out")}
        source.update((tensor, number(("constant", content))) for tensor, content in view.constants.items())
        source.update((tensor, number(("input", place))) for tensor, place in view.inputs.items())
        reading = view.constant_readers | {node for tensor in view.inputs for node, _ in view.consumers_of(tensor)}
        plain: dict[int | None, int | None] = {}  # the keys of nodes of one kind that read other nodes alone
        for index, (kind, node, is_unordered) in enumerate(zip(self.kinds, view.nodes, self._unordered, strict=True)):
            if index not in reading and None not in node.inputs:
                if kind not in plain:
                    plain[kind] = number((kind, *[-1] * len(node.inputs)))
                yield plain[kind]
                continue
            read = [source.get(tensor, -1) for tensor in node.inputs]
            if is_unordered and None not in read:
                yield number((kind, *sorted([part for part in read if part is not None])))
            else:
                yield number((kind, *read))

    def _ups(self) -> list[int | None]:
        own, only, number = self.own, self._only_above, self._number
        known = [number("unknown")] * len(own)
        for node in self.order:
            if own[node] is None:
                known[node] = None
            elif (maker := only[node]) is not None:
                above, port = maker
                known[node] = None if known[above] is None else number((own[node], known[above], port))
            else:
                known[node] = number((own[node], *self._above(node, known)))
        return known

    def _downs(self) -> list[int | None]:
        own, only, number, unordered = self.own, self._only_below, self._number, self._unordered
        known = [number("unknown")] * len(own)
        for node in reversed(self.order):
            if own[node] is None:
                known[node] = None
            elif (only_reader := only[node]) is not None:
                reader, port = only_reader
                below = known[reader]
                known[node] = None if below is None else number((own[node], 1, below, 0 if unordered[reader] else port))
            else:
                known[node] = number((own[node], *self._below(node, known)))
        return known

    def _only_maker(self, node: int) -> Port | None:
        """The only output that a node of several inputs in no order reads; None if there are several."""
        if not self._unordered[node]:
            return None
        makers = [maker for maker in self.view.makers[node] if maker is not None]
        return makers[0] if len(makers) == 1 else None

    def _above(self, node: int, known: Sequence[int | None]) -> Sequence[int | None]:
        """The key and the output of the node that produces each input of a node; -1 where no node does."""
        makers = self.view.makers[node]
        if self._unordered[node]:
            pairs = [(known[maker[0]], maker[1]) for maker in makers if maker is not None]
            return _in_order(pairs)
        parts: list[int | None] = []
        for producer in makers:
            if producer is None:
                parts.append(-1)
            else:
                parts += (known[producer[0]], producer[1])
        return parts

    def _below(self, node: int, known: Sequence[int | None]) -> Sequence[int | None]:
        """The keys and the inputs of the nodes that read the outputs of a node, in no particular order; then, as
        numbers below zero, which outputs of the graph its outputs are."""
        unordered = self._unordered
        parts: list[int | None] = []
        for readers in self.view.readers[node]:
            parts.append(len(readers))
            parts += _in_order([(known[reader], 0 if unordered[reader] else port) for reader, port in readers])
        if node in self._ends:
            for port, tensor in enumerate(self.view.nodes[node].outputs):
                for place in self.view.outputs.get(tensor, ()):
                    number = self._number(("output", place))
                    parts += (-1 - port, None if number is None else -1 - number)
        return parts

    def op_types(self) -> list[str]:
        return [node.op_type for node in self.view.nodes]

    def near(self, without: Container[int]) -> list[int | None]:
        """What each node is and what its neighbours are; None for the nodes in `without`."""
        return [
            None if node in without or own is None else self._number((own, *self._neighbours(node)))
            for node, own in enumerate(self.own)
        ]

    def _neighbours(self, node: int) -> Sequence[int | None]:
        own, maker, reader = self.own, self._only_above[node], self._only_below[node]
        if maker is not None and reader is not None:
            return own[maker[0]], maker[1], 1, own[reader[0]], 0 if self._unordered[reader[0]] else reader[1]
        return *self._above(node, own), *self._below(node, own)

    def valued(self, without: Container[int]) -> list[int | None]:
        """What each node is with its constants; None for a node without constants, which is like any other of its
        kind, and for the nodes in `without`."""
        readers = self.view.constant_readers
        return [own if node in readers and node not in without else None for node, own in enumerate(self.own)]

    def signed(self, without: Container[int]) -> list[int | None]:
        """What each node is with the signs of its first weights, which a positive scale leaves as they are; None for a
        node without weights of two axes, and for the nodes in `without`."""
        found: list[int | None] = [None] * len(self.kinds)
        for node in self.view.constant_readers:
            if node not in without:
                signs = [_signs(self.view, tensor) for tensor in self.view.nodes[node].inputs]
                found[node] = self._number((self.kinds[node], *signs)) if any(signs) else None
        return found


def _signs(view: View, tensor: Tensor | None) -> bytes:
    """Those of the first values of a constant that has two axes or more."""
    if tensor not in view.stored or len(view.constants[tensor].shape) < 2:
        return b""
    values = values_of(view.stored[tensor])
    return b"" if values is None or values.dtype.kind != "f" else (values.ravel()[:_FIRST] > 0).tobytes()


def _in_order(pairs: Sequence[tuple[int | None, int]]) -> Sequence[int | None]:
    """Pairs of a key and a port, in an order of their own, as one list; of a key that is None, that alone."""
    if len(pairs) == 1:
        return pairs[0]
    known = [(key, port) for key, port in pairs if key is not None]
    return [part for pair in sorted(known) for part in pair] if len(known) == len(pairs) else (None,)


def unmatched_by_key(keys: Iterable[int | None], matched: Container[int]) -> dict[int, list[int]]:
    """The unmatched nodes by their keys; nodes with the key None are left out."""
    buckets: dict[int, list[int]] = {}
    for node, key in enumerate(keys):
        if key is not None and node not in matched:
            buckets.setdefault(key, []).append(node)
    return buckets


def unique_by_key(keys: Iterable[int | None], matched: Container[int]) -> dict[int, int | None]:
    """The unmatched nodes by their keys; None where several have one. Nodes with the key None are left out."""
    nodes: dict[int, int | None] = {}
    for node, key in enumerate(keys):
        if key is not None and node not in matched:
            nodes[key] = None if key in nodes else node
    return nodes
