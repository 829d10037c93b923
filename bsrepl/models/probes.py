"""Inputs to try a model on: what was recorded with a sample, or seeded values that honour what is known of the inputs.

The user's global random state is neither used nor changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper
from qonnx.core.datatype import DataType

from ..frameworks.qonnx.samples import samples

if TYPE_CHECKING:
    from qonnx.core.modelwrapper import ModelWrapper

Array: TypeAlias = Any  # numpy's ndarray

_WIDEST = 2**15  # magnitude of random integers of a wider type: sums of them stay exact in float32
_DYNAMIC = 1  # what a dimension that is not fixed is taken for


def inputs_of(model: ModelWrapper) -> list[ValueInfoProto]:
    """The inputs of a model that are no constants."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constants]


def probes(model: ModelWrapper, count: int, seed: int = 0) -> Iterator[tuple[str, list[Array]]]:
    """So many sets of values for the inputs, in their order, each with what it is.

    First what was recorded with the sample that the model is of, if anything was. Then integers over the whole range,
    uniform and normal values, zeros, and random ones again; an input with an integer datatype annotation, or element
    type, gets integers of it each time, in the container that QONNX asks for.
    """
    made = 0
    values = inputs_of(model)
    for recorded in _recorded(values):
        if made < count:
            yield "recorded", [recorded]
            made += 1
    rng = np.random.default_rng(seed)
    kinds = ("integers", "uniform", "normal", "zeros")
    while made < count:
        kind = kinds[made % len(kinds)] if made < 2 * len(kinds) else "normal"
        yield kind, [_values(model, value, kind, rng) for value in values]
        made += 1


def shape_of(value: ValueInfoProto) -> tuple[int, ...]:
    """The shape of an input; a dimension that is not fixed is 1."""
    return tuple(dimension.dim_value or _DYNAMIC for dimension in value.type.tensor_type.shape.dim)


def _values(model: ModelWrapper, value: ValueInfoProto, kind: str, rng: np.random.Generator) -> Array:
    shape = shape_of(value)
    element = value.type.tensor_type.elem_type
    dtype = helper.tensor_dtype_to_np_dtype(element)
    if element == TensorProto.BOOL:
        return rng.integers(0, 2, shape).astype(dtype)
    if element not in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
        return np.asarray(np.zeros(shape) if kind == "zeros" else rng.integers(0, 16, shape)).astype(dtype)
    annotated = model.get_tensor_datatype(value.name)
    if annotated is not None and annotated.is_integer():
        return _integers(annotated, shape, kind, rng).astype(dtype)
    if annotated is not None and annotated.is_fixed_point():
        scale = annotated.scale_factor()
        steps = rng.integers(int(annotated.min() / scale), int(annotated.max() / scale) + 1, shape)
        return np.asarray(steps * (0 if kind == "zeros" else scale)).astype(dtype)
    if kind == "integers":
        made = rng.integers(0, 256, shape)
    elif kind == "uniform":
        made = rng.uniform(-1, 1, shape)
    else:
        made = rng.normal(size=shape) if kind == "normal" else np.zeros(shape)
    return np.asarray(made).astype(dtype)


def _integers(datatype: Any, shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> Array:
    low, high = int(max(datatype.min(), -_WIDEST)), int(min(datatype.max(), _WIDEST))
    if kind == "zeros" and datatype.allowed(0):
        return np.zeros(shape)
    made = rng.integers(low, high + 1, shape)
    if datatype == DataType["BIPOLAR"]:
        return np.asarray(np.where(made < 0, -1, 1))
    return made


def _recorded(values: list[ValueInfoProto]) -> Iterator[Array]:
    """What was recorded with the samples of the QONNX wheel, as far as it fits the one input of a model."""
    if len(values) != 1:
        return
    shape = [dimension.dim_value for dimension in values[0].type.tensor_type.shape.dim]
    for file in {path.parent for path in samples().values()}:
        for place in sorted(file.glob("test_data*/input*")):
            recorded = _read(place)
            if list(recorded.shape) == shape:
                yield recorded.astype(helper.tensor_dtype_to_np_dtype(values[0].type.tensor_type.elem_type))


def _read(place: Path) -> Array:
    if place.suffix == ".npy":
        return np.asarray(np.load(place, allow_pickle=False))
    return np.asarray(numpy_helper.to_array(TensorProto.FromString(place.read_bytes())))
