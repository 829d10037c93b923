"""New and edited nodes that read constants which do not fit those before: weights, biases, scales and zero points."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ...graphdiff.constants import values_of
from ...graphdiff.difference import Difference
from ...graphdiff.view import Node, Tensor, View
from .culprit import named
from .quantisation import misquantised
from .recurrent_bias import effective
from .stored_weights import misfit
from .weight_products import misfitting_products

_SMALLEST = float(np.finfo(np.float32).tiny)
_ENOUGH = 8  # values of a channel, as a bias has not


def misfitting(difference: Difference, step: float, compared: Collection[int], explained: Collection[int]) -> str:
    """A node that reads constants of which a few do not fit those before, though the others do to `step`, in words.

    Edited nodes that have been `compared` for all inputs are right, whatever they read. Others make up for what
    `explained` ones compute: where a channel has few values, it cannot be told whether they are meant.
    """
    for node, relative in _misfits(difference, step, compared, explained):
        if relative:
            return f"{named(node)} reads weights of which a few differ by {relative:.1%} from what the others say"
    return misquantised(difference, step)


def _misfits(
    difference: Difference, step: float, compared: Collection[int], explained: Collection[int]
) -> Iterator[tuple[Node, float]]:
    old, new = difference.old, difference.new
    for edit in (one for one in difference.edited if one.new not in compared):
        before, after = old.nodes[edit.old], new.nodes[edit.new]
        for port, (mine, theirs) in enumerate(zip(before.inputs, after.inputs, strict=False)):
            if _are_others(difference, mine, theirs):
                was, now = effective(before, port, _weight(old, mine)), effective(after, port, _weight(new, theirs))
                if was is not None and now is not None and not (edit.new in explained and _is_narrow(was)):
                    yield after, misfit(was, now, step)
    for rewrite in difference.rewrites:
        read = {tensor for node in rewrite.removed for tensor in old.nodes[node].inputs}
        moved = {old.constants.get(tensor) for tensor in read}
        for node in (new.nodes[number] for number in rewrite.inserted):
            for mine, theirs in product(read, [one for one in node.inputs if new.constants.get(one) not in moved]):
                if _are_others(difference, mine, theirs):
                    was, now = _weight(old, mine), _weight(new, theirs)
                    if was is not None and now is not None and min(was.ndim, now.ndim) > 1:
                        yield node, misfit(was, now, step)
                    elif was is not None and now is not None and was.shape == now.shape:
                        yield node, _partly_changed(was, now)
    for number, relative in misfitting_products(difference, step):
        yield new.nodes[number], relative


def _partly_changed(was: Any, now: Any) -> float:
    """How far a few values of a bias are from those before, where most are the same: a fold changes all or none."""
    is_same = was == now
    if 2 * np.count_nonzero(is_same & (was != 0)) < was.size or np.ptp(was) == 0:
        return 0.0
    error = np.abs(now.astype(float) - was)[~is_same]
    return float(np.max(error / np.maximum(np.abs(was.astype(float)[~is_same]), _SMALLEST), initial=0))


def _are_others(difference: Difference, mine: Tensor | None, theirs: Tensor | None) -> bool:
    """Whether two tensors are constants of as many values, and differ."""
    was, now = difference.old.constants.get(mine), difference.new.constants.get(theirs)
    return was is not None and now is not None and was != now and prod(was.shape) == prod(now.shape)


def _weight(view: View, tensor: Tensor | None) -> Any:
    """The values of a constant; None unless they are floats, a bias in 32 bits or a matrix in 8: others are sizes."""
    values = values_of(view.stored[tensor]) if tensor in view.stored else None
    if values is None or values.ndim == 0:
        return None
    is_weight = values.dtype.kind in "iu" and values.dtype.itemsize == (4 if values.ndim == 1 else 1)
    return values if values.dtype.kind in "fV" or is_weight else None


def _is_narrow(values: Any) -> bool:
    """Whether a channel has so few values that nothing can be said of one of them."""
    return bool(values.size < _ENOUGH * max(values.shape))
