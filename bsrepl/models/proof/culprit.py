"""The node or the rewrite that produces a pair of tensors, in words."""

from __future__ import annotations

from collections.abc import Mapping

from ...graphdiff.difference import Difference
from ...graphdiff.view import Node, Tensor, View

_MOST = 4  # nodes of a rewrite that are named


def place(difference: Difference, pairs: Mapping[Tensor, Tensor], tensor: Tensor, other: Tensor) -> str:
    """What lies between a pair of tensors and the nearest pairs above them.

    `MatMul MatMul_0`, `Relu Relu_0, now Elu`, `MatMul MatMul_0, without Mul Mul_3`
    """
    old, new = region(difference, pairs, tensor, other)
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


def region(
    difference: Difference,
    pairs: Mapping[Tensor, Tensor],
    tensor: Tensor,
    other: Tensor,
    inverse: Mapping[Tensor, Tensor] | None = None,
) -> tuple[set[int], set[int]]:
    """The nodes of both graphs between a pair of tensors and the nearest pairs above them.

    `inverse` are the pairs the other way round, which take time to find again for each of many.
    """
    graphs = difference.old, difference.new
    counterparts = pairs, inverse or {theirs: mine for mine, theirs in pairs.items()}
    regions: tuple[set[int], set[int]] = (set(), set())
    waiting = [(0, tensor), (1, other)]
    while waiting:
        which, name = waiting.pop()
        produced = graphs[which].producer(name)
        if produced is None or produced[0] in regions[which]:
            continue
        regions[which].add(produced[0])
        for read in graphs[which].nodes[produced[0]].inputs:
            counterpart = counterparts[which].get(read) if read is not None else None
            if read is None:
                continue
            end, inside = (other, tensor)[which], regions[1 - which]
            made_by = graphs[1 - which].producer(counterpart)
            if counterpart is None or counterpart == end or (made_by is not None and made_by[0] in inside):
                waiting.append((which, read))
    return regions


def named(node: Node) -> str:
    """A node in words: `MatMul MatMul_0`."""
    return " ".join(filter(None, (node.op_type, node.name)))


def _named(graph: View, nodes: list[int]) -> str:
    names = [named(graph.nodes[node]) for node in nodes]
    return ", ".join([*names[:_MOST], *([f"and {len(names) - _MOST} more"] if len(names) > _MOST else [])])
