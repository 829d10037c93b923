"""Values on a rounding edge: those that a quantiser rounds one way in one model and the other way in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from ...graphdiff.attributes import attribute_value
from ...graphdiff.difference import Difference
from ...graphdiff.view import Node, Tensor
from ..runtime.cutting import cut_at, given, own
from ..runtime.execution import Executable, Values
from .culprit import named

_OPS = {
    "Quant", "IntQuant", "FloatQuant", "BipolarQuant", "Trunc", "MultiThreshold", "QuantizeLinear", "Round", "Floor",
    "Ceil", "Sign", "DynamicQuantizeLinear",
}  # fmt: skip
_WHOLE = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)


def quantised(
    difference: Difference, tensors: Sequence[tuple[Tensor, Tensor]]
) -> list[tuple[str, tuple[Tensor, Tensor]]]:
    """The quantisers, by name, that produce one of the pairs of tensors."""
    old = difference.old
    found = []
    for mine, theirs in tensors:
        node = old.nodes[port[0]] if (port := old.producer(mine)) is not None else None
        if node is not None and _rounds(node):
            found.append((named(node), (mine, theirs)))
    return found


def _rounds(node: Node) -> bool:
    if node.op_type == "Cast":
        return any(name == "to" and attribute_value(value) in _WHOLE for name, value in node.attributes)
    return node.op_type in _OPS


def edges(
    before: ModelProto,
    after: ModelProto,
    quantisers: Sequence[tuple[str, tuple[Tensor, Tensor]]],
    sets: Sequence[tuple[Values, Values]],
) -> Counter[str]:
    """By quantiser, how many values lie on an edge, for sets of inputs of both models.

    The second model gets, in the place of each quantiser's output, what the first one produced: so an edge does not
    make others. Raises ExecutionFailed.
    """
    counts: Counter[str] = Counter()
    execute = Executable(before, [mine[1] for _, (mine, _) in quantisers])
    for inputs, others in sets:
        was = execute(inputs)
        held = {theirs[1]: was[mine[1]] for _, (mine, theirs) in quantisers}
        cut = cut_at(after, held)
        now = Executable(cut, [name for name in map(own, held) if name not in {v.name for v in cut.graph.output}])
        values: dict[str, Any] = now({**others, **given(held, after)})
        for name, (_, theirs) in quantisers:
            computed = values.get(own(theirs[1]), values.get(theirs[1]))
            counts[name] += int(np.sum(computed != held[theirs[1]]))
    return +counts
