"""Shapes and datatypes of tensors that the values of one execution contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper
from qonnx.core.datatype import DataType
from qonnx.util.basic import get_execution_error_thresh

from ...graphdiff.difference import Difference
from ...graphdiff.mapped import filled
from ...graphdiff.view import View
from ...graphdiff.viewing import view
from ..runtime.execution import Executable, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ANY = "SCALEDINT"  # multiples of a scale that the annotation does not give: no value contradicts it


def contradictions(model: ModelProto, inputs: Values) -> dict[str, str]:
    """The contradictions by tensor, one line each; the tensors of sub-graphs are left out.

    Raises ExecutionFailed if the model cannot be executed.
    """
    graph = view(model)
    wanted = [tensor[1] for node in graph.nodes for tensor in node.outputs if tensor is not None and not tensor[0]]
    values = Executable(model, wanted)(inputs)
    values |= {tensor.name: _constant(tensor) for tensor in model.graph.initializer}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}  # no sequences
    lines = {name: _contradiction(graph, name, value) for name, value in arrays.items()}
    return {name: line for name, line in lines.items() if line}


def new_contradictions(
    difference: Difference, before: ModelProto, after: ModelProto, inputs: Values, others: Values
) -> list[str]:
    """The contradictions that a change introduced, one a line; both models are executed on their own inputs.

    Raises ExecutionFailed if a model cannot be executed.
    """
    lines = contradictions(after, others)
    if not lines:
        return []
    known = {difference.tensors.get(("", name)) for name in contradictions(before, inputs)}
    return [line for name, line in lines.items() if ("", name) not in known]


def _constant(tensor: TensorProto) -> Any:
    try:
        return numpy_helper.to_array(filled(tensor))
    except Exception:  # fewer values than the shape says, an unknown type
        return None


def _contradiction(graph: View, name: str, value: NDArray[Any]) -> str:
    shape = graph.types.get(("", name), (0, None))[1]
    is_dynamic = shape is None or not all(isinstance(size, int) and size > 0 for size in shape)
    if shape is not None and not is_dynamic and shape != value.shape:
        return f"{name} has the shape {list(value.shape)}, not {list(shape)} as written"
    annotation = graph.annotations.get((("", name), "finn_datatype"))
    if annotation is None or annotation.startswith(_ANY) or value.dtype.kind not in "fiu":
        return ""
    try:
        datatype = DataType[annotation]
    except Exception:  # whatever QONNX raises for a text that it does not know
        return f"{name} is annotated {annotation}, which is not a datatype"
    if datatype.is_integer() and value.dtype.kind == "f":
        whole = np.round(value)
        if np.abs(value - whole).max(initial=0) > get_execution_error_thresh():
            worst = value.flat[np.abs(value - whole).argmax()]
            return f"{name} is annotated {annotation} and has the value {worst:g}"
        value = whole
    allowed = np.asarray(datatype.allowed(value))
    if allowed.all():
        return ""
    return f"{name} is annotated {annotation} and has the value {value[~allowed].flat[0]:g}"
