"""The built-in transform `tfm.RemoveIdentity`."""

from __future__ import annotations

from typing import Any

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.util.basic import get_by_name


class RemoveIdentity(Transformation):  # type: ignore[misc]
    """Removes every node that hands an input through unchanged: `Identity`, an inactive `Dropout`, x + 0, x - 0,
    x * 1, x / 1 with a constant that broadcasts to no larger shape, and `Pad` by nothing.

    They go wherever they stand, at a fork and at an output of the graph too. A node from one input or output of the
    graph straight to another stays, for both names belong to the model's interface.

    Args:
        atol: how far from 0 or 1 a constant may be and still count as that.
    """

    def __init__(self, atol: float = 1e-5) -> None:
        super().__init__()
        self.atol = atol

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        removed = False
        for node in list(model.graph.node):
            source = self._handed_through(model, node)
            if source is not None:
                removed |= _bypass(model, node, source)
        return model, removed

    def _handed_through(self, model: ModelWrapper, node: Any) -> str | None:
        """The input that a node hands through, if that is all it does."""
        if node.op_type == "Identity":
            return str(node.input[0])
        if node.op_type == "Dropout":
            ratio = get_by_name(node.attribute, "ratio")  # before opset 12 the ratio alone said whether it is active
            is_inactive = len(node.output) == 1 and len(node.input) < 3 and (ratio is None or ratio.f == 0)
            return str(node.input[0]) if is_inactive else None
        if node.op_type == "Pad":
            pads = get_by_name(node.attribute, "pads")
            amounts = pads.ints if pads is not None else self._constant(model, node, 1)
            return str(node.input[0]) if amounts is not None and not np.any(amounts) else None
        neutral = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1}.get(node.op_type)
        if neutral is None:
            return None
        for constant, other in ((1, 0), (0, 1)) if node.op_type in ("Add", "Mul") else ((1, 0),):
            value = self._constant(model, node, constant)
            if value is not None and np.all(np.abs(value - neutral) <= self.atol):
                shapes = [model.get_tensor_shape(name) for name in (node.input[other], node.output[0])]
                if value.ndim == 0 or (shapes[0] is not None and shapes[0] == shapes[1]):
                    return str(node.input[other])
        return None

    @staticmethod
    def _constant(model: ModelWrapper, node: Any, index: int) -> Any:
        return model.get_initializer(node.input[index]) if index < len(node.input) else None


def _bypass(model: ModelWrapper, node: Any, source: str) -> bool:
    """Takes a node out and joins what it joined. Returns False if both its ends belong to the model's interface."""
    graph = model.graph
    result = str(node.output[0])
    if result not in {output.name for output in graph.output}:
        _reconnect(graph.node, source, result)
    elif source in {value.name for value in (*graph.input, *graph.initializer, *graph.output)}:
        return False
    else:  # an output keeps its name: whoever made the source now makes, and others now read, the output
        for other in graph.node:
            for index, name in enumerate(other.output):
                if name == source:
                    other.output[index] = result
        _reconnect(graph.node, result, source)
    graph.node.remove(node)
    return True


def _reconnect(nodes: Any, new: str, old: str) -> None:
    for other in nodes:
        for index, name in enumerate(other.input):
            if name == old:
                other.input[index] = new
