"""Constants: what they are compared by, and their values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ..text.tensor_sizes import is_large
from .mapped import data_at, filled, place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import NodeProto, TensorProto

#: The message that holds a constant: a TensorProto, a SparseTensorProto, or the AttributeProto of a Constant node.
Stored = Any

_EXTERNAL = 1  # TensorProto.EXTERNAL
#: The attributes of a Constant node that may hold its value, and their types in AttributeProto.
_VALUES = {
    "value_float": 1, "value_int": 2, "value_string": 3, "value": 4, "value_floats": 6, "value_ints": 7,
    "value_strings": 8, "sparse_value": 11,
}  # fmt: skip
_DIGEST = 16  # bytes; shorter data stands for itself


class Content(NamedTuple):
    """The content of a constant: equal for equal values, whatever the name."""

    dtype: int
    shape: tuple[int, ...]
    digest: bytes


#: Gives the content of a constant.
Read = Callable[[Stored], Content]

#: Gives the constant of a name whose content is known, and that; None if there is none.
Known = Callable[[str], tuple[Stored, Content] | None]


def content(tensor: TensorProto) -> Content:
    """The content of a tensor. Data in another file is identified by its place."""
    if (place := place_of(tensor)) is not None:
        digest = _digest_at(place)
    elif tensor.data_location == _EXTERNAL:
        digest = _digest(b"".join(entry.SerializeToString() for entry in tensor.external_data))
    else:
        digest = _digest(tensor.raw_data or _raw(tensor))
    return Content(tensor.data_type, tuple(tensor.dims[:]), digest)


def content_of(stored: Stored) -> Content:
    """The content of any constant."""
    kind = type(stored).__name__
    if kind == "TensorProto":
        return content(stored)
    if kind == "SparseTensorProto":
        values, indices = content(stored.values), content(stored.indices)
        return Content(values.dtype, tuple(stored.dims), _digest(repr((values, indices)).encode()))
    array = values_of(stored)
    if array is None:
        return Content(0, (), _digest(stored.SerializeToString(deterministic=True)))
    from onnx import numpy_helper

    return content(numpy_helper.from_array(array))


def content_unless_known(stored: Stored, known: Known) -> Content:
    """The content of any constant. A large tensor that equals the one that is `known` by its name is not read again.

    Comparing two messages copies nothing.
    """
    if type(stored).__name__ == "TensorProto" and is_large(stored):
        other = known(stored.name)
        if other is not None and other[0] == stored:
            return other[1]
    return content_of(stored)


def unread(stored: Stored) -> Content:
    """The content of any constant of a model that is compared with itself: that of a large tensor equals no other."""
    if type(stored).__name__ != "TensorProto" or not is_large(stored):
        return content_of(stored)
    return Content(stored.data_type, tuple(stored.dims), b"unread %d" % id(stored))


def stored_in(node: NodeProto) -> Stored | None:
    """The message that holds the value of a Constant node; None if it is no such node, or its value is not in it."""
    if node.op_type != "Constant" or node.domain not in ("", "ai.onnx") or len(node.attribute) != 1:
        return None
    (attribute,) = node.attribute
    is_in_function = bool(attribute.ref_attr_name)
    if is_in_function or _VALUES.get(attribute.name) != attribute.type or len(node.output) != 1 or not node.output[0]:
        return None
    if attribute.name == "value":
        return attribute.t
    return attribute.sparse_tensor if attribute.name == "sparse_value" else attribute


def values_of(stored: Stored) -> NDArray[Any] | None:
    """The values of a constant, those of a sparse one without its zeros; None if they cannot be read."""
    import numpy as np
    from onnx import helper, numpy_helper

    kind = type(stored).__name__
    try:
        if kind == "AttributeProto":
            value = np.asarray(helper.get_attribute_value(stored))
            narrow = {"f": np.float32, "i": np.int64}
            return value.astype(narrow.get(value.dtype.kind, object))
        array: NDArray[Any] = numpy_helper.to_array(stored.values if kind == "SparseTensorProto" else filled(stored))
    except Exception:  # fewer values than the shape says, an unknown type, data in a file that is elsewhere
        return None
    return array


def _raw(tensor: TensorProto) -> bytes:
    from onnx import TensorProto, numpy_helper

    try:
        array = numpy_helper.to_array(tensor)
    except Exception:  # fewer values than the shape says, an unknown type: it is compared by what is written
        nameless = TensorProto.FromString(tensor.SerializeToString())
        nameless.name = ""
        return bytes(nameless.SerializeToString(deterministic=True))
    return array.tobytes() if array.dtype.kind != "O" else repr(array.tolist()).encode()


def _digest(data: bytes) -> bytes:
    return data if len(data) <= _DIGEST else hashlib.sha256(data).digest()[:_DIGEST]


@cache
def _digest_at(place: str) -> bytes:
    return hashlib.sha256(data_at(place)).digest()[:_DIGEST]
