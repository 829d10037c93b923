"""Scales and zero points that a rewrite moves to other nodes: each pair of them is one that there was before.

What a quantiser rounds away, or a Softmax takes back, hides a scale that is wrong by one per cent and a zero point that
is wrong by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...graphdiff.constants import values_of
from ...graphdiff.difference import Difference
from ...graphdiff.view import Node, Tensor, View
from .culprit import named

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEAR = 0.05  # relative; a scale that is farther from those before is meant to be another one
_NEXT = 4  # steps; so is a zero point
_EXACT = 1e-6  # relative; how far products of scales are rounded
_ALONE = ("QuantizeLinear", "DequantizeLinear")  # without a zero point it is zero


class _Pair(NamedTuple):
    """A scale and a zero point, or one of each for every channel."""

    scale: NDArray[Any]
    zero: NDArray[Any]

    def is_near(self, other: _Pair) -> bool:
        if self.scale.size != other.scale.size:
            return False
        is_near = bool(np.all(np.abs(other.scale - self.scale) <= _NEAR * self.scale))
        return is_near and bool(np.all(np.abs(other.zero - self.zero) <= _NEXT))

    def explains(self, other: _Pair, factors: Sequence[NDArray[Any]], step: float) -> bool:
        """Whether another pair is this one, or this one times a constant or divided by one."""
        ratio = other.scale / self.scale
        products = (product for factor in factors for product in (ratio * factor, ratio / factor))
        is_known = any(np.all(np.abs(one - 1) <= step) for one in (ratio, *products))
        return is_known and np.array_equal(self.zero, other.zero)


def misquantised(difference: Difference, step: float) -> str:
    """A new or edited node with a scale or a zero point that is near those before and comes of none of them, in words.

    Empty if there is none. `step` is how far scales may be rounded.
    """
    old, new = difference.old, difference.new
    changed = [*difference.inserted, *(edit.new for edit in difference.edited)]
    read = [(node, pair) for node in changed for pair in _pairs(new, node)]
    if not read:
        return ""
    before = [pair for node in range(len(old.nodes)) for pair in _pairs(old, node)]
    folded = (_flat(old, tensor, "f") for node in difference.removed for tensor in old.nodes[node].inputs)
    factors = [values for values in folded if values is not None and values.size == 1]
    for node, pair in read:
        near = [one for one in before if one.is_near(pair)]
        if near and not any(one.explains(pair, factors, max(step, _EXACT)) for one in near):
            return f"{named(new.nodes[node])} reads {_change(near, pair)}"
    return ""


def _change(near: Sequence[_Pair], pair: _Pair) -> str:
    """`a zero point that differs by 1 from the one before`, `a scale that differs by 1.0% from the one before`"""
    steps = [int(np.abs(pair.zero - one.zero).max()) for one in near if np.array_equal(one.scale, pair.scale)]
    if steps:
        return f"a zero point that differs by {min(steps)} from the one before"
    error = min(float(np.abs(pair.scale / one.scale - 1).max()) for one in near)
    return f"a scale that differs by {error:.1%} from the one before"


def _pairs(view: View, node: int) -> Iterator[_Pair]:
    """The constant scales that a node reads, each with the constant zero point that it reads next."""
    read = view.nodes[node].inputs
    for place, tensor in enumerate(read):
        scale = _flat(view, tensor, "f")
        if scale is None or not np.all(scale > 0):
            continue
        zero = _flat(view, read[place + 1], "iu") if place + 1 < len(read) else None
        if zero is None and _is_zero(view.nodes[node], place + 1):
            zero = np.zeros(scale.shape)
        if zero is not None and zero.size == scale.size:
            yield _Pair(scale, zero)


def _is_zero(node: Node, place: int) -> bool:
    """Whether a zero point that would stand at a place is left out."""
    return node.inputs[place] is None if place < len(node.inputs) else node.op_type in _ALONE


def _flat(view: View, tensor: Tensor | None, kinds: str) -> NDArray[Any] | None:
    """The values of a constant along one axis at most, of a data type of these kinds; None if it is no such one."""
    content = view.constants.get(tensor)
    if content is None or len(content.shape) > 1:
        return None
    values = values_of(view.stored[tensor])
    is_known = values is not None and values.size and values.dtype.kind in kinds
    return values.astype(np.float64).ravel() if is_known and values is not None else None
