"""What a transformation did to a model: the difference of two ONNX graphs, whatever their nodes are called.

    difference = between(before, after)
    difference.removed, difference.inserted, difference.edited, difference.moved

Renaming is no change. What was removed and what was inserted is grouped into rewrites by the tensors at which they
meet; rewrites of one shape are told apart from others by `Rewrite.shape`.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .match import Match
from .view import Content, Node, Tensor, View, attribute_value, view

if TYPE_CHECKING:
    from onnx import ModelProto


class Edit(NamedTuple):
    """A node that is the same and differs: what it has in the old graph and in the new one."""

    old: int
    new: int
    changes: tuple[str, ...]  # `kernel_shape [3, 3] -> [5, 5]`, `input 1 has other values`


class Rewrite(NamedTuple):
    """Nodes that were removed and those that came in their place, by their numbers, in the order of the graph."""

    removed: tuple[int, ...]
    inserted: tuple[int, ...]
    shape: tuple[tuple[str, ...], tuple[str, ...]]  # the op types of both


@dataclass
class Difference:
    """The difference of two graphs. False if there is none; renaming alone is none."""

    old: View
    new: View
    match: Match
    removed: list[int] = field(default_factory=list)  # nodes of the old graph
    inserted: list[int] = field(default_factory=list)  # nodes of the new graph
    edited: list[Edit] = field(default_factory=list)
    moved: list[tuple[int, int]] = field(default_factory=list)  # they read from something else than they did
    rewrites: list[Rewrite] = field(default_factory=list)
    tensors: dict[Tensor | None, Tensor] = field(default_factory=dict)  # of the old graph, and what they are in the new
    renamed: int = 0  # nodes and tensors that have another name
    annotated: Counter[str] = field(default_factory=Counter)  # tensors by what became known of them or changed
    interface: list[str] = field(default_factory=list)  # what changed of the inputs, the outputs, the opsets

    def __bool__(self) -> bool:
        return bool(
            self.removed or self.inserted or self.edited or self.moved or self.annotated or self.interface
        )  # fmt: skip

    @property
    def untouched(self) -> int:
        """How many nodes are what they were, where they were."""
        return len(self.match.forward) - len({edit.old for edit in self.edited} | {old for old, _ in self.moved})

    @property
    def is_renamed_only(self) -> bool:
        return not self and bool(self.renamed)


def between(before: Any, after: Any) -> Difference:
    """The difference of two models: `ModelProto`s, QONNX's `ModelWrapper`s, or `View`s."""
    with _without_collecting():
        return _between(_viewed(before), _viewed(after))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A diff makes a great many values and no garbage: looking for some would take a third of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _between(old: View, new: View) -> Difference:
    match = Match(old, new)
    made = Difference(old, new, match)
    made.removed = [node for node in range(len(old.nodes)) if node not in match.forward]
    made.inserted = [node for node in range(len(new.nodes)) if node not in match.backward]
    made.tensors = _tensors(made)
    made.edited = list(_edits(made))
    made.moved = list(_moves(made))
    made.rewrites = _rewrites(made)
    made.renamed = _renamed(made)
    made.annotated = _annotated(made)
    made.interface = list(_interface(made))
    return made


def _viewed(model: Any) -> View:
    if isinstance(model, View):
        return model
    proto: ModelProto = getattr(model, "model", model)
    return view(proto)


def _tensors(made: Difference) -> dict[Tensor | None, Tensor]:
    """The tensors of the old graph and what they are in the new one."""
    old, new = made.old, made.new
    places = {place: tensor for tensor, place in new.inputs.items() if tensor is not None}
    pairs = {tensor: places[place] for tensor, place in old.inputs.items() if place in places}
    for mine, theirs in made.match.forward.items():
        for a, b in zip(old.nodes[mine].outputs, new.nodes[theirs].outputs, strict=False):
            if a is not None and b is not None:
                pairs[a] = b
        for a, b in zip(old.nodes[mine].inputs, new.nodes[theirs].inputs, strict=False):
            if a in old.constants and b in new.constants and b is not None:
                pairs.setdefault(a, b)
    return pairs


def _edits(made: Difference) -> Iterator[Edit]:
    before, after = made.old.constants, made.new.constants
    for mine, theirs in sorted(made.match.forward.items()):
        old, new = made.old.nodes[mine], made.new.nodes[theirs]
        read, reads = [before.get(tensor) for tensor in old.inputs], [after.get(tensor) for tensor in new.inputs]
        if read == reads and old.attributes == new.attributes and old.domain == new.domain:
            continue
        changes = [*_attribute_changes(old, new), *_input_changes(made, old, new)]
        if changes:
            yield Edit(mine, theirs, tuple(changes))


def _attribute_changes(old: Node, new: Node) -> Iterator[str]:
    if old.domain != new.domain:
        yield f"domain {old.domain or 'none'} -> {new.domain or 'none'}"
    if old.attributes == new.attributes:
        return
    before, after = dict(old.attributes), dict(new.attributes)
    for name in sorted({**before, **after}):
        if before.get(name) != after.get(name):
            yield f"{name} {_value(before.get(name))} -> {_value(after.get(name))}"


def _value(serialized: bytes | None) -> str:
    if serialized is None:
        return "none"
    value = attribute_value(serialized)
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (int, str)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(str, value[:8]))}{', ...' if len(value) > 8 else ''}]"
    return "other values"


def _input_changes(made: Difference, old: Node, new: Node) -> Iterator[str]:
    for port, (a, b) in enumerate(zip(old.inputs, new.inputs, strict=False)):
        was = made.old.constants.get(a) if a is not None else None
        now = made.new.constants.get(b) if b is not None else None
        if was == now:
            continue
        if was is None or now is None:
            if (a is None) is (b is None):  # an input that is left out is told by the number of inputs, or here below
                yield f"input {port} is {'no constant any more' if now is None else 'a constant now'}"
            else:
                yield f"input {port} is {'left out' if b is None else 'given'} now"
        elif was.shape != now.shape:
            yield f"input {port} {_shape(was)} -> {_shape(now)}"
        else:
            yield f"input {port} {_shape(now)} has other values"
    if len(old.inputs) != len(new.inputs):
        yield f"inputs {len(old.inputs)} -> {len(new.inputs)}"


def _shape(content: Content) -> str:
    return f"[{','.join(map(str, content.shape))}]"


def _moves(made: Difference) -> Iterator[tuple[int, int]]:
    """The pairs that read from other nodes than they did, those between which something was rewritten left out."""
    forward = made.match.forward
    for mine, theirs in sorted(forward.items()):
        makers, others = made.old.makers[mine], made.new.makers[theirs]
        for port, (maker, other) in enumerate(zip(makers, others, strict=False)):
            if maker and other and maker[1] == other[1] and forward.get(maker[0]) == other[0]:
                continue  # the same output of the same node
            a, b = made.old.nodes[mine].inputs[port], made.new.nodes[theirs].inputs[port]
            if a is None or b is None or (a in made.old.constants and b in made.new.constants):
                continue
            if _comes_from_elsewhere(made, a, b):
                yield mine, theirs
                break


def _comes_from_elsewhere(made: Difference, a: Tensor, b: Tensor) -> bool:
    """Whether a tensor is made by other nodes than before, or by another output of the same."""
    before = _sources(made.old, a, made.match.forward)
    after = _sources(made.new, b, made.match.backward)
    expected = {(made.match.forward[each[0]], each[1]) if isinstance(each, tuple) else each for each in before}
    return bool(expected) and bool(after) and expected.isdisjoint(after)


def _sources(graph: View, tensor: Tensor, matched: dict[int, int]) -> set[tuple[int, int] | str]:
    """The outputs of matched nodes, or the graph's inputs, that a tensor comes from, through what is not matched."""
    found: set[tuple[int, int] | str] = set()
    seen: set[Tensor] = set()
    waiting = [tensor]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        if each in graph.inputs:
            found.add(graph.inputs[each])
        elif each in graph.producers:
            node, port = graph.producers[each]
            if node in matched:
                found.add((node, port))
            else:
                waiting += [source for source in graph.nodes[node].inputs if source is not None]
    return found


def _rewrites(made: Difference) -> list[Rewrite]:
    """What was removed and inserted, in groups: what is connected, and what came in the place of what.

    A node of the old graph stands here as its number, one of the new graph as `~number`.
    """
    parents = {**{node: node for node in made.removed}, **{~node: ~node for node in made.inserted}}

    def root(each: int) -> int:
        while (parent := parents[each]) != each:
            parents[each] = each = parents[parent]
        return each

    def join(one: int, other: int) -> None:
        parents[root(one)] = root(other)

    for node in made.removed:
        for maker in made.old.makers[node]:
            if maker is not None and maker[0] in parents:
                join(node, maker[0])
    for node in made.inserted:
        for maker in made.new.makers[node]:
            if maker is not None and ~maker[0] in parents:
                join(~node, ~maker[0])
    met = list(_meeting(made, _ends))
    for one, other in met:
        join(one, other)
    joined = {root(each) for pair in met for each in pair}
    for one, other in _meeting(made, _begins):
        if root(one) not in joined and root(other) not in joined:
            join(one, other)
    groups: dict[int, tuple[list[int], list[int]]] = {}
    for node in made.removed:
        groups.setdefault(root(node), ([], []))[0].append(node)
    for node in made.inserted:
        groups.setdefault(root(~node), ([], []))[1].append(node)
    return [
        Rewrite(tuple(removed), tuple(inserted), (_ops(made.old, removed), _ops(made.new, inserted)))
        for removed, inserted in groups.values()
    ]


def _ops(graph: View, nodes: Sequence[int]) -> tuple[str, ...]:
    return tuple(graph.nodes[node].op_type for node in nodes)


def _meeting(made: Difference, places: _Places) -> Iterator[tuple[int, int]]:
    """Removed and inserted nodes that stand at the same place of what is matched: `number` and `~number`."""
    old: dict[Hashable, int] = {}
    for node in made.removed:
        for place in places(made.old, node, made.match.forward):
            old.setdefault(place, node)
    same = {node: node for node in made.match.backward}
    for node in made.inserted:
        for place in places(made.new, node, same):
            if place in old:
                yield old[place], ~node


def _ends(graph: View, node: int, called: Mapping[int, int]) -> Iterator[Hashable]:
    """The places at which what a node makes is read: inputs of matched nodes, as they are called, and outputs."""
    for tensor, readers in zip(graph.nodes[node].outputs, graph.readers[node], strict=True):
        if tensor is not None:
            yield from [("output", number) for number in graph.outputs.get(tensor, ())]
        for reader, port in readers:
            if reader in called:
                yield called[reader], port


def _begins(graph: View, node: int, called: Mapping[int, int]) -> Iterator[Hashable]:
    """The places that a node reads from: outputs of matched nodes, as they are called, and inputs of the graph."""
    for tensor, maker in zip(graph.nodes[node].inputs, graph.makers[node], strict=True):
        if tensor in graph.inputs:
            yield "input", graph.inputs[tensor]
        elif maker is not None and maker[0] in called:
            yield called[maker[0]], maker[1]


_Places = Callable[[View, int, Mapping[int, int]], Iterator[Hashable]]


def _renamed(made: Difference) -> int:
    nodes = sum(made.old.nodes[mine].name != made.new.nodes[theirs].name for mine, theirs in made.match.forward.items())
    return nodes + sum(mine is not None and mine[1] != theirs[1] for mine, theirs in made.tensors.items())


def _annotated(made: Difference) -> Counter[str]:
    """How many tensors have another shape, element type or annotation than they had."""
    found: Counter[str] = Counter()
    for mine, theirs in made.tensors.items():
        if mine in made.old.constants and theirs in made.new.constants:
            continue
        was, now = (
            types.get(tensor, (0, None)) for types, tensor in ((made.old.types, mine), (made.new.types, theirs))
        )
        if was[1] != now[1]:
            found["shape"] += 1
        if was[0] != now[0]:
            found["element type"] += 1
    was_annotated = {
        (made.tensors[tensor], key): value
        for (tensor, key), value in made.old.annotations.items()
        if tensor in made.tensors
    }
    kept = set(made.tensors.values())
    now_annotated = {place: value for place, value in made.new.annotations.items() if place[0] in kept}
    for place in {**was_annotated, **now_annotated}:
        if was_annotated.get(place) != now_annotated.get(place):
            found[{"finn_datatype": "datatype", "tensor_layout": "layout"}.get(place[1], place[1])] += 1
    return found


def _interface(made: Difference) -> Iterator[str]:
    for what, was, now in (
        ("inputs", _top(made.old.inputs), _top(made.new.inputs)),
        ("outputs", sum(map(len, made.old.outputs.values())), sum(map(len, made.new.outputs.values()))),
    ):
        if was != now:
            yield f"{what} {was} -> {now}"
    places = {number: tensor for tensor, numbers in made.new.outputs.items() for number in numbers}
    for tensor, numbers in made.old.outputs.items():
        for number in numbers:
            other = places.get(number)
            if tensor is not None and other is not None and _comes_from_elsewhere(made, tensor, other):
                yield f"output {number} comes from another node"
    for domain in sorted({**made.old.opsets, **made.new.opsets}):
        before, after = made.old.opsets.get(domain), made.new.opsets.get(domain)
        if before != after:
            yield f"opset {domain or 'onnx'} {before or 'none'} -> {after or 'none'}"


def _top(inputs: Iterable[Tensor | None]) -> int:
    return sum(tensor is not None and not tensor[0] for tensor in inputs)
