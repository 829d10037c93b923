"""What integers an input takes: those that index a table are within its range, others are near what they meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, helper, numpy_helper

from .execution import subgraphs

_UNCHANGED = {
    "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity", "Transpose", "Expand", "Slice", "Concat", "Tile",
}  # fmt: skip
_TABLES = {"Gather": (0, 1), "GatherElements": (0, 1)}  # which input is the table, which the index
_KEEPING = {"Identity", "Cast", "DequantizeLinear", "Quant"}  # of a table that it is read through


class Range(NamedTuple):
    """The integers that an input takes."""

    size: int | None  # those below it, from 0 on; None if nothing is known
    compared: tuple[int, ...]  # numbers that they are compared with


def ranges(model: ModelProto, names: list[str]) -> dict[str, Range]:
    """The range of each of the inputs with these names."""
    graphs: list[Any] = [model.graph]
    nodes = []
    for graph in graphs:  # it grows
        for node in graph.node:
            nodes.append(node)
            graphs += subgraphs(node)
    constants = {tensor.name: tensor for graph in graphs for tensor in graph.initializer}
    for node in nodes:
        if node.op_type == "Constant":
            constants.update((node.output[0], a.t) for a in node.attribute if a.name == "value")
    infos = model.graph.value_info
    known = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in infos}
    readers: dict[str, list[tuple[Any, int]]] = {}
    makers = {name: node for node in nodes for name in node.output}
    for node in nodes:
        for place, name in enumerate(node.input):
            readers.setdefault(name, []).append((node, place))

    def constant(name: str, through: set[str]) -> Any:
        """The constant that a tensor comes of; None if it comes of none."""
        while name not in constants and name in makers and makers[name].op_type in through:
            name = makers[name].input[0]
        return constants.get(name)

    def table_shape(name: str) -> list[int]:
        table = constant(name, _KEEPING)
        return list(table.dims) if table is not None else known.get(name, [])

    def range_of(name: str) -> Range:
        sizes, compared = [], []
        for node, place in _reading(name, readers):
            if node.op_type in _TABLES and place == _TABLES[node.op_type][1]:
                shape, axis = table_shape(node.input[0]), _axis(node)
                sizes += shape[axis : axis + 1] if axis >= 0 else shape[axis:][:1]
            elif node.op_type == "OneHot" and place == 0 and node.input[1] in constants:
                sizes.append(int(numpy_helper.to_array(constants[node.input[1]]).reshape(-1)[0]))
            elif node.op_type == "EmbedLayerNormalization" and place < 2:  # of onnxruntime
                sizes += table_shape(node.input[4 if place else 2])[:1]
            elif node.op_type in ("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"):
                other = constant(node.input[1 - place], _UNCHANGED)
                numbers = numpy_helper.to_array(other).reshape(-1) if other is not None else np.zeros(0)
                if numbers.size == 1:
                    compared.append(int(numbers[0]))
                elif numbers.size:  # as in a one-hot encoding
                    sizes.append(int(numbers.max()) + 1)
        positive = [size for size in sizes if size > 0]
        return Range(min(positive) if positive else None, tuple(dict.fromkeys(compared)))

    return {name: range_of(name) for name in names}


def _reading(name: str, readers: dict[str, list[tuple[Any, int]]]) -> Iterator[tuple[Any, int]]:
    """The nodes that read a tensor, itself or through nodes that leave its values as they are, and at which input."""
    waiting, known = [name], {name}
    for tensor in waiting:  # it grows
        for node, place in readers.get(tensor, ()):
            yield node, place
            if node.op_type in _UNCHANGED and (place == 0 or node.op_type == "Concat"):
                waiting += [output for output in node.output if output not in known]
                known.update(node.output)


def _axis(node: Any) -> int:
    return next((int(helper.get_attribute_value(a)) for a in node.attribute if a.name == "axis"), 0)
