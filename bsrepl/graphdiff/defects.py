"""What is wrong with a graph after a change, as far as the graph alone can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..text.format import counted
from .difference import Difference
from .view import View

_MOST = 6  # nodes that are named


def findings(difference: Difference, dropped: Sequence[str] = ()) -> list[str]:
    """What a change has brought about that should not be: each in a line. What was so before is not told.

    `dropped` are the nodes that the cleanup after a pass took out.
    """
    old, new = set(_wrong(difference.old)), list(_wrong(difference.new))
    found = [each for each in new if each not in old]
    unnamed = sum(not difference.new.nodes[node].name for node in difference.inserted)
    if unnamed:
        found.append(f"{counted(unnamed, 'new node')} {'has' if unnamed == 1 else 'have'} no name")
    names = {node.name for node in difference.new.nodes if node.name}
    named = sum(bool(node.name) for node in difference.new.nodes)
    if named > len(names) and not _has_double_names(difference.old):
        found.append(f"{counted(named - len(names), 'node')} named like another")
    untyped = [tensor for node in difference.inserted for tensor in difference.new.nodes[node].outputs]
    missing = sum(tensor is not None and difference.new.types.get(tensor, (0, None))[1] is None for tensor in untyped)
    if missing and _all_typed(difference.old):
        found.append(f"{counted(missing, 'new tensor')} of unknown shape; InferShapes finds it")
    if dropped:
        listed = f"{', '.join(dropped[:_MOST])}{', ...' if len(dropped) > _MOST else ''}"
        found.append(f"the cleanup dropped {counted(len(dropped), 'node')} that nothing led to or from: {listed}")
    return found


def _wrong(graph: View) -> Iterator[str]:
    for tensor in graph.outputs:
        if tensor not in graph.producers and tensor not in graph.inputs and tensor not in graph.constants:
            yield f"nothing makes the output {tensor[1] if tensor else ''}"
    for node in graph.nodes:
        for tensor in node.inputs:
            known = tensor is None or tensor in graph.producers or tensor in graph.inputs or tensor in graph.constants
            if not known and tensor is not None:
                yield f"nothing makes {tensor[1]}, which {node.name or node.op_type} reads"
    order = graph.order()
    done: set[int] = set()
    for number in order:
        makers = (graph.producers.get(tensor) for tensor in graph.nodes[number].inputs)
        if any(maker is not None and maker[0] not in done for maker in makers):
            yield f"a cycle goes through {graph.nodes[number].name or graph.nodes[number].op_type}"
            break
        done.add(number)


def _has_double_names(graph: View) -> bool:
    names = [node.name for node in graph.nodes if node.name]
    return len(names) > len(set(names))


def _all_typed(graph: View) -> bool:
    tensors = (tensor for node in graph.nodes for tensor in node.outputs if tensor is not None)
    return all(graph.types.get(tensor, (0, None))[1] is not None for tensor in tensors)
