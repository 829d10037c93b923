"""A model read as a `View`. Any ModelProto has one, however damaged it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .attributes import attribute_text, serialized
from .constants import Content, Read, Stored, content_of, stored_in
from .defaults import defaults
from .names import Names, as_text
from .view import STANDARD, Node, Scope, Type, View
from .wires import Wires

if TYPE_CHECKING:
    from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TypeProto

_GRAPH, _GRAPHS = 5, 10  # AttributeProto.GRAPH and .GRAPHS


def view(model: ModelProto, read: Read = content_of) -> View:
    """The view of a model's graph. `read` gives the contents of its initializers."""
    graph = View(header=_header(model))
    reading = _Reading(graph, read)
    reading.add_graph(model.graph, "", None)
    for function in model.functions:
        reading.add_function(function)
    names = [("", as_text(value.name)) for value in model.graph.input]
    graph.static_inputs.update(tensor for tensor in names if tensor in graph.constants)  # as older models have them
    dynamic = [tensor for tensor in names if tensor not in graph.static_inputs]
    graph.inputs.update((tensor, str(number)) for number, tensor in enumerate(dynamic))
    for number, value in enumerate(model.graph.output):
        graph.outputs.setdefault(("", as_text(value.name)), []).append(str(number))
    reading.wires.connect(graph)
    return graph


def _header(model: ModelProto) -> dict[str, str]:
    header = {"IR version": str(model.ir_version)}
    header |= {f"opset {as_text(opset.domain) or 'onnx'}": str(opset.version) for opset in model.opset_import}
    return header | {f"metadata {as_text(entry.key)}": as_text(entry.value) for entry in model.metadata_props}


def function_label(function: FunctionProto) -> str:
    """What a view calls a local function, `function own.Twice`; the scope of its nodes is that and a slash."""
    return "function " + ".".join(filter(None, (as_text(function.domain), as_text(function.name))))


class _Texts(dict["str | bytes", str]):
    """Texts that many nodes have, each kept once: protobuf makes a new one whenever it is asked."""

    def __missing__(self, name: str | bytes) -> str:
        text = self[name] = as_text(name)
        return text


class _Reading:
    """A view that is being made."""

    def __init__(self, graph: View, read: Read) -> None:
        self.wires = Wires()
        self._view = graph
        self._read = read
        self._words = _Texts()

    def add_graph(self, graph: GraphProto, scope: str, outer: Names | None) -> Names:
        """Adds the contents of a graph. `outer` are the tensors that the graphs around it see. Returns what it sees."""
        view, names = self._view, self.wires.scope(scope, outer, graph.node)
        read = content_of if scope else self._read
        for constant in (*graph.initializer, *graph.sparse_initializer):
            name = constant.values.name if hasattr(constant, "values") else constant.name  # a sparse one
            self._add_constant(names.add(name), constant, read(constant))
        for value in graph.input:
            names.add(value.name)
        for values in (graph.input, graph.output, graph.value_info):
            for value in values:
                view.types[(scope, as_text(value.name))] = _type(value.type)
        for annotation in graph.quantization_annotation:
            for entry in annotation.quant_parameter_tensor_names:
                view.annotations[(scope, as_text(annotation.tensor_name)), as_text(entry.key)] = as_text(entry.value)
        self._add_nodes(graph.node, scope, names)
        return names

    def _add_constant(self, number: int, stored: Stored, content: Content) -> None:
        tensor = self.wires.tensors[number]
        self.wires.constants.add(number)
        self._view.constants[tensor] = content
        self._view.stored[tensor] = stored

    def add_function(self, function: FunctionProto) -> None:
        """Adds the body of a local function."""
        view = self._view
        label = function_label(function)
        scope = f"{label}/"
        view.scopes[scope] = Scope(label, None)
        names = self.wires.scope(scope, None, function.node)
        for number, name in enumerate(function.input):
            view.inputs[self.wires.tensors[names.add(name)]] = f"{label} {number}"
        self._add_nodes(function.node, scope, names)
        for number, name in enumerate(function.output):
            view.outputs.setdefault(self.wires.tensors[names[name]], []).append(f"{label} {number}")
        opsets = [f"opset {as_text(opset.domain) or 'onnx'} {opset.version}" for opset in function.opset_import]
        given = function.attribute_proto
        defaults = [f"{as_text(default.name)}={attribute_text(default.SerializeToString())}" for default in given]
        attributes = [*map(as_text, function.attribute), *defaults]
        arguments = ", ".join([*(f"input {number}" for number in range(len(function.input))), *attributes])
        view.header[label] = f"({arguments}) of {', '.join(opsets) or 'no opset'}"

    def _add_nodes(self, nodes: Sequence[NodeProto], scope: str, names: Names) -> None:
        view, words, wires = self._view, self._words, self.wires
        number_of, tensor_of = names.__getitem__, wires.tensors.__getitem__
        for number, node in enumerate(nodes):
            op_type = words[node.op_type]
            makes = (*map(number_of, node.output[:]),)
            if op_type == "Constant" and (constant := stored_in(node)) is not None:
                self._add_constant(makes[0], constant, content_of(constant))
                view.constant_nodes.add(tensor_of(makes[0]))
                continue
            reads = (*map(number_of, node.input[:]),)
            attributes: tuple[tuple[str, bytes], ...] = ()
            if node.attribute:
                inner = self._add_sub_graphs(node, names, f"{scope}{number}/")
                reads += (*inner.results,)
                view.scopes.update((place, Scope(label, len(view.nodes))) for place, label in inner.labels.items())
                attributes = _attributes(node)
            inputs, outputs = (*map(tensor_of, reads),), (*map(tensor_of, makes),)
            view.nodes.append(Node(as_text(node.name), op_type, words[node.domain], scope, inputs, outputs, attributes))
            wires.reads.append(reads)
            wires.makes.append(makes)

    def _add_sub_graphs(self, node: NodeProto, names: Names, inner: str) -> _SubGraphs:
        """Adds the sub-graphs of a node."""
        added = _SubGraphs({}, [])
        for attribute in node.attribute:
            for number, graph in enumerate(_graphs(attribute)):
                name = as_text(attribute.name)
                place = f"{inner}{name}{number}."
                names.complete()
                added.labels[place] = name
                seen = self.add_graph(graph, place, names)
                for port, value in enumerate(graph.input):
                    self._view.inputs[place, as_text(value.name)] = f"{name} {port}"
                added.results.extend(seen[value.name] for value in graph.output)
        return added


class _SubGraphs(NamedTuple):
    labels: dict[str, str]  # scope -> the attribute
    results: list[int]  # the outputs of all of them


def _graphs(attribute: AttributeProto) -> list[GraphProto]:
    if attribute.type == _GRAPH:
        return [attribute.g]
    return list(attribute.graphs) if attribute.type == _GRAPHS else []


def _attributes(node: NodeProto) -> tuple[tuple[str, bytes], ...]:
    """The attributes of a node without its sub-graphs, and without those that say the default."""
    plain = [attribute for attribute in node.attribute if attribute.type not in (_GRAPH, _GRAPHS)]
    if not plain:
        return ()
    known = defaults(as_text(node.op_type)) if node.domain in STANDARD else {}
    pairs = [(as_text(attribute.name), serialized(attribute)) for attribute in plain]
    return tuple(sorted([pair for pair in pairs if known.get(pair[0]) != pair[1]]))


def _type(value: TypeProto) -> Type:
    """The element type and the shape of a tensor; 0 and None as far as they are unknown or it is no tensor."""
    tensor_type = value.tensor_type
    shape = tuple(map(_dimension, tensor_type.shape.dim)) if tensor_type.HasField("shape") else None
    return tensor_type.elem_type, shape


def _dimension(dimension: Any) -> int | str | None:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value)
    return as_text(dimension.dim_param) or None
