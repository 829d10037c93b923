"""The values of attributes, as values and as text."""

from __future__ import annotations

from typing import Any

from ..text.columns import cut

_MOST = 8  # values of a list that are written out
_LONGEST = 60  # characters of a text


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
