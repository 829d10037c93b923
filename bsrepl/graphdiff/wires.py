"""Which node produces each tensor and which nodes read it, found out by numbers that tensors get as they are read.

Behind the names, all of it works on lists and integers: in a large graph each look-up of a tensor waits for memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .names import LEFT_OUT, Names
from .view import Port, Tensor, View

if TYPE_CHECKING:
    from onnx import NodeProto


class Wires:
    """The tensors of a graph by their numbers, and those that each node reads and produces."""

    def __init__(self) -> None:
        self.tensors: list[Tensor | None] = [None]
        self.constants: set[int] = set()
        self.reads: list[tuple[int, ...]] = []  # node -> the tensors that it reads
        self.makes: list[tuple[int, ...]] = []  # node -> the tensors that it produces
        self._names: dict[str, Names] = {}

    def scope(self, scope: str, outer: Names | None, nodes: Iterable[NodeProto]) -> Names:
        """The names that nodes see in a scope of their own, in the graphs that see the names `outer`."""
        if scope not in self._names:
            self._names[scope] = Names(outer, scope, self.tensors, nodes)
        return self._names[scope]

    def _sort(self, graph: View) -> None:
        """Lets the constants that a commutative node reads come last."""
        for index, node in enumerate(graph.nodes):
            reads = self.reads[index]
            if len(reads) > 1 and node.is_commutative:
                ordered = (*sorted(reads, key=self.constants.__contains__),)
                if ordered != reads:
                    self.reads[index] = ordered
                    graph.nodes[index] = node._replace(inputs=tuple([self.tensors[number] for number in ordered]))
                    graph.sorted.add(index)

    def connect(self, graph: View) -> None:
        """Tells a graph what produces and what reads its tensors."""
        self._sort(graph)
        producers: list[Port | None] = [None] * len(self.tensors)
        consumers: list[Sequence[Port]] = [()] * len(self.tensors)
        repeated: list[Port] = []  # outputs that another node produces, too: they count for nothing
        for index, (reads, makes) in enumerate(zip(self.reads, self.makes, strict=True)):
            first = index, 0  # one value for the first input and the first output: less memory to wait for
            for port, tensor in enumerate(makes):
                here = (index, port) if port else first
                if producers[tensor] is not None:
                    repeated.append(here)
                elif tensor != LEFT_OUT:
                    producers[tensor] = here
            for port, tensor in enumerate(reads):
                if tensor != LEFT_OUT:
                    here = (index, port) if port else first
                    known = consumers[tensor]
                    if not known:
                        consumers[tensor] = (here,)
                    elif isinstance(known, list):
                        known.append(here)
                    else:
                        consumers[tensor] = [*known, here]
        graph.numbers, graph.tensors, graph.producers, graph.consumers = self._names, self.tensors, producers, consumers
        graph.constant_readers = {node for constant in self.constants for node, _ in consumers[constant]}
        made_by, read_by = producers.__getitem__, consumers.__getitem__
        graph.makers = [(*map(made_by, reads),) for reads in self.reads]  # quicker than calling tuple()
        graph.readers = [(*map(read_by, makes),) for makes in self.makes]
        for index, port in repeated:
            readers = graph.readers[index]
            graph.readers[index] = (*readers[:port], (), *readers[port + 1 :])
