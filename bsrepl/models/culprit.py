"""Where two models begin to differ: the node, or the rewrite, whose inputs agree and whose output does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graphdiff.difference import Difference
from ..graphdiff.view import Tensor, View
from .comparison import Comparison
from .verdict import Divergence

_MOST = 4  # nodes of a rewrite that are named
_TELLING = 16  # values of a channel, from which on its own scale says something


class Search:
    """Goes from an output that differs back to where it begins.

    `before` and `after` are the values of the tensors of both models, those of constants among them, by name; `pairs`
    are the tensors that should be equal. Values that differ by less than `threshold`, relative to the largest magnitude
    of their channel, count as equal.
    """

    def __init__(
        self,
        difference: Difference,
        pairs: Mapping[Tensor, Tensor],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        threshold: float,
    ) -> None:
        self._difference = difference
        self._pairs = pairs
        self._values = before, after
        self._threshold = threshold
        self._is_fine = False  # whether each channel counts on its own scale, however few values it has
        self._visited: set[tuple[Tensor, Tensor]] = set()

    def begin(self) -> Divergence | None:
        """Where the first output that differs begins to; None if it cannot be said."""
        for self._is_fine in (False, True):
            for tensor in self._difference.old.outputs:
                other = self._pairs.get(tensor) if tensor is not None else None
                if tensor is not None and other is not None and self._differs(tensor, other):
                    return self._begin_of(tensor, other)
        return None

    def _begin_of(self, tensor: Tensor, other: Tensor) -> Divergence | None:
        """Where a pair of tensors that differ begins to."""
        while True:
            self._visited.add((tensor, other))
            old, new = self._region(tensor, other)
            earlier = self._earlier(old, new)
            if earlier is None:
                return self._divergence(tensor, other, old, new)
            tensor, other = earlier

    def _region(self, tensor: Tensor, other: Tensor) -> tuple[set[int], set[int]]:
        """The nodes of both graphs between a pair of tensors and the nearest pairs above them."""
        graphs = self._difference.old, self._difference.new
        regions: tuple[set[int], set[int]] = (set(), set())
        waiting = [(0, tensor), (1, other)]
        back = {theirs: mine for mine, theirs in self._pairs.items()}
        while waiting:
            which, name = waiting.pop()
            produced = graphs[which].producers.get(name)
            if produced is None or produced[0] in regions[which]:
                continue
            regions[which].add(produced[0])
            for read in graphs[which].nodes[produced[0]].inputs:
                counterpart = (self._pairs if which == 0 else back).get(read) if read is not None else None
                if read is None:
                    continue
                if counterpart is None or self._is_inside(counterpart, 1 - which, regions, (tensor, other)):
                    waiting.append((which, read))
        return regions

    def _is_inside(
        self, name: Tensor, which: int, regions: tuple[set[int], set[int]], ends: tuple[Tensor, Tensor]
    ) -> bool:
        """Whether a tensor is produced inside of a region: then the other graph's region goes on above it."""
        graph = (self._difference.old, self._difference.new)[which]
        produced = graph.producers.get(name)
        return name == ends[which] or (produced is not None and produced[0] in regions[which])

    def _earlier(self, old: set[int], new: set[int]) -> tuple[Tensor, Tensor] | None:
        """A pair of tensors that the regions read and that differ, if there is one."""
        for node in sorted(old):
            for read in self._difference.old.nodes[node].inputs:
                other = self._pairs.get(read) if read is not None else None
                if read is None or other is None or (read, other) in self._visited:
                    continue
                produced = self._difference.old.producers.get(read)
                if produced is None or produced[0] in old:
                    continue
                is_constant = self._difference.old.nodes[produced[0]].op_type == "Constant"  # its reader is named
                if not is_constant and self._differs(read, other):
                    return read, other
        return None

    def _differs(self, tensor: Tensor, other: Tensor) -> bool:
        return self._relative(tensor, other) > self._threshold

    def _relative(self, tensor: Tensor, other: Tensor) -> float:
        """How far a pair of tensors differs; endless if by more than values, 0 if a value is not known."""
        a, b = (values.get(name[1]) for values, name in zip(self._values, (tensor, other), strict=True))
        if tensor[0] or other[0] or not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
            return 0.0
        comparison = Comparison()
        comparison.add([("a", "b")], {"a": a}, {"b": b})
        if comparison.why:
            return np.inf
        of_channels = [comparison.relative]
        for channels, error in comparison.errors.items():
            if self._is_fine or a.size >= _TELLING * error.size:  # a single value near zero says little
                scale = comparison.scales[channels]
                ratio = np.divide(error, scale, where=scale > 0, out=np.zeros_like(error))
                of_channels.append(float(ratio.max(initial=0)))
        return max(of_channels)

    def _divergence(self, tensor: Tensor, other: Tensor, old: set[int], new: set[int]) -> Divergence:
        return Divergence(tensor[1], other[1], self._place(old, new, other), self._relative(tensor, other))

    def _place(self, old: set[int], new: set[int], other: Tensor) -> str:
        """`MatMul MatMul_0`, `Relu Relu_0, now Elu`, `MatMul MatMul_0, without Mul Mul_3`"""
        difference = self._difference
        removed = [node for node in sorted(old) if node not in difference.match.forward]
        inserted = [node for node in sorted(new) if node not in difference.match.backward]
        edited = {edit.new for edit in difference.edited}
        kept = [node for node in sorted(new) if node in difference.match.backward]
        kept = [node for node in kept if node in edited] or ([] if removed or inserted else kept[-1:])
        named = _named(difference.new, kept)
        if kept and removed and not inserted:
            return f"{named}, without {_named(difference.old, removed)}"
        if kept and inserted and not removed:
            return f"{named}, with {_named(difference.new, inserted)}"
        if removed and inserted:
            return f"{_named(difference.old, removed)}, now {_named(difference.new, inserted)}"
        if removed:
            return f"{_named(difference.old, removed)}, now removed"
        return named or _named(difference.new, inserted) or other[1]


def _named(graph: View, nodes: list[int]) -> str:
    names = [" ".join(filter(None, (graph.nodes[node].op_type, graph.nodes[node].name))) for node in nodes]
    return ", ".join([*names[:_MOST], *([f"and {len(names) - _MOST} more"] if len(names) > _MOST else [])])
