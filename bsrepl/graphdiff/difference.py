"""What a transformation did to a model: the difference of two ONNX graphs, whatever their nodes are called.

    difference = between(before, after)
    difference.removed, difference.inserted, difference.edited, difference.moved
    print(difference)  # what changed, in words
    difference.to_dict()  # the same as plain JSON values

Renaming is not a change. Removed and inserted nodes are grouped into rewrites by the tensors at which they meet;
`Rewrite.shape` distinguishes one kind of rewrite from another.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from . import words
from .annotations import Annotation, annotation_changes
from .collecting import without_collecting
from .constants import Content, Read, Stored, content_of, content_unless_known, unread
from .edits import Edit, edits
from .interface import in_order_of, interface
from .match import Match
from .plain import plain
from .rewrites import Rewrite, rewrites
from .tidying import tidying
from .view import Tensor, View
from .viewing import view
from .wiring import wiring

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(repr=False)
class Difference:
    """The difference of two graphs. False if there is none; renaming and tidying alone are none."""

    match: Match
    removed: list[int]  # nodes of the old graph
    inserted: list[int]  # nodes of the new graph
    edited: list[Edit]
    moved: list[tuple[int, int]]  # nodes that read from other nodes than before
    rewrites: list[Rewrite]
    tensors: dict[Tensor | None, Tensor]  # tensors of the old graph -> their counterparts in the new one
    renamed: int  # nodes and tensors that have another name
    annotations: list[Annotation]  # what is written about a tensor and changed: shape, datatype, layout
    interface: list[str]  # changes of the inputs, the outputs, the opsets, the functions, the metadata
    tidying: Counter[str]  # what QONNX's cleanup does to every model, and how often

    @property
    def old(self) -> View:
        return self.match.old

    @property
    def new(self) -> View:
        return self.match.new

    def __bool__(self) -> bool:
        nodes = self.removed or self.inserted or self.edited or self.moved
        return bool(nodes or self.annotations or self.interface)

    @property
    def untouched(self) -> int:
        """The number of nodes that are neither removed, edited nor moved, Constant nodes among them."""
        old, new = self.old, self.new
        constants = sum(
            mine in old.constant_nodes and theirs in new.constant_nodes and old.constants[mine] == new.constants[theirs]
            for mine, theirs in self.tensors.items()
        )
        changed = {edit.old for edit in self.edited} | {mine for mine, _ in self.moved}
        return len(self.match.forward) - len(changed) + constants

    def __str__(self) -> str:
        """What changed, in words: a headline, then a line for each thing with its sign, `-`, `+` or `~`."""
        return "\n".join([words.headline(self), *(f"  {sign} {line}" for sign, line in words.lines(self))])

    def __repr__(self) -> str:
        return f"<Difference {words.in_short(self) or words.headline(self)}>"

    def to_dict(self) -> dict[str, Any]:
        """The difference as plain JSON values: dicts, lists, strings and numbers; nodes and tensors by their names."""
        return plain(self)

    @property
    def is_renamed_only(self) -> bool:
        """Whether nothing changed but names, and what QONNX's cleanup does to every model."""
        return not self and bool(self.renamed)

    @property
    def is_annotated_only(self) -> bool:
        """Whether nothing changed but what is written about tensors: shapes, datatypes, layouts."""
        nodes = self.removed or self.inserted or self.edited or self.moved
        return bool(self.annotations) and not (nodes or self.interface)

    @property
    def is_tidied_only(self) -> bool:
        """Whether nothing happened but what QONNX's cleanup does to every model."""
        return not self and bool(self.tidying)


def between(before: Any, after: Any, read: Read = content_of) -> Difference:
    """The difference of two models: `ModelProto`s, QONNX's `ModelWrapper`s, or `View`s.

    `read` gives the contents of the initializers of the first one.
    """
    with without_collecting():
        old, new = _views(before, after, read)
        match = Match(old, in_order_of(old, new))
        removed = [node for node in range(len(match.old.nodes)) if node not in match.forward]
        inserted = [node for node in range(len(match.new.nodes)) if node not in match.backward]
        tensors = _tensors(match)
        edited = list(edits(match))
        moved, swapped = wiring(match)
        return Difference(
            match,
            removed,
            inserted,
            edited,
            moved,
            rewrites(match, removed, inserted, [edit for edit in edited if edit.is_of_attributes]),
            tensors,
            _renamed(match, tensors),
            list(annotation_changes(match.old, match.new, tensors)),
            list(interface(match)),
            tidying(match, tensors, swapped),
        )


def _views(before: Any, after: Any, read: Read) -> tuple[View, View]:
    """The views of two models. Protobuf compares messages bit by bit and copies nothing, so what equals something that
    was read is not read again."""
    if isinstance(before, View):  # its model may have been edited since
        return before, _viewed(after, content_of)
    if not isinstance(after, View) and _proto(before) == _proto(after):
        same = _viewed(before, unread)
        return same, same
    old = _viewed(before, read)
    return old, _viewed(after, partial(content_unless_known, known=partial(_initializer, old)))


def _viewed(model: Any, read: Read) -> View:
    return model if isinstance(model, View) else view(_proto(model), read)


def _proto(model: Any) -> ModelProto:
    proto: ModelProto = getattr(model, "model", model)
    return proto


def _initializer(graph: View, name: str) -> tuple[Stored, Content] | None:
    tensor = "", name
    return (graph.stored[tensor], graph.constants[tensor]) if tensor in graph.stored else None


def _tensors(match: Match) -> dict[Tensor | None, Tensor]:
    """The tensors of the old graph and their counterparts in the new one."""
    old, new = match.old, match.new
    places = {place: tensor for tensor, place in new.inputs.items() if tensor is not None}
    pairs = {tensor: places[place] for tensor, place in old.inputs.items() if place in places}
    for mine, theirs in match.forward.items():
        for a, b in zip(old.nodes[mine].outputs, new.nodes[theirs].outputs, strict=False):
            if a is not None and b is not None:
                pairs[a] = b
    for constant in old.constants:
        for reader, port in old.consumers_of(constant):
            read = new.nodes[match.forward[reader]].inputs[port : port + 1] if reader in match.forward else ()
            if read and read[0] is not None and read[0] in new.constants:
                pairs.setdefault(constant, read[0])
    return pairs


def _renamed(match: Match, tensors: dict[Tensor | None, Tensor]) -> int:
    old, new = match.old.nodes, match.new.nodes
    nodes = sum(old[mine].name != new[theirs].name for mine, theirs in match.forward.items())
    return nodes + sum(mine is not None and mine[1] != theirs[1] for mine, theirs in tensors.items())
