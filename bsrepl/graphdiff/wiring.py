"""What nodes and outputs read from, compared between two graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .match import Match
from .view import Tensor, View


def moves(match: Match) -> Iterator[tuple[int, int]]:
    """The pairs of nodes that read from other nodes than before; inserted and removed nodes in between do not count."""
    forward = match.forward
    for mine, theirs in sorted(forward.items()):
        producers, others = match.old.makers[mine], match.new.makers[theirs]
        for port, (producer, other) in enumerate(zip(producers, others, strict=False)):
            if producer and other and producer[1] == other[1] and forward.get(producer[0]) == other[0]:
                continue  # the same output of the same node
            a, b = match.old.nodes[mine].inputs[port], match.new.nodes[theirs].inputs[port]
            if a is None or b is None or (a in match.old.constants and b in match.new.constants):
                continue
            if is_from_elsewhere(match, a, b):
                yield mine, theirs
                break


def is_from_elsewhere(match: Match, old: Tensor, new: Tensor) -> bool:
    """Whether a tensor of the new graph comes from other nodes than its counterpart, or from other outputs of them."""
    before = _origins(match.old, old, match.forward)
    after = _origins(match.new, new, match.backward)
    expected = {(match.forward[port[0]], port[1]) if isinstance(port, tuple) else port for port in before}
    return bool(expected) and bool(after) and expected.isdisjoint(after)


def _origins(graph: View, tensor: Tensor, matched: Mapping[int, int]) -> set[tuple[int, int] | str]:
    """The outputs of matched nodes, or the inputs of the graph, that a tensor comes from through unmatched nodes."""
    origins: set[tuple[int, int] | str] = set()
    seen: set[Tensor] = set()
    waiting = [tensor]
    while waiting:
        tensor = waiting.pop()
        if tensor in seen:
            continue
        seen.add(tensor)
        if tensor in graph.inputs:
            origins.add(graph.inputs[tensor])
        elif tensor in graph.producers:
            node, port = graph.producers[tensor]
            if node in matched:
                origins.add((node, port))
            else:
                waiting += [source for source in graph.nodes[node].inputs if source is not None]
    return origins
