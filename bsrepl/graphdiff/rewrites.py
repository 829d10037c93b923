"""Removed and inserted nodes, grouped into rewrites: what is connected, and what came in the place of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from .edits import Edit
from .match import Match
from .view import View


class Rewrite(NamedTuple):
    """Nodes that were removed and those that came in their place, by their numbers, in the order of the graph."""

    removed: tuple[int, ...]
    inserted: tuple[int, ...]
    shape: tuple[tuple[str, ...], tuple[str, ...]]  # the op types of both


class _Groups:
    """Disjoint sets of nodes."""

    def __init__(self, nodes: Sequence[int]) -> None:
        self._parents = {node: node for node in nodes}

    def __contains__(self, node: int) -> bool:
        return node in self._parents

    def root(self, node: int) -> int:
        parents = self._parents
        while (parent := parents[node]) != node:
            parents[node] = node = parents[parent]
        return node

    def join(self, one: int, other: int) -> None:
        self._parents[self.root(one)] = self.root(other)


def rewrites(match: Match, removed: Sequence[int], inserted: Sequence[int], edited: Sequence[Edit]) -> list[Rewrite]:
    """The rewrites that the removed and the inserted nodes make up.

    What goes around an edited node is one, and so is a node that went from one side of another to the other.
    """
    # A node of the old graph is in the groups as its number, one of the new graph as `~number`.
    groups = _Groups([*removed, *(~node for node in inserted)])
    for node in removed:
        for producer in match.old.makers[node]:
            if producer is not None and producer[0] in groups:
                groups.join(node, producer[0])
    for node in inserted:
        for producer in match.new.makers[node]:
            if producer is not None and ~producer[0] in groups:
                groups.join(~node, ~producer[0])
    at_ends = list(_at_same_place(match, removed, inserted, _ends))
    for one, other in at_ends:
        groups.join(one, other)
    joined = {groups.root(node) for pair in at_ends for node in pair}
    for one, other in _at_same_place(match, removed, inserted, _beginnings):
        if groups.root(one) not in joined and groups.root(other) not in joined:
            groups.join(one, other)
    for edit in edited:
        around = [node for node in _around(match.old, edit.old) if node in groups]
        around += [~node for node in _around(match.new, edit.new) if ~node in groups]
        for one, other in pairwise(around):
            groups.join(one, other)
    _join_moved(match, groups, removed, inserted)
    members: dict[int, tuple[list[int], list[int]]] = {}
    for node in removed:
        members.setdefault(groups.root(node), ([], []))[0].append(node)
    for node in inserted:
        members.setdefault(groups.root(~node), ([], []))[1].append(node)
    return [
        Rewrite(tuple(old), tuple(new), (_op_types(match.old, old), _op_types(match.new, new)))
        for old, new in members.values()
    ]


def _join_moved(match: Match, groups: _Groups, removed: Sequence[int], inserted: Sequence[int]) -> None:
    """Joins a removed node and an inserted one of its type, each a rewrite of its own, next to the same node."""
    sizes = Counter(map(groups.root, (*removed, *(~node for node in inserted))))
    places: dict[tuple[str, int], int] = {}
    for node in removed:
        if sizes[groups.root(node)] == 1:
            op_type = match.old.nodes[node].op_type
            places.update(((op_type, match.forward[near]), node) for near in _around(match.old, node)
                          if near in match.forward)  # fmt: skip
    for node in inserted:
        if sizes[groups.root(~node)] == 1:
            op_type = match.new.nodes[node].op_type
            for near in _around(match.new, node):
                if (other := places.pop((op_type, near), None)) is not None:
                    groups.join(other, ~node)
                    break


def _around(graph: View, node: int) -> Iterator[int]:
    """The nodes that a node reads from, and those that read from it."""
    yield from [producer[0] for producer in graph.makers[node] if producer is not None]
    yield from [reader for readers in graph.readers[node] for reader, _ in readers]


def _op_types(graph: View, nodes: Sequence[int]) -> tuple[str, ...]:
    return tuple(graph.nodes[node].op_type for node in nodes)


_Places = Callable[[View, int, Mapping[int, int]], Iterator[Hashable]]


def _at_same_place(
    match: Match, removed: Sequence[int], inserted: Sequence[int], places: _Places
) -> Iterator[tuple[int, int]]:
    """Pairs of a removed and an inserted node at the same place next to matched nodes: `number` and `~number`."""
    old: dict[Hashable, int] = {}
    for node in removed:
        for place in places(match.old, node, match.forward):
            old.setdefault(place, node)
    same = match.named()
    for node in inserted:
        for place in places(match.new, node, same):
            if place in old:
                yield old[place], ~node


def _ends(graph: View, node: int, names: Mapping[int, int]) -> Iterator[Hashable]:
    """The places that read the outputs of a node: inputs of matched nodes, under the names in `names`, and outputs."""
    for tensor, readers in zip(graph.nodes[node].outputs, graph.readers[node], strict=True):
        if tensor is not None:
            yield from [("output", number) for number in graph.outputs.get(tensor, ())]
        for reader, port in readers:
            if reader in names:
                yield names[reader], port


def _beginnings(graph: View, node: int, names: Mapping[int, int]) -> Iterator[Hashable]:
    """The places that a node reads from: outputs of matched nodes, under the names in `names`, and graph inputs."""
    for tensor, producer in zip(graph.nodes[node].inputs, graph.makers[node], strict=True):
        if tensor in graph.inputs:
            yield "input", graph.inputs[tensor]
        elif producer is not None and producer[0] in names:
            yield names[producer[0]], producer[1]
