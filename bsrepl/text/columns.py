"""Aligned columns of plain text, cut to a width."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], width: int, gap: int = 2) -> list[list[str]]:
    """The rows with their cells padded to align, each row at most `width` characters with its gaps.

    The columns are served from the left: one that no longer fits is cut short with `...`, and one that would be left
    with next to nothing is left out, with all that follow it.
    """
    fitted: list[int] = []
    room = width
    for natural in (max(map(len, column)) for column in zip(*rows, strict=True)):
        size = min(natural, room)
        if size < min(natural, _SHORTEST):
            break
        fitted.append(size)
        room -= size + gap
    return [[cut(cell, size).ljust(size) for cell, size in zip(row, fitted, strict=False)] for row in rows]


_SHORTEST = 10


def tail(text: str, width: int) -> str:
    """`text`, or `...` and its end if it is longer than `width` characters: names differ at their ends."""
    if len(text) <= width:
        return text
    return "..."[: max(width, 0)] + (text[-(width - 3) :] if width > 3 else "")


def cut(text: str, width: int) -> str:
    """`text`, or its beginning and `...` if it is longer than `width` characters."""
    if len(text) <= width:
        return text
    return text[: max(width - 3, 0)] + "..."[: max(width, 0)]
