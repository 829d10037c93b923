"""What depends on what in a graph: which tensors a node reads, and which ones an input leads to."""

from __future__ import annotations

from typing import Any

from onnx import ModelProto

from .execution import inputs_of, subgraphs

_SHAPES = ("Shape", "Size")  # they depend on the shapes of the inputs alone


def computed(model: ModelProto) -> set[str]:
    """The tensors that an input leads to."""
    reached = {value.name for value in inputs_of(model)}
    waiting = list(model.graph.node)
    while True:
        left = []
        for node in waiting:
            if node.op_type in _SHAPES or reached.isdisjoint(read_by(node)):
                left.append(node)
            else:
                reached.update(node.output)
        if len(left) == len(waiting):
            return reached
        waiting = left


def read_by(node: Any) -> set[str]:
    """The tensors that a node reads, in its sub-graphs, too."""
    names = set(node.input)
    for graph in subgraphs(node):
        for inner in graph.node:
            names |= read_by(inner)
        names.update(value.name for value in graph.output)
    return names


def values_read_by(node: Any) -> set[str]:
    """The tensors whose values a node reads, not their shapes alone."""
    return set() if node.op_type in _SHAPES else read_by(node)
