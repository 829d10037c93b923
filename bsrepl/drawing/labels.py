"""What a box is, in a few words: op type, name, weights, the attributes that matter, what it makes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..graphdiff.annotations import shape_text
from ..graphdiff.attributes import attribute_text, attribute_value
from ..graphdiff.constants import Content, values_of
from ..graphdiff.values import element_type
from ..graphdiff.view import Node, Tensor, View
from ..graphdiff.words import window
from ..text.columns import cut
from ..text.format import one_line
from .sketch import NODE, Box

#: The attributes that are told where they have another value than here; others are not told.
_USUAL = {
    "alpha": 1.0, "axes": None, "axis": None, "beta": 1.0, "data_layout": b"NCHW", "dilations": 1,
    "direction": b"forward", "exponent_bias": None, "group": 1, "hidden_size": None, "keepdims": 1, "mode": None,
    "narrow": 0, "num_heads": None, "out_dtype": None, "perm": None, "signed": None, "stride": 1, "strides": 1,
    "to": None, "transA": 0, "transB": 0,
}  # fmt: skip
_WINDOWED = ("dilations", "strides", "stride")  # one number where it is the same in each direction
#: What the inputs of QONNX's quantisers are called.
_INPUTS = {
    "BipolarQuant": ("", "scale"),
    "IntQuant": ("", "scale", "zero", "bits"),
    "Quant": ("", "scale", "zero", "bits"),
    "Trunc": ("", "scale", "zero", "bits in", "bits out"),
}
_ENDLESS = 2**62  # from where on an int64 stands for "to the end", as in Slice
_FEW = 4  # values of a constant that are written out
_LONGEST = 24  # characters of an attribute


class Label(NamedTuple):
    """The parts of a label, from what matters most."""

    op_type: str
    name: str
    details: str  # weights, constants, attributes
    result: str  # `[1,8,28,28] INT4`


def label(box: Box) -> Label:
    """The label of a box."""
    if box.kind != NODE:
        scope, name = (box.makes or box.reads)[0]
        tensor = scope.removeprefix("-"), name
        content = box.graph.constants.get(tensor)  # an output may be a constant
        details = "" if content is None else f"constant {_constant(box.graph, tensor, content)}"
        return Label(box.kind, one_line(name), details, tensor_text(box.graph, tensor))
    node = box.graph.nodes[box.number]
    details = " ".join(filter(None, [*window(node), *_constants(box.graph, node), *_attributes(node)]))
    made = [tensor_text(box.graph, tensor) for tensor in node.outputs if tensor is not None]
    return Label(one_line(node.op_type), one_line(box.name), details, ", ".join(filter(None, made)))


def tensor_text(graph: View, tensor: Tensor) -> str:
    """`[1,8,28,28] INT4`; the element type only where there is no datatype and it is not float."""
    kind, shape = graph.types.get(tensor, (0, None))
    datatype = graph.annotations.get((tensor, "finn_datatype"), "").removeprefix("FLOAT32")
    if not datatype and kind > 1:
        datatype = element_type(kind)
    return " ".join(filter(None, (shape_text(shape), datatype)))


def _constants(graph: View, node: Node) -> list[str]:
    """`W[8,1,5,5]`, the shapes of the constants that a node reads; the values of those that have few."""
    names = _INPUTS.get(node.op_type, ())
    parts: list[str] = []
    for port, tensor in enumerate(node.inputs):
        content = graph.constants.get(tensor) if tensor is not None else None
        if content is not None and 0 not in content.shape:
            name = names[port] if port < len(names) else ""
            parts.append(f"{name} {_constant(graph, tensor, content)}".lstrip())
    counts = Counter(parts)
    return [part if count == 1 else f"{count} {part}" for part, count in counts.items()]


def _constant(graph: View, tensor: Tensor | None, content: Content) -> str:
    is_short = math.prod(content.shape) <= _FEW and len(content.shape) <= 1
    values = values_of(graph.stored[tensor]) if is_short else None
    if values is None or values.dtype.kind not in "fiub":
        return f"W{shape_text(content.shape)}"
    numbers = [_number(value) for value in values.flatten().tolist()]
    return numbers[0] if len(numbers) == 1 else f"[{','.join(numbers)}]"


def _number(value: float) -> str:
    if abs(value) >= _ENDLESS:
        return "max" if value > 0 else "min"
    return f"{value:g}" if isinstance(value, float) else str(int(value))


def _attributes(node: Node) -> Iterator[str]:
    """`axis=1`, `strides=2`: the attributes that are told, where they are not as usual."""
    for name, serialized in node.attributes:
        if name in _USUAL:
            value = attribute_value(serialized)
            if name in _WINDOWED and isinstance(value, list) and len(set(value)) == 1:
                value = value[0]
            if value != _USUAL[name]:
                yield f"{name}={cut(_value(name, value, serialized), _LONGEST)}"


def _value(name: str, value: Any, serialized: bytes) -> str:
    if name == "to" and isinstance(value, int):
        return element_type(value)
    return str(value) if name in _WINDOWED else attribute_text(serialized).replace(", ", ",")
