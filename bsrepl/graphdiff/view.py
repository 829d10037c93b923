"""An ONNX graph as plain values: nodes, which node produces each tensor and which read it, types, annotations.

Sub-graphs are part of it: the nodes in the branches of an If or the body of a Loop are in the same list, their tensors
are distinguished by the scope that they are in, and the node that has the sub-graphs reads their outputs. So are the
bodies of local functions, each in a scope of its own.

A Constant node is a constant like an initializer, not one of the nodes. The constants that a commutative node reads
come last, as QONNX's cleanup sorts them.

Any ModelProto has a view, however damaged it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from ..text.tensor_sizes import element_bits
from .attributes import attribute_text
from .constants import Content, Read, Stored, content_of, stored_in

if TYPE_CHECKING:
    from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TypeProto
#: A tensor: its scope, which is empty for the graph itself, and its name.
Tensor = tuple[str, str]

#: An input or an output of a node: the number of the node and the number of the input or output.
Port = tuple[int, int]

#: The element type and the shape of a tensor; 0 and None as far as they are unknown.
Type = tuple[int, tuple[int | str | None, ...] | None]

_GRAPH, _GRAPHS = 5, 10  # AttributeProto.GRAPH and .GRAPHS
_STANDARD = ("", "ai.onnx")
_COMMUTATIVE = frozenset(
    ("Add", "And", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Equal", "Max", "Mean", "Min", "Mul", "Or", "Sum", "Xor")
)


class Node(NamedTuple):
    """A node with the tensors that it reads and produces."""

    name: str
    op_type: str
    domain: str
    scope: str
    inputs: tuple[Tensor | None, ...]  # None for an optional input that is left out; outputs of sub-graphs come last
    outputs: tuple[Tensor | None, ...]
    attributes: tuple[tuple[str, bytes], ...]  # sorted names, serialized values; without sub-graphs

    @property
    def is_commutative(self) -> bool:
        """Whether the order of its inputs does not matter."""
        return self.op_type in _COMMUTATIVE and self.domain in _STANDARD


class Scope(NamedTuple):
    """A sub-graph, or the body of a function."""

    label: str  # `then_branch`; of a function `function pkg.Gelu`
    owner: int | None  # the node that has the sub-graph; None for a function


@dataclass
class View:
    """A graph, with its sub-graphs and local functions."""

    nodes: list[Node] = field(default_factory=list)
    inputs: dict[Tensor | None, str] = field(default_factory=dict)  # tensor -> which input it is: `0`, `body 1`
    outputs: dict[Tensor | None, list[str]] = field(default_factory=dict)  # tensor -> which outputs it is: `0`
    constants: dict[Tensor | None, Content] = field(default_factory=dict)
    stored: dict[Tensor | None, Stored] = field(default_factory=dict)  # the messages that constants were read from
    constant_nodes: set[Tensor | None] = field(default_factory=set)  # the constants that are Constant nodes
    static_inputs: set[Tensor | None] = field(default_factory=set)  # the initializers that are listed as inputs
    types: dict[Tensor | None, Type] = field(default_factory=dict)
    annotations: dict[tuple[Tensor, str], str] = field(default_factory=dict)  # (tensor, `finn_datatype`) -> value
    header: dict[str, str] = field(default_factory=dict)  # `opset onnx`, `metadata author`, `function pkg.Gelu`
    scopes: dict[str, Scope] = field(default_factory=dict)
    sorted: set[int] = field(default_factory=set)  # the commutative nodes whose constants did not come last
    producers: dict[Tensor | None, Port] = field(default_factory=dict)
    consumers: dict[Tensor | None, list[Port]] = field(default_factory=dict)
    makers: list[list[Port | None]] = field(default_factory=list)  # node -> what produces each of its inputs
    readers: list[list[Sequence[Port]]] = field(default_factory=list)  # node -> what reads each of its outputs

    @property
    def node_count(self) -> int:
        """The number of nodes, Constant nodes among them."""
        return len(self.nodes) + len(self.constant_nodes)

    @property
    def parameters(self) -> int:
        """The number of values of all constants."""
        return sum(prod(content.shape) for content in self.constants.values())

    @property
    def parameter_bytes(self) -> float:
        """The bytes that they take."""
        return sum(prod(content.shape) * element_bits(content.dtype) for content in self.constants.values()) / 8

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


def view(model: ModelProto, read: Read = content_of) -> View:
    """The view of a model's graph. `read` gives the contents of its initializers."""
    graph = View(header=_header(model))
    _add_graph(graph, model.graph, "", {}, read)
    for function in model.functions:
        _add_function(graph, function)
    names = [("", _text(value.name)) for value in model.graph.input]
    graph.static_inputs.update(tensor for tensor in names if tensor in graph.constants)  # as older models have them
    dynamic = [tensor for tensor in names if tensor not in graph.static_inputs]
    graph.inputs.update((tensor, str(number)) for number, tensor in enumerate(dynamic))
    for number, value in enumerate(model.graph.output):
        graph.outputs.setdefault(("", _text(value.name)), []).append(str(number))
    _sort(graph)
    _connect(graph)
    return graph


def _header(model: ModelProto) -> dict[str, str]:
    header = {"IR version": str(model.ir_version)}
    header |= {f"opset {_text(opset.domain) or 'onnx'}": str(opset.version) for opset in model.opset_import}
    return header | {f"metadata {_text(entry.key)}": _text(entry.value) for entry in model.metadata_props}


def _sort(graph: View) -> None:
    """Lets the constants that a commutative node reads come last."""
    constants = graph.constants
    for number, node in enumerate(graph.nodes):
        if node.op_type in _COMMUTATIVE and node.is_commutative:
            inputs = tuple(sorted(node.inputs, key=constants.__contains__))
            if inputs != node.inputs:
                graph.nodes[number] = node._replace(inputs=inputs)
                graph.sorted.add(number)


def _connect(graph: View) -> None:
    producers, consumers = graph.producers, graph.consumers
    repeated: list[Port] = []  # outputs that another node produces, too: they count for nothing
    for index, node in enumerate(graph.nodes):
        for port, produced in enumerate(node.outputs):
            here = index, port
            if produced is not None and producers.setdefault(produced, here) is not here:
                repeated.append(here)
        for port, read in enumerate(node.inputs):
            if read is None:
                continue
            if read in consumers:
                consumers[read].append((index, port))
            else:
                consumers[read] = [(index, port)]
    graph.makers = [[producers.get(tensor) for tensor in node.inputs] for node in graph.nodes]
    graph.readers = [[consumers.get(tensor, ()) for tensor in node.outputs] for node in graph.nodes]
    for index, port in repeated:
        graph.readers[index][port] = ()


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


def _add_graph(
    view: View, graph: GraphProto, scope: str, outer: Mapping[str, Tensor | None], read: Read = content_of
) -> _Names:
    """Adds the contents of a graph. `outer` are the tensors of the graphs around it. Returns those that it sees."""
    names = _Names(outer, scope)
    for constant in (*graph.initializer, *graph.sparse_initializer):
        name = constant.values.name if hasattr(constant, "values") else constant.name  # a sparse one
        tensor = names[name] = (scope, _text(name))
        view.constants[tensor] = read(constant)
        view.stored[tensor] = constant
    for value in graph.input:
        names[value.name] = (scope, _text(value.name))
    for values in (graph.input, graph.output, graph.value_info):
        for value in values:
            view.types[(scope, _text(value.name))] = _type(value.type)
    for annotation in graph.quantization_annotation:
        for entry in annotation.quant_parameter_tensor_names:
            view.annotations[(scope, _text(annotation.tensor_name)), _text(entry.key)] = _text(entry.value)
    _add_nodes(view, graph.node, scope, names)
    return names


def _add_function(view: View, function: FunctionProto) -> None:
    """Adds the body of a local function."""
    label = "function " + ".".join(filter(None, (_text(function.domain), _text(function.name))))
    scope = f"{label}/"
    view.scopes[scope] = Scope(label, None)
    names = _Names({}, scope)
    for number, name in enumerate(function.input):
        tensor = names[name] = (scope, _text(name))
        view.inputs[tensor] = f"{label} {number}"
    _add_nodes(view, function.node, scope, names)
    for number, name in enumerate(function.output):
        view.outputs.setdefault(names[name], []).append(f"{label} {number}")
    opsets = [f"opset {_text(opset.domain) or 'onnx'} {opset.version}" for opset in function.opset_import]
    given = function.attribute_proto
    defaults = [f"{_text(default.name)}={attribute_text(default.SerializeToString())}" for default in given]
    attributes = [*map(_text, function.attribute), *defaults]
    arguments = ", ".join([*(f"input {number}" for number in range(len(function.input))), *attributes])
    view.header[label] = f"({arguments}) of {', '.join(opsets) or 'no opset'}"


def _add_nodes(view: View, nodes: Iterable[NodeProto], scope: str, names: _Names) -> None:
    nodes = list(nodes)
    outputs = [tuple([(scope, _text(name)) if name else None for name in node.output[:]]) for node in nodes]
    for produced in outputs:
        for tensor in produced:
            if tensor is not None:
                names[tensor[1]] = tensor
    for number, (node, produced) in enumerate(zip(nodes, outputs, strict=True)):
        op_type = _text(node.op_type)
        if op_type == "Constant" and (constant := stored_in(node)) is not None:
            (tensor,) = produced
            view.constants[tensor] = content_of(constant)
            view.stored[tensor] = constant
            view.constant_nodes.add(tensor)
            continue
        inputs = tuple([names[name] for name in node.input[:]])
        attributes: tuple[tuple[str, bytes], ...] = ()
        if node.attribute:
            inner = _add_sub_graphs(view, node, names, f"{scope}{number}/")
            inputs += tuple(inner.results)
            view.scopes.update((place, Scope(label, len(view.nodes))) for place, label in inner.labels.items())
            attributes = _attributes(node)
        view.nodes.append(Node(_text(node.name), op_type, _text(node.domain), scope, inputs, produced, attributes))


def _attributes(node: NodeProto) -> tuple[tuple[str, bytes], ...]:
    """The attributes of a node without its sub-graphs."""
    plain = [attribute for attribute in node.attribute if attribute.type not in (_GRAPH, _GRAPHS)]
    return tuple(sorted([(_text(value.name), value.SerializeToString(deterministic=True)) for value in plain]))


class _SubGraphs(NamedTuple):
    labels: dict[str, str]  # scope -> the attribute
    results: list[Tensor | None]  # the outputs of all of them


def _add_sub_graphs(view: View, node: NodeProto, names: _Names, inner: str) -> _SubGraphs:
    """Adds the sub-graphs of a node."""
    added = _SubGraphs({}, [])
    for attribute in node.attribute:
        for number, graph in enumerate(_graphs(attribute)):
            name = _text(attribute.name)
            place = f"{inner}{name}{number}."
            added.labels[place] = name
            seen = _add_graph(view, graph, place, names)
            for port, value in enumerate(graph.input):
                view.inputs[place, _text(value.name)] = f"{name} {port}"
            added.results.extend(seen[value.name] for value in graph.output)
    return added


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
