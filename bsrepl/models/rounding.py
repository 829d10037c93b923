"""Differences that come of values on a rounding edge, told apart: the quantisers of two models are held together.

The second model gets, in the place of each quantiser's output, what the quantiser of the first one produced. Then all
that is computed between quantisers has to agree as far as floating-point numbers go, and each quantiser, given the same
values as the other, has to produce the same. If so, what differs without this lies on an edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TensorProto

from ..graphdiff.difference import Difference
from ..graphdiff.view import Node, Tensor, attribute_value
from .comparison import Comparison
from .cutting import cut_at, given, own
from .execution import Executable, Values
from .meaning import computed

_OPS = {
    "Quant", "IntQuant", "FloatQuant", "BipolarQuant", "Trunc", "MultiThreshold", "QuantizeLinear", "Round", "Floor",
    "Ceil", "Sign", "DynamicQuantizeLinear",
}  # fmt: skip
_WHOLE = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)
_TOLERANCE = 1e-5  # between quantisers, relative to the largest magnitude of a channel


class Quantiser(NamedTuple):
    """A quantiser of both models: the names of the tensors that it reads and produces, before and after."""

    name: str
    read: tuple[str, str]
    produced: tuple[str, str]


class Held(NamedTuple):
    """What both models compute with the quantisers held together."""

    edges: Counter[str]  # by quantiser: the number of values on an edge
    guilty: Quantiser | None  # one that produces other values from the same ones
    agrees: bool  # whether everything else agrees
    comparison: Comparison
    values: Values  # of the second model, for the last set of inputs


def quantisers(difference: Difference, pairs: Mapping[Tensor, Tensor], before: ModelProto) -> list[Quantiser]:
    """The quantisers of values that depend on the inputs and that both models have."""
    reached = computed(before)
    both = []
    for node in difference.old.nodes:
        if node.scope or not is_quantiser(node) or node.inputs[0] is None or node.outputs[0] is None:
            continue
        read, produced = pairs.get(node.inputs[0]), pairs.get(node.outputs[0])
        if node.inputs[0][1] in reached and read is not None and produced is not None:
            name = " ".join(filter(None, (node.op_type, node.name)))
            both.append(Quantiser(name, (node.inputs[0][1], read[1]), (node.outputs[0][1], produced[1])))
    return both


def is_quantiser(node: Node) -> bool:
    """Whether a node rounds."""
    if node.op_type == "Cast":
        return any(name == "to" and attribute_value(value) in _WHOLE for name, value in node.attributes)
    return node.op_type in _OPS


def held(
    before: ModelProto,
    after: ModelProto,
    both: Sequence[Quantiser],
    outputs: Sequence[tuple[str, str]],
    sets: Sequence[tuple[Values, Values]],
    wanted: Sequence[str] = (),
) -> Held:
    """Executes both models on each of the sets of inputs, whose names are those of one and of the other.

    `outputs` are pairs of names, `wanted` tensors of the second model whose values are returned. Raises
    ExecutionFailed.
    """
    tensors = [name for quantiser in both for name in (quantiser.read[0], quantiser.produced[0])]
    execute = Executable(before, tensors)
    free = [pair for pair in outputs if pair[1] not in {quantiser.produced[1] for quantiser in both}]
    comparison, edges, guilty = Comparison(), Counter[str](), None
    values: Values = {}
    for mine, theirs in sets:
        was = execute(mine)
        results = {quantiser.produced[1]: was[quantiser.produced[0]] for quantiser in both}
        values = _executed_from(after, theirs, results, [*wanted, *(quantiser.read[1] for quantiser in both)])
        comparison.add([*free, *((quantiser.read[0], quantiser.read[1]) for quantiser in both)], was, values)
        read = {quantiser.read[1]: was[quantiser.read[0]] for quantiser in both}
        again = _executed_from(after, theirs, read, [quantiser.produced[1] for quantiser in both])
        for quantiser in both:
            expected = was[quantiser.produced[0]]
            edges[quantiser.name] += int((_own(quantiser, values) != expected).sum())
            if guilty is None and not _are_close(_own(quantiser, again), expected):
                guilty = quantiser
        values |= results
    agrees = guilty is None and (comparison.is_within() or comparison.is_within(_TOLERANCE))
    return Held(+edges, guilty, agrees, comparison, values)


def _executed_from(model: ModelProto, inputs: Values, values: Values, wanted: Sequence[str]) -> Values:
    """The values of tensors if those in `values` are given."""
    cut = cut_at(model, values)
    names = [*wanted, *map(own, values)]
    produced = {name for node in cut.graph.node for name in node.output}
    return Executable(cut, [name for name in names if name in produced])({**inputs, **given(values, model)})


def _own(quantiser: Quantiser, values: Values) -> Any:
    name = quantiser.produced[1]
    return values[own(name)] if own(name) in values else values[name]


def _are_close(a: Any, b: Any) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-6, atol=0, equal_nan=True))
