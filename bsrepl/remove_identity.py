"""The built-in transform `tfm.RemoveIdentity`."""

from __future__ import annotations

from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation
from qonnx.transformation.remove import RemoveIdentityOps


class RemoveIdentity(Transformation):
    """Removes every node that hands its input through unchanged.

    `Identity` nodes go wherever they stand, at a fork and at an output of the graph too; the one that stays is an
    Identity from a graph input straight to a graph output, for both names are the model's interface. Arithmetic with a
    neutral constant (x + 0, x * 1), empty pads and inactive dropouts are left to QONNX's own `RemoveIdentityOps`.

    Args:
        atol: how far from 0 or 1 a constant may be and still count as neutral.
    """

    def __init__(self, atol: float = 1e-5) -> None:
        super().__init__()
        self._arithmetic = RemoveIdentityOps(atol)

    def apply(self, model: ModelWrapper) -> tuple[ModelWrapper, bool]:
        removed = False
        for node in [node for node in model.graph.node if node.op_type == "Identity"]:
            removed |= _bypass(model, node)
        model, more = self._arithmetic.apply(model)
        return model, removed or more


def _bypass(model: ModelWrapper, node: object) -> bool:
    """Takes an Identity node out and joins what it joined. Returns False if both its ends are the graph's own."""
    graph = model.graph
    source, result = node.input[0], node.output[0]  # type: ignore[attr-defined]
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


def _reconnect(nodes: object, new: str, old: str) -> None:
    for other in nodes:  # type: ignore[attr-defined]
        for index, name in enumerate(other.input):
            if name == old:
                other.input[index] = new
