"""What a transformation did to a model: the difference of two ONNX graphs, whatever their nodes are called.

    difference = between(before, after)
    difference.removed, difference.inserted, difference.edited, difference.moved

Renaming is not a change. Removed and inserted nodes are grouped into rewrites by the tensors at which they meet;
`Rewrite.shape` distinguishes one kind of rewrite from another.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .edits import Edit, edits
from .match import Match
from .rewrites import Rewrite, rewrites
from .view import Tensor, View, view
from .wiring import is_from_elsewhere, moves

if TYPE_CHECKING:
    from onnx import ModelProto

_ANNOTATIONS = {"finn_datatype": "datatype", "tensor_layout": "layout"}  # what the keys of annotations are called here


@dataclass
class Difference:
    """The difference of two graphs. False if there is none; renaming alone is none."""

    match: Match
    removed: list[int]  # nodes of the old graph
    inserted: list[int]  # nodes of the new graph
    edited: list[Edit]
    moved: list[tuple[int, int]]  # nodes that read from other nodes than before
    rewrites: list[Rewrite]
    tensors: dict[Tensor | None, Tensor]  # tensors of the old graph -> their counterparts in the new one
    renamed: int  # nodes and tensors that have another name
    annotated: Counter[str]  # `datatype`, `shape`: the number of tensors that this changed of
    interface: list[str]  # changes of the inputs, the outputs, the opsets

    @property
    def old(self) -> View:
        return self.match.old

    @property
    def new(self) -> View:
        return self.match.new

    def __bool__(self) -> bool:
        return bool(self.removed or self.inserted or self.edited or self.moved or self.annotated or self.interface)

    @property
    def untouched(self) -> int:
        """The number of nodes that are neither removed, edited nor moved."""
        return len(self.match.forward) - len({edit.old for edit in self.edited} | {old for old, _ in self.moved})

    @property
    def is_renamed_only(self) -> bool:
        return not self and bool(self.renamed)


def between(before: Any, after: Any) -> Difference:
    """The difference of two models: `ModelProto`s, QONNX's `ModelWrapper`s, or `View`s."""
    with _without_collecting():
        match = Match(_viewed(before), _viewed(after))
        removed = [node for node in range(len(match.old.nodes)) if node not in match.forward]
        inserted = [node for node in range(len(match.new.nodes)) if node not in match.backward]
        tensors = _tensors(match)
        return Difference(
            match,
            removed,
            inserted,
            edited=list(edits(match)),
            moved=list(moves(match)),
            rewrites=rewrites(match, removed, inserted),
            tensors=tensors,
            renamed=_renamed(match, tensors),
            annotated=_annotated(match, tensors),
            interface=list(_interface(match)),
        )


@contextmanager
def _without_collecting() -> Iterator[None]:
    """A diff creates many values and no garbage: the collector would take a third of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _viewed(model: Any) -> View:
    if isinstance(model, View):
        return model
    proto: ModelProto = getattr(model, "model", model)
    return view(proto)


def _tensors(match: Match) -> dict[Tensor | None, Tensor]:
    """The tensors of the old graph and their counterparts in the new one."""
    old, new = match.old, match.new
    places = {place: tensor for tensor, place in new.inputs.items() if tensor is not None}
    pairs = {tensor: places[place] for tensor, place in old.inputs.items() if place in places}
    for mine, theirs in match.forward.items():
        for a, b in zip(old.nodes[mine].outputs, new.nodes[theirs].outputs, strict=False):
            if a is not None and b is not None:
                pairs[a] = b
        for a, b in zip(old.nodes[mine].inputs, new.nodes[theirs].inputs, strict=False):
            if a in old.constants and b in new.constants and b is not None:
                pairs.setdefault(a, b)
    return pairs


def _renamed(match: Match, tensors: dict[Tensor | None, Tensor]) -> int:
    old, new = match.old.nodes, match.new.nodes
    nodes = sum(old[mine].name != new[theirs].name for mine, theirs in match.forward.items())
    return nodes + sum(mine is not None and mine[1] != theirs[1] for mine, theirs in tensors.items())


def _annotated(match: Match, tensors: dict[Tensor | None, Tensor]) -> Counter[str]:
    """The numbers of tensors that have another shape, element type or annotation than before."""
    old, new = match.old, match.new
    changed: Counter[str] = Counter()
    for mine, theirs in tensors.items():
        if mine in old.constants and theirs in new.constants:
            continue
        was, now = (types.get(tensor, (0, None)) for types, tensor in ((old.types, mine), (new.types, theirs)))
        if was[1] != now[1]:
            changed["shape"] += 1
        if was[0] != now[0]:
            changed["element type"] += 1
    before = {(tensors[place[0]], place[1]): value for place, value in old.annotations.items() if place[0] in tensors}
    kept = set(tensors.values())
    after = {place: value for place, value in new.annotations.items() if place[0] in kept}
    for place in {**before, **after}:
        if before.get(place) != after.get(place):
            changed[_ANNOTATIONS.get(place[1], place[1])] += 1
    return changed


def _interface(match: Match) -> Iterator[str]:
    old, new = match.old, match.new
    for what, was, now in (
        ("inputs", _count_outer(old.inputs), _count_outer(new.inputs)),
        ("outputs", sum(map(len, old.outputs.values())), sum(map(len, new.outputs.values()))),
    ):
        if was != now:
            yield f"{what} {was} -> {now}"
    places = {number: tensor for tensor, numbers in new.outputs.items() for number in numbers}
    for tensor, numbers in old.outputs.items():
        for number in numbers:
            other = places.get(number)
            if tensor is not None and other is not None and is_from_elsewhere(match, tensor, other):
                yield f"output {number} comes from another node"
    for domain in sorted({**old.opsets, **new.opsets}):
        before, after = old.opsets.get(domain), new.opsets.get(domain)
        if before != after:
            yield f"opset {domain or 'onnx'} {before or 'none'} -> {after or 'none'}"


def _count_outer(inputs: Iterable[Tensor | None]) -> int:
    """The number of inputs that are not of a sub-graph."""
    return sum(tensor is not None and not tensor[0] for tensor in inputs)
