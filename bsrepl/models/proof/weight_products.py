"""Weights that are products of others: of two matrices that follow each other, or of a bias and the matrix behind it.

They are compared with the products of the constants of a rewrite value by value: in 16 bits, or beside large weights,
a value that is wrong by some per cent shows neither at an output nor at the piece that reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graphdiff.constants import values_of
from ...graphdiff.difference import Difference
from ...graphdiff.view import View

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 6  # constants of one rewrite: more are not multiplied
_LARGEST = 2**30  # multiplications of one product
_FEW = 0.25  # of the values: if more differ, it is another product


def misfitting_products(difference: Difference, step: float) -> Iterator[tuple[int, float]]:
    """The new nodes of rewrites whose weights are a product, or make one up, but for a few values, and how far these
    are from it, relative; `step` is how far values may be rounded."""
    for rewrite in difference.rewrites:
        beside = _beside(difference.old, rewrite.removed), _beside(difference.new, rewrite.inserted)
        edits = [edit for edit in difference.edited if edit.old in beside[0] or edit.new in beside[1]]
        nodes = [*rewrite.removed, *(edit.old for edit in edits)], [*rewrite.inserted, *(edit.new for edit in edits)]
        old, new = _floats(difference.old, nodes[0]), _floats(difference.new, nodes[1])
        if not (0 < len(old) <= _MOST and 0 < len(new) <= _MOST):
            continue
        for factors, results in ((old, new), (new, old)):
            for result in results.values():
                if relative := product_misfit(list(factors.values()), result, step):
                    yield min(nodes[1]), relative


def _beside(view: View, nodes: Collection[int]) -> set[int]:
    makers = {port[0] for node in nodes for port in view.makers[node] if port is not None}
    return makers | {reader for node in nodes for readers in view.readers[node] for reader, _ in readers}


def _floats(view: View, nodes: Collection[int]) -> dict[Any, NDArray[Any]]:
    """The floating-point vectors and matrices that nodes read."""
    names = {name for node in nodes for name in view.nodes[node].inputs if name in view.stored}
    found = {name: values_of(view.stored[name]) for name in names if name is not None}
    kept = {name: values for name, values in found.items() if values is not None and values.dtype.kind in "fV"}
    return {name: values.squeeze() for name, values in kept.items() if values.squeeze().ndim in (1, 2)}


def product_misfit(factors: Sequence[NDArray[Any]], result: NDArray[Any], step: float) -> float:
    """How far a few values of a weight are from the product of constants that it is otherwise, relative; 0.0 if all
    fit, or if it is no such product."""
    new = result.astype(np.float64)
    found = [(1.0, 0.0)]
    for expected, size in _products([values.astype(np.float64) for values in factors], new.shape):
        error = np.abs(new - expected)
        is_wrong = error > step * size
        relative = (error / np.maximum(np.abs(expected), step * size))[is_wrong]
        found.append((float(is_wrong.mean()), float(relative.max(initial=0))))
    share, worst = min(found)
    return worst if share <= _FEW else 0.0


def _products(constants: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Those of a shape: of two matrices, of a vector and a matrix, and these plus another vector; each with the size of
    what its values are sums of."""
    vectors = [values for values in constants if values.ndim == 1]
    stored = [(number, values) for number, values in enumerate(constants) if values.ndim == 2]
    matrices = [(number, one) for number, values in stored for one in (values, values.T)]
    for (number, first), (other, second) in permutations(matrices, 2):
        is_pair = number != other and first.shape[1] == second.shape[0] and (len(first), second.shape[1]) == shape
        if is_pair and first.size * second.shape[1] <= _LARGEST:
            yield first @ second, np.sqrt(first**2 @ second**2)
    for vector, (_, matrix) in product(vectors, matrices):
        if (len(vector), *shape) == matrix.shape:
            summed, size = vector @ matrix, np.sqrt(vector**2 @ matrix**2)
            yield summed, size
            others = (one for one in vectors if one is not vector and one.shape == summed.shape)
            yield from ((summed + other, np.hypot(size, other)) for other in others)
