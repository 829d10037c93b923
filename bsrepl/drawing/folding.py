"""Which lines of a drawing are folded into one."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import groupby
from typing import NamedTuple

from .lanes import Line

_SHORTEST = 4  # plain lines in a row that are worth a fold


class Fold(NamedTuple):
    """Lines that are told in one."""

    lines: Sequence[Line]


def without_others(drawn: Sequence[Line], visible: Container[int]) -> list[Line | Fold]:
    """The lines of visible boxes; what is between them is folded, but for a line alone."""
    entries: list[Line | Fold] = []
    for is_visible, group in groupby(drawn, lambda line: line.step in visible):
        lines = list(group)
        entries += lines if is_visible or len(lines) == 1 else [Fold(lines)]
    return entries


def without_runs(drawn: Sequence[Line]) -> list[Line | Fold]:
    """The lines; of long runs of plain nodes in one lane the first and the last, and a fold between them."""
    entries: list[Line | Fold] = []
    for lanes, group in groupby(drawn, lambda line: line.lanes if line.is_plain else ""):
        lines = list(group)
        if lanes and len(lines) >= _SHORTEST:
            entries += [lines[0], Fold(lines[1:-1]), lines[-1]]
        else:
            entries += lines
    return entries
