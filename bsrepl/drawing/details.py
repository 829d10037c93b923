"""All that is known of a box: attributes, what it reads and makes, statistics of its weights."""

from __future__ import annotations

from collections.abc import Iterator

from ..graphdiff.attributes import attribute_text
from ..graphdiff.constants import values_of
from ..graphdiff.values import element_type
from ..graphdiff.view import Tensor, View
from .labels import tensor_text
from .sketch import NODE, Box

_MOST = 1 << 24  # values that statistics are computed of
_MOST_TENSORS = 24

Rows = list[tuple[str, str]]


def details(box: Box) -> Rows:
    """Names and texts, in the order in which they are read."""
    if box.kind != NODE:
        tensor = (box.makes or box.reads)[0]
        return [(box.kind, _tensor(box.graph, (tensor[0].removeprefix("-"), tensor[1])))]
    node = box.graph.nodes[box.number]
    rows = [("change", box.note)] if box.note else []
    rows += [("name", node.name), ("domain", node.domain)]
    rows += [(name, attribute_text(value)) for name, value in node.attributes]
    rows += list(_tensors("input", box.graph, node.inputs))
    rows += list(_tensors("output", box.graph, node.outputs))
    return [(name, text) for name, text in rows if text]


def _tensors(what: str, graph: View, tensors: tuple[Tensor | None, ...]) -> Iterator[tuple[str, str]]:
    for number, tensor in enumerate(tensors[:_MOST_TENSORS]):
        if tensor is not None:
            yield f"{what} {number}", _weights(graph, tensor) if tensor in graph.constants else _tensor(graph, tensor)
    if len(tensors) > _MOST_TENSORS:
        yield f"{what}s", f"and {len(tensors) - _MOST_TENSORS} more"


def _tensor(graph: View, tensor: Tensor) -> str:
    return f"{tensor[1]}  {tensor_text(graph, tensor)}".rstrip()


def _weights(graph: View, tensor: Tensor) -> str:
    """`w  [8,1,5,5] float  min -0.4, max 0.5, mean 0.01, std 0.2, 3% zeros`"""
    content = graph.constants[tensor]
    datatype = graph.annotations.get((tensor, "finn_datatype"), element_type(content.dtype))
    shape = f"[{','.join(map(str, content.shape))}]"
    return f"{tensor[1]}  {shape} {datatype}  {_statistics(graph, tensor)}".rstrip()


def _statistics(graph: View, tensor: Tensor) -> str:
    values = values_of(graph.stored[tensor])
    if values is None or not 0 < values.size <= _MOST or values.dtype.kind not in "fiub":
        return ""
    values = values.astype(float)
    if values.size <= 4:
        return ", ".join(f"{value:g}" for value in values.flat)
    zeros = 100 * (values == 0).sum() / values.size
    share = f", {zeros:.0f}% zeros" if zeros else ""
    return f"min {values.min():.3g}, max {values.max():.3g}, mean {values.mean():.3g}, std {values.std():.3g}{share}"
