"""The pairs of tensors at which two models can be cut."""

from __future__ import annotations

from collections.abc import Mapping

from ...graphdiff.difference import Difference
from ...graphdiff.view import Tensor, View

_BIASED = ("Conv", "ConvTranspose", "Gemm")


def comparable(difference: Difference, pairs: Mapping[Tensor, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """The pairs of tensors at which both graphs can be cut, in the order of the new graph."""
    old, new = difference.old, difference.new
    first: dict[Tensor, Tensor] = {}
    for earlier, later in pairs.items():
        first.setdefault(later, earlier)
    moved = {theirs for _, theirs in difference.moved}
    changed = moved | {edit.new for edit in difference.edited}
    for one, other in difference.match.forward.items():
        if other not in changed and _reads_the_same(difference, one, other):  # whatever its readers read before
            ends = zip(old.nodes[one].outputs, new.nodes[other].outputs, strict=False)
            first.update((b, a) for a, b in ends if a is not None and b is not None)
    found = []
    for number in new.order():
        for tensor in filter(None, new.nodes[number].outputs):
            mine = first.get(tensor)
            if mine is not None and _takes_over(difference, mine, tensor):
                continue
            if mine is None or tensor[0] or mine[0] or mine in old.constants:
                continue
            shapes = [_shape(graph, name) for graph, name in ((old, mine), (new, tensor))]
            if None not in shapes and shapes[0] != shapes[1]:
                continue
            is_end = tensor in new.outputs
            if is_end or not (number in moved or any(reader in moved for reader, _ in new.consumers_of(tensor))):
                found.append((mine, tensor))
    return found


def _takes_over(difference: Difference, mine: Tensor, theirs: Tensor) -> bool:
    """Whether a node has got the bias that an Add added behind it, or such an Add has got its bias."""
    old, new = difference.old, difference.new
    nodes = old.producer(mine), new.producer(theirs)
    if nodes[0] is None or nodes[1] is None or difference.match.forward.get(nodes[0][0]) != nodes[1][0]:
        return False
    one, other = old.nodes[nodes[0][0]], new.nodes[nodes[1][0]]
    if one.op_type not in _BIASED or len(one.inputs) == len(other.inputs):
        return False
    behind = [(old, reader, difference.match.forward) for reader, _ in old.consumers_of(mine)]
    behind += [(new, reader, difference.match.backward) for reader, _ in new.consumers_of(theirs)]
    return any(view.nodes[reader].op_type == "Add" and reader not in matched for view, reader, matched in behind)


def _reads_the_same(difference: Difference, one: int, other: int) -> bool:
    """Whether what a node reads comes from the same nodes in both graphs."""
    old, new = difference.old, difference.new
    for a, b in zip(old.nodes[one].inputs, new.nodes[other].inputs, strict=False):
        makers = old.producer(a), new.producer(b)
        known = [maker[0] for maker in makers if maker is not None]
        if known and (len(known) == 1 or difference.match.forward.get(known[0]) != known[1]):
            return False
    return True


def _shape(graph: View, tensor: Tensor) -> tuple[int, ...] | None:
    """The shape of a tensor, if it is written and has no dynamic dimension."""
    shape = graph.types.get(tensor, (0, None))[1]
    return None if shape is None else tuple(size for size in shape if isinstance(size, int) and size > 0) or None
