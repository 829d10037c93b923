"""Whether values fit the inputs of a model: which are missing, unknown, of another type or shape, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from ...errors import ExecutionFailed, UnreadableInputs
from ...text.format import counted, some
from ..runtime.execution import Values, inputs_of, runs_whole
from .inputs import Given
from .sizes import fixed, shapes

_MOST = 4  # inputs that are named


def fitting(model: ModelProto, given: Mapping[Any, Any]) -> Values:
    """Values for the inputs of a model, by their names or their places, with the types that it declares.

    Raises ExecutionFailed if they do not fit.
    """
    inputs = {value.name: value for value in inputs_of(model)}
    named = by_name(list(inputs), given)
    if problem := _problem(model, inputs, named):
        raise ExecutionFailed(f"{problem}; {_wanted(list(inputs.values()))}")
    return {name: with_type(named[name], value) for name, value in inputs.items()}


def check(model: ModelProto, given: Given) -> None:
    """Raises UnreadableInputs if what was given does not fit a model."""
    try:
        for values in given.sets or ():
            fitting(model, values)
        for values in given.expected:
            expected_outputs(model, values)
        fixed(declared := shapes(inputs_of(model)), declared, given.shapes or {})
    except ExecutionFailed as error:
        raise UnreadableInputs(str(error)) from error


def by_name(names: Sequence[str], values: Mapping[Any, Any]) -> Values:
    """Values whose keys are names, or places among `names`."""
    places = dict(enumerate(names))
    return {places.get(key, key): np.asarray(value) for key, value in values.items()}


def with_type(array: Any, value: ValueInfoProto) -> Any:
    """An array with the element type of an input."""
    element = value.type.tensor_type.elem_type
    return array.astype(helper.tensor_dtype_to_np_dtype(element)) if element and array.dtype.kind in "fiub" else array


def expected_outputs(model: ModelProto, given: Mapping[Any, Any]) -> Values:
    """Values for the outputs of a model, by their names or their places. Raises ExecutionFailed if one is missing."""
    names = [value.name for value in model.graph.output]
    named = by_name(names, given)
    if problem := _misnamed("output", names, named):
        raise ExecutionFailed(f"expected: {problem}; the model has {counted(len(names), 'output')}: {', '.join(names)}")
    return named


def _problem(model: ModelProto, inputs: Mapping[str, ValueInfoProto], named: Values) -> str:
    if problem := _misnamed("input", inputs, named):
        return problem
    is_sized = runs_whole(model)  # QONNX executes other sizes than those that are written, too
    pairs = [(value, named[name]) for name, value in inputs.items()]
    problems = (_mistyped(*pair) or _misshaped(*pair, is_sized) for pair in pairs)
    return next(filter(None, problems), "")


def _misnamed(what: str, names: Any, named: Values) -> str:
    if unknown := [str(name) for name in named if name not in names]:
        return f"there is no {what} {', '.join(unknown)}"
    missing = [name for name in names if name not in named]
    return f"no value for {', '.join(missing)}" if missing else ""


def _mistyped(value: ValueInfoProto, array: Any) -> str:
    element = value.type.tensor_type.elem_type
    if not element:  # a sequence
        return ""
    is_text = array.dtype.kind in "SU" or (array.dtype.kind == "O" and all(isinstance(one, str) for one in array.flat))
    if element == TensorProto.STRING or is_text:
        return "" if is_text and element == TensorProto.STRING else f"{value.name} is given {_kind(array, is_text)}"
    if array.dtype.kind not in "fiubV":
        return f"{value.name} is given {_kind(array, is_text)}"
    if helper.tensor_dtype_to_np_dtype(element).kind in "iu" and not np.array_equal(with_type(array, value), array):
        return f"{value.name} is given values that do not fit {_type(value)}"
    return ""


def _kind(array: Any, is_text: bool) -> str:
    return "text" if is_text else {"O": "Python objects", "c": "complex numbers"}.get(array.dtype.kind, "numbers")


def _misshaped(value: ValueInfoProto, array: Any, is_sized: bool) -> str:
    tensor = value.type.tensor_type
    sizes = [dim.dim_value for dim in tensor.shape.dim]
    if not tensor.HasField("shape") or not is_sized:
        return ""
    is_fit = len(sizes) == array.ndim and all(a == b or a <= 0 for a, b in zip(sizes, array.shape, strict=True))
    return "" if is_fit else f"{value.name} is given the shape {_shape(array.shape)}"


def _wanted(inputs: Sequence[ValueInfoProto]) -> str:
    """`the model takes 1 input: x float32 [N,3]; for example {"x": np.zeros((2, 3), np.float32)}`"""
    named = some([f"{value.name} {_type(value)} {_shape(_sizes(value))}" for value in inputs], _MOST)
    example = ", ".join(f'"{value.name}": {_example(value)}' for value in inputs[:2])
    example = f"{{{example}{', ...' if len(inputs) > 2 else ''}}}"
    return f"the model takes {counted(len(inputs), 'input')}: {named}; for example {example}"


def _type(value: ValueInfoProto) -> str:
    element = value.type.tensor_type.elem_type
    if element in (TensorProto.UNDEFINED, TensorProto.STRING):
        return "text" if element else "sequence"
    return str(helper.tensor_dtype_to_np_dtype(element))


def _sizes(value: ValueInfoProto) -> list[Any]:
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.dim_value > 0 else dim.dim_param or "?" for dim in dims]


def _shape(sizes: Sequence[Any]) -> str:
    return f"[{','.join(map(str, sizes))}]"


def _example(value: ValueInfoProto) -> str:
    sizes = tuple(size if isinstance(size, int) else 2 for size in _sizes(value))
    element = value.type.tensor_type.elem_type
    if element == TensorProto.STRING:
        return f'np.full({sizes}, "text")'
    name = _type(value)
    return f"np.zeros({sizes}, np.{name})" if hasattr(np, name) else f"np.zeros({sizes})"
