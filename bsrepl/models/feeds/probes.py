"""Values to execute a model on: those recorded with a sample, or seeded ones that fit the types of the inputs.

The global random state is neither used nor changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, numpy_helper
from qonnx.core.datatype import DataType

from ...errors import ExecutionFailed
from ...frameworks.qonnx.samples import samples
from ..runtime.execution import inputs_of
from .ranges import Range, ranges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

_WIDEST = 2**15  # magnitude of random integers of a wider type: sums of them stay exact in float32
_MEMORY = 2**30  # bytes that the values of all inputs together may take
_UNKNOWN = Range(None, ())
_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)

#: The kinds of values, in the order in which they are tried. An input with an integer datatype annotation or element
#: type has integers of that type each time, in the container that QONNX expects.
KINDS = ("integers", "uniform", "normal", "zeros", "large", "small", "waves")


def datatypes(model: ModelProto) -> dict[str, str]:
    """The datatypes that a model annotates, by the names of tensors."""
    return {
        annotation.tensor_name: entry.value
        for annotation in model.graph.quantization_annotation
        for entry in annotation.quant_parameter_tensor_names
        if entry.key == "finn_datatype"
    }


class Probes:
    """Generates values for the inputs of a model. Raises ExecutionFailed if there are none for one of them.

    `fitting` are datatypes that the values of inputs have to fit as well.
    """

    def __init__(self, model: ModelProto, seed: int = 0, fitting: Mapping[str, str] = MappingProxyType({})) -> None:
        self._values = inputs_of(model)
        for value in self._values:
            _check_type(value)
        self._fitting = fitting
        self._annotations = datatypes(model)
        for name, datatype in fitting.items():
            self._annotations[name] = min(self._annotations.get(name, datatype), datatype, key=_width)
        whole = [value.name for value in self._values if value.type.tensor_type.elem_type not in _FLOATS]
        self._ranges = ranges(model, whole) if whole else {}
        self._seed = seed

    def recorded(self, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[Arrays]:
        """The inputs recorded with the samples of QONNX that fit the only input of the model."""
        if len(self._values) != 1:
            return
        (value,) = self._values
        for folder in {path.parent for path in samples().values()}:
            for place in sorted(folder.glob("test_data*/input*")):
                array = read_array(place)
                if array.shape == shapes[value.name] and self._fits(value.name, array):
                    yield {value.name: array.astype(_dtype(value))}

    def _fits(self, name: str, array: NDArray[Any]) -> bool:
        datatype = _datatype(self._fitting.get(name))
        if datatype is None or not datatype.is_integer():
            return True
        return bool((array == np.round(array)).all() and datatype.min() <= array.min() <= array.max() <= datatype.max())

    def generated(self, shapes: Mapping[str, tuple[int, ...]], kind: str) -> Arrays:
        """Values of one of the `KINDS`, for inputs of these shapes; the same each time.

        Raises ExecutionFailed if they would take too much memory.
        """
        _check_size(self._values, shapes)
        rng = np.random.default_rng([self._seed, KINDS.index(kind)])
        return {value.name: self._generated(value, shapes[value.name], kind, rng) for value in self._values}

    def mixed(self, shapes: Mapping[str, tuple[int, ...]], number: int) -> Arrays:
        """Values of another kind for each input; others for each number, that of the first input in turn.

        Raises ExecutionFailed as `generated` does.
        """
        _check_size(self._values, shapes)
        rng = np.random.default_rng([self._seed, len(KINDS) + number])
        choices = rng.integers(len(KINDS), size=len(self._values))
        choices[:1] = len(KINDS) - 1 - number % len(KINDS)
        kinds = [KINDS[choice] for choice in choices]
        pairs = zip(self._values, kinds, strict=True)
        return {value.name: self._generated(value, shapes[value.name], kind, rng) for value, kind in pairs}

    def _generated(
        self, value: ValueInfoProto, shape: tuple[int, ...], kind: str, rng: np.random.Generator
    ) -> NDArray[Any]:
        element, dtype = value.type.tensor_type.elem_type, _dtype(value)
        if element == TensorProto.BOOL:
            return rng.integers(0, 2, shape).astype(dtype)
        annotated = _datatype(self._annotations.get(value.name))
        if annotated is not None and annotated.is_integer():
            return _annotated_integers(annotated, shape, kind, rng).astype(dtype)
        if element not in _FLOATS:
            return _integers(value.name, self._ranges.get(value.name, _UNKNOWN), shape, dtype, kind, rng)
        if annotated is not None and annotated.is_fixed_point():
            scale = annotated.scale_factor()
            steps = rng.integers(int(annotated.min() / scale), int(annotated.max() / scale) + 1, shape)
            return np.asarray(steps * (0 if kind == "zeros" else scale)).astype(dtype)
        return np.asarray(_floats(shape, kind, rng)).astype(dtype)


def _floats(shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> NDArray[Any]:
    if kind == "integers":
        return rng.integers(0, 256, shape)
    if kind == "uniform":
        return rng.uniform(-1, 1, shape)
    if kind == "waves":
        return _waves(shape, rng)
    scale = {"normal": 1.0, "large": 30.0, "small": 0.01, "zeros": 0.0}[kind]
    return np.asarray(scale * rng.normal(size=shape))


def _waves(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
    """Waves along the last two axes, or the last one of fewer than three, as in sounds and images.

    To a filter of many values noise is nearly nothing; a wave of its frequency is what it was made for.
    """
    plane = shape[-2:] if len(shape) > 2 else shape[-1:]
    alike = shape[: len(shape) - len(plane)] + (1,) * len(plane)
    angle = rng.uniform(0, 2 * np.pi, alike)
    for axis in range(len(plane)):
        steps = np.arange(plane[axis]).reshape([-1 if axis == other else 1 for other in range(len(plane))])
        angle = angle + np.pi * steps * 2 ** rng.uniform(-7, 0, alike)
    return np.asarray(2 ** rng.uniform(-3, 3, alike) * np.sin(angle))


def _integers(
    name: str, known: Range, shape: tuple[int, ...], dtype: Any, kind: str, rng: np.random.Generator
) -> NDArray[Any]:
    """Integers of an input that says no more about them than its type."""
    count = math.prod(shape)
    if known.size is not None:  # spread over the whole table, its first and its last row among them
        rows = np.linspace(0, known.size - 1, count) if count > 1 else rng.integers(0, known.size, 1)
        return rng.permutation(np.round(rows)).reshape(shape).astype(dtype)
    if known.compared:
        choices = known.compared if kind == KINDS[0] else (*known.compared, known.compared[0] + 1)
        return rng.choice(np.array(choices), shape).astype(dtype)
    if "mask" in name.lower():
        return (rng.random(shape) < 0.8).astype(dtype)
    narrow = np.iinfo(dtype) if np.issubdtype(dtype, np.integer) and dtype.itemsize == 1 else None
    low, high = (narrow.min, narrow.max + 1) if narrow is not None else (0, 16)
    return np.asarray(np.zeros(shape) if kind == "zeros" else rng.integers(low, high, shape)).astype(dtype)


def _annotated_integers(datatype: Any, shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> NDArray[Any]:
    low, high = int(max(datatype.min(), -_WIDEST)), int(min(datatype.max(), _WIDEST))
    if kind == "zeros" and datatype.allowed(0):
        return np.zeros(shape)
    values = np.asarray(rng.integers(low, high + 1, shape))
    if datatype == DataType["BIPOLAR"]:
        return np.asarray(np.where(values < 0, -1, 1))
    if values.size > 1:
        values.flat[rng.choice(values.size, 2, replace=False)] = low, high
    return values


def _dtype(value: ValueInfoProto) -> Any:
    return helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def _check_type(value: ValueInfoProto) -> None:
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value")
        what = f"is a {kind.removesuffix('_type').replace('_', ' ')}, not a tensor" if kind else "has no type"
        raise ExecutionFailed(f"the input {value.name} {what}")
    element = value.type.tensor_type.elem_type
    if element not in TensorProto.DataType.values() or element in (TensorProto.UNDEFINED, TensorProto.STRING):
        what = "has strings" if element == TensorProto.STRING else f"has the unknown element type {element}"
        raise ExecutionFailed(f"the input {value.name} {what}; give values with inputs(m, ...)")


def _check_size(values: list[ValueInfoProto], shapes: Mapping[str, tuple[int, ...]]) -> None:
    total = 0
    for value in values:
        sizes = (size or 1 for size in shapes[value.name])  # NumPy's limit is that of a shape without its zeros
        total += math.prod(sizes) * int(_dtype(value).itemsize)
        if total > _MEMORY:
            raise ExecutionFailed(
                f"the input {value.name} {list(shapes[value.name])} is too large: generated values may take "
                f"{_MEMORY >> 30} GiB, these take {total / 2**30:,.1f} GiB; give your own with inputs(m, ...)"
            )


def _datatype(annotation: str | None) -> Any:
    """The datatype of an annotation; None if there is none, or it is no datatype."""
    try:
        return None if annotation is None else DataType[annotation]
    except Exception:  # whatever QONNX raises for a text that it does not know
        return None


def _width(annotation: str) -> float:
    """How many values a datatype has, if that can be counted."""
    datatype = _datatype(annotation)
    return float(datatype.max() - datatype.min()) if datatype is not None and datatype.is_integer() else math.inf


def read_array(place: Path) -> NDArray[Any]:
    """The array in a `.npy` file, or in a file with a serialized tensor."""
    if place.suffix == ".npy":
        return np.asarray(np.load(place, allow_pickle=False))
    return np.asarray(numpy_helper.to_array(TensorProto.FromString(place.read_bytes())))
