"""What nodes and outputs read from, compared between two graphs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .match import Match
from .view import Port, Tensor, View

_NOWHERE = "nowhere"  # where a tensor comes from that no node produces, and that is no input


class Wiring(NamedTuple):
    """The pairs of nodes that read from other nodes than before, and the nodes that only read in another order."""

    moved: list[tuple[int, int]]
    swapped: list[int]  # of the old graph


def wiring(match: Match) -> Wiring:
    """How the wiring changed; inserted and removed nodes in between do not count."""
    result = Wiring([], [])
    forward, old, new = match.forward, match.old, match.new
    ends = [tensor for graph in (old, new) for tensor in _ends(graph)]
    outer = {node for tensor in ends for node, _ in old.consumers_of(tensor)}
    for mine, makers in enumerate(old.makers):
        theirs = forward.get(mine)
        if theirs is None or (mine not in outer and _are_same(makers, new.makers[theirs], forward)):
            continue
        if not any(_changed_ports(match, mine, theirs)):
            continue
        if old.nodes[mine].is_commutative and _sources(match, mine) == _sources(match, theirs, is_new=True):
            result.swapped.append(mine)
        else:
            result.moved.append((mine, theirs))
    return result


def _are_same(makers: Sequence[Port | None], others: Sequence[Port | None], forward: Mapping[int, int]) -> bool:
    """Whether outputs of nodes are the counterparts of others, one by one."""
    if len(makers) != len(others):
        return False
    for maker, other in zip(makers, others, strict=True):
        if maker is None or other is None:
            if maker is not other:
                return False
        elif maker[1] != other[1] or forward.get(maker[0]) != other[0]:
            return False
    return True


def _ends(graph: View) -> Iterator[Tensor | None]:
    """The tensors that are read, and that no node produces: inputs, and what a defect left without a source."""
    for number, tensor in enumerate(graph.tensors):
        if graph.consumers[number] and graph.producers[number] is None and tensor not in graph.constants:
            yield tensor


def _changed_ports(match: Match, mine: int, theirs: int) -> Iterator[bool]:
    """Whether each input comes from other nodes than before, as long as it is not obviously the same."""
    forward = match.forward
    producers, others = match.old.makers[mine], match.new.makers[theirs]
    for port, (producer, other) in enumerate(zip(producers, others, strict=False)):
        if producer and other and producer[1] == other[1] and forward.get(producer[0]) == other[0]:
            continue  # the same output of the same node
        a, b = match.old.nodes[mine].inputs[port], match.new.nodes[theirs].inputs[port]
        if a is None or b is None or (a in match.old.constants and b in match.new.constants):
            continue
        yield is_from_elsewhere(match, a, b)


def _sources(match: Match, node: int, is_new: bool = False) -> Counter[frozenset[Hashable]]:
    """What the inputs of a node come from, in no order, in terms of the new graph."""
    graph, matched = (match.new, match.backward) if is_new else (match.old, match.forward)
    names = range(len(graph.nodes)) if is_new else match.forward
    origins = [_origins(graph, tensor, matched) for tensor in graph.nodes[node].inputs if tensor is not None]
    return Counter(
        frozenset((names[port[0]], port[1]) if isinstance(port, tuple) else port for port in origin)
        for origin in origins
    )


def is_from_elsewhere(match: Match, old: Tensor, new: Tensor) -> bool:
    """Whether a tensor of the new graph comes from other nodes than its counterpart, or from other outputs of them."""
    before = _origins(match.old, old, match.forward)
    after = _origins(match.new, new, match.backward)
    expected = {(match.forward[port[0]], port[1]) if isinstance(port, tuple) else port for port in before}
    return bool(expected) and bool(after) and expected.isdisjoint(after)


def _origins(graph: View, tensor: Tensor, matched: Mapping[int, int]) -> set[tuple[int, int] | str]:
    """The outputs of matched nodes, or the inputs of the graph, that a tensor comes from through unmatched nodes."""
    origins: set[tuple[int, int] | str] = set()
    seen: set[Tensor | None] = {None}
    waiting: list[tuple[Tensor | None, Port | None]] = [(tensor, graph.producer(tensor))]
    while waiting:
        source, producer = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        if source in graph.inputs:
            origins.add(graph.inputs[source])
        elif producer is not None:
            if producer[0] in matched:
                origins.add(producer)
            else:
                waiting += zip(graph.nodes[producer[0]].inputs, graph.makers[producer[0]], strict=True)
        elif source not in graph.constants:
            origins.add(_NOWHERE)
    return origins
