"""What is drawn: boxes with the tensors that they read and make, of one graph or of two that are merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..graphdiff.difference import Difference
from ..graphdiff.view import Scope, Tensor, View

INPUT, NODE, OUTPUT = "input", "node", "output"


class Box(NamedTuple):
    """A node, an input or an output."""

    kind: str  # INPUT, NODE or OUTPUT
    graph: View  # that it is of
    number: int  # of the node; -1 for an input or an output
    reads: tuple[Tensor, ...]
    makes: tuple[Tensor, ...]
    scope: str
    sign: str = " "  # `+`, `-` or `~`
    note: str = ""  # what changed of it

    @property
    def name(self) -> str:
        """The name of a node, of an unnamed one that of its first output; the name of an input or an output."""
        if self.kind != NODE:
            return (self.makes or self.reads)[0][1]
        node = self.graph.nodes[self.number]
        return node.name or next((tensor[1] for tensor in node.outputs if tensor is not None), "")


@dataclass
class Sketch:
    """Boxes in no particular order, and the scopes that they are in; a scope is owned by the box of its number."""

    boxes: list[Box] = field(default_factory=list)
    scopes: dict[str, Scope] = field(default_factory=dict)

    def producers(self) -> dict[Tensor, int]:
        """The box that makes each tensor."""
        makers: dict[Tensor, int] = {}
        for number, box in enumerate(self.boxes):
            for tensor in box.makes:
                makers.setdefault(tensor, number)
        return makers

    def readers(self) -> dict[Tensor, list[int]]:
        """The boxes that read each tensor."""
        readers: dict[Tensor, list[int]] = {}
        for number, box in enumerate(self.boxes):
            for tensor in dict.fromkeys(box.reads):
                readers.setdefault(tensor, []).append(number)
        return readers


def of_graph(graph: View) -> Sketch:
    """The sketch of one graph: the nodes come first, by their numbers."""
    boxes = [Box(NODE, graph, number, *_ports(graph, number), node.scope) for number, node in enumerate(graph.nodes)]
    return Sketch([*boxes, *_ends(graph, {}, " ")], dict(graph.scopes))


def of_difference(difference: Difference) -> Sketch:
    """The sketch of two graphs: the nodes of the new one, by their numbers, then what was removed.

    A node that is in both reads what it reads in either.
    """
    old, new, match = difference.old, difference.new, difference.match
    names = _Names(difference)
    edits = {edit.new: ", ".join(edit.changes) for edit in difference.edited}
    moved = dict.fromkeys((after for _, after in difference.moved), "reads from another node")
    boxes: list[Box] = []
    for number, node in enumerate(new.nodes):
        reads, makes = _ports(new, number)
        before = match.backward.get(number)
        if before is not None:
            reads = tuple(dict.fromkeys((*reads, *map(names.of, _ports(old, before)[0]))))
        note = edits.get(number) or moved.get(number, "")
        sign = "+" if before is None else "~" if note else " "
        boxes.append(Box(NODE, new, number, reads, makes, node.scope, sign, note))
    removed = {number: len(boxes) + place for place, number in enumerate(difference.removed)}
    scopes = {names.scope(scope): Scope(label, removed[owner]) for scope, (label, owner) in old.scopes.items()
              if owner in removed}  # fmt: skip
    for number in difference.removed:
        reads, makes = (tuple(map(names.of, tensors)) for tensors in _ports(old, number))
        boxes.append(Box(NODE, old, number, reads, makes, names.scope(old.nodes[number].scope), "-"))
    boxes += _ends(new, {}, " ", {names.of(tensor) for tensor in old.inputs if tensor is not None})
    known = {tensor for box in boxes for tensor in box.makes}
    boxes += [box for box in _ends(old, names, "-") if box.kind == INPUT and not set(box.makes) & known]
    return Sketch(boxes, {**new.scopes, **scopes})


class _Names(dict[Tensor, Tensor]):
    """What the tensors and scopes of the old graph are called in a merged sketch."""

    def __init__(self, difference: Difference) -> None:
        super().__init__((old, new) for old, new in difference.tensors.items() if old is not None)
        match = difference.match
        places = {(label, owner): scope for scope, (label, owner) in difference.new.scopes.items()}
        self._scopes = {"": ""}
        for scope, (label, owner) in difference.old.scopes.items():
            there = places.get((label, None if owner is None else match.forward.get(owner)))
            self._scopes[scope] = there if there is not None else f"-{scope}"

    def of(self, tensor: Tensor) -> Tensor:
        return self.get(tensor) or (f"-{tensor[0]}", tensor[1])

    def scope(self, scope: str) -> str:
        return self._scopes.get(scope, scope)


def _ports(graph: View, number: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The tensors that a node reads, without constants, and those that it makes."""
    node = graph.nodes[number]
    reads = (tensor for tensor in node.inputs if tensor is not None and tensor not in graph.constants)
    makes = (tensor for port, tensor in enumerate(node.outputs) if tensor and graph.producers[tensor] == (number, port))
    return tuple(dict.fromkeys(reads)), tuple(makes)


def _ends(graph: View, names: Mapping[Tensor, Tensor], sign: str, old: set[Tensor] | None = None) -> Iterator[Box]:
    """The inputs, and the outputs of the graph and its functions; an output that is a constant is left out."""
    for tensor in graph.inputs:
        if tensor is not None:
            name = names.get(tensor, tensor)
            yield Box(INPUT, graph, -1, (), (name,), tensor[0], "+" if old is not None and name not in old else sign)
    for tensor in graph.outputs:
        if (
            tensor is not None
            and tensor not in graph.constants
            and (not tensor[0] or tensor[0].startswith("function "))
        ):
            yield Box(OUTPUT, graph, -1, (names.get(tensor, tensor),), (), tensor[0], sign)
