"""An ONNX graph as plain values: nodes, which node produces each tensor and which read it, types, annotations.

Sub-graphs are part of it: the nodes in the branches of an If or the body of a Loop are in the same list, their tensors
are distinguished by the scope that they are in, and the node that has the sub-graphs reads their outputs.

Any ModelProto has a view, however damaged it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

#: A tensor: its scope, which is empty for the graph itself, and its name.
Tensor = tuple[str, str]

#: An input or an output of a node: the number of the node and the number of the input or output.
Port = tuple[int, int]

_GRAPH, _GRAPHS = 5, 10  # AttributeProto.GRAPH and .GRAPHS
_EXTERNAL = 1  # TensorProto.EXTERNAL


class Node(NamedTuple):
    """A node with the tensors that it reads and produces."""

    name: str
    op_type: str
    domain: str
    scope: str
    inputs: tuple[Tensor | None, ...]  # None for an optional input that is left out; outputs of sub-graphs come last
    outputs: tuple[Tensor | None, ...]
    attributes: tuple[tuple[str, bytes], ...]  # sorted names, serialized values; without sub-graphs


class Content(NamedTuple):
    """The content of a constant: equal for equal values, whatever the name."""

    dtype: int
    shape: tuple[int, ...]
    digest: bytes


@dataclass
class View:
    """A graph, with its sub-graphs."""

    nodes: list[Node] = field(default_factory=list)
    inputs: dict[Tensor | None, str] = field(default_factory=dict)  # tensor -> which input it is: `0`, `body 1`
    outputs: dict[Tensor | None, list[int]] = field(default_factory=dict)  # tensor -> which outputs of the graph it is
    constants: dict[Tensor | None, Content] = field(default_factory=dict)
    types: dict[Tensor | None, tuple[int, tuple[int | str | None, ...] | None]] = field(default_factory=dict)
    annotations: dict[tuple[Tensor, str], str] = field(default_factory=dict)  # (tensor, `finn_datatype`) -> value
    opsets: dict[str, int] = field(default_factory=dict)
    producers: dict[Tensor | None, Port] = field(default_factory=dict)
    consumers: dict[Tensor | None, list[Port]] = field(default_factory=dict)
    makers: list[list[Port | None]] = field(default_factory=list)  # node -> what produces each of its inputs
    readers: list[list[Sequence[Port]]] = field(default_factory=list)  # node -> what reads each of its outputs

    def order(self) -> list[int]:
        """The nodes, each after those that it reads from; nodes on a cycle come last."""
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
    graph = View(opsets={_text(opset.domain): opset.version for opset in model.opset_import})
    _add(graph, model.graph, "", {})
    for value in model.graph.input:
        tensor = ("", _text(value.name))
        if tensor not in graph.constants:  # older models list their constants among the inputs
            graph.inputs[tensor] = str(len(graph.inputs))
    for number, value in enumerate(model.graph.output):
        graph.outputs.setdefault(("", _text(value.name)), []).append(number)
    repeated: list[Port] = []  # outputs that another node produces, too: they count for nothing
    for index, node in enumerate(graph.nodes):
        for port, produced in enumerate(node.outputs):
            if produced is not None and graph.producers.setdefault(produced, (index, port)) != (index, port):
                repeated.append((index, port))
        for port, read in enumerate(node.inputs):
            if read is not None:
                graph.consumers.setdefault(read, []).append((index, port))
    graph.makers = [[graph.producers.get(tensor) for tensor in node.inputs] for node in graph.nodes]
    graph.readers = [[graph.consumers.get(tensor, ()) for tensor in node.outputs] for node in graph.nodes]
    for index, port in repeated:
        graph.readers[index][port] = ()
    return graph


def _text(name: str | bytes) -> str:
    """A name as text: protobuf gives bytes for one that is not UTF-8."""
    return name if isinstance(name, str) else name.decode(errors="backslashreplace")


class _Names(dict[str, "Tensor | None"]):
    """The tensors that a graph sees, by their names; a name that no node produces is a tensor of the graph itself."""

    def __init__(self, outer: Mapping[str, Tensor | None], scope: str) -> None:
        super().__init__(outer)
        self._scope = scope
        self[""] = None  # an input that is left out

    def __missing__(self, name: str) -> Tensor:
        tensor = self[name] = (self._scope, _text(name))
        return tensor


def _add(view: View, graph: GraphProto, scope: str, outer: Mapping[str, Tensor | None]) -> _Names:
    """Adds the contents of a graph. `outer` are the tensors of the graphs around it. Returns those that it sees."""
    names = _Names(outer, scope)
    for constant in graph.initializer:
        tensor = names[constant.name] = (scope, _text(constant.name))
        view.constants[tensor] = content(constant)
    for value in graph.input:
        names[value.name] = (scope, _text(value.name))
    nodes = list(graph.node)
    outputs = [tuple([(scope, _text(name)) if name else None for name in node.output]) for node in nodes]
    names.update((tensor[1], tensor) for produced in outputs for tensor in produced if tensor is not None)
    for values in (graph.input, graph.output, graph.value_info):
        for value in values:
            view.types[(scope, _text(value.name))] = _type(value.type)
    for annotation in graph.quantization_annotation:
        for entry in annotation.quant_parameter_tensor_names:
            view.annotations[(scope, _text(annotation.tensor_name)), _text(entry.key)] = _text(entry.value)
    for number, (node, produced) in enumerate(zip(nodes, outputs, strict=True)):
        attributes, results = _attributes(view, node, names, f"{scope}{number}/") if node.attribute else ((), [])
        inputs = tuple([names[name] for name in node.input] + results)
        kind = (_text(node.name), _text(node.op_type), _text(node.domain))
        view.nodes.append(Node(*kind, scope, inputs, produced, attributes))
    return names


def _attributes(
    view: View, node: NodeProto, names: _Names, inner: str
) -> tuple[tuple[tuple[str, bytes], ...], list[Tensor | None]]:
    """The attributes of a node without its sub-graphs, which are added to the view; and the sub-graphs' outputs."""
    attributes: list[tuple[str, bytes]] = []
    results: list[Tensor | None] = []
    for attribute in node.attribute:
        graphs = _graphs(attribute)
        name = _text(attribute.name)
        if not graphs:
            attributes.append((name, attribute.SerializeToString(deterministic=True)))
        for number, graph in enumerate(graphs):
            place = f"{inner}{name}{number}."
            seen = _add(view, graph, place, names)
            for port, value in enumerate(graph.input):
                view.inputs[place, _text(value.name)] = f"{name} {port}"
            results += [seen[value.name] for value in graph.output]
    return tuple(sorted(attributes)), results


def _graphs(attribute: AttributeProto) -> list[GraphProto]:
    if attribute.type == _GRAPH:
        return [attribute.g]
    return list(attribute.graphs) if attribute.type == _GRAPHS else []


def _type(value: TypeProto) -> tuple[int, tuple[int | str | None, ...] | None]:
    """The element type and the shape of a tensor; 0 and None as far as they are unknown or it is no tensor."""
    tensor_type = value.tensor_type
    shape = tuple(map(_dimension, tensor_type.shape.dim)) if tensor_type.HasField("shape") else None
    return tensor_type.elem_type, shape


def _dimension(dimension: Any) -> int | str | None:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value)
    return _text(dimension.dim_param) or None


def attribute_value(serialized: bytes) -> Any:
    """The value of one of a node's `attributes`; None of one that has no type."""
    from onnx import AttributeProto, helper

    try:
        return helper.get_attribute_value(AttributeProto.FromString(serialized))
    except ValueError:
        return None


def content(tensor: TensorProto) -> Content:
    """The content of a constant. Data in another file is identified by its place."""
    if tensor.data_location == _EXTERNAL:
        data = b"".join(entry.SerializeToString() for entry in tensor.external_data)
    else:
        data = tensor.raw_data or _raw(tensor)
    return Content(tensor.data_type, tuple(tensor.dims), hashlib.blake2b(data, digest_size=16).digest())


def _raw(tensor: TensorProto) -> bytes:
    from onnx import TensorProto, numpy_helper

    try:
        array = numpy_helper.to_array(tensor)
    except Exception:  # fewer values than the shape says, an unknown type: it is compared by what is written
        nameless = TensorProto.FromString(tensor.SerializeToString())
        nameless.name = ""
        return bytes(nameless.SerializeToString(deterministic=True))
    return array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode()
