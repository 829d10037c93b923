"""A part of a model as a model of its own: some of its nodes. What they read of others becomes an input, or a constant
if no input leads to it; what others read of them becomes an output."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, ValueInfoProto, helper, numpy_helper

from .dependence import computed, read_by
from .execution import inputs_of, subgraphs

_FEW = 16  # values of a weight that may be a size, a scale or a limit: it is kept


class Ends(NamedTuple):
    """The tensors at which a part is cut out, in the order of the model."""

    inputs: list[str]
    constants: list[str]  # what no input of the model leads to
    outputs: list[str]


def ends(model: ModelProto, kept: Collection[int]) -> Ends:
    """Where some nodes of a model, by their numbers, are cut out."""
    nodes = model.graph.node
    inside = {name for number in kept for name in nodes[number].output if name}
    produced = {name for node in nodes for name in node.output if name} - inside
    produced |= {value.name for value in inputs_of(model)}
    read = [name for number in sorted(kept) for name in sorted(read_by(nodes[number]), key=_place(nodes[number]))]
    outer = {name for number, node in enumerate(nodes) if number not in kept for name in read_by(node)}
    outer |= {value.name for value in model.graph.output}
    found = [name for number in sorted(kept) for name in nodes[number].output if name]
    outputs = [name for name in found if name in outer or name not in read]
    live = computed(model)
    cut = [name for name in dict.fromkeys(read) if name in produced]
    return Ends([name for name in cut if name in live], [name for name in cut if name not in live], outputs)


def _place(node: Any) -> Any:
    """A key that sorts tensors as a node reads them; those that only its sub-graphs read come last, by name."""
    places = {name: number for number, name in reversed(list(enumerate(node.input)))}
    return lambda name: (places.get(name, len(places)), name)


def part(model: ModelProto, kept: Collection[int], where: Ends, values: Mapping[str, Any]) -> ModelProto:
    """A copy of some nodes of a model. `values` are those of the ends; without one, the shape is as it is written.

    Raises ValueError if neither is known.
    """
    source = model.graph
    used = {name for number in kept for name in (*read_by(source.node[number]), *source.node[number].output)}
    copied = of_nodes(model, kept, used | set(where.outputs))
    graph = copied.graph
    graph.name = "part"
    graph.initializer.extend(numpy_helper.from_array(np.asarray(values[name]), name) for name in where.constants)
    declared = {value.name: value for value in (*source.input, *source.output, *source.value_info)}
    graph.input.extend(_typed(name, values, declared) for name in where.inputs)
    graph.output.extend(_typed(name, values, declared) for name in where.outputs)
    known = {value.name for value in (*graph.input, *graph.output)}
    graph.value_info.extend(v for v in source.value_info if v.name in used - known)
    return copied


def of_nodes(model: ModelProto, numbers: Collection[int], tensors: Collection[str]) -> ModelProto:
    """A copy of some nodes of a model, with the constants and the annotations that are of some tensors, and no ends."""
    copied = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import, functions=model.functions)
    graph, source = copied.graph, model.graph
    graph.node.extend(source.node[number] for number in sorted(numbers))
    graph.initializer.extend(tensor for tensor in source.initializer if tensor.name in tensors)
    graph.sparse_initializer.extend(one for one in source.sparse_initializer if one.values.name in tensors)
    notes = (annotation for annotation in source.quantization_annotation if annotation.tensor_name in tensors)
    graph.quantization_annotation.extend(notes)
    return copied


def _typed(name: str, values: Mapping[str, Any], declared: Mapping[str, ValueInfoProto]) -> ValueInfoProto:
    value = values.get(name)
    if isinstance(value, np.ndarray):
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
    if name in declared:
        return declared[name]
    raise ValueError(f"the type of {name} is not known")


def renamed(model: ModelProto, names: Mapping[str, str]) -> ModelProto:
    """A part whose tensors have other names; one that has such a name already gets another one."""
    taken = set(names.values())

    def other(name: str) -> str:
        return names.get(name) or (f"{name}__after" if name in taken else name)

    graphs: list[Any] = [model.graph]
    for graph in graphs:  # it grows
        for node in graph.node:
            node.input[:], node.output[:] = map(other, node.input), map(other, node.output)
            graphs += subgraphs(node)
        for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
            value.name = other(value.name)
        for annotation in graph.quantization_annotation:
            annotation.tensor_name = other(annotation.tensor_name)
    return model


def add_end(model: ModelProto, name: str, value: Any, *, is_constant: bool) -> None:
    """Adds an input, or a constant, that has a value."""
    kept = [value for value in model.graph.value_info if value.name != name]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    if is_constant:
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    else:
        model.graph.input.append(_typed(name, {name: value}, {}))


def weights(model: ModelProto, other: ModelProto) -> list[str]:
    """The initializers of more than a few floating-point values that two models have in common, the largest first."""
    theirs = {tensor.name: tensor for tensor in other.graph.initializer}
    common = [tensor for tensor in model.graph.initializer if theirs.get(tensor.name) == tensor and _is_float(tensor)]
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in common}
    return [name for name in sorted(sizes, key=lambda name: -sizes[name]) if sizes[name] > _FEW]


def _is_float(tensor: Any) -> bool:
    return bool(np.issubdtype(helper.tensor_dtype_to_np_dtype(tensor.data_type), np.floating))


def with_random(models: Sequence[ModelProto], names: Collection[str]) -> None:
    """Puts random numbers of about the same size in the place of weights, the same where they were the same."""
    for tensor in (tensor for model in models for tensor in model.graph.initializer):
        if tensor.name in names:
            values = numpy_helper.to_array(tensor)
            drawn = np.random.default_rng(0).normal(size=values.shape) * (values.astype(np.float64).std() or 1.0)
            tensor.CopyFrom(numpy_helper.from_array(drawn.astype(values.dtype), tensor.name))
