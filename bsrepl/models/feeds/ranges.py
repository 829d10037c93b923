"""What integers an input takes: those that index a table are within its range, others are near what they meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, helper, numpy_helper

from ...graphdiff.mapped import filled
from ..runtime.execution import subgraphs

_UNCHANGED = {
    "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Identity", "Transpose", "Expand", "Slice", "Concat", "Tile",
    "Gather",
}  # fmt: skip
_TABLES = {"Gather": (0, 1), "GatherElements": (0, 1)}  # which input is the table, which the index
_KEEPING = {"Identity", "Cast", "DequantizeLinear", "Quant"}  # of a table that it is read through

_COMPARING = {"Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"}


class Range(NamedTuple):
    """The integers that an input takes."""

    size: int | None  # those below it, from 0 on; None if nothing is known
    compared: tuple[int, ...]  # numbers that they are compared with


def ranges(model: ModelProto, names: list[str]) -> dict[str, Range]:
    """The range of each of the inputs with these names."""
    uses = _Uses(model)
    return {name: uses.range_of(name) for name in names}


class _Uses:
    """What the nodes of a model, those of sub-graphs among them, do with integers."""

    def __init__(self, model: ModelProto) -> None:
        graphs: list[Any] = [model.graph]
        self._readers: dict[str, list[tuple[Any, int]]] = {}
        self._makers: dict[str, Any] = {}
        self._constants: dict[str, Any] = {}
        for graph in graphs:  # it grows
            self._constants |= {tensor.name: tensor for tensor in graph.initializer}
            for node in graph.node:
                self._add(node)
                graphs += subgraphs(node)
        infos = model.graph.value_info
        self._shapes = {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in infos}

    def _add(self, node: Any) -> None:
        self._makers.update(dict.fromkeys(node.output, node))
        for place, name in enumerate(node.input):
            self._readers.setdefault(name, []).append((node, place))
        if node.op_type == "Constant":
            self._constants.update((node.output[0], a.t) for a in node.attribute if a.name == "value")

    def range_of(self, name: str) -> Range:
        """The integers that an input takes."""
        sizes, compared = [], []
        for node, place in self._reading(name):
            if node.op_type in _COMPARING:
                numbers = self._numbers(node.input[1 - place])
                compared += numbers if len(numbers) == 1 else []
                sizes += [max(numbers) + 1] if len(numbers) > 1 else []  # as in a one-hot encoding
            else:
                sizes += self._sizes(node, place)
        positive = [size for size in sizes if size > 0]
        return Range(min(positive) if positive else None, tuple(dict.fromkeys(compared)))

    def _sizes(self, node: Any, place: int) -> list[int]:
        """The size of the table that a node takes its input at a place as an index of; at most one."""
        if node.op_type in _TABLES and place == _TABLES[node.op_type][1]:
            shape, axis = self._shape(node.input[0]), _axis(node)
            return shape[axis:][:1]
        if node.op_type == "OneHot" and place == 0:
            return self._numbers(node.input[1])[:1]
        if node.op_type == "EmbedLayerNormalization" and place < 2:  # of onnxruntime
            return self._shape(node.input[4 if place else 2])[:1]
        return []

    def _shape(self, name: str) -> list[int]:
        table = self._constant(name, _KEEPING)
        return list(table.dims) if table is not None else self._shapes.get(name, [])

    def _numbers(self, name: str) -> list[int]:
        """The values of a constant; none if a tensor comes of no constant."""
        tensor = self._constant(name, _UNCHANGED)
        values = numpy_helper.to_array(filled(tensor)) if tensor is not None else np.array([])
        return [int(number) for number in values.reshape(-1)]

    def _constant(self, name: str, through: set[str]) -> Any:
        """The constant that a tensor comes of, through ops that keep its values; None if it comes of none."""
        while name not in self._constants and name in self._makers and self._makers[name].op_type in through:
            name = self._makers[name].input[0]
        return self._constants.get(name)

    def _reading(self, name: str) -> Iterator[tuple[Any, int]]:
        """The nodes that read a tensor, itself or through ops that keep its values, and at which input."""
        waiting, known = [name], {name}
        for tensor in waiting:  # it grows
            for node, place in self._readers.get(tensor, ()):
                yield node, place
                if node.op_type in _UNCHANGED and (place == 0 or node.op_type == "Concat"):
                    waiting += [output for output in node.output if output not in known]
                    known.update(node.output)


def _axis(node: Any) -> int:
    return next((int(helper.get_attribute_value(a)) for a in node.attribute if a.name == "axis"), 0)
