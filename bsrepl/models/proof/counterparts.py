"""Which tensors of two graphs should have the same values: those of matched nodes, and those where rewrites end."""

from __future__ import annotations

from collections.abc import Sequence

from ...graphdiff.difference import Difference
from ...graphdiff.view import Tensor
from ...graphdiff.wiring import is_from_elsewhere


def counterparts(difference: Difference) -> dict[Tensor, Tensor]:
    """The tensors of the old graph and their counterparts in the new one.

    What a matched node reads at the same place counts, too: there the result of a rewrite meets the rest of the graph.
    """
    old, new = difference.old, difference.new
    pairs: dict[Tensor, Tensor] = {}
    places = {number: tensor for tensor, numbers in new.outputs.items() for number in numbers if tensor is not None}
    for tensor, numbers in old.outputs.items():
        if tensor is not None and numbers[0] in places:
            pairs[tensor] = places[numbers[0]]
    for mine, theirs in difference.match.forward.items():
        for a, b in zip(old.nodes[mine].inputs, _in_order(difference, mine, theirs), strict=False):
            if a is not None and b is not None and (a in old.constants) is (b in new.constants):
                pairs.setdefault(a, b)
    for a, b in difference.tensors.items():
        if a is not None:
            pairs.setdefault(a, b)
    return pairs


def _in_order(difference: Difference, mine: int, theirs: int) -> Sequence[Tensor | None]:
    """What a node of the new graph reads, in the order of its counterpart if the order does not matter."""
    read, left = difference.old.nodes[mine].inputs, list(difference.new.nodes[theirs].inputs)
    if len(read) != len(left) or not difference.old.nodes[mine].is_commutative:
        return left
    found: list[Tensor | None] = []
    for tensor in read:
        alike = (one for one in left if tensor and one and not is_from_elsewhere(difference.match, tensor, one))
        found.append(next(alike, left[0]))
        left.remove(found[-1])
    return found
