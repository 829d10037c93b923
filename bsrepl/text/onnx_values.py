"""Models, graphs, nodes and tensors in a few lines, where protobuf would print pages.

Nothing is imported: a value is known by the name of its message type, and then onnx is there.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

from .columns import cut
from .format import counted, size, some
from .tensor_sizes import tensor_bytes

_MOST_TENSORS = 6  # inputs or outputs of a graph that are told one by one
_MOST_OPS = 12
_MOST_VALUES = 8  # of a list attribute


def described(value: Any) -> list[str] | None:
    """A value of ONNX or QONNX in a few lines, or None if it is none."""
    kind = _kind(value)
    if kind == "ModelWrapper":
        return _model(value.model, kind)
    if kind == "ModelProto":
        return _model(value, kind)
    if kind == "GraphProto":
        return _graph(value, f"{kind} {value.name}")
    if kind == "NodeProto":
        return _node(value)
    short = one_line(value)
    return None if short is None else [short]


def is_model(value: Any) -> bool:
    """Whether a value is a ModelProto or QONNX's ModelWrapper."""
    return _kind(value) in ("ModelWrapper", "ModelProto")


def is_message(value: Any) -> bool:
    """Whether a value is a protobuf message of ONNX."""
    return getattr(getattr(type(value), "DESCRIPTOR", None), "full_name", "").startswith("onnx.")


def is_repeated(value: Any) -> bool:
    """Whether a value is a repeated field of a protobuf message, such as `graph.node`."""
    return type(value).__name__ in ("RepeatedCompositeContainer", "RepeatedComposite")


def is_part(value: Any) -> bool:
    """Whether a value is something in a model that is no node: a tensor, an attribute, a list of such."""
    return (is_message(value) and not is_node(value)) or is_repeated(value)


def is_node(value: Any) -> bool:
    return _kind(value) == "NodeProto"


def listed(values: Sequence[Any], width: int) -> list[str] | None:
    """What a model is made of, an element a line with its index; None of anything else."""
    rows = [one_line(value) for value in values]
    if not rows or None in rows:
        return None
    digits = len(str(len(rows) - 1))
    return [cut(f"{number:{digits}}  {str(row)[1:-1]}", width) for number, row in enumerate(rows)]


def one_line(value: Any) -> str | None:
    """A value of ONNX or QONNX in one line, as it stands in a list, or None if it is none."""
    kind = _kind(value)
    if kind is None:
        return None
    if kind in ("ModelWrapper", "ModelProto", "GraphProto"):
        graph = value if kind == "GraphProto" else value.graph
        return f"<{kind} {graph.name}: {counted(len(graph.node), 'node')}>"
    if kind == "NodeProto":
        name = f" {value.name}" if value.name else ""
        return f"<{value.op_type}{name}: {', '.join(value.input)} -> {', '.join(value.output)}>"
    if kind == "TensorProto":
        return f"<TensorProto {value.name}: {_element_type(value.data_type)} {list(value.dims)}>"
    if kind == "ValueInfoProto":
        return f"<ValueInfoProto {value.name}: {_tensor_type(value)}>"
    if kind == "AttributeProto":
        return f"<AttributeProto {_attribute(value)}>"
    return None


def _kind(value: Any) -> str | None:
    described = getattr(type(value), "DESCRIPTOR", None)
    package, _, name = getattr(described, "full_name", "").rpartition(".")
    if package == "onnx":
        return str(name)
    if not any(base.__module__ == "qonnx.core.modelwrapper" for base in type(value).__mro__):
        return None
    wrapped = getattr(value, "_model_proto", None)  # a command may have put anything there
    return "ModelWrapper" if wrapped is not value and _kind(wrapped) == "ModelProto" else None


def _model(model: Any, kind: str) -> list[str]:
    opsets = ", ".join(f"{opset.domain or 'opset'} {opset.version}" for opset in model.opset_import)
    return _graph(model.graph, f"{kind} {model.graph.name}".rstrip(), opsets)


def _graph(graph: Any, head: str, opsets: str = "") -> list[str]:
    graphs = list(with_sub_graphs(graph))
    constants = [dict(_constants(inner)) for inner in graphs]
    tensors = [tensor for held in constants for tensor in held.values()]
    parameters = f"{sum(prod(tensor.dims) for tensor in tensors):,} parameters"
    nodes = sum(len(inner.node) for inner in graphs[1:])
    annotated = {
        value.tensor_name: pair.value
        for value in graph.quantization_annotation
        for pair in value.quant_parameter_tensor_names
        if pair.key == "finn_datatype"
    }
    initializers = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initializers]
    ops = Counter(node.op_type for inner in graphs for node in inner.node)
    types = Counter(annotated.values())
    for inner, held in zip(graphs, constants, strict=True):
        types.update(_quantised(inner, held))
    parts = [
        head,
        counted(len(graph.node), "node") + (f" and {nodes} in sub-graphs" if nodes else ""),
        f"{parameters} ({size(sum(map(tensor_bytes, tensors)))})",
        opsets,
    ]
    return [
        "  ".join(part for part in parts if part),
        *_tensors("in ", inputs, annotated),
        *_tensors("out", graph.output, annotated),
        *_counts("ops ", ops),
        *(_counts("data", types) if set(types) - {"FLOAT32"} else ()),
    ]


def with_sub_graphs(graph: Any) -> Iterator[Any]:
    """A graph, and those in the attributes of its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*((attribute.g,) if attribute.HasField("g") else ()), *attribute.graphs):
                yield from with_sub_graphs(inner)


def _constants(graph: Any) -> Iterator[tuple[str, Any]]:
    """The initializers and the values of Constant nodes, by name."""
    yield from ((tensor.name, tensor) for tensor in graph.initializer)
    for node in graph.node:
        if node.op_type == "Constant" and node.output:
            yield from ((node.output[0], attribute.t) for attribute in node.attribute if attribute.name == "value")


def _counts(head: str, counts: Counter[str]) -> list[str]:
    """`  ops  Conv 2, Relu 1`"""
    common = counts.most_common(_MOST_OPS)
    some = [f"{name} {count}" for name, count in common]
    more = [f"{len(counts) - _MOST_OPS} more"] if len(counts) > _MOST_OPS else []
    return [f"  {head} {', '.join([*some, *more])}"] if some else []


def _quantised(graph: Any, constants: Mapping[str, Any]) -> Iterator[str]:
    """The datatypes that quantisers give: `INT4`, `UINT8`; `Quant` where the number of bits is no constant."""
    bits = {name: tensor for name, tensor in constants.items() if prod(tensor.dims) == 1}
    for node in graph.node:
        if node.op_type == "BipolarQuant":
            yield "BIPOLAR"
        elif node.op_type in ("Quant", "IntQuant"):
            width = _scalar(bits.get(node.input[3])) if len(node.input) > 3 else None
            is_signed = all(attribute.i for attribute in node.attribute if attribute.name == "signed")
            yield f"{'' if is_signed else 'U'}INT{width:g}" if width is not None else node.op_type


def _scalar(tensor: Any) -> float | None:
    """The value of a tensor that has one; None if it cannot be read, or there is no tensor."""
    try:
        return float(sys.modules["onnx"].numpy_helper.to_array(tensor).item()) if tensor is not None else None
    except Exception:  # fewer bytes than it should have, an unknown type, no number
        return None


def _tensors(head: str, tensors: Sequence[Any], annotated: dict[str, str]) -> list[str]:
    lines = [
        f"  {head}  {tensor.name}  {_tensor_type(tensor, annotated.get(tensor.name))}"
        for tensor in tensors[:_MOST_TENSORS]
    ]
    return [*lines, f"  {head}  {len(tensors) - _MOST_TENSORS} more"] if len(tensors) > _MOST_TENSORS else lines


def _node(node: Any) -> list[str]:
    head = "  ".join(filter(None, (node.op_type, node.name, node.domain)))
    lines = [head, f"  in   {', '.join(node.input)}", f"  out  {', '.join(node.output)}"]
    return [*lines, *(f"  {_attribute(attribute)}" for attribute in node.attribute)]


def node_fields(node: Any) -> list[tuple[str, str]]:
    """The fields of a node by name, as text."""
    return [
        ("node", node.name or "(no name)"),
        ("op", node.op_type),
        ("domain", node.domain or "that of ONNX"),
        ("inputs", ", ".join(name or "(left out)" for name in node.input) or "none"),
        ("outputs", ", ".join(name or "(left out)" for name in node.output) or "none"),
        ("attributes", "; ".join(map(_attribute, node.attribute)) or "none"),
    ]


def _attribute(attribute: Any) -> str:
    value = sys.modules["onnx"].helper.get_attribute_value(attribute)
    if isinstance(value, (list, tuple)):
        return f"{attribute.name}=[{some(list(map(_text, value)), _MOST_VALUES)}]"
    return f"{attribute.name}={_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return f"{value:g}" if isinstance(value, float) else one_line(value) or str(value)


def _tensor_type(info: Any, annotation: str | None = None) -> str:
    """`FLOAT [1, 1, 28, 28]`, with the QONNX datatype instead of ONNX's if the tensor is annotated with one."""
    tensor = info.type.tensor_type
    element = annotation or _element_type(tensor.elem_type)
    if not tensor.HasField("shape"):
        return f"{element} of unknown shape"
    dims = (str(dim.dim_value) if dim.HasField("dim_value") else dim.dim_param or "?" for dim in tensor.shape.dim)
    return f"{element} [{', '.join(dims)}]"


def _element_type(number: int) -> str:
    types = sys.modules["onnx"].TensorProto.DataType
    return str(types.Name(number)) if number in types.values() else f"type {number}"
