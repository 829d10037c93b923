"""How far rounding alone moves the outputs of a model: it is executed with weights and inputs changed by a last place.

Whatever two correct orders of the same computation differ by is of that size; an error in a weight is far above it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from ...errors import ExecutionFailed
from ...graphdiff.mapped import filled
from ..runtime.execution import Executable, Values, subgraphs
from .comparison import Channels, Comparison

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RUNS = 4
_DRAWS = 4  # of weights: where inputs are zero, all runs with the same weights are one
_MANY = 8.0  # times what was measured: sums in another order differ by more than the same sum of changed values
_STEP = float(np.finfo(np.float32).eps)
_ALIKE = 1e-3  # channels that are at least so large, relative to the largest one, share what was measured

#: The ops whose constants may be changed a little: those of others may be sizes, steps, limits.
_LINEAR = {
    "Conv", "ConvTranspose", "MatMul", "Gemm", "Mul", "Add", "Sub", "Div", "BatchNormalization", "LSTM", "GRU", "RNN",
    "LayerNormalization", "InstanceNormalization", "GroupNormalization", "FusedMatMul", "FusedConv", "PRelu", "Einsum",
}  # fmt: skip


def is_noise(
    comparison: Comparison,
    model: ModelProto,
    outputs: Sequence[tuple[str, str]],
    sets: Sequence[Values],
    results: Sequence[Values],
    step: float,
) -> bool:
    """Whether the differences are no more than rounding. `results` are the outputs of the model for `sets`.

    `step` is the smallest step from 1.0 of the type in which weights are stored.
    """
    measured = Comparison(comparison.epsilon)
    pairs = [(mine, mine) for mine, _ in outputs]
    rng = np.random.default_rng(0)
    least = min(comparison.epsilon, _STEP)
    errors = comparison.errors.items()
    try:
        for _ in range(_DRAWS):
            execute = Executable(_perturbed(model, step, rng))
            for number in range(max(_RUNS, len(sets))):
                which = number % len(sets)
                given = {name: _moved(value, least, rng) for name, value in sets[which].items()}
                measured.add(pairs, results[which], execute(given))
            if measured.why:
                return False
            if all(np.all(error <= _allowed(comparison, measured, channels)) for channels, error in errors):
                return True
    except ExecutionFailed:
        pass
    return False


def _allowed(comparison: Comparison, measured: Comparison, channels: Channels) -> NDArray[Any]:
    if channels not in measured.errors:
        return comparison.allowed(channels)
    errors, scales = measured.errors[channels], measured.scales[channels]
    is_alike = scales >= _ALIKE * scales.max(initial=0)
    shared = errors[is_alike].max(initial=0)
    return comparison.allowed(channels) + _MANY * np.where(is_alike, np.maximum(errors, shared), errors)


def _perturbed(model: ModelProto, step: float, rng: np.random.Generator) -> ModelProto:
    """A copy in which each floating-point weight is changed by a last place, in sub-graphs as well."""
    changed = ModelProto()
    changed.CopyFrom(model)
    graphs: list[Any] = [changed.graph]
    weights: set[str] = set()
    for graph in graphs:  # it grows
        for node in graph.node:
            weights.update(node.input if node.op_type in _LINEAR else ())
            graphs += subgraphs(node)
    for tensor in (tensor for graph in graphs for tensor in _constants(graph, weights)):
        if tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE):
            values = numpy_helper.to_array(filled(tensor))
            tensor.CopyFrom(numpy_helper.from_array(_moved(values, step, rng), tensor.name))
    return changed


def _constants(graph: Any, names: Collection[str]) -> Iterator[TensorProto]:
    """The initializers and the values of Constant nodes of a graph with these names."""
    yield from (tensor for tensor in graph.initializer if tensor.name in names)
    for node in graph.node:
        if node.op_type == "Constant" and node.output[0] in names:
            yield from (attribute.t for attribute in node.attribute if attribute.HasField("t"))


def _moved(value: Any, step: float, rng: np.random.Generator) -> Any:
    if not isinstance(value, np.ndarray) or value.dtype not in (np.float32, np.float64):
        return value
    factors = 1 + step * rng.uniform(-1, 1, value.shape)
    return np.asarray(value * factors).astype(value.dtype)
