"""The longest common subsequence of two sequences, in bounded time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

_MOST = 250_000  # pairs that are compared; longer sequences are split at elements that both contain once


def aligned(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of indices of equal elements, increasing in both: the longest list, unless the sequences are very long."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    ends = [(len(old) - distance, len(new) - distance) for distance in range(end, 0, -1)]
    middle = _middle(old[start : len(old) - end], new[start : len(new) - end])
    return [*((index, index) for index in range(start)), *((start + a, start + b) for a, b in middle), *ends]


def rising(values: Sequence[int]) -> list[int]:
    """The indices of a longest increasing subsequence."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        place = bisect_left(tails, value) if tails and value <= tails[-1] else len(tails)  # mostly they rise
        before.append(ends[place - 1] if place else -1)
        tails[place : place + 1] = [value]
        ends[place : place + 1] = [index]
    indices = []
    index = ends[-1] if ends else -1
    while index >= 0:
        indices.append(index)
        index = before[index]
    return indices[::-1]


def _middle(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    if not old or not new:
        return
    if len(old) * len(new) <= _MOST:
        yield from _longest(old, new)
        return
    anchors = _anchors(old, new)
    if not anchors:
        return
    last = (-1, -1)
    for a, b in [*anchors, (len(old), len(new))]:
        yield from ((last[0] + 1 + i, last[1] + 1 + j) for i, j in aligned(old[last[0] + 1 : a], new[last[1] + 1 : b]))
        if a < len(old):
            yield a, b
        last = (a, b)


def _anchors(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Elements that each sequence contains exactly once, as far as they are in the same order."""
    mine, theirs = Counter(old), Counter(new)
    places = {value: index for index, value in enumerate(new) if theirs[value] == 1}
    pairs = [(a, places[value]) for a, value in enumerate(old) if mine[value] == 1 and value in places]
    return [pairs[index] for index in rising([b for _, b in pairs])]


def _longest(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for a in range(len(old) - 1, -1, -1):
        row, below = lengths[a], lengths[a + 1]
        for b in range(len(new) - 1, -1, -1):
            row[b] = below[b + 1] + 1 if old[a] == new[b] else max(below[b], row[b + 1])
    a = b = 0
    while a < len(old) and b < len(new):
        if old[a] == new[b]:
            yield a, b
            a, b = a + 1, b + 1
        elif lengths[a + 1][b] >= lengths[a][b + 1]:
            a += 1
        else:
            b += 1
