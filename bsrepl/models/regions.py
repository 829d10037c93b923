"""Two models compared piece by piece: each node and each rewrite is given the same values in both.

Where the outputs of two models differ, either a piece of one computes something else, and this is found at the piece,
however little is left of it at the outputs; or every piece agrees, and what differs is rounding that went on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TypeProto, ValueInfoProto

from ..graphdiff.difference import Difference
from ..graphdiff.view import Tensor, View
from .comparison import Comparison
from .cutting import cut_at, given, leading_to, own
from .execution import Executable, Values
from .noise import is_noise
from .precision import epsilon

_SINGLE = float(np.finfo(np.float32).eps)
_TOLERANCE = 5e-6  # relative, in float32; sums of some thousand products in another order differ by 1e-6
_JOINED = 6  # times that pieces are joined with those that follow
_REFACTORED = 1e-3  # relative; what is scaled or moved on purpose disagrees by more than an error in a weight
_LESS = 0.02  # times the disagreement of a piece, that is left of it when it is joined with the right ones
_LEAST = 1e-2  # times the largest channel: a smaller one may be what is left of larger values
_STEPS = 4
_BOUNDED = (
    "Sigmoid",
    "Softmax",
    "Tanh",
    "HardSigmoid",
    "Erf",
)  # they are right to a few steps from 1.0, near 0 as well
_TELLING = 16  # values of a channel, from which on its own scale says something


_Pair = tuple[Tensor, Tensor]


class Disagreement(NamedTuple):
    """A piece that computes other values from the same ones: the tensor that it produces, before and after."""

    before: Tensor
    after: Tensor
    relative: float


def comparable(difference: Difference, pairs: Mapping[Tensor, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """The pairs of tensors at which both graphs can be cut, in the order of the new graph."""
    old, new = difference.old, difference.new
    first: dict[Tensor, Tensor] = {}
    for earlier, later in pairs.items():
        first.setdefault(later, earlier)
    moved = {theirs for _, theirs in difference.moved}
    found = []
    for number in new.order():
        for tensor in filter(None, new.nodes[number].outputs):
            mine = first.get(tensor)
            if mine is None or tensor[0] or mine[0] or mine in old.constants:
                continue
            shapes = [_shape(graph, name) for graph, name in ((old, mine), (new, tensor))]
            if None not in shapes and shapes[0] != shapes[1]:
                continue
            is_end = tensor in new.outputs
            if is_end or not (number in moved or any(reader in moved for reader, _ in new.consumers.get(tensor, ()))):
                found.append((mine, tensor))
    return found


def _shape(graph: View, tensor: Tensor) -> tuple[int, ...] | None:
    """The shape of a tensor, if it is written and has no dynamic dimension."""
    shape = graph.types.get(tensor, (0, None))[1]
    return None if shape is None else tuple(size for size in shape if isinstance(size, int) and size > 0) or None


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

    def pieces(self, inputs: Values, others: Values) -> Pieces:
        """The pieces, for a set of inputs of both models.

        Raises ExecutionFailed if a model cannot be executed, or gives no tensors inside.
        """
        was = self._execute(inputs)
        values = {pair: was[pair[0][1]] for pair in self._tensors if isinstance(was.get(pair[0][1]), np.ndarray)}
        return Pieces(self, values, inputs, others)

    def is_judged(self, name: str) -> bool:
        return name in self._judged

    def computed(self, values: Values, others: Values) -> Values:
        """What the second model computes for the judged ones of the tensors at which it is cut, by their names.

        It computes each from the values of the others. Raises ExecutionFailed.
        """
        judged = [name for name in values if name in self._judged]
        if not judged:  # onnxruntime executes no model without nodes
            return {}
        key = tuple((name, value.shape, value.dtype) for name, value in values.items())
        if key not in self._cut:
            cut = cut_at(self.after, values, judged)
            produced = {name for node in cut.graph.node for name in node.output}
            self._cut[key] = Executable(cut, [name for name in map(own, judged) if name in produced])
        now = self._cut[key]({**others, **given(values, self.after)})
        return {name: now.get(own(name), now.get(name)) for name in judged}


class Pieces:
    """Two models cut at pairs of tensors, with the values of these in the first one, and the inputs of both."""

    def __init__(self, cuts: Cuts, values: Mapping[tuple[Tensor, Tensor], Any], inputs: Values, others: Values) -> None:
        self._cuts = cuts
        self._inputs = inputs
        self._after = cuts.after
        self._others = others
        self._values = dict(values)
        self._held = self._values  # at what the guilty piece was cut

    def disagreements(self, *, is_fine: bool = False) -> list[Disagreement]:
        """The pieces that disagree, in order. With `is_fine`, a channel with few values has a scale of its own, too."""
        return self._disagreements(self._values, is_fine)

    def unexplained(self, wrong: Sequence[Disagreement]) -> Disagreement | None:
        """Of pieces that disagree, the guilty one; None if they make up for each other, as a weight that is scaled and
        the next one scaled back.

        The first of them are joined with those that follow, until none disagrees, or an output of the graph does. One
        alone has nothing that could make up for it.
        """
        if len(wrong) == 1:
            return wrong[0]
        held = dict(self._values)
        outputs = {("", value.name) for value in self._after.graph.output}
        guilty: Disagreement | None = None
        for _ in range(_JOINED):
            if not wrong:
                return None
            first = self._first(wrong, held)
            if guilty is None or first[0].relative < _LESS * guilty.relative:  # what came before was on purpose
                guilty, self._held = first[0], dict(held)
            ends = [piece for piece in self._first(wrong, ()) if piece.after in outputs]
            certain = [piece for piece in first if piece.relative < _REFACTORED or piece in ends]
            if certain:
                return certain[0] if len(held) == len(self._values) else guilty
            freed = {piece.after[1] for piece in first if piece.after not in outputs}  # those are judged to the end
            held = self._without(held, freed)
            wrong = self._disagreements(held, is_fine=False)
        return guilty if wrong else None

    def _without(self, held: Mapping[_Pair, Any], freed: set[str]) -> dict[_Pair, Any]:
        """Pairs that are held but for some, and for those that follow from these and are not judged."""
        followers = set(freed)
        judged = {theirs[1] for _, theirs in held if self._cuts.is_judged(theirs[1])} - freed
        for node in self._after.graph.node:  # in order
            if not followers.isdisjoint(node.input):
                followers.update(name for name in node.output if name not in judged)
        return {pair: value for pair, value in held.items() if pair[1][1] not in followers}

    def is_rounding(self, piece: Disagreement, step: float) -> bool:
        """Whether the guilty piece disagrees by what rounding alone moves it: where large values cancel, that is far.

        It is executed with its weights changed by `step`, and its values by a last place. Raises ExecutionFailed.
        """
        model, values = self._cuts.before, {mine[1]: value for (mine, _), value in self._held.items()}
        cut = cut_at(model, values, [piece.before[1]])
        name = own(piece.before[1])
        if name not in {output for node in cut.graph.node for output in node.output}:
            name = piece.before[1]  # an output of the graph
        del cut.graph.output[:]
        cut.graph.output.append(ValueInfoProto(name=name, type=TypeProto()))
        before = {name: values[piece.before[1]]}
        now = self._cuts.computed({theirs[1]: value for (_, theirs), value in self._held.items()}, self._others)
        comparison = Comparison(min(step, _SINGLE))
        comparison.add([(name, name)], before, {name: now[piece.after[1]]})
        sets = [{**self._inputs, **given(values, model)}]
        return is_noise(comparison, cut, [(name, name)], sets, [before], step)

    def _first(self, wrong: Sequence[Disagreement], held: Collection[tuple[Tensor, Tensor]]) -> list[Disagreement]:
        """Those of some pieces that read none of the others, however far above, up to the tensors that are held."""
        makers = {name: node for node in self._after.graph.node for name in node.output}
        ends = {piece.after[1] for piece in wrong}
        stops = {theirs[1] for _, theirs in held} - ends

        def reads_others(name: str) -> bool:
            waiting, known = list(makers[name].input) if name in makers else [], set(stops)
            for read in waiting:  # it grows
                if read in ends:
                    return True
                if read in makers and read not in known:
                    known.add(read)
                    waiting += makers[read].input
            return False

        return [piece for piece in wrong if not reads_others(piece.after[1])] or list(wrong)

    def _disagreements(self, held: Mapping[tuple[Tensor, Tensor], Any], is_fine: bool) -> list[Disagreement]:
        now = self._cuts.computed({theirs[1]: value for (_, theirs), value in held.items()}, self._others)
        found = []
        for (mine, theirs), value in held.items():
            computed = now.get(theirs[1])
            if isinstance(computed, np.ndarray):
                relative = distance(value, computed, is_fine=is_fine, floor=self._cuts.floors[mine])
                if relative > self._cuts.tolerance:
                    found.append(Disagreement(mine, theirs, relative))
        return found


def distance(a: Any, b: Any, *, is_fine: bool, floor: float) -> float:
    """How far two arrays differ, relative to the largest magnitude of a channel; endless if by more than values.

    Differences up to `floor` count for nothing.
    """
    comparison = Comparison()
    comparison.add([("a", "b")], {"a": a}, {"b": b})
    if comparison.why:
        return np.inf
    distances = [comparison.relative if comparison.absolute > floor else 0.0]
    for channels, error in comparison.errors.items():
        if is_fine or a.size >= _TELLING * error.size:  # a single value near zero says little
            scale = comparison.scales[channels]
            least = 0.0 if is_fine else _LEAST * scale.max(initial=0)
            scale = np.maximum(scale, max(least, np.finfo(np.float32).tiny))
            distances.append(float(np.where(error > floor, error / scale, 0).max(initial=0)))
    return max(distances)
