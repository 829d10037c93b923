"""How many bytes tensors take, told by their shapes: to count the bytes of a message, protobuf writes it, and to give
its raw data, it copies them.
"""

from __future__ import annotations

import re
from functools import cache
from math import prod
from typing import Any

_BITS = {"FLOAT": 32, "DOUBLE": 64, "BOOL": 8}
_LARGE = 4096  # bytes
_FIELD = 4  # bytes that protobuf writes before a field of some size


@cache
def element_bits(dtype: int) -> int:
    """The bits that a value of an element type takes; 0 if that is not known, as of strings."""
    from onnx import TensorProto

    types = TensorProto.DataType
    name = types.Name(dtype) if dtype in types.values() else ""
    digits = re.match("[A-Z]+([0-9]+)", name)  # of INT4, BFLOAT16, FLOAT8E4M3FN
    return int(digits[1]) if digits else _BITS.get(name, 0)


def is_large(tensor: Any) -> bool:
    """Whether the values of a TensorProto take more bytes than it takes to tell of it."""
    count: int = prod(tensor.dims[:])  # a list is quicker to go through than protobuf's own
    return count * (element_bits(tensor.data_type) or 8) > 8 * _LARGE


def tensor_bytes(tensor: Any) -> int:
    """The bytes that a TensorProto takes; of a large one, as if its values were raw data."""
    bits = element_bits(tensor.data_type) if is_large(tensor) else 0
    if not bits:
        return int(tensor.ByteSize())
    head = type(tensor)(dims=tensor.dims, data_type=tensor.data_type)
    count: int = prod(tensor.dims)
    return int(head.ByteSize()) + 2 + len(tensor.name) + _FIELD + count * bits // 8
