"""Aligned columns of plain text, cut to a width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_SHORTEST = 10  # characters that are left of a column that is cut
_GAP = 2  # characters between two columns


class Importance(NamedTuple):
    """Which columns a table gives up where it does not fit."""

    order: Sequence[int]  # the positions of the columns, the most important first
    elastic: int | None = None  # the column that is cut before any is given up


def columns(rows: Sequence[Sequence[str]], width: int, importance: Importance | None = None) -> list[list[str]]:
    """The rows with their cells padded to align, each row at most `width` characters with its gaps.

    The columns are served from the left: one that no longer fits is cut short with `...`, and one that would be left
    with next to nothing is left out, with all that follow it. With `importance`, it is the least important ones that
    are left out.
    """
    if importance is not None:
        kept = most_important(rows, width, importance)
        rows = [[row[position] for position in kept] for row in rows]
        elastic = kept.index(importance.elastic) if importance.elastic in kept else None
        sizes = _shrunk(_naturals(rows), width, elastic)
        return [[cut(cell, size).ljust(size) for cell, size in zip(row, sizes, strict=True)] for row in rows]
    fitted: list[int] = []
    room = width
    for natural in _naturals(rows):
        size = min(natural, room)
        if size < min(natural, _SHORTEST):
            break
        fitted.append(size)
        room -= size + _GAP
    return [[cut(cell, size).ljust(size) for cell, size in zip(row, fitted, strict=False)] for row in rows]


def most_important(rows: Sequence[Sequence[str]], width: int, importance: Importance) -> list[int]:
    """The positions of the columns that there is room for, in their order; the two most important ones where each can
    have a few characters, or one. Where one is too wide, the next ones that are not come instead.
    """
    fewest = 2 if width >= 2 * _SHORTEST + _GAP else 1
    needed = _naturals(rows)
    if importance.elastic is not None:
        needed[importance.elastic] = min(needed[importance.elastic], _SHORTEST)
    kept: list[int] = []
    for position in importance.order:
        if len(kept) < fewest or sum(needed[each] + _GAP for each in (*kept, position)) - _GAP <= width:
            kept.append(position)
    return sorted(kept)


def _naturals(rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column is."""
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _shrunk(sizes: list[int], width: int, elastic: int | None) -> list[int]:
    """The sizes of columns, the elastic one and then the widest made as narrow as it takes."""
    excess = sum(sizes) + _GAP * (len(sizes) - 1) - width
    if elastic is not None and excess > 0:
        given = min(excess, max(sizes[elastic] - _SHORTEST, 0))
        sizes[elastic] -= given
        excess -= given
    while excess > 0 and max(sizes) > _SHORTEST:
        sizes[sizes.index(max(sizes))] -= 1
        excess -= 1
    return sizes


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
