"""Weights that a rewrite has scaled or folded: each is one of those before, times a factor that its channel shares.

In 16 bits, the sum of many products of which each is rounded hides a weight that is wrong by some per cent, at an
output and at the piece that reads it; so do zeros. Beside the weights of its own channel it stands out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 0.05  # of the weights: if more do not fit, the factors are of another kind, and nothing is known
_ENOUGH = 8  # weights of a channel, from which on the median of their factors is that of the channel
_SAMPLE = 256  # weights of a channel, of whose factors the median is taken: that of all takes seconds
_ROUNDS = 3  # a scale of the outputs and one of the inputs are told apart after as many
_ALIKE = 1e-6  # relative; factors that differ by less are one
_LEAST = 1e-5  # times the largest weight: a smaller one shows nowhere
_SMALLEST = 2.0**-24  # what float16 rounds to near zero, where its steps are no longer relative


def misfit(before: NDArray[Any], after: NDArray[Any], step: float) -> float:
    """How far a few weights are from what all others say they are, relative; 0.0 if all fit, or too many do not.

    What fits is a weight times the factors of its channels, to `step`, or the same weights in another order.
    """
    old, new = before.astype(np.float64), after.astype(np.float64)
    if old.shape != new.shape:
        if old.ndim == new.ndim == 2 and old.T.shape == new.shape:
            return misfit(before.T, after, step)
        old, new = np.sort(old, axis=None), np.sort(new, axis=None)
        expected = old
    else:
        expected = old * _factors(old, new)
    error, size = np.abs(new - expected), np.abs(expected)
    is_wrong = (error > step * size) & (error > max(_LEAST * np.abs(new).max(initial=0), _SMALLEST))
    if is_wrong.mean() > _MOST:
        return 0.0
    is_wrong &= ~_in_whole_channels(is_wrong, (old != 0) | (new != 0))
    if not is_wrong.any():
        return 0.0
    return float((error[is_wrong] / np.maximum(size[is_wrong], _SMALLEST)).max())


def _in_whole_channels(is_wrong: NDArray[Any], is_known: NDArray[Any]) -> NDArray[Any]:
    """Where weights are in a channel of which most are wrong: it was meant to change, as one that is swapped."""
    found = np.zeros(is_wrong.shape, bool)
    for axis in range(is_wrong.ndim):
        others = tuple(other for other in range(is_wrong.ndim) if other != axis)
        if is_wrong.size >= _ENOUGH * is_wrong.shape[axis]:
            count = np.maximum(is_known.sum(axis=others, keepdims=True), 1)
            found |= is_wrong.sum(axis=others, keepdims=True) > 0.5 * count
    return found


def _factors(old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """The factor of each weight: the product of those of its channels along every axis, each a median."""
    is_known = (old != 0) & np.isfinite(old) & np.isfinite(new)
    left = np.divide(new, old, where=is_known, out=np.full(old.shape, np.nan))
    known = left[is_known]
    if not known.size or np.ptp(known) <= _ALIKE * abs(known[0]):
        return np.full(old.shape, known[0] if known.size else 1.0)
    if old.ndim == 1:
        middle = float(np.median(known))
        return np.full(old.shape, middle if np.isfinite(middle) and middle else 1.0)
    factors = np.ones(old.shape)
    most = int(_SAMPLE ** (1 / (old.ndim - 1)))  # along each of the other axes
    for _ in range(_ROUNDS):
        for axis in range(old.ndim):
            others = tuple(other for other in range(old.ndim) if other != axis)
            if old.size < _ENOUGH * old.shape[axis]:
                continue
            some = tuple(slice(None, None, 1 if at == axis else -(-size // most)) for at, size in enumerate(old.shape))
            median = np.nanmedian(left[some], axis=others, keepdims=True)
            median = np.where(np.isfinite(median) & (median != 0), median, 1.0)
            factors, left = factors * median, left / median
    return factors
