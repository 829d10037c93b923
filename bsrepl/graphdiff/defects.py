"""What is wrong with a graph after a change, as far as the graph alone shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..text.format import counted
from .difference import Difference
from .view import Node, Tensor, View

_MOST = 6  # nodes that are named


def defects(difference: Difference, dropped: Sequence[str] = ()) -> list[str]:
    """The defects that a change introduced, one a line; those that were there before are left out.

    `dropped` are the names of the nodes that the cleanup after a pass removed.
    """
    old, new = difference.old, difference.new
    before = set(_defects(old))
    lines = [line for line in _defects(new) if line not in before]
    inserted = [new.nodes[node] for node in difference.inserted]
    unnamed = sum(not node.name for node in inserted)
    if unnamed:
        lines.append(f"{counted(unnamed, 'new node')} {'has' if unnamed == 1 else 'have'} no name")
    repeated = _repeated_names(new)
    if repeated and not _repeated_names(old):
        lines.append(f"{counted(repeated, 'node')} {'has' if repeated == 1 else 'have'} the name of another node")
    unknown = sum(tensor is not None and not _has_shape(new, tensor) for node in inserted for tensor in node.outputs)
    if unknown and all(_has_shape(old, tensor) for node in old.nodes for tensor in node.outputs if tensor is not None):
        lines.append(f"{counted(unknown, 'new tensor')} of unknown shape; tfm.InferShapes() adds the shapes")
    if dropped:
        names = f"{', '.join(dropped[:_MOST])}{', ...' if len(dropped) > _MOST else ''}"
        lines.append(f"the cleanup removed {counted(len(dropped), 'unconnected node')}: {names}")
    return lines


def _defects(graph: View) -> Iterator[str]:
    for tensor in graph.outputs:
        if not _is_known(graph, tensor):
            yield f"no node produces the output {tensor[1] if tensor else ''}"
    for number, node in enumerate(graph.nodes):
        for tensor in node.inputs:
            if tensor is not None and not _is_known(graph, tensor):
                yield f"{_name(node)} reads {tensor[1]}, which no node produces"
        for port, tensor in enumerate(node.outputs):
            producer = graph.producer(tensor)
            if tensor is not None and producer is not None and producer != (number, port):
                other = graph.nodes[producer[0]]
                yield f"{_name(node)} produces {tensor[1]}, which {_name(other)} produces, too"
    done: set[int] = set()
    for number in graph.order():
        if any(producer is not None and producer[0] not in done for producer in graph.makers[number]):
            yield f"{_name(graph.nodes[number])} is on a cycle"
            break
        done.add(number)


def _is_known(graph: View, tensor: Tensor | None) -> bool:
    return graph.producer(tensor) is not None or tensor in graph.inputs or tensor in graph.constants


def _name(node: Node) -> str:
    return node.name or node.op_type


def _repeated_names(graph: View) -> int:
    names = [node.name for node in graph.nodes if node.name]
    return len(names) - len(set(names))


def _has_shape(graph: View, tensor: Tensor) -> bool:
    return graph.types.get(tensor, (0, None))[1] is not None
