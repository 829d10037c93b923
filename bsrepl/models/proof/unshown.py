"""Changes that equal outputs do not show: a node computes something else, and no output has depended on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from itertools import product, zip_longest
from typing import Any

import numpy as np
from onnx import ModelProto

from ...errors import ExecutionFailed
from ...graphdiff.attributes import attribute_value
from ...graphdiff.constants import values_of
from ...graphdiff.difference import Difference
from ...graphdiff.edits import Edit
from ...graphdiff.view import Tensor, View
from ..runtime.execution import Values
from .culprit import named, place, region
from .idle import Known, idle
from .misfits import misfitting
from .recurrent_bias import effective
from .regions import Cuts, Disagreement, Pieces

_VISIBLE = 1e-3  # relative; how far a number has to change, and
_LEAST = 1e-5  # times the largest one of an array: a smaller change may be lost among what float32 rounds

_INTEGERS = ("QLinearConv", "DequantizeLinear")  # ops that read integers in 32 bits, which are biases
_EDGES = {"Less": "LessOrEqual", "LessOrEqual": "Less", "Greater": "GreaterOrEqual", "GreaterOrEqual": "Greater"}
_SLIGHT = 1e-3  # relative; values of a rewrite may differ by as much if rounding alone does that

_Pair = tuple[Tensor, Tensor]


class Changes:
    """The nodes that differ between two models. `tensors` are the pairs at which both can be cut."""

    def __init__(
        self,
        models: tuple[ModelProto, ModelProto],
        difference: Difference,
        pairs: Mapping[Tensor, Tensor],
        tensors: Sequence[_Pair],
    ) -> None:
        self._models = models
        self._difference = difference
        self._pairs = pairs
        edited, moved = difference.edited, difference.moved
        old = [*difference.removed, *(edit.old for edit in edited), *(mine for mine, _ in moved)]
        new = [*difference.inserted, *(edit.new for edit in edited), *(theirs for _, theirs in moved)]
        self._changed = set(old), set(new)
        self._nodes = _with_owners(difference.old, old), _with_owners(difference.new, new)
        self._regions: dict[_Pair, tuple[set[int], set[int]]] = {}  # where changes end: the nodes of both graphs
        held = dict(tensors), {theirs: mine for mine, theirs in tensors}
        reached = _ends(difference.old, self._nodes[0], held[0]), _ends(difference.new, self._nodes[1], held[1])
        for mine, theirs in tensors:
            if mine in reached[0] or theirs in reached[1]:
                self._regions[mine, theirs] = region(difference, held[0], mine, theirs, held[1])
        read = {name for _, new in self._regions.values() for node in new for name in difference.new.nodes[node].inputs}
        self.mismatched: set[_Pair] = set()  # pairs of tensors that have other shapes, or data types if cuts need it
        self.is_uncut = False  # whether the models cannot be executed in pieces
        self._all = tensors
        self._tensors = [pair for pair in tensors if pair in self._regions or pair[1] in read]

    def __bool__(self) -> bool:
        return bool(self._nodes[0] or self._nodes[1])

    @property
    def is_in_branch(self) -> bool:
        """Whether a node in a branch of an If differs, or an If itself."""
        views = self._difference.old, self._difference.new
        return any(
            view.nodes[node].op_type == "If" for view, nodes in zip(views, self._nodes, strict=True) for node in nodes
        )

    def unshown(
        self,
        sets: Sequence[tuple[Values, Values]],
        is_wrong: Callable[[Disagreement], bool],
        least: float,
    ) -> str:
        """A change that the outputs do not show, if they agree for these inputs of both models; empty if there is none.

        `Conv conv2 computes other values (relative 1e-02)`. `is_wrong` tells whether a disagreement counts; numbers
        that changed by less than `least`, relative to the largest, do not.
        """
        if not self:
            return ""
        explained: set[int] = set()  # nodes that compute other values, for which others make up
        compared: set[int] = set()  # nodes that read constants alone: they compute the same
        try:
            for wrong, (inputs, others) in zip(self._wrong(sets, is_wrong), sets, strict=False):
                if where := self._guilty(wrong, inputs, others, least):
                    return where
                explained.update(*(self._regions.get(piece.pair, [()])[-1] for piece in wrong))
            compared = self._constants() - explained
        except ExecutionFailed:  # onnxruntime cannot return a tensor inside
            self.is_uncut = True
        least = max(least, _VISIBLE)
        where = self._ineffective(explained | compared, least) or self._on_edge()
        return where or misfitting(self._difference, least, compared, self._alone(explained))

    def idle(self, known: Sequence[tuple[Known, Known]]) -> str:
        """A sub-graph that changed, and on which no output depends for these inputs; empty if there is none."""
        views = self._difference.old, self._difference.new
        for which, (model, view, nodes) in enumerate(zip(self._models, views, self._nodes, strict=True)):
            if where := idle(model, view, nodes, [pair[which] for pair in known]):
                return where
        return ""

    def _wrong(
        self, sets: Sequence[tuple[Values, Values]], is_wrong: Callable[[Disagreement], bool]
    ) -> list[list[Disagreement]]:
        """The pieces that disagree where changes end, for each set of inputs."""
        if not self._regions:
            return []
        cuts = Cuts(*self._models, self._tensors, self._regions)
        try:
            found = [list(filter(is_wrong, cuts.pieces(*pair).disagreements())) for pair in sets]
        except ExecutionFailed:
            self.mismatched |= cuts.mismatched(*sets[0])
            raise
        self.mismatched |= cuts.misshapen
        return found

    def _guilty(self, wrong: Sequence[Disagreement], inputs: Values, others: Values, least: float) -> str:
        """The guilty one of pieces that disagree, in words; empty if they make up for each other or there are none."""
        if not wrong:
            return ""
        pieces = self._cuts.pieces(inputs, others)
        guilty = pieces.unexplained(wrong)
        if guilty is None or self._is_rounding(guilty, pieces, least):
            return ""
        where = place(self._difference, self._pairs, guilty.before, guilty.after)
        return f"{where} computes other values (relative {guilty.relative:.0e})"

    @cached_property
    def _cuts(self) -> Cuts:
        """Both models, cut at every pair of tensors: changes may be hidden or made up for anywhere."""
        return Cuts(*self._models, self._all)

    def _constants(self) -> set[int]:
        """The nodes that are compared and read constants alone: what they compute is the same for all inputs."""
        new = self._difference.new
        ends = {port[0] for _, theirs in self._regions if (port := new.producer(theirs)) is not None}
        return {node for node in ends if all(read is None or read in new.constants for read in new.nodes[node].inputs)}

    def _alone(self, explained: Collection[int]) -> set[int]:
        """Of nodes that compute other values, those that are compared by themselves: it is they that do."""
        return {node for _, nodes in self._regions.values() if len(nodes) == 1 for node in nodes if node in explained}

    def _is_rounding(self, piece: Disagreement, pieces: Pieces, least: float) -> bool:
        """Whether a piece disagrees by what it rounds: a rewrite may, an edited node does not."""
        old, new = self._regions.get(piece.pair, (set(), set()))
        edits = [edit for edit in self._difference.edited if {edit.old} == old and {edit.new} == new]
        return (
            not any(self._is_alone(edit.old, edit.new) for edit in edits)
            and piece.relative <= _SLIGHT
            and pieces.is_rounding(piece, least)
        )

    def _ineffective(self, explained: set[int], least: float) -> str:
        """A node that is the same but for numbers that it reads, and still computes the same."""
        for edit in self._difference.edited:
            is_alone = edit.new not in explained and self._is_alone(edit.old, edit.new)
            if is_alone and _is_visible(self._difference, edit, least):
                return f"{named(self._difference.new.nodes[edit.new])} changed: {'; '.join(edit.changes)}"
        return ""

    def _on_edge(self) -> str:
        """A comparison that became strict, or is no longer so: equal values alone show it."""
        old, new = self._difference.old, self._difference.new
        for mine, theirs in (one for rewrite in self._difference.rewrites for one in product(*rewrite[:2])):
            nodes = old.nodes[mine], new.nodes[theirs]
            read = zip(nodes[0].inputs, nodes[1].inputs, strict=False)
            is_same = all(old.constants.get(a) == new.constants.get(b) for a, b in read)
            if nodes[1].op_type == _EDGES.get(nodes[0].op_type) and is_same and self._is_alone(mine, theirs):
                return f"{named(nodes[0])} became {nodes[1].op_type}"
        return ""

    def _is_alone(self, one: int, other: int) -> bool:
        """Whether no node changed beside one that did, which could make up for its change."""
        graphs = zip((self._difference.old, self._difference.new), (one, other), self._changed, strict=True)
        moved = {theirs for _, theirs in self._difference.moved}
        return other not in moved and all(changed.isdisjoint(_beside(view, node)) for view, node, changed in graphs)


def _beside(view: View, node: int) -> set[int]:
    """The nodes that produce what a node reads, and those that read what it produces."""
    makers = {port[0] for port in view.makers[node] if port is not None}
    return makers | {reader for readers in view.readers[node] for reader, _ in readers}


def _ends(view: View, nodes: Collection[int], held: Collection[Tensor]) -> set[Tensor]:
    """The first of some tensors that nodes lead to."""
    ends: set[Tensor] = set()
    waiting, known = list(nodes), set(nodes)
    for node in waiting:  # it grows
        for tensor, readers in zip(view.nodes[node].outputs, view.readers[node], strict=True):
            if tensor is not None and tensor in held:
                ends.add(tensor)
                continue
            after = {reader for reader, _ in readers} - known
            known |= after
            waiting += after
    return ends


def _with_owners(view: View, nodes: Sequence[int]) -> set[int]:
    """Nodes, and those in whose sub-graphs they are."""
    waiting = list(nodes)
    for node in waiting:  # it grows
        scope = view.scopes.get(view.nodes[node].scope)
        waiting += [scope.owner] if scope is not None and scope.owner is not None else []
    return set(waiting)


def _is_visible(difference: Difference, edit: Edit, least: float) -> bool:
    """Whether an edited node has other floating-point numbers, so far from those before that outputs could show it."""
    old, new = difference.old.nodes[edit.old], difference.new.nodes[edit.new]
    read = list(zip_longest(old.inputs, new.inputs))
    numbers = [
        (effective(old, port, _constant(difference.old, a)), effective(new, port, _constant(difference.new, b)))
        for port, (a, b) in enumerate(read)
    ]
    if any(_is_number(a if a is not None else b) for (a, b), ends in zip(numbers, read, strict=True) if None in ends):
        return True
    if edit.is_of_attributes:  # as `transB`, with which a matrix is stored the other way round
        numbers = [pair for pair in numbers if not _is_transposed(*pair)]
    given = dict(new.attributes)
    attributes = [(attribute_value(a), attribute_value(given[name])) for name, a in old.attributes if name in given]
    numbers += [(a, b) for a, b in attributes if not isinstance(a, bytes)]
    return any(_differ(a, b, least, are_sizes=new.op_type not in _INTEGERS) for a, b in numbers)


def _is_transposed(before: Any, after: Any) -> bool:
    return before is not None and after is not None and before.ndim == 2 and np.array_equal(before.T, after)


def _is_number(value: Any) -> bool:
    """Whether floating-point numbers are none that a missing input stands for: zero, or the largest ones of a type."""
    if value is None or value.dtype.kind != "f":
        return False
    return bool(np.any((value != 0) & (np.abs(value) < np.finfo(value.dtype).max)))


def _constant(view: View, tensor: Tensor | None) -> Any:
    return values_of(view.stored[tensor]) if tensor in view.stored else None


def _differ(before: Any, after: Any, least: float, *, are_sizes: bool) -> bool:
    """Whether two numbers or arrays have other floating-point numbers, 8-bit integers or texts; or other integers, if
    these `are_sizes` in no way."""
    a, b = (np.asarray(value).ravel() for value in (before, after))
    if a.dtype != b.dtype or not a.size or not (a.size == b.size or 1 in (a.size, b.size)):
        return False
    a, b = np.broadcast_arrays(a, b)
    if a.dtype.kind in "OSU":
        return not np.array_equal(a, b)
    if a.dtype.kind not in "fV" and ((are_sizes and a.dtype.itemsize > 1) or a.dtype.kind == "b"):
        return False
    wide = a.astype(np.float64), b.astype(np.float64)
    change, size = np.abs(wide[0] - wide[1]), np.abs(wide[0])
    return bool(np.any((change > least * size) & (change > _LEAST * size.max())))
