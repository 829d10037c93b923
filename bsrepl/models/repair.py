"""What QONNX stumbles over and onnxruntime does not, repaired in a model that is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..text.format import counted

if TYPE_CHECKING:
    from onnx import ModelProto

_STANDARD = ("", "ai.onnx")


def repair(model: ModelProto) -> Iterator[str]:
    """Repairs a model, and says what was repaired and why, a text for each; none if nothing had to be."""
    if removed := _type_once(model):
        yield f"{counted(removed, 'type')} written twice removed, which QONNX does not open"
    if _standard_opset_first(model):
        yield "ONNX's own opset listed first, where QONNX reads its version"


def _type_once(model: ModelProto) -> int:
    """Removes the type of a tensor where it is written more than once, and says how many were removed.

    The type of an input or an output counts, then the first of the others.
    """
    graph = model.graph
    known = {value.name for value in (*graph.input, *graph.output)}
    repeated = []
    for number, value in enumerate(graph.value_info):
        if value.name in known:
            repeated.append(number)
        known.add(value.name)
    for number in reversed(repeated):
        del graph.value_info[number]
    return len(repeated)


def _standard_opset_first(model: ModelProto) -> bool:
    """Lists ONNX's own opset first, and says whether it was not: PyTorch's exporter puts that of the quantisers there.

    QONNX takes the version of the first for that of all nodes, and would execute a Gemm of opset 20 as one of opset 1.
    """
    opsets = model.opset_import
    number = next((number for number, opset in enumerate(opsets) if opset.domain in _STANDARD), 0)
    if number:
        opsets.insert(0, opsets.pop(number))
    return bool(number)
