"""Models that compute in 16 bits, widened to float32: their rounding goes away there, and an error stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from ...graphdiff.mapped import filled
from ..runtime.execution import runs_whole, subgraphs

_NARROW = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
_TYPES = ("to", "dtype")  # attributes that are element types
_FLOATS = ("value_float", "value_floats")  # attributes of constants in float32
_EPSILONS = {TensorProto.FLOAT16: 2.0**-10, TensorProto.BFLOAT16: 2.0**-7}


def epsilon(model: ModelProto) -> float:
    """The smallest step from 1.0 of the narrowest floating-point type that a model computes in."""
    types = {tensor.data_type for tensor in _tensors(model)}
    for graph in _graphs(model):
        types |= {value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)}
        attributes = [attribute for node in graph.node for attribute in node.attribute]
        types |= {attribute.i for attribute in attributes if attribute.name in _TYPES}
        types |= {TensorProto.FLOAT for attribute in attributes if attribute.name in _FLOATS}
    is_double = TensorProto.DOUBLE in types and TensorProto.FLOAT not in types and runs_whole(model)
    widest = np.finfo(np.float64 if is_double else np.float32)
    return max((_EPSILONS[kind] for kind in types & set(_NARROW)), default=float(widest.eps))


def needs_widening(model: ModelProto) -> bool:
    """Whether a model computes in bfloat16, which onnxruntime executes in few operators."""
    return epsilon(model) == _EPSILONS[TensorProto.BFLOAT16]


def widened(model: ModelProto) -> ModelProto:
    """A copy of a model whose 16-bit floats are float32."""
    wide = ModelProto()
    wide.CopyFrom(model)
    for tensor in _tensors(wide):
        if tensor.data_type in _NARROW:
            narrow = numpy_helper.to_array(filled(tensor))
            tensor.CopyFrom(numpy_helper.from_array(narrow.astype(np.float32), tensor.name))
    for graph in _graphs(wide):
        for value in (*graph.input, *graph.output, *graph.value_info):
            if value.type.tensor_type.elem_type in _NARROW:
                value.type.tensor_type.elem_type = TensorProto.FLOAT
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.name in _TYPES and attribute.i in _NARROW:
                    attribute.i = TensorProto.FLOAT
    return wide


def widened_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of tensors, those of 16-bit floats as float32."""
    wide = {
        name: value for name, value in values.items() if value.dtype.itemsize == 2 and value.dtype.kind not in "iub"
    }
    return {**values, **{name: value.astype(np.float32) for name, value in wide.items()}}


def _graphs(model: ModelProto) -> list[Any]:
    graphs = [model.graph]
    for graph in graphs:  # it grows
        for node in graph.node:
            graphs += subgraphs(node)
    return graphs


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    for graph in _graphs(model):
        yield from graph.initializer
        for node in graph.node:
            yield from (attribute.t for attribute in node.attribute if attribute.HasField("t"))
