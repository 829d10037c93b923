"""The values of attributes, as values and as text."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..text.columns import cut

if TYPE_CHECKING:
    from onnx import AttributeProto

_TENSOR = 4  # AttributeProto.TENSOR
_MOST = 8  # values of a list that are written out
_LONGEST = 60  # characters of a text


def serialized(attribute: AttributeProto) -> bytes:
    """An attribute as bytes, equal for equal values: the name of a tensor and how it is stored do not count."""
    if attribute.type != _TENSOR and not attribute.doc_string:
        return bytes(attribute.SerializeToString(deterministic=True))
    plain = type(attribute).FromString(attribute.SerializeToString())
    plain.ClearField("doc_string")
    if attribute.type != _TENSOR:
        return bytes(plain.SerializeToString(deterministic=True))
    for field in ("name", "doc_string"):
        plain.t.ClearField(field)
    with suppress(Exception):  # fewer values than the shape says, an unknown type: what is written counts
        from onnx import numpy_helper

        plain.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(plain.t)))
    return bytes(plain.SerializeToString(deterministic=True))


def attribute_value(serialized: bytes) -> Any:
    """The value of one of a node's `attributes`; None of one that has no type."""
    from onnx import AttributeProto, helper

    try:
        return helper.get_attribute_value(AttributeProto.FromString(serialized))
    except ValueError:
        return None


def attribute_text(serialized: bytes) -> str:
    """`0.01`, `[1, 1]`; `other values` of a tensor; `@alpha` where it is that attribute of the function around it."""
    from onnx import AttributeProto

    attribute = AttributeProto.FromString(serialized)
    return f"@{attribute.ref_attr_name}" if attribute.ref_attr_name else _text(attribute_value(serialized))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    if isinstance(value, str):
        return cut(value, _LONGEST)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_text, value[:_MOST]))}{', ...' if len(value) > _MOST else ''}]"
    return "other values"
