"""Values that are others, scaled or shifted: what a pass does on purpose, to make up for it later.

An error in one weight moves the values of its channel by amounts of their own. A scale or a bias that was moved to a
later node multiplies all values of most channels by one factor each, or shifts them by one number each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 1e-2  # times the largest channel: a smaller one may be what is left of larger values
_CHANGED = 0.1  # times the tolerance, from which on a channel counts as changed


def is_refactored(before: NDArray[Any], after: NDArray[Any], tolerance: float) -> bool:
    """Whether every channel of an array is that of another one times a factor, or plus a number, to a tolerance that is
    relative to its largest value; and whether most channels are changed by that."""
    if before.shape != after.shape or before.dtype.kind != "f" or after.dtype.kind != "f":
        return False
    a, b = before.astype(np.float64), after.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    axes: list[tuple[int, ...]] = [tuple(range(a.ndim))]
    for channels in {min(1, a.ndim - 1), a.ndim - 1} if a.ndim > 1 else ():
        axes.append(tuple(axis for axis in range(a.ndim) if axis != channels))
    return any(_fits(a, b, axis, tolerance) for axis in axes)


def _fits(a: NDArray[Any], b: NDArray[Any], axis: tuple[int, ...], tolerance: float) -> bool:
    """Whether it holds for the channels that are left besides some axes."""
    scale = np.maximum(np.abs(a), np.abs(b)).max(axis=axis, keepdims=True)
    is_changed = np.abs(a - b).max(axis=axis, keepdims=True) > _CHANGED * tolerance * scale
    if a.size < 2 * scale.size or 2 * is_changed.sum() <= (scale > 0).sum():  # a single value fits anything
        return False
    scale = np.maximum(scale, _LEAST * scale.max(initial=0))
    squares = (a * a).sum(axis=axis, keepdims=True)
    factor = np.divide((a * b).sum(axis=axis, keepdims=True), squares, where=squares > 0, out=np.ones_like(squares))
    shift = (b - a).mean(axis=axis, keepdims=True)
    return any(bool(np.all(np.abs(b - guess) <= tolerance * scale)) for guess in (a * factor, a + shift))
