"""What is written on the tensors of a model and is not so: shapes and datatypes that the values contradict.

The values are those that the model has when it is executed once, on the first of the probes.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from qonnx.core.datatype import DataType
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.basic import get_execution_error_thresh

from ..graphdiff.difference import Difference
from ..graphdiff.view import View, view
from .execution import Executable
from .probes import probes

Array: TypeAlias = Any  # numpy's ndarray

_ANY = "SCALEDINT"  # multiples of a scale that the annotation does not tell: no value contradicts it


def contradictions(model: ModelWrapper) -> dict[str, str]:
    """What is said of a tensor and is not so, for each tensor of the graph that this is true of; sub-graphs left out.

    Raises ExecutionFailed if the model cannot be executed.
    """
    (_, inputs), *_ = probes(model, 1)
    graph = view(model.model)
    wanted = [tensor[1] for node in graph.nodes for tensor in node.outputs if tensor is not None and not tensor[0]]
    values = Executable(model, [value.shape for value in inputs], wanted)(inputs)
    values |= {tensor.name: model.get_initializer(tensor.name) for tensor in model.graph.initializer}
    found = {name: _contradiction(graph, name, np.asarray(value)) for name, value in values.items()}
    return {name: said for name, said in found.items() if said}


def new_contradictions(difference: Difference, before: ModelWrapper, after: ModelWrapper) -> list[str]:
    """The contradictions that a change has brought about, each in a line.

    Raises ExecutionFailed if a model cannot be executed.
    """
    found = contradictions(after)
    if not found:
        return []
    known = {difference.tensors.get(("", name)) for name in contradictions(before)}
    return [said for name, said in found.items() if ("", name) not in known]


def _contradiction(graph: View, name: str, value: Array) -> str:
    shape = graph.types.get(("", name), (0, None))[1]
    is_dynamic = shape is None or not all(isinstance(each, int) and each > 0 for each in shape)
    if shape is not None and not is_dynamic and shape != value.shape:
        return f"{name} is said to be {list(shape)}, and is {list(value.shape)}"
    annotation = graph.annotations.get((("", name), "finn_datatype"))
    if annotation is None or annotation.startswith(_ANY) or value.dtype.kind not in "fiu":
        return ""
    try:
        datatype = DataType[annotation]
    except Exception:  # whatever QONNX meets in a text that is none
        return f"{name} is annotated {annotation}, which is no datatype"
    if datatype.is_integer() and value.dtype.kind == "f":
        whole = np.round(value)
        if np.abs(value - whole).max(initial=0) > get_execution_error_thresh():
            worst = value.flat[np.abs(value - whole).argmax()]
            return f"{name} is annotated {annotation}, and has the value {worst:g}"
        value = whole
    allowed = np.asarray(datatype.allowed(value))
    if allowed.all():
        return ""
    return f"{name} is annotated {annotation}, and has the value {value[~allowed].flat[0]:g}"
