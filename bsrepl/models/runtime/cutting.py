"""Models cut at tensors: what read a tensor reads an input instead, and what produced it produces another tensor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from onnx import ModelProto, helper

from ...graphdiff.view import Tensor
from ...graphdiff.viewing import function_label
from .dependence import read_by
from .execution import draws_numbers
from .part import of_nodes

_OWN = "__own"  # the ending of a tensor that a node produces in the place of one that is given
_GIVEN = "__given"  # the ending of an input that is read in the place of an output of the graph


def own(name: str) -> str:
    """The name of what the model itself computes for a tensor at which it was cut."""
    return name + _OWN


def _given(name: str) -> str:
    return name + _GIVEN


def cut_at(model: ModelProto, values: Mapping[str, Any], wanted: Collection[str] | None = None) -> ModelProto:
    """A copy of a model, cut at the tensors that have these values, which become inputs.

    It has the nodes alone that compute what the model itself has for the `wanted` ones of them, or for all. An output
    of the graph among them keeps its name and is the model's own.
    """
    outputs = {value.name for value in model.graph.output}
    cut = leading_to(model, values if wanted is None else wanted, values)
    for node in cut.graph.node:
        for place, name in enumerate(node.output):
            if name in values and name not in outputs:
                node.output[place] = own(name)
        for place, name in enumerate(node.input):
            if name in values and name in outputs:
                node.input[place] = _given(name)
    for info in cut.graph.value_info:
        if info.name in values:
            info.name = own(info.name)
    for note in cut.graph.quantization_annotation:
        for entry in note.quant_parameter_tensor_names:
            if note.tensor_name in values and entry.key == "finn_datatype":
                entry.value = "FLOAT32"  # QONNX refuses values that do not fit, which those of another model may not
    for name, value in values.items():
        element = helper.np_dtype_to_tensor_dtype(value.dtype)
        name = _given(name) if name in outputs else name
        cut.graph.input.append(helper.make_tensor_value_info(name, element, list(value.shape)))
    return cut


def leading_to(model: ModelProto, names: Collection[str], known: Collection[str] = ()) -> ModelProto:
    """A copy of a model with the nodes and constants alone that lead to some tensors, `known` ones not counting, and
    with the outputs among these tensors."""
    makers = {name: number for number, node in enumerate(model.graph.node) for name in node.output if name}
    waiting = [makers[name] for name in names if name in makers]
    if draws_numbers(model):  # which ones depends on all nodes
        waiting = list(makers.values())
    needed: set[int] = set()
    read = set(names)
    for number in waiting:  # it grows
        if number not in needed:
            needed.add(number)
            inner = read_by(model.graph.node[number])
            read |= inner
            waiting += [makers[name] for name in inner if name in makers and name not in known]
    source = model.graph
    read |= {name for number in needed for name in source.node[number].output}
    read |= {value.name for value in source.input}
    copied = of_nodes(model, needed, read)
    graph = copied.graph
    graph.name = source.name
    graph.input.extend(source.input)
    graph.output.extend(value for value in source.output if value.name in names)
    graph.value_info.extend(value for value in source.value_info if value.name in read)
    return copied


def given(values: Mapping[str, Any], model: ModelProto) -> dict[str, Any]:
    """The values under the names that `cut_at` gives to the inputs."""
    outputs = {value.name for value in model.graph.output}
    return {_given(name) if name in outputs else name: value for name, value in values.items()}


def doubled_in(model: ModelProto, scope: str, tensors: Sequence[Tensor | None]) -> ModelProto:
    """A copy of a model in which tensors of a sub-graph have twice their values. `scope` is its place in the view."""
    doubled = deepcopy(model)
    graph = _graph_at(doubled, scope)
    names = {tensor[1] for tensor in tensors if tensor is not None}
    nodes = []
    for node in graph.node:
        nodes.append(node)
        for place, name in enumerate(node.output):
            if name in names:
                node.output[place] = own(name)
                nodes.append(helper.make_node("Add", [own(name)] * 2, [name]))
    copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return doubled


def _graph_at(model: ModelProto, scope: str) -> Any:
    """The sub-graph at a place in the view: `3/body0.` is the first graph of the attribute `body` of node 3,
    `function own.Twice/3/body0.` that in a local function."""
    graph: Any = model.graph
    for function in model.functions:
        if scope.startswith(place := f"{function_label(function)}/"):
            graph, scope = function, scope.removeprefix(place)
            break
    for step in filter(None, scope.split(".")):
        number, _, label = step.partition("/")
        for attribute in graph.node[int(number)].attribute:
            inner = [attribute.g] if attribute.HasField("g") else attribute.graphs
            for position, candidate in enumerate(inner):
                if f"{attribute.name}{position}" == label:
                    graph = candidate
    return graph
