"""The sizes of dynamic dimensions at which models are tried: larger than one, and different for different ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from numbers import Integral
from typing import Any

from onnx import ValueInfoProto

from ...errors import ExecutionFailed

#: A dynamic dimension: its name, or the input and the axis if it has none.
Dimension = str | tuple[str, int]

#: The shape of each input: sizes, and the dimensions that are not fixed.
Shapes = dict[str, list[int | Dimension]]

_SMALL = (2, 3, 5, 7, 11, 13, 17, 19)
_FEW = 3  # dimensions of which all combinations of some sizes are tried
_LARGE = (64, 96, 128, 160, 192, 224, 256, 288)


def shapes(values: list[ValueInfoProto]) -> Shapes:
    """The shapes of inputs; dimensions with the same name are the same one."""
    dims = {value.name: value.type.tensor_type.shape.dim for value in values}
    return {name: [_dimension(name, axis, dim) for axis, dim in enumerate(dims[name])] for name in dims}


def _dimension(name: str, axis: int, dim: Any) -> int | Dimension:
    if dim.dim_value > 0:  # QONNX writes 0 for a dynamic dimension, PaddlePaddle -1
        return int(dim.dim_value)
    return str(dim.dim_param).strip("?") or (name, axis)


def fixed(before: Shapes, after: Shapes, given: Mapping[str, Any]) -> Shapes:
    """The shapes of inputs that fit two models whose inputs have the same keys.

    `given` are sizes of dimensions and shapes of inputs, by their names. Raises ExecutionFailed if there are none.
    """
    known = _given(before, given)
    for name, mine in before.items():
        theirs = after.get(name, mine)
        if len(mine) != len(theirs):
            raise ExecutionFailed(f"the input {name} has {len(mine)} dimensions before and {len(theirs)} after")
        for one, other in zip(mine, theirs, strict=True):
            if isinstance(one, int) and isinstance(other, int) and one != other:
                raise ExecutionFailed(
                    f"the input {name} has the shape {mine} before and {theirs} after: no values fit both"
                )
            for size, dimension in ((one, other), (other, one)):
                if isinstance(size, int) and not isinstance(dimension, int):
                    known.setdefault(dimension, size)
    return {
        name: [size if isinstance(size, int) else known.get(size, size) for size in shape]
        for name, shape in before.items()
    }


def _given(inputs: Shapes, given: Mapping[str, Any]) -> dict[Dimension, int]:
    """The sizes of dimensions that are given. Raises ExecutionFailed if one fits nothing."""
    names = {size for shape in inputs.values() for size in shape if isinstance(size, str)}
    written = ", ".join(f"{name} [{','.join(map(_name, shape))}]" for name, shape in list(inputs.items())[:_FEW])
    example = (
        f"for example shapes={{{min(names)!r}: 4}}" if names else "only dimensions without a size can be given one"
    )
    wanted = f"the inputs are {written}; {example}"
    known: dict[Dimension, int] = {}
    for name, size in given.items():
        shape = inputs.get(name)
        if shape is None and name not in names:
            raise ExecutionFailed(f"no input and no dimension is called {name}; {wanted}")
        sizes = [size] if name in names and shape is None else size
        if not isinstance(sizes, (list, tuple)) or not all(
            isinstance(one, Integral) and int(one) >= 0 for one in sizes
        ):
            raise ExecutionFailed(f"{name} is given the size {size!r}; {wanted}")
        places = [name] if shape is None else shape
        fits = [one in (place, 0) or not isinstance(place, int) for one, place in zip(sizes, places, strict=False)]
        if len(sizes) != len(places) or not all(fits):
            raise ExecutionFailed(f"{name} is given the shape {list(sizes)}; {wanted}")
        known |= {place: int(one) for place, one in zip(places, sizes, strict=True) if not isinstance(place, int)}
    return known


def _name(size: int | Dimension) -> str:
    return "?" if isinstance(size, tuple) else str(size)


def assignments(inputs: Shapes, *, has_windows: bool = False) -> Iterator[dict[Dimension, int]]:
    """Sizes for the dimensions that are not fixed, the most telling ones first; they may not suit a model.

    With `has_windows`, as those of convolutions and of pooling, large ones come first: of small ones a few strides
    leave one value, of which a mean is the maximum.
    """
    places: dict[Dimension, int] = {}  # the axis of each, the first one where it stands at several
    for shape in inputs.values():
        for axis, size in enumerate(shape):
            if not isinstance(size, int):
                places.setdefault(size, axis)
    if not places:
        yield {}
        return
    batch = [dimension for dimension, axis in places.items() if axis == 0]
    others = [dimension for dimension, axis in places.items() if axis]
    is_image = any(len(shape) == 4 and not all(isinstance(one, int) for one in shape[2:]) for shape in inputs.values())
    if is_image or (has_windows and others):
        yield from _large(batch, others)
    for shift in (0, 1):
        yield dict(zip(places, _cycled(_SMALL, len(places), shift), strict=True))
    for shift in (0, 1):  # dimensions without names that have to be the same stand at the same axis
        yield {dimension: _SMALL[(axis + shift) % len(_SMALL)] for dimension, axis in places.items()}
    yield from _large(batch, others)
    for size in (224, 320, 512, 640, 48, 16000):
        yield dict.fromkeys(batch, 2) | dict.fromkeys(others, size)
        yield dict.fromkeys(batch, 1) | dict.fromkeys(others, size)
    if 1 < len(places) <= _FEW:  # which of them belong together cannot be known
        for chosen in product((2, 3, 256, 512), repeat=len(places)):
            yield dict(zip(places, chosen, strict=True))
    for size in (3, 2, 1):
        yield dict.fromkeys(batch, 1) | dict.fromkeys(others, size)
    yield dict.fromkeys(places, 0)  # it may have been meant


def _large(batch: list[Dimension], others: list[Dimension]) -> Iterator[dict[Dimension, int]]:
    for size in (2, 1):
        for shift in (0, 1):
            large = zip(others, _cycled(_LARGE, len(others), shift), strict=True)
            yield dict.fromkeys(batch, size + shift * (size > 1)) | dict(large)


def _cycled(values: tuple[int, ...], count: int, shift: int) -> list[int]:
    largest = values[-1]
    return [*values, *(largest + 2 * k for k in range(1, count + 2))][shift : count + shift]


def sized(inputs: Shapes, sizes: Mapping[Dimension, int]) -> dict[str, tuple[int, ...]]:
    """The shapes with these sizes."""
    return {
        name: tuple(size if isinstance(size, int) else sizes[size] for size in shape) for name, shape in inputs.items()
    }
