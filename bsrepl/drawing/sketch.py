"""What is drawn: boxes with the tensors that they read and make, of one graph or of two that are merged."""

from __future__ import annotations

from collections.abc import Iterator
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
    boxes += [Box(INPUT, graph, -1, (), (tensor,), tensor[0]) for tensor in _inputs(graph)]
    boxes += [Box(OUTPUT, graph, -1, (tensor,), (), tensor[0]) for tensor in _outputs(graph)]
    return Sketch(boxes, dict(graph.scopes))


def of_difference(difference: Difference) -> Sketch:
    """The sketch of two graphs: the nodes of the new one, by their numbers, what was removed, the inputs and outputs.

    A node that is in both reads what it reads in either.
    """
    old, new, names = difference.old, difference.new, Names(difference)
    changes = notes(difference)
    boxes: list[Box] = []
    for number, node in enumerate(new.nodes):
        reads, makes = _ports(new, number)
        before = difference.match.backward.get(number)
        if before is not None:
            reads = tuple(dict.fromkeys((*reads, *map(names.of, _ports(old, before)[0]))))
        note = changes.get(number, "")
        boxes.append(
            Box(NODE, new, number, reads, makes, node.scope, "+" if before is None else "~" if note else " ", note)
        )
    first = len(boxes)
    for number in difference.removed:
        reads, makes = (tuple(map(names.of, tensors)) for tensors in _ports(old, number))
        boxes.append(Box(NODE, old, number, reads, makes, names.scope(old.nodes[number].scope), "-"))
    places = {number: first + place for place, number in enumerate(difference.removed)}
    scopes = {names.scope(scope): Scope(label, places[owner]) for scope, (label, owner) in old.scopes.items()
              if owner in places}  # fmt: skip
    return Sketch([*boxes, *_merged_ends(difference, names)], {**new.scopes, **scopes})


def of_sides(difference: Difference) -> tuple[Sketch, Sketch]:
    """The sketches of both graphs, with signs and notes of what changed."""
    before, after = of_graph(difference.old), of_graph(difference.new)
    changes = notes(difference)
    removed, inserted = set(difference.removed), set(difference.inserted)
    for number, box in enumerate(before.boxes):
        note = changes.get(difference.match.forward.get(box.number, -1), "") if box.kind == NODE else ""
        sign = "-" if box.number in removed else "~" if note else " "
        before.boxes[number] = box._replace(sign=sign, note=note)
    for number, box in enumerate(after.boxes):
        note = changes.get(box.number, "")
        after.boxes[number] = box._replace(sign="+" if box.number in inserted else "~" if note else " ", note=note)
    return before, after


def notes(difference: Difference) -> dict[int, str]:
    """What changed of the nodes that are in both graphs, by their numbers in the new one."""
    moved = dict.fromkeys((after for _, after in difference.moved), "reads from another node")
    return moved | {edit.new: ", ".join(edit.changes) for edit in difference.edited}


class Names(dict[Tensor, Tensor]):
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


def _merged_ends(difference: Difference, names: Names) -> Iterator[Box]:
    """The inputs of either graph; the outputs, which read what they are in either."""
    old, new = difference.old, difference.new
    before = {names.of(tensor) for tensor in _inputs(old)}
    now = set(_inputs(new))
    for tensor in _inputs(new):
        yield Box(INPUT, new, -1, (), (tensor,), tensor[0], " " if tensor in before else "+")
    for tensor in _inputs(old):
        name = names.of(tensor)
        if name not in now:
            yield Box(INPUT, old, -1, (), (name,), names.scope(tensor[0]), "-")
    places = {place: names.of(tensor) for tensor in _outputs(old) for place in old.outputs[tensor]}
    for tensor in _outputs(new):
        were = [places.pop(place) for place in new.outputs[tensor] if place in places]
        yield Box(OUTPUT, new, -1, tuple(dict.fromkeys((tensor, *were))), (), tensor[0], " " if were else "+")
    for tensor in _outputs(old):
        if any(place in places for place in old.outputs[tensor]):
            yield Box(OUTPUT, old, -1, (names.of(tensor),), (), names.scope(tensor[0]), "-")


def _ports(graph: View, number: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """The tensors that a node reads, without constants, and those that it makes."""
    node = graph.nodes[number]
    reads = (tensor for tensor in node.inputs if tensor is not None and tensor not in graph.constants)
    makes = (tensor for port, tensor in enumerate(node.outputs) if tensor and graph.producer(tensor) == (number, port))
    return tuple(dict.fromkeys(reads)), tuple(makes)


def _inputs(graph: View) -> list[Tensor]:
    return [tensor for tensor in graph.inputs if tensor is not None]


def _outputs(graph: View) -> list[Tensor]:
    """The outputs of the graph and of its functions."""
    return [tensor for tensor in graph.outputs if tensor is not None]
