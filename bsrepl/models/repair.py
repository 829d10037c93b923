"""What QONNX stumbles over and onnxruntime does not, repaired in a model that is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.format import counted

if TYPE_CHECKING:
    from onnx import ModelProto


def repair(model: ModelProto) -> str:
    """Removes the type of a tensor where it is written more than once. Returns what was repaired; empty if nothing was.

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
    return f"{counted(len(repeated), 'type')} written twice removed" if repeated else ""
