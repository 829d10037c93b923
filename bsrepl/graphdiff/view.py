"""An ONNX graph as plain values: nodes, who makes and who reads each tensor, and what is known of it.

Sub-graphs are part of it: the nodes in the branches of an If or the body of a Loop stand in the same list, their
tensors are told apart by the scope they are in, and the node that has them reads what they put out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

#: A tensor: the scope that it is in, empty for the graph itself, and its name.
Tensor = tuple[str, str]

#: An input or an output of a node: the numbers of both.
Port = tuple[int, int]

_GRAPH, _GRAPHS = 5, 10  # AttributeProto.GRAPH and .GRAPHS
_EXTERNAL = 1  # TensorProto.EXTERNAL


class Node(NamedTuple):
    """A node: what it is, what it reads and makes."""

    name: str
    op_type: str
    domain: str
    scope: str
    inputs: tuple[Tensor | None, ...]  # None of an optional input that is left out; sub-graphs' outputs come last
    outputs: tuple[Tensor | None, ...]
    attributes: tuple[tuple[str, bytes], ...]  # by name, as they are serialized; sub-graphs left out


class Content(NamedTuple):
    """The content of a constant: equal for equal values, whatever they are called."""

    dtype: int
    shape: tuple[int, ...]
    digest: bytes


@dataclass
class View:
    """A graph, with its sub-graphs."""

    nodes: list[Node] = field(default_factory=list)
    inputs: dict[Tensor | None, str] = field(default_factory=dict)  # which input each is: `0`, `body 1`
    outputs: dict[Tensor | None, list[int]] = field(default_factory=dict)  # which outputs of the graph each is
    constants: dict[Tensor | None, Content] = field(default_factory=dict)
    types: dict[Tensor | None, tuple[int, tuple[int | str | None, ...] | None]] = field(default_factory=dict)
    annotations: dict[tuple[Tensor, str], str] = field(default_factory=dict)  # (tensor, `finn_datatype`) -> value
    opsets: dict[str, int] = field(default_factory=dict)
    producers: dict[Tensor | None, Port] = field(default_factory=dict)
    consumers: dict[Tensor | None, list[Port]] = field(default_factory=dict)
    makers: list[list[Port | None]] = field(default_factory=list)  # of each node: what makes each of its inputs
    readers: list[list[Sequence[Port]]] = field(default_factory=list)  # of each node: what reads each of its outputs

    def order(self) -> list[int]:
        """The nodes so that each comes after what it reads from; those on a cycle come last."""
        waiting = [len(makers) - makers.count(None) for makers in self.makers]
        ready = [number for number, count in enumerate(waiting) if not count]
        for number in ready:
            for readers in self.readers[number]:
                for reader, _ in readers:
                    waiting[reader] -= 1
                    if not waiting[reader]:
                        ready.append(reader)
        if len(ready) < len(self.nodes):
            ready += sorted(set(range(len(self.nodes))) - set(ready))
        return ready


def view(model: ModelProto) -> View:
    """The view of a model's graph."""
    made = View(opsets={each.domain: each.version for each in model.opset_import})
    _add(made, model.graph, "", {})
    for value in model.graph.input:
        tensor = ("", value.name)
        if tensor not in made.constants:  # older models list their constants among the inputs
            made.inputs[tensor] = str(len(made.inputs))
    for number, value in enumerate(model.graph.output):
        made.outputs.setdefault(("", value.name), []).append(number)
    for index, node in enumerate(made.nodes):
        for port, made_here in enumerate(node.outputs):
            if made_here is not None:
                made.producers.setdefault(made_here, (index, port))
        for port, read in enumerate(node.inputs):
            if read is not None:
                made.consumers.setdefault(read, []).append((index, port))
    made.makers = [[made.producers.get(tensor) for tensor in node.inputs] for node in made.nodes]
    made.readers = [[made.consumers.get(tensor, ()) for tensor in node.outputs] for node in made.nodes]
    return made


class _Names(dict[str, "Tensor | None"]):
    """The tensors that a graph sees, by their names; those that nothing makes are its own."""

    def __init__(self, outer: Mapping[str, Tensor | None], scope: str) -> None:
        super().__init__(outer)
        self._scope = scope
        self[""] = None  # an input that is left out

    def __missing__(self, name: str) -> Tensor:
        tensor = self[name] = (self._scope, name)
        return tensor


def _add(made: View, graph: GraphProto, scope: str, outer: Mapping[str, Tensor | None]) -> _Names:
    """Adds what is in a graph. `outer` are the tensors that it sees of the graphs around it. Returns those it has."""
    names = _Names(outer, scope)
    for constant in graph.initializer:
        tensor = names[constant.name] = (scope, constant.name)
        made.constants[tensor] = content(constant)
    for value in graph.input:
        names[value.name] = (scope, value.name)
    nodes = list(graph.node)
    outputs = [tuple([(scope, name) if name else None for name in node.output]) for node in nodes]
    names.update((tensor[1], tensor) for made_here in outputs for tensor in made_here if tensor is not None)
    for values in (graph.input, graph.output, graph.value_info):
        for value in values:
            tensor_type = value.type.tensor_type
            shape = tuple(map(_dimension, tensor_type.shape.dim)) if tensor_type.HasField("shape") else None
            made.types[(scope, value.name)] = (tensor_type.elem_type, shape)
    for annotation in graph.quantization_annotation:
        for entry in annotation.quant_parameter_tensor_names:
            made.annotations[(scope, annotation.tensor_name), entry.key] = entry.value
    for number, (node, made_here) in enumerate(zip(nodes, outputs, strict=True)):
        attributes, results = _attributes(made, node, names, f"{scope}{number}/") if node.attribute else ((), [])
        inputs = tuple([names[name] for name in node.input] + results)
        made.nodes.append(Node(node.name, node.op_type, node.domain, scope, inputs, made_here, attributes))
    return names


def _attributes(
    made: View, node: NodeProto, names: _Names, inner: str
) -> tuple[tuple[tuple[str, bytes], ...], list[Tensor | None]]:
    """The attributes of a node but for its sub-graphs, which are added; and what these put out."""
    attributes: list[tuple[str, bytes]] = []
    results: list[Tensor | None] = []
    for attribute in node.attribute:
        graphs = _graphs(attribute)
        if not graphs:
            attributes.append((attribute.name, attribute.SerializeToString(deterministic=True)))
        for number, graph in enumerate(graphs):
            place = f"{inner}{attribute.name}{number}."
            seen = _add(made, graph, place, names)
            for port, value in enumerate(graph.input):
                made.inputs[place, value.name] = f"{attribute.name} {port}"
            results += [seen[value.name] for value in graph.output]
    return tuple(sorted(attributes)), results


def _graphs(attribute: AttributeProto) -> list[GraphProto]:
    if attribute.type == _GRAPH:
        return [attribute.g]
    return list(attribute.graphs) if attribute.type == _GRAPHS else []


def _dimension(dimension: Any) -> int | str | None:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value)
    return dimension.dim_param or None


def attribute_value(serialized: bytes) -> Any:
    """The value of one of a node's `attributes`."""
    from onnx import AttributeProto, helper

    return helper.get_attribute_value(AttributeProto.FromString(serialized))


def content(tensor: TensorProto) -> Content:
    """The content of a constant. One that is kept outside of the file is known by its place only."""
    if tensor.data_location == _EXTERNAL:
        data = b"".join(entry.SerializeToString() for entry in tensor.external_data)
    else:
        data = tensor.raw_data or _raw(tensor)
    return Content(tensor.data_type, tuple(tensor.dims), hashlib.blake2b(data, digest_size=16).digest())


def _raw(tensor: TensorProto) -> bytes:
    from onnx import numpy_helper

    array = numpy_helper.to_array(tensor)
    return array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode()
