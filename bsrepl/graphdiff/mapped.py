"""Data of tensors that lies elsewhere in memory: they refer to it as to data in another file, and nothing is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import TensorProto

_EXTERNAL = 1  # TensorProto.EXTERNAL
_kept: dict[str, memoryview] = {}  # by what tensors give as the place of a file


def keep(data: memoryview) -> str:
    """Keeps the raw data of tensors as long as this process exists. Returns the place by which they refer to it."""
    place = f"\0memory {len(_kept)}"  # no file can be called that
    _kept[place] = data
    return place


def refer(tensor: TensorProto, place: str) -> None:
    """Lets the data at a place be that of a tensor that has none."""
    tensor.data_location = _EXTERNAL
    tensor.external_data.add(key="location", value=place)


def place_of(tensor: TensorProto) -> str | None:
    """The place of the data that a tensor refers to; None if it has its own, or refers to a file."""
    if tensor.data_location != _EXTERNAL or len(tensor.external_data) != 1:
        return None
    place: str = tensor.external_data[0].value
    return place if place in _kept else None


def data_at(place: str) -> memoryview:
    """The data at a place."""
    return _kept[place]


def filled(tensor: TensorProto) -> TensorProto:
    """A tensor with data of its own: a copy of one that refers to data in memory, or the tensor itself."""
    if place_of(tensor) is None:
        return tensor
    copied = type(tensor)()
    copied.CopyFrom(tensor)
    fill(copied)
    return copied


def fill(tensor: TensorProto) -> None:
    """Gives a tensor that refers to data in memory a copy of this."""
    if (place := place_of(tensor)) is not None:
        tensor.raw_data = bytes(data_at(place))
        tensor.ClearField("data_location")
        tensor.ClearField("external_data")
