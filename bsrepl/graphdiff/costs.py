"""What one inference costs, as far as the shapes that are written in a model tell: MACs and bit operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from ..text.tensor_sizes import element_bits
from .attributes import attribute_value
from .constants import values_of
from .view import Node, Tensor, View

_MACS = frozenset(("Conv", "Gemm", "MatMul"))
#: What hands on values of its first input, which are no wider afterwards.
_MOVING = frozenset(
    ("Flatten", "Identity", "Im2Col", "MaxPool", "Pad", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")
)
#: Ops of ONNX that sum up products, and are not counted; ops of other domains that do not.
_UNCOUNTED = frozenset(
    ("Attention", "ConvInteger", "ConvTranspose", "DeformConv", "Einsum", "GRU", "LSTM", "MatMulInteger", "QLinearConv",
     "QLinearMatMul", "RNN")
)  # fmt: skip
_WITHOUT_MACS = frozenset(
    (
        "BipolarQuant",
        "DebugMarker",
        "FloatQuant",
        "Im2Col",
        "IntQuant",
        "MaxPoolNHWC",
        "MultiThreshold",
        "Quant",
        "Trunc",
    )
)
_RESIZING = ("Resize", "Upsample")
_QUANTISERS = {"Quant": 3, "IntQuant": 3}  # which input of them is the bit width
_LONGEST = 64  # nodes that a value is followed through


class Costs(NamedTuple):
    """The products that nodes of the types Conv, Gemm and MatMul sum up, those with zeros among them."""

    macs: int
    bit_operations: int  # each MAC times the bits of both of its operands


def costs(graph: View) -> Costs | None:
    """The costs of a graph, its branches and functions counted once; None if the shape of an operand is unknown."""
    total = Costs(0, 0)
    for node in graph.nodes:
        if node.op_type in _MACS and not node.domain:
            macs = _macs(graph, node)
            if macs is None:
                return None
            first, second = (_bits(graph, tensor) for tensor in node.inputs[:2])
            total = Costs(total.macs + macs, total.bit_operations + macs * first * second)
    return total


def uncounted(graph: View) -> Counter[str]:
    """The op types of the nodes whose costs are not known, and how many there are of each."""
    return Counter(
        node.op_type
        for node in graph.nodes
        if (node.op_type not in _WITHOUT_MACS if node.domain else node.op_type in _UNCOUNTED)
    )


def _macs(graph: View, node: Node) -> int | None:
    """The MACs of a node: for each value of its output, as many as it sums up."""
    if len(node.inputs) < 2 or not node.outputs:
        return None
    operand, weights, output = (_shape(graph, tensor) for tensor in (*node.inputs[:2], node.outputs[0]))
    if not operand or not weights or output is None:
        return None
    if node.op_type == "Conv":
        return prod(output) * prod(weights[1:])
    is_transposed = any(name == "transA" and attribute_value(value) for name, value in node.attributes)
    return prod(output) * operand[-2 if is_transposed and len(operand) > 1 else -1]


def _shape(graph: View, tensor: Tensor | None) -> tuple[int, ...] | None:
    if tensor in graph.constants:
        return graph.constants[tensor].shape
    shape = graph.types.get(tensor, (0, None))[1]
    sizes = tuple(size for size in shape or () if isinstance(size, int))
    return sizes if shape is not None and len(sizes) == len(shape) else None


def _bits(graph: View, tensor: Tensor | None) -> int:
    """The bits of a tensor's values: those that it is annotated with, that it is quantised to, or of its type."""
    for origin in _origins(graph, tensor):
        annotated = graph.annotations.get((origin, "finn_datatype"), "")
        if annotated and annotated != "FLOAT32":
            return _bits_of(annotated)
        produced = graph.producer(origin)
        node = graph.nodes[produced[0]] if produced else None
        if node is not None and node.op_type == "BipolarQuant":
            return 1
        if node is not None and (width := _quantised_to(graph, node)):
            return width
    dtype = graph.constants[tensor].dtype if tensor in graph.constants else graph.types.get(tensor, (0, None))[0]
    return element_bits(dtype) or 32


def _origins(graph: View, tensor: Tensor | None) -> Iterator[Tensor]:
    """A tensor, and those whose values it hands on."""
    for _ in range(_LONGEST):
        if tensor is None:
            return
        yield tensor
        produced = graph.producer(tensor)
        if produced is None or not _hands_on(node := graph.nodes[produced[0]]):
            return
        tensor = next(iter(node.inputs), None)


def _hands_on(node: Node) -> bool:
    """Whether a node makes no new values."""
    mode = next((attribute_value(value) for name, value in node.attributes if name == "mode"), b"nearest")
    return node.op_type in _MOVING or (node.op_type in _RESIZING and mode == b"nearest")


def _quantised_to(graph: View, node: Node) -> int:
    """The bit width of a quantiser; 0 of any other node, or if it is no constant."""
    port = _QUANTISERS.get(node.op_type, len(node.inputs))
    stored = graph.stored.get(node.inputs[port]) if port < len(node.inputs) else None
    values = None if stored is None else values_of(stored)
    return int(values.max(initial=0)) if values is not None else 0


def _bits_of(datatype: str) -> int:
    """The bits of one of QONNX's datatypes, by its name; 32 of a name that it does not know."""
    from qonnx.core.datatype import DataType

    try:
        return int(DataType[datatype].bitwidth())
    except (KeyError, ValueError, AssertionError):
        return 32
