"""Two models compared piece by piece: each node and each rewrite is given the same values in both.

Where the outputs of two models differ, either a piece of one computes something else, and this is found at the piece,
however little is left of it at the outputs; or every piece agrees, and what differs is rounding that went on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TypeProto, ValueInfoProto

from ...graphdiff.view import Tensor
from ..runtime.cutting import cut_at, given, leading_to, own
from ..runtime.dependence import read_by, values_read_by
from ..runtime.execution import Executable, Values, draws_numbers
from .comparison import Comparison, distance
from .noise import is_noise
from .precision import epsilon
from .scaling import is_refactored

_SINGLE = float(np.finfo(np.float32).eps)
_TOLERANCE = 5e-6  # relative, in float32; sums of some thousand products in another order differ by 1e-6
_ROUNDS = 48  # times that the values of pieces are replaced if they are scaled or shifted
_OTHERS = 6  # times that they are, if they are changed in another way
_REFACTORED = 1e-3  # relative; what disagrees by less and is no other scale is an error in a weight
_SLIGHT = 3e-5  # relative; a larger difference of joined pieces is not measured against their rounding
_LITTLE = 1e-2  # relative; how far values are moved to see what depends on them
_SENSITIVE = 10.0  # times the tolerance, that a piece has to differ by if it shows what it reads
_LESS = 0.02  # times the disagreement of a piece, that is left of it when it is joined with the right ones
_STEPS = 4
_BOUNDED = {"Erf", "HardSigmoid", "Sigmoid", "Softmax", "Tanh"}  # right to a few steps from 1.0, near 0 as well

_Pair = tuple[Tensor, Tensor]


class Disagreement(NamedTuple):
    """A piece that computes other values from the same ones: the tensor that it produces, before and after."""

    before: Tensor
    after: Tensor
    relative: float
    computed: Any  # the values of the one after

    @property
    def pair(self) -> _Pair:
        return self.before, self.after


class Cuts:
    """Two models that are cut at pairs of tensors. Each cut is made once, for all sets of inputs of the same shapes.

    Only the `judged` ones of them are computed by the second model, or all.
    """

    def __init__(
        self,
        before: ModelProto,
        after: ModelProto,
        tensors: Sequence[tuple[Tensor, Tensor]],
        judged: Collection[tuple[Tensor, Tensor]] | None = None,
    ) -> None:
        self.before, self.after = before, after
        self._tensors = tensors
        self._judged = {theirs[1] for _, theirs in (tensors if judged is None else judged)}
        makers = {name: node.op_type for node in before.graph.node for name in node.output}
        step = min(max(map(epsilon, (before, after))), _SINGLE)
        self.floors = {mine: _STEPS * step if makers.get(mine[1]) in _BOUNDED else 0.0 for mine, _ in tensors}
        self.tolerance = _TOLERANCE * step / _SINGLE
        names = [mine[1] for mine, _ in tensors]
        self._execute = Executable(leading_to(before, names), names)
        self._cut: dict[tuple[Any, ...], Executable] = {}
        self._read = {name: read_by(node) for node in after.graph.node for name in node.output if name}
        self._valued = {name: values_read_by(node) for node in after.graph.node for name in node.output if name}
        self._is_random = draws_numbers(after)
        self.misshapen: set[_Pair] = set()  # those of which the second model computes another shape

    def pieces(self, inputs: Values, others: Values) -> Pieces:
        """The pieces, for a set of inputs of both models.

        Raises ExecutionFailed if a model cannot be executed, or gives no tensors inside.
        """
        was = self._execute(inputs)
        values = {pair: was[pair[0][1]] for pair in self._tensors if isinstance(was.get(pair[0][1]), np.ndarray)}
        return Pieces(self, values, inputs, others)

    def mismatched(self, inputs: Values, others: Values) -> set[_Pair]:
        """The pairs of which one has another data type or shape: what reads it may take no value of the other one.

        Raises ExecutionFailed.
        """
        names = [theirs[1] for _, theirs in self._tensors]
        was, now = self._execute(inputs), Executable(leading_to(self.after, names), names)(others)
        return {pair for pair in self._tensors if _type(was, pair[0]) != _type(now, pair[1])}

    def computed(self, values: Values, others: Values, wanted: Collection[str] | None = None) -> Values:
        """What the second model computes for the judged ones of the tensors at which it is cut, by their names; or for
        the `wanted` ones of these.

        It computes each from the values of the others. Raises ExecutionFailed.
        """
        judged = [name for name in values if name in self._judged and (wanted is None or name in wanted)]
        if not judged:  # onnxruntime executes no model without nodes
            return {}
        if wanted is not None and not self._is_random:  # which numbers are drawn depends on all nodes
            needed = set(judged).union(*(_read(self._read, name, values) for name in judged))
            values = {name: value for name, value in values.items() if name in needed}
        key = (*judged, *((name, value.shape, value.dtype) for name, value in values.items()))
        if key not in self._cut:
            cut = cut_at(self.after, values, judged)
            produced = {name for node in cut.graph.node for name in node.output}
            self._cut[key] = Executable(cut, [name for name in map(own, judged) if name in produced])
        now = self._cut[key]({**others, **given(values, self.after)})
        return {name: now.get(own(name), now.get(name)) for name in judged}

    def read(self, name: str, values: Collection[str]) -> set[str]:
        """Of the tensors that have values, those from which the second model computes one; of others it may read the
        shape."""
        return _read(self._valued, name, values)


def _type(values: Values, tensor: Tensor) -> Any:
    value = values.get(tensor[1])
    return (value.dtype, value.shape) if isinstance(value, np.ndarray) else None


def _read(read_by: Mapping[str, set[str]], name: str, values: Collection[str]) -> set[str]:
    waiting, known = [name], {name}
    for tensor in waiting:  # it grows
        if tensor == name or tensor not in values:
            read = read_by.get(tensor, set()) - known
            known |= read
            waiting += read
    return {tensor for tensor in known - {name} if tensor in values}


class Pieces:
    """Two models cut at pairs of tensors, with the values of these in the first one, and the inputs of both."""

    def __init__(self, cuts: Cuts, values: Mapping[tuple[Tensor, Tensor], Any], inputs: Values, others: Values) -> None:
        self._cuts = cuts
        self._inputs = inputs
        self._after = cuts.after
        self._others = others
        self._values = dict(values)
        self._held = self._values  # at what the guilty piece was cut

    def judges(self, names: Iterable[str]) -> bool:
        """Whether these tensors of the second model are compared: sequences are not."""
        return {theirs[1] for _, theirs in self._values}.issuperset(names)

    def disagreements(self, *, is_fine: bool = False) -> list[Disagreement]:
        """The pieces that disagree, in order. With `is_fine`, a channel with few values has a scale of its own, too."""
        return self._disagreements(self._values, is_fine=is_fine)

    def unexplained(self, wrong: Sequence[Disagreement]) -> Disagreement | None:
        """Of pieces that disagree, the guilty one; None if they make up for each other, as a weight that is scaled and
        the next one scaled back.

        Those that come first have the values that the second model computes from then on, and all others are compared
        again, until none disagrees, or an output of the graph does. What hides a disagreement does not make up for it.
        All pairs of tensors have to be judged. One alone is only made up for if it is scaled or shifted.
        """
        if len(wrong) == 1 and not self._is_refactored(wrong[0]):
            return wrong[0]
        held, own = dict(self._values), dict[_Pair, Disagreement]()
        outputs = {("", value.name) for value in self._after.graph.output}
        left, others = wrong, 0
        roots: dict[str, tuple[Disagreement, dict[_Pair, Any]]] = {}  # of each own value: what is guilty if it is
        for _ in range(_ROUNDS):
            if not left:
                return self._hidden(own, {piece.pair for piece in wrong}) if own else None
            first = self._first(left)
            free = {pair: value for pair, value in held.items() if pair not in own}
            slight = {one.pair for one in first if own and one.relative <= _SLIGHT and self._is_rounding(one, free)}
            if slight:
                left = [piece for piece in left if piece.pair not in slight]
                continue
            for piece in first:
                above = [one for one in own.values() if one.after[1] in self._read[piece.after[1]]]
                root, last = (roots[above[-1].after[1]], above[-1]) if above else ((piece, free), piece)
                is_less = piece.relative < _LESS * min(root[0].relative, last.relative)
                roots[piece.after[1]] = (piece, free) if is_less else root  # what came before was on purpose
            certain = [piece for piece in first if piece.after in outputs or self._is_error(piece)]
            others += not all(map(self._is_refactored, first))
            guilty, self._held = roots[(certain or first)[0].after[1]]
            if certain or others > _OTHERS:
                return guilty
            own.update({piece.pair: piece for piece in first})
            held.update({piece.pair: piece.computed for piece in first})
            left = self._after_round(left, first, held)
        return guilty

    def _after_round(
        self, left: Sequence[Disagreement], replaced: Sequence[Disagreement], held: Mapping[_Pair, Any]
    ) -> list[Disagreement]:
        """The pieces that disagree after some got other values: only those that read these are compared again."""
        again = self._readers(replaced)
        known = {piece.pair: piece for piece in left if piece.pair not in again}
        for piece in replaced:
            known.pop(piece.pair, None)
        known.update((piece.pair, piece) for piece in self._disagreements(held, again))
        return [known[pair] for pair in held if pair in known]

    def _readers(self, pieces: Iterable[Disagreement]) -> set[_Pair]:
        """The pairs of tensors that are computed from those of some pieces."""
        ends = {piece.after[1] for piece in pieces}
        return {pair for pair in self._values if not ends.isdisjoint(self._read[pair[1][1]])}

    @cached_property
    def _read(self) -> dict[str, set[str]]:
        """Of each tensor that has values, those from which the second model computes it."""
        names = {theirs[1] for _, theirs in self._values}
        return {name: self._cuts.read(name, names) for name in names}

    def _hidden(self, own: Mapping[_Pair, Disagreement], wrong: set[_Pair]) -> Disagreement | None:
        """One of the pieces with values of the second model's own that a piece reads, is right, and does not show: a
        little more or less of them changes nothing there."""
        rng = np.random.default_rng(0)
        moved = {pair: _moved(self._values[pair], piece.computed, rng) for pair, piece in own.items()}
        readers = self._readers(own.values()) - own.keys() - wrong
        least = _SENSITIVE * self._cuts.tolerance
        found = self._disagreements({**self._values, **moved}, readers)
        right = readers - {piece.pair for piece in found if piece.relative > least}
        read = set().union(*(self._read[theirs[1]] for _, theirs in right))
        return next((piece for piece in own.values() if piece.after[1] in read), None)

    def _is_error(self, piece: Disagreement) -> bool:
        """Whether a piece disagrees by so little, and so unevenly, that nothing can be meant to make up for it."""
        return piece.relative < _REFACTORED and not self._is_refactored(piece)

    def _is_refactored(self, piece: Disagreement) -> bool:
        return is_refactored(self._values[piece.pair], piece.computed, self._cuts.tolerance)

    def is_rounding(self, piece: Disagreement, step: float) -> bool:
        """Whether the guilty piece disagrees by what rounding alone moves it: where large values cancel, that is far.

        It is executed with its weights changed by `step`, and its values by a last place. Raises ExecutionFailed.
        """
        return self._is_rounding(piece, self._held, step)

    def _is_rounding(self, piece: Disagreement, held: Mapping[_Pair, Any], step: float = _SINGLE) -> bool:
        """The same of any piece that begins at the values that are `held`."""
        model, values = self._cuts.before, {mine[1]: value for (mine, _), value in held.items()}
        cut = cut_at(model, values, [piece.before[1]])
        name = own(piece.before[1])
        if name not in {output for node in cut.graph.node for output in node.output}:
            name = piece.before[1]  # an output of the graph
        del cut.graph.output[:]
        cut.graph.output.append(ValueInfoProto(name=name, type=TypeProto()))
        before = {name: values[piece.before[1]]}
        others = {theirs[1]: value for (_, theirs), value in held.items()}
        now = self._cuts.computed(others, self._others, {piece.after[1]})
        comparison = Comparison(min(step, _SINGLE))
        comparison.add([(name, name)], before, {name: now[piece.after[1]]})
        sets = [{**self._inputs, **given(values, model)}]
        return is_noise(comparison, cut, [(name, name)], sets, [before], step)

    def _first(self, wrong: Sequence[Disagreement]) -> list[Disagreement]:
        """Those of some pieces that read none of the others, however far above."""
        ends = {piece.after[1] for piece in wrong}
        return [piece for piece in wrong if not self._is_behind(piece.after[1], ends)] or list(wrong)

    def _is_behind(self, name: str, ends: set[str]) -> bool:
        """Whether one of some tensors leads to another tensor."""
        waiting, known = [name], {name}
        for tensor in waiting:  # it grows
            read = self._read.get(tensor, set()) - known
            if not ends.isdisjoint(read):
                return True
            waiting += read
            known |= read
        return False

    def _disagreements(
        self, held: Mapping[_Pair, Any], judged: Collection[_Pair] | None = None, *, is_fine: bool = False
    ) -> list[Disagreement]:
        values = {theirs[1]: value for (_, theirs), value in held.items()}
        wanted = None if judged is None else {theirs[1] for _, theirs in judged}
        now = self._cuts.computed(values, self._others, wanted)
        found = []
        for (mine, theirs), value in held.items():
            computed = now.get(theirs[1])
            if isinstance(computed, np.ndarray):
                relative = distance(value, computed, is_fine=is_fine, floor=self._cuts.floors[mine])
                if relative > self._cuts.tolerance:
                    self._cuts.misshapen.update([(mine, theirs)] if value.shape != computed.shape else [])
                    found.append(Disagreement(mine, theirs, relative, computed))
        return found


def _moved(value: Any, own: Any, rng: np.random.Generator) -> Any:
    """Values that are a little above or below the second model's own, where these are not the first one's."""
    if value.shape != own.shape or own.dtype.kind != "f":
        return own
    change = np.minimum(np.abs(own - value), _LITTLE * np.abs(own))
    return own + change * rng.choice([-1, 1], own.shape).astype(own.dtype)
