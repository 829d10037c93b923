"""Where unmatched nodes stand: between which matched ones."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping, Sequence

from .view import Port, View

_WIDEST = 64  # matched nodes around an unmatched one; a larger set is taken for the empty one
_NOWHERE: frozenset[Hashable] = frozenset()

#: What is reached from a node: an end itself if it is the only one, as nearly everywhere; or a set of none or several.
_Reached = Hashable


def around(graph: View, order: Sequence[int], start: Iterable[int], matched: Container[int]) -> list[int]:
    """The unmatched nodes that are connected to some nodes through unmatched ones alone, in order."""
    connected: set[int] = set()
    waiting = list(start)
    while waiting:
        node = waiting.pop()
        near = [maker[0] for maker in graph.makers[node] if maker is not None]
        near += [reader for readers in graph.readers[node] for reader, _ in readers]
        for other in near:
            if other not in connected and other not in matched:
                connected.add(other)
                waiting.append(other)
    return [node for node in order if node in connected] if connected else []


def enclosed(graph: View, matched: Mapping[int, int], unmatched: Sequence[int]) -> dict[Hashable, list[int]]:
    """Unmatched nodes, given in order and with all that they are connected to, by the nearest matched ones around.

    `matched` maps matched nodes to the names that stand for them.
    """
    up: dict[int, _Reached] = {}
    down: dict[int, _Reached] = {}
    for node in unmatched:
        up[node] = _above(graph, node, matched, up)
    for node in reversed(unmatched):
        down[node] = _below(graph, node, matched, down)
    places: dict[Hashable, list[int]] = {}
    for node in unmatched:
        places.setdefault((up[node], down[node]), []).append(node)
    return places


def _above(graph: View, node: int, matched: Mapping[int, int], known: Mapping[int, _Reached]) -> _Reached:
    makers = graph.makers[node]
    if len(makers) == 1 and makers[0] is not None:  # as it is nearly everywhere
        return _reached(makers[0], matched, known)
    reached: list[_Reached] = []
    for tensor, maker in zip(graph.nodes[node].inputs, makers, strict=True):
        if maker is not None:
            reached.append(_reached(maker, matched, known))
        elif tensor in graph.inputs:
            reached.append(graph.inputs[tensor])
    return _union(reached)


def _below(graph: View, node: int, matched: Mapping[int, int], known: Mapping[int, _Reached]) -> _Reached:
    outputs = graph.nodes[node].outputs
    if len(outputs) == 1 and len(readers := graph.readers[node][0]) == 1 and outputs[0] not in graph.outputs:
        return _reached(readers[0], matched, known)
    reached: list[_Reached] = []
    for tensor, readers in zip(outputs, graph.readers[node], strict=True):
        if tensor in graph.outputs:
            reached += [("output", number) for number in graph.outputs[tensor]]
        reached += [_reached(port, matched, known) for port in readers]
    return _union(reached)


def _reached(port: Port, matched: Mapping[int, int], known: Mapping[int, _Reached]) -> _Reached:
    """An input or an output of a matched node; of an unmatched node, what is known to be reached from it."""
    node, number = port
    return (matched[node], number) if node in matched else known.get(node, _NOWHERE)


def _union(reached: Sequence[_Reached]) -> _Reached:
    """All that is reached; nothing if that is so much that it distinguishes nothing."""
    if len(reached) == 1:
        return reached[0]
    union: set[Hashable] = set()
    for ends in reached:
        if isinstance(ends, frozenset):
            union |= ends
        else:
            union.add(ends)
        if len(union) > _WIDEST:
            return _NOWHERE
    return union.pop() if len(union) == 1 else frozenset(union)
