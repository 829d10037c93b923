"""How the values of a constant changed: from what to what, or of how many values and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .constants import Content, Stored, content_of, values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
_FEW = 4  # values that are written out
_MOST = 1 << 24  # values that are compared one by one
_DIGITS = (6, 9, 17)  # as many as are needed to tell two numbers apart


class Constant(NamedTuple):
    """A constant as it was when the graph was viewed, and the message that may have been edited since."""

    content: Content
    stored: Stored


def constant_change(before: Constant, after: Constant) -> str:
    """`0.015 -> 0.0168`; `[8,1,5,5] 12 of 200 values, by up to 0.013 (largest 0.8)`; `[8,4] -> [4,8]`."""
    old, new = before.content, after.content
    shapes = _shape(old.shape) if old.shape == new.shape else f"{_shape(old.shape)} -> {_shape(new.shape)}"
    if old.dtype != new.dtype:
        types = f"{element_type(old.dtype)} -> {element_type(new.dtype)}"
        return types if old.shape == new.shape == () else f"{shapes} {types}"
    was, now = _values(before), _values(after)
    if was is not None and now is not None and max(was.size, now.size) <= _FEW and {was.ndim, now.ndim} <= {0, 1}:
        return " -> ".join(_told_apart(was, now))
    if old.shape != new.shape:
        return shapes
    if was is None or now is None or was.shape != now.shape or was.size > _MOST:
        return f"{shapes} has other values"
    return f"{shapes} {_amount(was, now)}"


def element_type(number: int) -> str:
    """`float`, `int64`."""
    from onnx import TensorProto

    types = TensorProto.DataType
    return str(types.Name(number)).lower() if number in types.values() else f"type {number}"


def _values(constant: Constant) -> NDArray[Any] | None:
    """The values; None if they cannot be read, or were edited since the graph was viewed."""
    return values_of(constant.stored) if content_of(constant.stored) == constant.content else None


def _amount(was: NDArray[Any], now: NDArray[Any]) -> str:
    """`12 of 200 values, by up to 0.013 (largest 0.8)`"""
    import numpy as np

    if was.dtype.kind in "bOUS":
        return f"{np.count_nonzero(was != now)} of {was.size} values"
    wide = complex if was.dtype.kind == "c" else float
    a, b = was.astype(wide), now.astype(wide)
    changed = (a != b) & ~(np.isnan(a) & np.isnan(b))
    count = int(np.count_nonzero(changed))
    if not count:
        return "the same values with other bits"  # the signs of zeros, other kinds of NaN
    finite = np.isfinite(a) & np.isfinite(b)
    most = np.abs(a - b, where=finite, out=np.zeros(a.shape)).max()
    largest = np.abs(a, where=np.isfinite(a), out=np.zeros(a.shape)).max()
    by = f", by up to {most:.3g} (largest {largest:.3g})" if (changed & finite).any() else ""
    endless = int(np.count_nonzero(changed & ~finite))
    return f"{count} of {was.size} values{by}{f', {endless} from or to NaN or infinity' if endless else ''}"


def _told_apart(was: NDArray[Any], now: NDArray[Any]) -> tuple[str, str]:
    """Few values as text, with as many digits as it takes."""
    pair = "", ""
    for digits in _DIGITS:
        pair = _text(_plain(was), digits), _text(_plain(now), digits)
        if pair[0] != pair[1]:
            break
    return pair


def _plain(values: NDArray[Any]) -> Any:
    return values.item() if values.size == 1 else values.tolist()


def _text(value: Any, digits: int) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_text(item, digits) for item in value)}]"
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _shape(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
