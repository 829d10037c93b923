"""Values to execute a model on: those recorded with a sample, or seeded ones that fit the types of the inputs.

The global random state is neither used nor changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper
from qonnx.core.datatype import DataType

from ..errors import ExecutionFailed
from ..frameworks.qonnx.samples import samples

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qonnx.core.modelwrapper import ModelWrapper

_WIDEST = 2**15  # magnitude of random integers of a wider type: sums of them stay exact in float32
_DYNAMIC = 1  # the size of a dimension that is not fixed
_MEMORY = 2**30  # bytes that the values of all inputs together may take


def inputs_of(model: ModelWrapper) -> list[ValueInfoProto]:
    """The inputs of a model that are not constants."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def probes(model: ModelWrapper, count: int, seed: int = 0) -> Iterator[tuple[str, list[NDArray[Any]]]]:
    """`count` sets of values for the inputs, in their order, each with its kind.

    The values recorded with the sample come first, if the model is one. Then follow integers over the whole range,
    uniform and normal values, zeros, and normal values again; an input with an integer datatype annotation or element
    type gets integers of that type each time, in the container that QONNX expects.

    Raises ExecutionFailed if there are no values for an input, or they would take too much memory.
    """
    inputs = inputs_of(model)
    _check(inputs)
    number = 0
    for recorded in _recorded(inputs):
        if number < count:
            yield "recorded", [recorded]
            number += 1
    rng = np.random.default_rng(seed)
    kinds = ("integers", "uniform", "normal", "zeros")
    while number < count:
        kind = kinds[number % len(kinds)] if number < 2 * len(kinds) else "normal"
        yield kind, [_values(model, value, kind, rng) for value in inputs]
        number += 1


def shape_of(value: ValueInfoProto) -> tuple[int, ...]:
    """The shape of an input; a dimension that is not fixed is 1."""
    return tuple(max(dimension.dim_value, 0) or _DYNAMIC for dimension in value.type.tensor_type.shape.dim)


def _check(inputs: list[ValueInfoProto]) -> None:
    """Raises ExecutionFailed if an input is no tensor of a known type, or all together are too large."""
    total = 0
    for value in inputs:
        if not value.type.HasField("tensor_type"):
            kind = value.type.WhichOneof("value")
            what = f"is a {kind.removesuffix('_type').replace('_', ' ')}, not a tensor" if kind else "has no type"
            raise ExecutionFailed(f"the input {value.name} {what}")
        element = value.type.tensor_type.elem_type
        if element not in TensorProto.DataType.values() or element == TensorProto.UNDEFINED:
            raise ExecutionFailed(f"the input {value.name} has the unknown element type {element}")
        total += math.prod(shape_of(value)) * int(helper.tensor_dtype_to_np_dtype(element).itemsize)
        if total > _MEMORY:
            raise ExecutionFailed(
                f"the input {value.name} {list(shape_of(value))} is too large: generated values may take "
                f"{_MEMORY >> 30} GiB, these take {total / 2**30:,.1f} GiB; pass your own with verify(a, b, [...])"
            )


def _values(model: ModelWrapper, value: ValueInfoProto, kind: str, rng: np.random.Generator) -> NDArray[Any]:
    shape = shape_of(value)
    element = value.type.tensor_type.elem_type
    dtype = helper.tensor_dtype_to_np_dtype(element)
    if element == TensorProto.BOOL:
        return rng.integers(0, 2, shape).astype(dtype)
    if element not in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
        return np.asarray(np.zeros(shape) if kind == "zeros" else rng.integers(0, 16, shape)).astype(dtype)
    annotated = _annotated(model, value.name)
    if annotated is not None and annotated.is_integer():
        return _integers(annotated, shape, kind, rng).astype(dtype)
    if annotated is not None and annotated.is_fixed_point():
        scale = annotated.scale_factor()
        steps = rng.integers(int(annotated.min() / scale), int(annotated.max() / scale) + 1, shape)
        return np.asarray(steps * (0 if kind == "zeros" else scale)).astype(dtype)
    if kind == "integers":
        values = rng.integers(0, 256, shape)
    elif kind == "uniform":
        values = rng.uniform(-1, 1, shape)
    else:
        values = rng.normal(size=shape) if kind == "normal" else np.zeros(shape)
    return np.asarray(values).astype(dtype)


def _annotated(model: ModelWrapper, name: str) -> Any:
    """The datatype that a tensor is annotated with; None if the annotation is no datatype."""
    try:
        return model.get_tensor_datatype(name)
    except Exception:  # whatever QONNX raises for a text that it does not know
        return None


def _integers(datatype: Any, shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> NDArray[Any]:
    low, high = int(max(datatype.min(), -_WIDEST)), int(min(datatype.max(), _WIDEST))
    if kind == "zeros" and datatype.allowed(0):
        return np.zeros(shape)
    values = rng.integers(low, high + 1, shape)
    if datatype == DataType["BIPOLAR"]:
        return np.asarray(np.where(values < 0, -1, 1))
    return values


def _recorded(values: list[ValueInfoProto]) -> Iterator[NDArray[Any]]:
    """The inputs recorded with the samples of QONNX that fit the only input of a model."""
    if len(values) != 1:
        return
    shape = [dimension.dim_value for dimension in values[0].type.tensor_type.shape.dim]
    for file in {path.parent for path in samples().values()}:
        for place in sorted(file.glob("test_data*/input*")):
            recorded = _read(place)
            if list(recorded.shape) == shape:
                yield recorded.astype(helper.tensor_dtype_to_np_dtype(values[0].type.tensor_type.elem_type))


def _read(place: Path) -> NDArray[Any]:
    if place.suffix == ".npy":
        return np.asarray(np.load(place, allow_pickle=False))
    return np.asarray(numpy_helper.to_array(TensorProto.FromString(place.read_bytes())))
