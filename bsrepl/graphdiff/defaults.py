"""The defaults of attributes: one that is written out, as onnxruntime does it, says what one that is left out says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from .attributes import serialized


@cache
def defaults(op_type: str) -> Mapping[str, bytes]:
    """The attributes of an op of ONNX that have a default, and what they are then, serialized.

    Only those whose default is the same in all versions: that of the axis of Softmax is not.
    """
    from onnx import defs

    found: dict[str, bytes] = {}
    changed: set[str] = set()
    for version in range(1, defs.onnx_opset_version() + 1):
        try:
            attributes = defs.get_schema(op_type, version).attributes
        except defs.SchemaError:  # the op is newer, or none of ONNX
            continue
        for name, attribute in attributes.items():
            value = serialized(attribute.default_value) if attribute.default_value.type else b""
            if found.setdefault(name, value) != value:
                changed.add(name)
    return {name: value for name, value in found.items() if value and name not in changed}
